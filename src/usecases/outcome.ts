// SPDX-License-Identifier: Apache-2.0
import type { BinauthzError } from '../core/errors.js';

/** How a run ended: the result so far, and everything that failed. A denial is in the result, never an error. */
export interface Outcome<Result> {
  readonly result: Result;
  readonly errors: readonly BinauthzError[];
}
