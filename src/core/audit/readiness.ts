// SPDX-License-Identifier: Apache-2.0
import { formatAge } from '../duration.js';
import type { AuditEvent, AuditReadiness } from '../operation-results.js';

/** How much was read: RFC 3339 times, and whether that is all there is between them. */
export interface ReadPeriod {
  readonly since: string;
  readonly until: string;
  readonly complete: boolean;
}

/**
 * Whether a dry-run rule may enforce. Logs hold what the policy would have denied and nothing of what it would have
 * admitted, so that no would-be denials are also what a cluster without a dry-run rule, or without deployments, looks like.
 */
export function readinessOf(events: readonly AuditEvent[], { since, until, complete }: ReadPeriod): AuditReadiness {
  const wouldBeDenials = events.filter(({ type }) => type === 'DRY_RUN').length;
  return { wouldBeDenials, since, complete, statement: statementOf(events, wouldBeDenials, { since, until, complete }) };
}

function statementOf(events: readonly AuditEvent[], wouldBeDenials: number, { since, until, complete }: ReadPeriod): string {
  const period = `in ${formatAge(Date.parse(until) - Date.parse(since))}`;
  const count = `${wouldBeDenials} would-be denial${wouldBeDenials === 1 ? '' : 's'} ${period}`;
  if (wouldBeDenials > 0) {
    const more = complete ? '' : ', and more may not have been read';
    return `${count}${more}: not ready to enforce; attest or exempt these images first`;
  }
  if (!complete) return `unknown: the logs ${period} could not be read to their end`;
  const unchecked = events.filter(({ type }) => type === 'FAIL_OPEN').length;
  const doubt = unchecked === 0 ? '' : `, but ${unchecked} admission${unchecked === 1 ? ' was' : 's were'} not checked at all`;
  return `${count}${doubt}: ready to enforce what was deployed ${period}, provided that a dry-run rule was in force and workloads were deployed all that time, which these logs cannot show`;
}
