// SPDX-License-Identifier: Apache-2.0
// What doctor may find. A closed list, documented in docs/ERRORS.md: codes are added, never renamed.
import type { ErrorCode } from '../error-codes.js';
import { oneLine } from '../redact.js';
import type { DoctorFinding } from '../operation-results.js';

/** With whose eyes doctor looks: as `attest` where keys were given, else as `check`. */
export type Eyes = 'attest' | 'check';

/** What a code means, and the error with which attest or check end because of it; none where they go on. */
export interface FindingRow {
  readonly meaning: string;
  readonly attest?: ErrorCode;
  readonly check?: ErrorCode;
  /** Neither command can see it, so that no green verdict of theirs speaks against it. */
  readonly isHidden?: true;
}

/** Every finding code. */
export const FINDINGS = {
  NOT_SIGNED_IN: { meaning: 'There are no credentials, or they are not accepted.', attest: 'UNAUTHENTICATED', check: 'UNDECIDED' },
  API_DISABLED: { meaning: 'A project has not switched on an API that is called there.', attest: 'PERMISSION_DENIED', check: 'UNDECIDED' },
  PERMISSION_MISSING: { meaning: 'The identity of this run lacks a permission.', attest: 'PERMISSION_DENIED', check: 'UNDECIDED' },
  PERMISSION_ADVISED: { meaning: 'Without a permission that the identity of this run lacks, less is checked.' },
  NOT_CHECKED: {
    meaning: 'Something could not be read, so nobody knows whether it is right. It is never taken for right.',
    attest: 'UNAVAILABLE',
    check: 'UNDECIDED',
  },

  ATTESTOR_MISSING: { meaning: 'The attestor does not exist.', attest: 'ATTESTOR_NOT_FOUND', check: 'UNDECIDED' },
  ATTESTOR_WITHOUT_KEYS: {
    meaning: 'The attestor trusts no key, so no attestation of it ever counts.',
    attest: 'KEY_NOT_TRUSTED',
    check: 'POLICY_DENIED',
  },
  ATTESTOR_KEY_UNUSABLE: { meaning: 'An attestor lists a key that nobody can verify with: no key at all, or of an unpublished algorithm.' },
  KEYS_SHARED: { meaning: 'Two attestors trust one key: whoever holds it satisfies both, so they are not two checks.' },
  NOTE_MISSING: { meaning: 'The attestor’s note does not exist.', attest: 'NOTE_NOT_FOUND', check: 'UNDECIDED' },
  NOTE_NOT_ATTESTATION: {
    meaning: 'The attestor’s note is of another kind, and no attestation can hang on it.',
    attest: 'RESOURCE_MISMATCH',
    check: 'POLICY_DENIED',
  },
  AGENT_CANNOT_READ_NOTE: {
    meaning: 'The attestor’s own account may not read its note: everything verifies from CI, and is denied at the deployment.',
    attest: 'ATTESTATION_NOT_VERIFIABLE',
    check: 'UNDECIDED',
    isHidden: true,
  },
  DEPLOYER_CANNOT_VERIFY: {
    meaning: 'The deploying project’s Binary Authorization may not ask an attestor that lies in another project.',
    attest: 'POLICY_DENIED',
    check: 'POLICY_DENIED',
    isHidden: true,
  },

  KEY_MISSING: { meaning: 'The key or the key version that signs does not exist.', attest: 'KEY_NOT_FOUND' },
  KEY_DISABLED: { meaning: 'The key version that signs is disabled, or no version is enabled.', attest: 'KEY_UNUSABLE' },
  KEY_DESTRUCTION_SCHEDULED: {
    meaning: 'The key version that signs will be destroyed, and cannot sign until it is restored.',
    attest: 'KEY_UNUSABLE',
  },
  KEY_DESTROYED: { meaning: 'The key version that signs is destroyed for good.', attest: 'KEY_UNUSABLE' },
  KEY_WRONG_PURPOSE: { meaning: 'The key is for something else than signing.', attest: 'KEY_UNUSABLE' },
  KEY_ALGORITHM_UNSUPPORTED: {
    meaning: 'No attestor can name the algorithm of the key, such as secp256k1, although Cloud KMS signs with it.',
    attest: 'KEY_ALGORITHM_UNSUPPORTED',
  },
  KEY_UNUSABLE: { meaning: 'The given key cannot be used: see its message.', attest: 'KEY_UNUSABLE' },
  KEY_NOT_TRUSTED: { meaning: 'An attestor trusts none of the given keys, or no attestor trusts a given key.', attest: 'KEY_NOT_TRUSTED' },
  KEY_DECLARED_WRONG: {
    meaning: 'The attestor lists the given key, but declares another algorithm than it has: its signatures never verify.',
    attest: 'KEY_NOT_TRUSTED',
  },
  KEY_ID_UNUSUAL: {
    meaning: 'The attestor lists a Cloud KMS key under another id than gcloud signs with: what gcloud attests does not count.',
  },

  POLICY_NEVER_SET: { meaning: 'No policy was ever set: every image is admitted.' },
  POLICY_ALLOWS_ALL: { meaning: 'The rule that decides admits every image (ALWAYS_ALLOW).' },
  POLICY_DENIES_ALL: { meaning: 'The rule that decides denies every image (ALWAYS_DENY), attested or not.', check: 'POLICY_DENIED' },
  POLICY_DRY_RUN: { meaning: 'The rule that decides only logs (DRYRUN_AUDIT_LOG_ONLY): it blocks nothing.' },
  POLICY_WITHOUT_ATTESTOR: { meaning: 'The rule that decides does not require the attestor: its attestations decide nothing.' },
  POLICY_ATTESTOR_MISSING: {
    meaning: 'The policy requires an attestor that does not exist; what the enforcer does then is not published.',
    check: 'UNDECIDED',
  },
  POLICY_RULE_MAPS_CONFLICT: {
    meaning: 'The policy has more than one kind of specific rules, which the API excludes: what the enforcer does is not published.',
    attest: 'UNDECIDED',
    check: 'UNDECIDED',
  },
  POLICY_KEY_SIMILAR: { meaning: 'The policy has a rule for a cluster of that name elsewhere, and none for the cluster that was named.' },
  SYSTEM_POLICY_OFF: { meaning: 'globalPolicyEvaluationMode is off or left out: images that Google’s own components run are not exempt.' },
  ALLOWLIST_TOO_BROAD: { meaning: 'A pattern exempts images of other people, or everything.' },
  IMAGE_EXEMPT: { meaning: 'A pattern exempts the image: no attestation of it is ever looked at.' },

  CLUSTER_NOT_ENFORCING: { meaning: 'The cluster does not ask the policy: nothing is protected there.' },
  CLUSTER_MISSING: {
    meaning: 'The cluster does not exist, and the policy has no rule of that key.',
    attest: 'UNDECIDED',
    check: 'UNDECIDED',
  },
  CLOUD_RUN_NOT_ENFORCING: { meaning: 'The Cloud Run service or job never opted in: nothing is protected there.' },
  CLOUD_RUN_MISSING: {
    meaning: 'The Cloud Run service or job does not exist in that region.',
    attest: 'UNDECIDED',
    check: 'UNDECIDED',
    isHidden: true,
  },
  CLOUD_RUN_PLATFORM_POLICY: {
    meaning: 'The Cloud Run service or job is under a platform policy, which no public method evaluates.',
    check: 'UNDECIDED',
  },
  CLOUD_RUN_BREAK_GLASS: { meaning: 'What is deployed on Cloud Run now went past the policy with a break-glass justification.' },

  IMAGE_MISSING: { meaning: 'The registry has no such image.', attest: 'IMAGE_NOT_FOUND', check: 'UNDECIDED' },
  IMAGE_UNREADABLE: { meaning: 'The registry does not let the image be read.', attest: 'PERMISSION_DENIED', check: 'UNDECIDED' },
  IMAGE_BROKEN: { meaning: 'The manifest is none, or has another digest.', attest: 'MANIFEST_INVALID', check: 'UNDECIDED' },
  IMAGE_BY_TAG: {
    meaning: 'The image is deployed by a tag, which GKE does not resolve: it is denied whatever is attested.',
    check: 'POLICY_DENIED',
  },
  NOT_ATTESTED: { meaning: 'Nobody attested the image for the attestor.', check: 'POLICY_DENIED' },
  ATTESTED_UNDER_OTHER_NOTE: {
    meaning: 'The image is attested, but under another note, where the attestor never looks.',
    check: 'POLICY_DENIED',
  },
  CHILD_ATTESTED_ONLY: { meaning: 'An image of the index is attested, but the index itself is deployed.', check: 'POLICY_DENIED' },
  INDEX_ATTESTED_ONLY: {
    meaning: 'The index is attested, but one of its images is deployed, or is what Cloud Run evaluates (linux/amd64), and that is not.',
    check: 'POLICY_DENIED',
  },
  SIBLING_ATTESTED_ONLY: {
    meaning: 'Another image of the same index is attested, but not the one that is judged.',
    check: 'POLICY_DENIED',
  },
  ATTESTED_BY_UNTRUSTED_KEY: {
    meaning: 'The attestation was signed by a key that the attestor does not trust, or trusts no longer.',
    check: 'POLICY_DENIED',
  },
  ATTESTED_UNDER_OTHER_KEY_ID: {
    meaning: 'A trusted key signed, but the attestation names it by another id: ids must be equal byte for byte.',
    check: 'POLICY_DENIED',
  },
  ATTESTED_UNDER_PGP_SPELLING: {
    meaning: 'A trusted PGP key signed, but its fingerprint is spelt otherwise: 40 hex digits of the primary key, in upper case.',
    check: 'POLICY_DENIED',
  },
  ATTESTATION_PGP_NOT_ATTACHED: {
    meaning: 'The PGP signature is clear-signed or detached, where an attached one is expected (gpg --armor --sign).',
    check: 'POLICY_DENIED',
  },
  ATTESTATION_RESERIALISED: {
    meaning: 'The payload was formatted anew after it was signed: its bytes are not those of the signature.',
    check: 'POLICY_DENIED',
  },
  ATTESTATION_PAE: {
    meaning: 'The DSSE encoding (PAE) of the payload was signed, which attestors of a project’s policy do not verify.',
    check: 'POLICY_DENIED',
  },
  ATTESTATION_OF_OTHER_DIGEST: {
    meaning: 'The attestation hangs on the image, but its payload names another digest.',
    check: 'POLICY_DENIED',
  },
  ATTESTATION_BROKEN: { meaning: 'The attestation holds no payload, no signature, or one that does not verify.', check: 'POLICY_DENIED' },
  GOOGLE_DISAGREES: { meaning: 'Google’s validation contradicts the local verification of an attestation.', check: 'UNDECIDED' },
  DEPLOYMENT_DENIED: { meaning: 'The image would be denied, for a reason that the message says.', check: 'POLICY_DENIED' },
  DEPLOYMENT_UNDECIDED: {
    meaning: 'Whether the image would be admitted cannot be decided, for a reason that the message says.',
    check: 'UNDECIDED',
  },
} as const satisfies Record<string, FindingRow>;

/** The code of a finding, stable across releases. */
export type FindingCode = keyof typeof FINDINGS;

/** A finding as it is made. */
export interface Finding {
  readonly code: FindingCode;
  /** Full resource name, or an image. */
  readonly resource: string;
  /** What is, what should be, and what comes of it. */
  readonly message: string;
  /** A command; may be several lines. */
  readonly fix: string;
  /** Where the circumstances know better than the code: the error that comes of it, or none at all. */
  readonly error?: ErrorCode | 'none';
}

/** The error with which the command that doctor looks for ends because of a finding; undefined where it goes on. */
export function errorOf(finding: Finding, eyes: Eyes): ErrorCode | undefined {
  if (finding.error === 'none') return undefined;
  const row: FindingRow = FINDINGS[finding.code];
  const usual = row[eyes];
  // Whatever keeps check from deciding is one and the same to it.
  return eyes === 'attest' ? (finding.error ?? usual) : (usual ?? finding.error);
}

/** The finding as it is reported. Names and texts come from Google and from other people: they stay on their line. */
export function report(finding: Finding, eyes: Eyes): DoctorFinding {
  const error = errorOf(finding, eyes);
  return {
    code: finding.code,
    level: error === undefined ? 'warning' : 'error',
    resource: oneLine(finding.resource),
    message: oneLine(finding.message),
    fix: finding.fix,
    ...(error === undefined ? {} : { error }),
  };
}
