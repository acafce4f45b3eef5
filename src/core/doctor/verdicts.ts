// SPDX-License-Identifier: Apache-2.0
// What check would say of the images: whatever of it no other finding tells, so that doctor is never greener than check.
import { nameOf, pinnedName } from '../image/reference.js';
import type { Reason, ReasonCode } from '../policy/verdict.js';
import { shellLine } from '../provisioning/gcloud.js';
import { known, type DoctorFacts, type ImageFacts } from './facts.js';
import { errorOf, type Finding, type FindingCode } from './findings.js';

/** Reasons that keep no image out; the policy's own findings warn of them. */
const HARMLESS: ReadonlySet<ReasonCode> = new Set([
  'ATTESTED',
  'POLICY_ALLOWS_ALL',
  'EXEMPT_BY_SYSTEM_POLICY',
  'CLUSTER_NOT_ENFORCING',
  'SERVICE_NOT_OPTED_IN',
]);

const UNREAD: readonly FindingCode[] = ['NOT_CHECKED', 'PERMISSION_MISSING', 'API_DISABLED', 'NOT_SIGNED_IN'];
const UNATTESTED: readonly FindingCode[] = [
  ...(['NOT_ATTESTED', 'ATTESTED_UNDER_OTHER_NOTE', 'CHILD_ATTESTED_ONLY', 'INDEX_ATTESTED_ONLY', 'SIBLING_ATTESTED_ONLY'] as const),
  ...(['ATTESTED_BY_UNTRUSTED_KEY', 'ATTESTED_UNDER_OTHER_KEY_ID', 'ATTESTED_UNDER_PGP_SPELLING'] as const),
  ...(['ATTESTATION_PGP_NOT_ATTACHED', 'ATTESTATION_RESERIALISED', 'ATTESTATION_PAE'] as const),
  ...(['ATTESTATION_OF_OTHER_DIGEST', 'ATTESTATION_BROKEN'] as const),
];

/** The findings that tell a reason better, each with its repair. */
const TOLD_BY: Readonly<Partial<Record<ReasonCode, readonly FindingCode[]>>> = {
  POLICY_DENIES_ALL: ['POLICY_DENIES_ALL'],
  ATTESTOR_HAS_NO_KEY: ['ATTESTOR_WITHOUT_KEYS'],
  ATTESTOR_MISSING: ['ATTESTOR_MISSING', 'POLICY_ATTESTOR_MISSING'],
  CLUSTER_NOT_FOUND: ['CLUSTER_MISSING'],
  CLOUD_RUN_PLATFORM_POLICY: ['CLOUD_RUN_PLATFORM_POLICY'],
  RULE_MAPS_CONFLICT: ['POLICY_RULE_MAPS_CONFLICT'],
  POLICY_NOT_READABLE: UNREAD,
  NO_TRUSTED_ATTESTATION: UNATTESTED,
  PLATFORM_CHILD_NOT_ATTESTED: UNATTESTED,
};

/** What check says, beyond what was found already. */
export function judgeVerdicts(facts: DoctorFacts, found: readonly Finding[]): readonly Finding[] {
  const { eyes } = facts.question;
  // What is only advice to check tells none of its reasons to refuse.
  const telling = found.filter((finding) => eyes === 'attest' || errorOf(finding, eyes) !== undefined);
  return facts.images.flatMap((image) => {
    const reasons = image.evaluation?.reasons ?? [];
    return reasons
      .filter((reason) => !HARMLESS.has(reason.code) && !telling.some((finding) => tells(finding, reason, image)))
      .flatMap((reason) => ofReason(reason, image, facts));
  });
}

// Of the same image, of the same attestor, or of what all images have in common.
function tells({ code, resource }: Finding, reason: Reason, { asked, attestations }: ImageFacts): boolean {
  if (TOLD_BY[reason.code]?.includes(code) !== true) return false;
  if (UNATTESTED.includes(code)) return known(attestations).some(({ digest }) => resource === `${nameOf(asked)}@${digest}`);
  return !resource.includes('/attestors/') || reason.attestor === undefined || resource === reason.attestor;
}

function ofReason(
  { code, message, hint, attestor }: Reason,
  { asked, evaluation, resolved }: ImageFacts,
  facts: DoctorFacts,
): readonly Finding[] {
  const resource = asked.original;
  // A hint is for a person to read; what can be run as it stands asks again.
  const next = shellLine(['binauthz', 'check', asked.original, '--project', facts.question.project]);
  const told = hint === undefined ? message : `${message} (${hint})`;
  switch (code) {
    case 'IMAGE_NOT_PINNED': {
      // Attest resolves tags itself; one that did not resolve is told already.
      if (facts.question.eyes === 'attest') return [];
      const pinned = resolved.ok ? pinnedName(resolved.value.reference) : `${nameOf(asked)}@sha256:DIGEST`;
      const pin = `${asked.original} names a tag, which GKE does not resolve: where attestations are required it is denied; write ${pinned} into the manifest`;
      return [
        { code: 'IMAGE_BY_TAG', resource, message: pin, fix: shellLine(['sed', '-i', `s|${asked.original}|${pinned}|g`, 'MANIFEST']) },
      ];
    }
    case 'EXEMPT_BY_PATTERN':
      return [
        {
          code: 'IMAGE_EXEMPT',
          resource,
          message: `${message}: no attestation of it is ever looked at`,
          fix: shellLine(['gcloud', 'container', 'binauthz', 'policy', 'export', `--project=${facts.question.project}`]),
        },
      ];
    case 'VALIDATION_DISAGREES':
      return [{ code: 'GOOGLE_DISAGREES', resource: attestor ?? resource, message: told, fix: next }];
    default:
      if (evaluation?.verdict === 'DENIED') return [{ code: 'DEPLOYMENT_DENIED', resource, message: `${code}: ${told}`, fix: next }];
      return evaluation?.verdict === 'UNKNOWN' ? [{ code: 'DEPLOYMENT_UNDECIDED', resource, message: `${code}: ${told}`, fix: next }] : [];
  }
}
