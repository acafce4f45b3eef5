// SPDX-License-Identifier: Apache-2.0
import type { PlanResult } from '../../../core/operation-results.js';
import type { Outcome } from '../../../usecases/outcome.js';
import type { RunContext } from '../../context.js';
import type { ParsedRotate } from './parse.js';

/** Runs `rotate`. */
export function runRotate(_parsed: ParsedRotate, _context: RunContext): Promise<Outcome<PlanResult>> {
  return Promise.reject(new Error('not available in this version'));
}
