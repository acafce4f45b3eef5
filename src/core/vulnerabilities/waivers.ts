// SPDX-License-Identifier: Apache-2.0
import type { Finding } from './finding.js';
import type { Waiver } from './policy.js';

const DAY_MS = 86_400_000;
/** How long before its end a waiver is spoken of. */
const NOTICE_MS = 7 * DAY_MS;

/** A waiver of a finding at a time. */
export interface WaiverState {
  readonly waiver: Waiver;
  readonly isExpired: boolean;
  /** It ends within a week. */
  readonly isEnding: boolean;
}

/** The waivers of a finding, the one that lasts longest first. Ids and packages are compared as they are written. */
export function findWaivers(waivers: readonly Waiver[], finding: Finding, now: number): readonly WaiverState[] {
  return waivers
    .filter((waiver) => waiver.id === finding.id && (waiver.package === undefined || waiver.package === finding.package))
    .toSorted((one, other) => endOf(other) - endOf(one))
    .map((waiver) => ({ waiver, isExpired: !(now < endOf(waiver)), isEnding: now >= endOf(waiver) - NOTICE_MS }));
}

// The day named is the last one that counts, in UTC.
function endOf({ expires }: Waiver): number {
  return Date.parse(`${expires}T00:00:00Z`) + DAY_MS;
}
