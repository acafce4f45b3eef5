// SPDX-License-Identifier: Apache-2.0
import type { PlanResult } from '../../../core/operation-results.js';
import type { Outcome } from '../../../usecases/outcome.js';
import { setup } from '../../../usecases/setup.js';
import { runWith } from '../../compose.js';
import type { RunContext } from '../../context.js';
import type { ParsedSetup } from './parse.js';

/** Runs `setup`. */
export function runSetup({ common, request }: ParsedSetup, context: RunContext): Promise<Outcome<PlanResult>> {
  return runWith(common, context, (ports) => setup(request, ports));
}
