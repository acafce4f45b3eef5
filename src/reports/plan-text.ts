// SPDX-License-Identifier: Apache-2.0
import type { PlanResult } from '../core/operation-results.js';
import type { TextStyle } from './check-text.js';

/** The result in lines for people on a terminal. */
export function planText(_result: PlanResult, _style: TextStyle): string {
  return '';
}
