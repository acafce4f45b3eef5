// SPDX-License-Identifier: Apache-2.0
import { countsOf as auditCountsOf } from '../../reports/audit-findings.js';
import { checkOf, vulnerabilitiesOf, type Ending } from '../outcome.js';

/** The last line of a step's log: how it ended, what became of the attestations, what was decided, and where the report is. */
export function closingLine(command: string, { result, exitCode }: Ending, report: string | undefined): string {
  const end = exitCode === 0 ? 'done' : `failed with exit code ${exitCode}`;
  const check = checkOf(result);
  const vulnerabilities = vulnerabilitiesOf(result);
  const rows = result.schema === 'binauthz.attest/v1' ? result.attestations : [];
  const statuses = [...new Set(rows.map(({ status }) => status))].map(
    (status) => `${rows.filter((row) => row.status === status).length} ${status}`,
  );
  const events = result.schema === 'binauthz.audit/v1' && result.since !== '' ? [auditCountsOf(result)] : [];
  return [
    `binauthz ${command}: ${end}`,
    ...events,
    ...(statuses.length === 0 ? [] : [statuses.join(', ')]),
    ...(vulnerabilities === undefined ? [] : [`vulnerabilities: ${vulnerabilities.verdict}`]),
    ...(check === undefined || (result.errors && check.images.length === 0) ? [] : [`verdict: ${check.verdict}`]),
    ...(report === undefined ? [] : [`report: ${report}`]),
  ].join('; ');
}
