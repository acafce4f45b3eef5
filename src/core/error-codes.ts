// SPDX-License-Identifier: Apache-2.0

/** An exit code of the interface contract. */
export interface ExitCode {
  readonly code: string;
  readonly meaning: string;
}

/** The exit codes, as help and documents show them. */
export const EXIT_CODES: readonly ExitCode[] = [
  { code: '0', meaning: 'done, or allowed' },
  { code: '1', meaning: 'unexpected failure: a bug, please report it' },
  { code: '2', meaning: 'bad input: everything wrong with it is listed' },
  { code: '3', meaning: 'denied by a policy' },
  { code: '4', meaning: 'unknown: the verdict could not be decided; fails closed' },
  { code: '5', meaning: 'a Google or registry permission is missing' },
  { code: '6', meaning: 'not found: image, key, attestor, note, project' },
  { code: '7', meaning: 'integrity: a digest, checksum, signature or key does not match' },
  { code: '8', meaning: 'not visible before the wait timeout' },
  { code: '9', meaning: 'a service stayed unavailable after retries' },
  { code: '130, 143', meaning: 'cancelled (SIGINT, SIGTERM); a re-run converges' },
];

/** What a code stands for. */
export interface ErrorCodeRow {
  readonly exit: number;
  readonly meaning: string;
  readonly fix: string;
}

/** Every error code. A closed list that users' scripts match on: codes are added, never renamed. */
export const ERROR_CODES = {
  INTERNAL: {
    exit: 1,
    meaning: 'Something happened that the code does not expect.',
    fix: 'Report it with the output of a run with `--verbose`.',
  },

  INVALID_INPUT: {
    exit: 2,
    meaning: 'An option, input or environment variable is missing, malformed or contradicts another. All such errors of a run are listed.',
    fix: 'Write what the message expects.',
  },
  SECRET_UNUSABLE: {
    exit: 2,
    meaning: 'A key from a secret is no private key: a public key, several keys, half a key, another form.',
    fix: 'Store the base64 of the private key (`gpg --export-secret-keys --armor ID`, then `base64 -w0`).',
  },
  PASSPHRASE_REJECTED: {
    exit: 2,
    meaning: 'The passphrase of a PGP key is wrong, or is missing.',
    fix: 'Name the variable that holds it with `--pgp-passphrase-env`.',
  },

  POLICY_DENIED: { exit: 3, meaning: 'A policy denies the deployment.', fix: 'See the reasons of the image.' },
  AUDIT_FOUND: {
    exit: 3,
    meaning: '`audit` found events of a kind that `--fail-on` names.',
    fix: 'See the events; each says who deployed what, and when.',
  },
  KEY_STILL_NEEDED: {
    exit: 3,
    meaning: '`rotate --retire`: images hold no attestation under another trusted key. The key was not removed.',
    fix: 'Re-attest the images that are named, or let them go with `--force`.',
  },
  POLICY_WEAKENED: {
    exit: 3,
    meaning: '`setup`: the policy would admit something that it denies now. Nothing was changed.',
    fix: 'Leave that change out, or give `--allow-weakening` where it is meant.',
  },
  VULNERABILITIES_DENIED: {
    exit: 3,
    meaning: 'The vulnerability policy denies the image. Nothing was signed.',
    fix: 'Repair the packages that are named, or have their owner waive a finding until a day.',
  },

  UNDECIDED: {
    exit: 4,
    meaning:
      'Nothing decides: Google’s validation answered neither yes nor no (`attest` then posts nothing), or a check could not read what decides.',
    fix: 'See the reasons; run again once what is missing can be read.',
  },

  CHANGED_MEANWHILE: {
    exit: 4,
    meaning: 'Somebody else changed a resource between its reading and its writing. Their change was not overwritten.',
    fix: 'Run again: the plan then starts from what is there now.',
  },
  SCAN_UNDECIDED: {
    exit: 4,
    meaning: 'An image was not scanned, not to the end, not successfully or too long ago, so its vulnerabilities cannot be judged.',
    fix: 'See the state of the scan; raise `--scan-timeout`, or give another scanner’s report with `--findings`.',
  },
  LOGS_INCOMPLETE: {
    exit: 4,
    meaning:
      '`audit` could not read the logs to their end. What it found is in the result; what it did not find may be there all the same.',
    fix: 'Run again; with a shorter `--since` where it lasts.',
  },

  PERMISSION_DENIED: {
    exit: 5,
    meaning: 'The identity may not make a call. The message names call, resource, permission and role.',
    fix: 'Grant the role as the hint says; a grant may take a minute to act.',
  },
  UNAUTHENTICATED: {
    exit: 5,
    meaning: 'There are no credentials, or they are not accepted.',
    fix: 'On GitHub run google-github-actions/auth before this step; elsewhere `gcloud auth application-default login`, or log in to the registry.',
  },

  IMAGE_NOT_FOUND: {
    exit: 6,
    meaning: 'The registry has no such tag, digest or repository.',
    fix: 'Compare with what the build pushed; the hint says what is there.',
  },
  IMAGE_ID_NOT_DIGEST: {
    exit: 6,
    meaning: 'The digest is that of the image’s configuration (its image id), not of its manifest.',
    fix: 'Pass the build step’s `digest` instead of its `imageid`.',
  },
  ATTESTOR_NOT_FOUND: {
    exit: 6,
    meaning: 'The attestor does not exist.',
    fix: '`gcloud container binauthz attestors list --project=PROJECT`',
  },
  KEY_NOT_FOUND: { exit: 6, meaning: 'The Cloud KMS key or version does not exist.', fix: '`gcloud kms keys versions list …`' },
  NOTE_NOT_FOUND: {
    exit: 6,
    meaning: 'The attestor’s note does not exist.',
    fix: 'Create the note that the attestor names; its reference cannot be changed.',
  },
  PROJECT_NOT_FOUND: { exit: 6, meaning: 'The project does not exist, or its API does not know it.', fix: 'Check the project’s id.' },
  ATTESTATION_NOT_FOUND: { exit: 6, meaning: '`list`: an image has no attestation of an attestor.', fix: 'Attest it.' },
  PRINCIPAL_NOT_FOUND: {
    exit: 6,
    meaning: 'IAM does not know the principal of a grant, or does not take the role there.',
    fix: 'Check the spelling of `--signer`; a service account that was just made may take a minute.',
  },
  NOT_FOUND: { exit: 6, meaning: 'Something else that was asked for does not exist.', fix: 'See the resource in the message.' },

  DIGEST_MISMATCH: {
    exit: 7,
    meaning: 'The manifest’s bytes do not have the digest that the reference or the registry claims.',
    fix: 'Do not deploy the image; ask the registry’s operator.',
  },
  MANIFEST_INVALID: {
    exit: 7,
    meaning: 'The manifest is none: not JSON, another media type than its content, an index without images.',
    fix: 'Check that the reference names a container image.',
  },
  FINDINGS_MISMATCH: {
    exit: 7,
    meaning: 'A scanner’s report is about another image, or does not say by digest which one it is about.',
    fix: 'Scan the image by its digest, as the registry serves it.',
  },
  TAG_MOVED: {
    exit: 7,
    meaning: 'The registry and Artifact Registry name different digests for the tag.',
    fix: 'Attest the digest that the build step printed.',
  },
  CHECKSUM_MISMATCH: {
    exit: 7,
    meaning: 'Cloud KMS requests or replies were corrupted in transit, again and again.',
    fix: 'Run again; look for a proxy between the job and Google.',
  },
  SIGNATURE_INVALID: {
    exit: 7,
    meaning: 'A signature that was just made does not verify. Nothing was posted.',
    fix: 'Compare the attestor’s key with the key that signs.',
  },
  KEY_NOT_TRUSTED: {
    exit: 7,
    meaning: 'An attestor trusts none of the given keys, or no attestor trusts a given key. Both sides are listed.',
    fix: 'Add the public key to the attestor, or give a key that it trusts.',
  },
  KEY_UNUSABLE: {
    exit: 7,
    meaning: 'The key exists but cannot sign: disabled, destroyed, revoked, expired, another purpose.',
    fix: 'Enable it, or use another version or key.',
  },
  KEY_ALGORITHM_UNSUPPORTED: {
    exit: 7,
    meaning: 'No attestor can name the key’s algorithm. The usable ones are listed.',
    fix: 'Create a key with a usable algorithm, such as `ec-sign-p256-sha256`.',
  },
  RESOURCE_MISMATCH: {
    exit: 7,
    meaning: 'Something exists under the name that is wanted, and is another thing than what is wanted.',
    fix: 'Name another one, or what belongs to it: neither can be changed.',
  },
  CHANGE_REFUSED: {
    exit: 7,
    meaning: 'Google refuses a change as it stands, such as by an organization policy, for want of a billing account, or at a limit.',
    fix: 'See what Google says; what was done before it is in the result, and a re-run goes on from there.',
  },
  ATTESTOR_KEY_CONFLICT: {
    exit: 7,
    meaning: 'A key cannot be added to an attestor: its id belongs to another key there, or to the same key under another algorithm.',
    fix: 'Look at the attestor’s keys, and remove the entry that is wrong.',
  },
  ATTESTATION_NOT_VERIFIABLE: {
    exit: 7,
    meaning: 'Google’s validation, or the local verifier, does not accept the attestation.',
    fix: 'See the reason; check the attestor’s keys and its service agent’s role on the note.',
  },
  ATTESTATION_CONFLICT: {
    exit: 7,
    meaning: 'Container Analysis says that the attestation exists, but none verifies under a key that is trusted now.',
    fix: 'Delete the occurrence in the way, if nothing needs it, and run again.',
  },
  RESPONSE_INVALID: {
    exit: 7,
    meaning: 'A service answered something that cannot be what was asked for.',
    fix: 'Check endpoint overrides and proxies.',
  },

  NOT_VISIBLE: {
    exit: 8,
    meaning: 'The attestation is stored, but the listing did not show it before the wait timeout.',
    fix: 'Run again, which finds it; raise `--wait-timeout`.',
  },

  UNAVAILABLE: {
    exit: 9,
    meaning: 'A service did not answer, or answered 5xx, for as long as a call is retried.',
    fix: 'Run again; see https://status.cloud.google.com.',
  },
  QUOTA_EXHAUSTED: {
    exit: 9,
    meaning: 'A quota stayed exhausted for more than a minute, or the service asked to wait longer than that.',
    fix: 'Run again after the time that the message names, where it names one; run fewer jobs at once, or raise the quota.',
  },

  CANCELLED: { exit: 130, meaning: 'The run was cancelled.', fix: 'Run again: whatever was posted already is found and left alone.' },
} as const satisfies Record<string, ErrorCodeRow>;

/** The code of an error, stable across releases. */
export type ErrorCode = keyof typeof ERROR_CODES;
