// SPDX-License-Identifier: Apache-2.0

/** What the enforcer would say, the best first; the worst of several wins. */
export const VERDICTS = ['ALLOWED', 'ALLOWED_DRY_RUN', 'ALLOWED_BREAK_GLASS', 'NOT_ENFORCED', 'UNKNOWN', 'DENIED'] as const;

export type Verdict = (typeof VERDICTS)[number];

/** Why a verdict is what it is. A closed list, documented in docs/ERRORS.md. */
export type ReasonCode =
  | 'EXEMPT_BY_PATTERN'
  | 'POLICY_ALLOWS_ALL'
  | 'POLICY_DENIES_ALL'
  | 'ATTESTED'
  | 'NO_TRUSTED_ATTESTATION'
  | 'IMAGE_NOT_PINNED'
  | 'EVIDENCE_MISSING'
  | 'POLICY_NOT_DECIDABLE';

/** One reason, in words for a person, with the next step where there is one. */
export interface Reason {
  readonly code: ReasonCode;
  readonly message: string;
  readonly attestor?: string;
  readonly hint?: string;
}

/** The verdict over several images: the worst one wins; nothing at all is UNKNOWN, never allowed. */
export function worst(verdicts: readonly Verdict[]): Verdict {
  const rank = verdicts.reduce((highest, verdict) => Math.max(highest, VERDICTS.indexOf(verdict)), -1);
  return VERDICTS[rank] ?? 'UNKNOWN';
}
