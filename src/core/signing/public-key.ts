// SPDX-License-Identifier: Apache-2.0
import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { ALGORITHMS, algorithmOfAttestor, type Algorithm } from './algorithm.js';

/** A public key by what identifies it: the SPKI of a PKIX key, the primary key's fingerprint of a PGP key. */
export type PublicKey =
  | { readonly kind: 'pkix'; readonly spki: Uint8Array; readonly algorithm: Algorithm }
  | { readonly kind: 'pgp'; readonly fingerprint: string };

/** A key as an attestor lists it; its id is what a signature must carry, byte for byte. */
export type AttestorKey =
  | { readonly kind: 'pkix'; readonly id: string; readonly pem: string; readonly algorithm: string }
  | { readonly kind: 'pgp'; readonly id: string; readonly armored: string };

/** The DER of the one SPKI public key in this PEM, or undefined where there is none. */
export function spkiOf(pem: string): Uint8Array | undefined {
  const key = parsePem(pem);
  return key && new Uint8Array(key.export({ type: 'spki', format: 'der' }));
}

/** The id that the API gives a PKIX key without one: RFC 6920, SHA-256 over the SPKI. */
export function defaultKeyId(spki: Uint8Array): string {
  return `ni:///sha-256;${createHash('sha256').update(spki).digest('base64url')}`;
}

/** The same id for the same key, however its PEM writes it; undefined where there is none. */
export function canonicalKeyId(pem: string): string | undefined {
  const key = parsePem(pem);
  return key && defaultKeyId(new Uint8Array(inFull(key).export({ type: 'spki', format: 'der' })));
}

// The point that is an elliptic key may be written in full, or as half of it and a sign; as JWK there is one way.
function inFull(key: KeyObject): KeyObject {
  if (key.asymmetricKeyType !== 'ec') return key;
  try {
    return createPublicKey({ key: key.export({ format: 'jwk' }), format: 'jwk' });
  } catch {
    // A curve that JWK does not know is none that an attestor may list.
    return key;
  }
}

/** The key behind an attestor's entry; undefined where it is none that this product can verify with. */
export function publicKeyOf(listed: AttestorKey): PublicKey | undefined {
  if (listed.kind === 'pgp') return { kind: 'pgp', fingerprint: normalizeFingerprint(listed.id) };
  const spki = spkiOf(listed.pem);
  const algorithm = algorithmOfAttestor(listed.algorithm);
  return spki && algorithm && { kind: 'pkix', spki, algorithm };
}

/** Whether a key is the one that an attestor lists: the same SPKI, or the same primary fingerprint. */
export function isSameKey(key: PublicKey, listed: AttestorKey): boolean {
  if (key.kind === 'pgp') return listed.kind === 'pgp' && normalizeFingerprint(listed.id) === key.fingerprint;
  if (listed.kind !== 'pkix') return false;
  const spki = spkiOf(listed.pem);
  return spki !== undefined && Buffer.compare(spki, key.spki) === 0;
}

/** Whether signatures of this key verify under the listed entry: the same key, declared with the same algorithm. */
export function isTrustedAs(key: PublicKey, listed: AttestorKey): boolean {
  if (key.kind === 'pgp') return isSameKey(key, listed);
  return listed.kind === 'pkix' && algorithmOfAttestor(listed.algorithm)?.name === key.algorithm.name && isSameKey(key, listed);
}

/** A PGP fingerprint as attestors write it: 40 hex digits, upper case. */
export function normalizeFingerprint(text: string): string {
  return text
    .replace(/^openpgp4fpr:/i, '')
    .replaceAll(' ', '')
    .toUpperCase();
}

/** A key as messages name it. */
export function describeKey(key: PublicKey): string {
  return key.kind === 'pgp' ? `PGP ${key.fingerprint}` : `${key.algorithm.name} ${defaultKeyId(key.spki)}`;
}

// As OpenSSL names them. Only elliptic keys have a named curve.
const CURVES: ReadonlyMap<string | undefined, string> = new Map([
  ['prime256v1', 'P-256'],
  ['secp384r1', 'P-384'],
  ['secp521r1', 'P-521'],
]);

/** Whether a key's type, curve and size are those that the algorithm needs. */
export function fits(key: KeyObject, { scheme }: Algorithm): boolean {
  const details = key.asymmetricKeyDetails ?? {};
  if (scheme.kind === 'ecdsa') return CURVES.get(details.namedCurve) === scheme.curve;
  return key.asymmetricKeyType === 'rsa' && details.modulusLength === scheme.bits;
}

/** The algorithms that a local key can make signatures for: one for a curve, several for an RSA size. */
export function algorithmsFor(key: KeyObject): readonly Algorithm[] {
  return ALGORITHMS.filter((algorithm) => fits(key, algorithm));
}

/** The public key in a PEM, or undefined where there is not exactly one SPKI block (RFC 7468, section 13). */
export function parsePem(pem: string): KeyObject | undefined {
  if (pem.match(/-----BEGIN [A-Z ]+-----/g)?.join() !== '-----BEGIN PUBLIC KEY-----') return undefined;
  try {
    return createPublicKey({ key: pem, format: 'pem', type: 'spki' });
  } catch {
    return undefined;
  }
}
