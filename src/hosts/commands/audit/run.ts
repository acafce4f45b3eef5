// SPDX-License-Identifier: Apache-2.0
import type { AuditResult } from '../../../core/operation-results.js';
import { audit } from '../../../usecases/audit.js';
import type { Outcome } from '../../../usecases/outcome.js';
import { runWith } from '../../compose.js';
import type { RunContext } from '../../context.js';
import type { ParsedAudit } from './parse.js';

/** Runs `audit`. */
export function runAudit(parsed: ParsedAudit, context: RunContext): Promise<Outcome<AuditResult>> {
  return runWith(parsed.common, context, (ports) => audit(parsed.request, ports));
}
