// SPDX-License-Identifier: Apache-2.0
import type { AuditResult } from '../../../core/operation-results.js';
import type { Outcome } from '../../../usecases/outcome.js';
import type { RunContext } from '../../context.js';
import type { ParsedAudit } from './parse.js';

/** Runs `audit`. */
export function runAudit(_parsed: ParsedAudit, _context: RunContext): Promise<Outcome<AuditResult>> {
  return Promise.reject(new Error('not available in this version'));
}
