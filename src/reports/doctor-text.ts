// SPDX-License-Identifier: Apache-2.0
import type { DoctorResult } from '../core/operation-results.js';
import type { TextStyle } from './check-text.js';

/** The result in lines for people on a terminal. */
export function doctorText(_result: DoctorResult, _style: TextStyle): string {
  return '';
}
