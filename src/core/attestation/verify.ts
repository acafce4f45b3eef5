// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../image/digest.js';
import { decodePayload, hasGoogleType } from '../payload/payload.js';
import { oneLine } from '../redact.js';
import type { AttestorKey } from '../signing/public-key.js';
import type { Verifier } from '../signing/verifier.js';
import type { Attestation, AttestationSignature, VerifiedAttestation } from './attestation.js';

/** Why an attestation does not count, by code. A closed list, documented in docs/ERRORS.md: codes are added, never renamed. */
export const REJECTION_CODES = {
  NO_SIGNATURE: 'It holds no signature.',
  PAYLOAD_NOT_PARSEABLE: 'What was signed is not a Binary Authorization payload with a sha256 digest.',
  OTHER_DIGEST: 'It was signed for another digest than that of the image on which it hangs.',
  ATTESTOR_HAS_NO_KEY: 'The attestor trusts no key, so no attestation of it is ever valid.',
  UNKNOWN_KEY_ID: 'It was signed under a key id that the attestor does not list: the key is not trusted, or is trusted no longer.',
  TRUSTED_KEY_UNDER_OTHER_ID: 'A trusted key signed it, but under another id than the attestor lists: ids must be equal byte for byte.',
  BAD_SIGNATURE: 'Its signature does not verify with the key that it names.',
} as const satisfies Record<string, string>;

/** Why an attestation does not count. */
export type RejectionCode = keyof typeof REJECTION_CODES;

/** A reason against one attestation, in words for a person. */
export interface Rejection {
  readonly code: RejectionCode;
  readonly message: string;
}

/** The outcome of verification: a verified attestation, or why it is none. */
export type Verdict<A extends Attestation> = { readonly verified: VerifiedAttestation<A> } | { readonly rejected: Rejection };

/** Whoever may attach occurrences to a note chooses how many signatures each holds; what is beyond this does not count. */
const MOST_SIGNATURES = 20;
/** For so many signatures it is found out whether a key under another id made them, which means trying every key. */
const MOST_EXPLAINED = 3;
const LONGEST_QUOTE = 200;

/** Does this attestation bind a key that the attestor trusts now to this digest? One good signature is enough. */
export async function verifyAttestation<A extends Attestation>(
  attestation: A,
  digest: Digest,
  keys: readonly AttestorKey[],
  verifier: Verifier,
): Promise<Verdict<A>> {
  if (keys.length === 0) return reject('ATTESTOR_HAS_NO_KEY', 'the attestor trusts no key, so no attestation of it is ever valid');
  const payload = decodePayload(attestation.payload);
  if (!payload) return reject('PAYLOAD_NOT_PARSEABLE', 'the signed payload is not a Binary Authorization payload with a sha256 digest');
  if (payload.digest !== digest) return reject('OTHER_DIGEST', `it was signed for ${payload.digest}, expected ${digest}`);

  const rejections: Rejection[] = [];
  for (const [index, signature] of attestation.signatures.slice(0, MOST_SIGNATURES).entries()) {
    const checked = await checkSignature(attestation.payload, signature, index < MOST_EXPLAINED ? keys : named(keys, signature), verifier);
    if ('rejected' in checked) {
      rejections.push(checked.rejected);
      continue;
    }
    const typeWarning = hasGoogleType(payload)
      ? []
      : [`its payload type is "${quote(payload.type)}", which is not one that Google publishes`];
    const verified = { attestation, digest, publicKeyId: signature.publicKeyId, warnings: [...checked.warnings, ...typeWarning] };
    return { verified: verified as unknown as VerifiedAttestation<A> };
  }
  return { rejected: nearest(rejections) };
}

async function checkSignature(
  payload: Uint8Array,
  signature: AttestationSignature,
  keys: readonly AttestorKey[],
  verifier: Verifier,
): Promise<{ warnings: readonly string[] } | { rejected: Rejection }> {
  const candidates = named(keys, signature);
  const reasons: string[] = [];
  for (const key of candidates) {
    const verification = await verifier.verify(payload, signature.bytes, key);
    if (verification.verified) return { warnings: verification.warning === undefined ? [] : [verification.warning] };
    reasons.push(verification.reason);
  }
  const id = quote(signature.publicKeyId);
  if (candidates.length > 0) return reject('BAD_SIGNATURE', `its signature by ${id} does not verify: ${reasons.join('; ')}`);
  for (const key of keys) {
    if (!(await verifier.verify(payload, signature.bytes, key)).verified) continue;
    return reject(
      'TRUSTED_KEY_UNDER_OTHER_ID',
      `it was signed by the trusted key ${key.id}, but under the id ${id}; the ids must be equal`,
    );
  }
  return reject(
    'UNKNOWN_KEY_ID',
    `it was signed by ${id}, which the attestor does not trust; it trusts ${quote(keys.map((key) => key.id).join(', '))}`,
  );
}

// The id selects the key, byte for byte; a listed key under another spelling of its id does not count at Google.
function named(keys: readonly AttestorKey[], signature: AttestationSignature): readonly AttestorKey[] {
  return keys.filter((key) => key.id === signature.publicKeyId);
}

// Ids and types are whatever somebody wrote; a line break in a log may begin a command to the CI system.
function quote(text: string): string {
  return oneLine(text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}…` : text);
}

// With several bad signatures the reader is helped most by the one that came closest to being good.
function nearest(rejections: readonly Rejection[]): Rejection {
  const order: readonly RejectionCode[] = ['TRUSTED_KEY_UNDER_OTHER_ID', 'BAD_SIGNATURE', 'UNKNOWN_KEY_ID'];
  const [found] = order.flatMap((code) => rejections.filter((rejection) => rejection.code === code));
  return found ?? { code: 'NO_SIGNATURE', message: 'it holds no signature' };
}

function reject(code: RejectionCode, message: string): { rejected: Rejection } {
  return { rejected: { code, message } };
}
