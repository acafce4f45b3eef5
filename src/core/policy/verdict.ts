// SPDX-License-Identifier: Apache-2.0

/** What the enforcer would say, the best first; the worst of several wins. */
export const VERDICTS = ['ALLOWED', 'ALLOWED_DRY_RUN', 'ALLOWED_BREAK_GLASS', 'NOT_ENFORCED', 'UNKNOWN', 'DENIED'] as const;

export type Verdict = (typeof VERDICTS)[number];

/** Every reason code with its meaning. A closed list, documented in docs/ERRORS.md: codes are added, never renamed. */
export const REASON_CODES = {
  ATTESTED: 'An attestation of a required attestor verifies.',
  EXEMPT_BY_PATTERN: 'A pattern of the policy exempts the image from every rule.',
  EXEMPT_BY_SYSTEM_POLICY: 'A pattern of Google’s system policy exempts the image.',
  POLICY_ALLOWS_ALL: 'The rule admits every image, or no policy was ever set.',
  POLICY_DENIES_ALL: 'The rule denies every image.',
  NO_TRUSTED_ATTESTATION: 'A required attestor has no attestation for the image that verifies under a key that it trusts now.',
  ATTESTOR_HAS_NO_KEY: 'A required attestor trusts no key, so it is never satisfied.',
  ATTESTOR_MISSING: 'A required attestor does not exist any more; what the enforcer does then is not published.',
  IMAGE_NOT_PINNED: 'The rule requires attestations, and the image is named by a tag or a malformed digest, which GKE does not resolve.',
  PLATFORM_CHILD_NOT_ATTESTED: 'Cloud Run evaluates the linux/amd64 image of an index, and that one is not attested.',
  BREAK_GLASS: 'Break-glass admits the workload whatever the policy says, and is logged.',
  BREAK_GLASS_INEFFECTIVE: 'Something that looks like break-glass does not act: another value than "true", or in the wrong place.',
  CLUSTER_NOT_ENFORCING: 'The cluster does not ask the policy.',
  SERVICE_NOT_OPTED_IN: 'The Cloud Run resource has Binary Authorization off.',
  CLUSTER_NOT_FOUND: 'No such cluster exists, and the policy has no rule of that key.',
  CLUSTER_UNKNOWN: 'The verdict differs between the rules of clusters, and no cluster was named.',
  RULE_MAPS_CONFLICT:
    'The policy has more than one kind of specific rule, which the API excludes: what the enforcer does is not published.',
  CLOUD_RUN_PLATFORM_POLICY: 'The Cloud Run resource names a platform policy, which no public method evaluates.',
  VALIDATION_DISAGREES: 'Google’s validation and the local verification contradict each other.',
  VALIDATION_UNDECIDED: 'Google’s validation answered neither yes nor no.',
  IMAGE_NOT_RESOLVED: 'The image could not be resolved to a digest.',
  EVIDENCE_MISSING: 'Something that decides the verdict could not be read.',
  POLICY_NOT_READABLE: 'The policy could not be read.',
  NOT_IN_ATTESTED_SET: 'The image is not among those that this pipeline attested.',
  NO_IMAGE_FOUND: 'A document was given in which no image was found.',
} as const;

export type ReasonCode = keyof typeof REASON_CODES;

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
