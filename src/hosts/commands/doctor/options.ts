// SPDX-License-Identifier: Apache-2.0
import type { OptionRow } from '../../option-row.js';

/** The options that only `doctor` has. */
export const DOCTOR_OPTIONS: readonly OptionRow[] = [];
