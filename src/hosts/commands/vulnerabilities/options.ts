// SPDX-License-Identifier: Apache-2.0
import type { OptionRow } from '../../option-row.js';

/** The options that only `vulnerabilities` has. */
export const VULNERABILITIES_OPTIONS: readonly OptionRow[] = [];
