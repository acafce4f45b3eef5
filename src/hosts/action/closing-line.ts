// SPDX-License-Identifier: Apache-2.0
import type { Ending } from '../outcome.js';

/** The last line of a step's log: how it ended, what became of the attestations, and where the report is. */
export function closingLine(command: string, { result, exitCode }: Ending, report: string | undefined): string {
  const end = exitCode === 0 ? 'done' : `failed with exit code ${exitCode}`;
  const rows = result.schema === 'binauthz.attest/v1' ? result.attestations : [];
  const statuses = [...new Set(rows.map(({ status }) => status))].map(
    (status) => `${rows.filter((row) => row.status === status).length} ${status}`,
  );
  return [
    `binauthz ${command}: ${end}`,
    ...(statuses.length === 0 ? [] : [statuses.join(', ')]),
    ...(report === undefined ? [] : [`report: ${report}`]),
  ].join('; ');
}
