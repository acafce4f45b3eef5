// SPDX-License-Identifier: Apache-2.0
import type { VulnerabilitiesResult } from '../../../core/results.js';
import type { Outcome } from '../../../usecases/outcome.js';
import { vulnerabilities } from '../../../usecases/vulnerabilities.js';
import { runWith } from '../../compose.js';
import type { RunContext } from '../../context.js';
import type { ParsedVulnerabilities } from './parse.js';

/** Runs `vulnerabilities`. */
export function runVulnerabilities(
  { request, common }: ParsedVulnerabilities,
  context: RunContext,
): Promise<Outcome<VulnerabilitiesResult>> {
  return runWith(common, context, (ports) => vulnerabilities(request, ports));
}
