// SPDX-License-Identifier: Apache-2.0
import type { VulnerabilitiesResult } from '../../../core/results.js';
import type { Outcome } from '../../../usecases/outcome.js';
import type { RunContext } from '../../context.js';
import type { ParsedVulnerabilities } from './parse.js';

/** Runs `vulnerabilities`. */
export function runVulnerabilities(_parsed: ParsedVulnerabilities, _context: RunContext): Promise<Outcome<VulnerabilitiesResult>> {
  return Promise.reject(new Error('not available in this version'));
}
