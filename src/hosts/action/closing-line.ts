// SPDX-License-Identifier: Apache-2.0
import { checkOf, type Ending } from '../outcome.js';

/** The last line of a step's log: how it ended, what became of the attestations, what was decided, and where the report is. */
export function closingLine(command: string, { result, exitCode }: Ending, report: string | undefined): string {
  const end = exitCode === 0 ? 'done' : `failed with exit code ${exitCode}`;
  const check = checkOf(result);
  const rows = result.schema === 'binauthz.attest/v1' ? result.attestations : [];
  const statuses = [...new Set(rows.map(({ status }) => status))].map(
    (status) => `${rows.filter((row) => row.status === status).length} ${status}`,
  );
  return [
    `binauthz ${command}: ${end}`,
    ...(statuses.length === 0 ? [] : [statuses.join(', ')]),
    ...(check === undefined || (result.errors && check.images.length === 0) ? [] : [`verdict: ${check.verdict}`]),
    ...(report === undefined ? [] : [`report: ${report}`]),
  ].join('; ');
}
