// SPDX-License-Identifier: Apache-2.0
import { runWith } from '../../compose.js';
import type { AttestOutcome, RunContext } from '../../context.js';
import { attestThenCheck } from './attest-then-check.js';
import type { ParsedCheckedAttest } from './parse.js';

/** Runs `attest`, and the check at its end. */
export function runAttest(parsed: ParsedCheckedAttest, context: RunContext): Promise<AttestOutcome> {
  return runWith(parsed.common, context, (ports) => attestThenCheck(parsed, { ...ports, openKeys: () => ports.openKeys(parsed.keys) }));
}
