// SPDX-License-Identifier: Apache-2.0
import { runWith } from '../../compose.js';
import type { CheckOutcome, RunContext } from '../../context.js';
import { checkAndWarn } from '../attest/attest-then-check.js';
import type { ParsedCheck } from './parse.js';

/** Runs `check`. */
export function runCheck(parsed: ParsedCheck, context: RunContext): Promise<CheckOutcome> {
  return runWith(parsed.common, context, (ports) => checkAndWarn(parsed.request, parsed, ports));
}
