// SPDX-License-Identifier: Apache-2.0
// What an audit's result means for a run: events that were not to happen are 3, a read that is not complete is 4.
import { BinauthzError } from '../../../core/errors.js';
import type { AuditEventType, AuditResult } from '../../../core/operation-results.js';
import type { Refuse } from '../../outcome.js';

/** Refuses what `--fail-on` names, and otherwise a read that did not see everything. */
export function auditor(failOn: ReadonlySet<AuditEventType>): Refuse {
  return (result) => (result.schema === 'binauthz.audit/v1' ? refusalOf(result, failOn) : undefined);
}

function refusalOf(result: AuditResult, failOn: ReadonlySet<AuditEventType>): BinauthzError | undefined {
  const found = result.groups.filter(({ type }) => failOn.has(type));
  const [first, ...others] = found;
  const gap = result.complete ? '' : ' (and the logs were not read to their end)';
  if (first) {
    const more = others.length === 0 ? '' : `, and ${others.length} more`;
    const message = `the audit of projects/${result.project} found ${first.type}: ${first.resource} by ${first.principals.join(', ')}, last at ${first.last}${more}${gap}`;
    return new BinauthzError('AUDIT_FOUND', message, {
      resource: first.resource,
      hint: 'the result tells who deployed what, when and why; an event is reported as long as --since reaches back to it',
    });
  }
  if (result.complete) return undefined;
  const [cause] = result.errors ?? [];
  return new BinauthzError('LOGS_INCOMPLETE', cause?.message ?? 'the logs were not read to their end', {
    resource: cause?.resource ?? `projects/${result.project}`,
    hint: cause?.hint ?? 'run again, with a shorter --since where it lasts',
  });
}
