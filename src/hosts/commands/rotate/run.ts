// SPDX-License-Identifier: Apache-2.0
import type { PlanResult } from '../../../core/operation-results.js';
import type { Outcome } from '../../../usecases/outcome.js';
import { rotate } from '../../../usecases/rotate.js';
import { runWith } from '../../compose.js';
import type { RunContext } from '../../context.js';
import type { ParsedRotate } from './parse.js';

/** Runs `rotate`. */
export function runRotate({ common, request, newKey }: ParsedRotate, context: RunContext): Promise<Outcome<PlanResult>> {
  return runWith(common, context, (ports) => rotate(request, { ...ports, openNewKey: () => ports.openNewKey(newKey) }));
}
