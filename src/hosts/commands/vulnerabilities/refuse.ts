// SPDX-License-Identifier: Apache-2.0
import type { BinauthzError } from '../../../core/errors.js';
import { refusalOf } from '../../../core/vulnerabilities/refusals.js';
import type { CommandResult } from '../../outcome.js';

/** Refuses what the vulnerability policy denies (3), and what cannot be judged (4). */
export function refuseVulnerable(result: CommandResult): BinauthzError | undefined {
  return result.schema === 'binauthz.vulnerabilities/v1' ? refusalOf(result) : undefined;
}
