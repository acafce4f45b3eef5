// SPDX-License-Identifier: Apache-2.0
import type { OptionRow } from '../../option-row.js';

/** The options that only `audit` has. */
export const AUDIT_OPTIONS: readonly OptionRow[] = [];
