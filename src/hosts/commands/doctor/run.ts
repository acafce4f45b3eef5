// SPDX-License-Identifier: Apache-2.0
import type { DoctorResult } from '../../../core/operation-results.js';
import type { Outcome } from '../../../usecases/outcome.js';
import type { RunContext } from '../../context.js';
import type { ParsedDoctor } from './parse.js';

/** Runs `doctor`. */
export function runDoctor(_parsed: ParsedDoctor, _context: RunContext): Promise<Outcome<DoctorResult>> {
  return Promise.reject(new Error('not available in this version'));
}
