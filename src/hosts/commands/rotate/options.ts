// SPDX-License-Identifier: Apache-2.0
import type { OptionRow } from '../../option-row.js';

/** The options that only `rotate` has. */
export const ROTATE_OPTIONS: readonly OptionRow[] = [];
