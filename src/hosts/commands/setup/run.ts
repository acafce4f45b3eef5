// SPDX-License-Identifier: Apache-2.0
import type { PlanResult } from '../../../core/operation-results.js';
import type { Outcome } from '../../../usecases/outcome.js';
import type { RunContext } from '../../context.js';
import type { ParsedSetup } from './parse.js';

/** Runs `setup`. */
export function runSetup(_parsed: ParsedSetup, _context: RunContext): Promise<Outcome<PlanResult>> {
  return Promise.reject(new Error('not available in this version'));
}
