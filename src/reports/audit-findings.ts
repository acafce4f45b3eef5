// SPDX-License-Identifier: Apache-2.0
// What every report of an audit says the same way.
import { EVENT_TYPES } from '../core/audit/events.js';
import type { AuditEventType, AuditGroup, AuditResult } from '../core/operation-results.js';

/** What each kind of event means, and what to do about it. */
export const EVENT_MEANINGS: Readonly<Record<AuditEventType, { readonly meaning: string; readonly next: string }>> = {
  BREAK_GLASS: {
    meaning: 'Deployed with break-glass: whatever the policy says, it was admitted.',
    next: 'Ask who used it for what, attest the image, and take break-glass off the workload.',
  },
  FAIL_OPEN: {
    meaning: 'Admitted unchecked, because Binary Authorization could not be asked.',
    next: 'Check the images with binauthz check, and replace what it denies.',
  },
  DENIED: {
    meaning: 'Denied by the policy.',
    next: 'Attest the image, or deploy one that is attested; binauthz check explains the denial.',
  },
  DRY_RUN: {
    meaning: 'Admitted by a rule in dry-run mode; enforced, the policy would have denied it.',
    next: 'Attest the image, or exempt it, before the rule enforces.',
  },
};

/** On Cloud Run break-glass ends with the next deployment, which gcloud does not say when it is used. */
export const CLOUD_RUN_NOTE =
  'on Cloud Run the next deployment clears break-glass, and is denied unless its image is admitted: attest the image before it';

/** `1 BREAK_GLASS, 3 DENIED`, the gravest first. */
export function countsOf({ events, complete }: AuditResult): string {
  const counts = EVENT_TYPES.map((type) => [events.filter((event) => event.type === type).length, type] as const);
  const told = counts.filter(([count]) => count > 0).map(([count, type]) => `${count} ${type}`);
  if (told.length === 0) return complete ? 'no event' : 'no event in what could be read';
  return `${told.join(', ')}${complete ? '' : ' in what could be read'}`;
}

/** `3 times from … to …` */
export function timesOf({ count, first, last }: AuditGroup): string {
  return count === 1 ? `once at ${first}` : `${count} times from ${first} to ${last}`;
}

/** Whether the result tells of a use of break-glass on Cloud Run. */
export function usesCloudRunBreakGlass({ groups }: AuditResult): boolean {
  return groups.some(({ type, platform }) => type === 'BREAK_GLASS' && platform === 'cloud-run');
}
