// SPDX-License-Identifier: Apache-2.0
import type { OptionRow } from '../../option-row.js';

/** The options that only `setup` has. */
export const SETUP_OPTIONS: readonly OptionRow[] = [];
