// SPDX-License-Identifier: Apache-2.0
// An attestor's public keys: what is accepted, and the ids that the API gives them.
import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { ApiError, enumMember, isObject, objectMember, refuseUnknown, stringMember, type JsonObject } from '../wire.js';

/** A PKIX key as stored. */
export interface PkixKey {
  readonly publicKeyPem: string;
  readonly signatureAlgorithm: string;
  /** Only where the caller sent it; then it equals the id. */
  readonly keyId?: string;
}

/** One public key of an attestor: exactly one of `pkix` and `pgp` is there. */
export interface AttestorKey {
  readonly id: string;
  readonly comment: string;
  readonly pkix?: PkixKey;
  /** The ASCII-armored OpenPGP key. */
  readonly pgp?: string;
}

/** How an algorithm of the attestor's enum verifies. */
export interface Algorithm {
  readonly kind: 'pss' | 'pkcs1' | 'ecdsa' | 'ml-dsa';
  readonly hash: 'sha256' | 'sha384' | 'sha512' | '';
  /** Modulus bits of RSA, curve of ECDSA. */
  readonly fits: number | string;
}

const rsa = (kind: 'pss' | 'pkcs1', bits: number, hash: 'sha256' | 'sha512'): Algorithm => ({ kind, hash, fits: bits });

/** Every signature algorithm by the enum's first name, from the proto's PkixPublicKey.SignatureAlgorithm. */
export const ALGORITHMS: Readonly<Record<string, Algorithm>> = {
  RSA_PSS_2048_SHA256: rsa('pss', 2048, 'sha256'),
  RSA_PSS_3072_SHA256: rsa('pss', 3072, 'sha256'),
  RSA_PSS_4096_SHA256: rsa('pss', 4096, 'sha256'),
  RSA_PSS_4096_SHA512: rsa('pss', 4096, 'sha512'),
  RSA_SIGN_PKCS1_2048_SHA256: rsa('pkcs1', 2048, 'sha256'),
  RSA_SIGN_PKCS1_3072_SHA256: rsa('pkcs1', 3072, 'sha256'),
  RSA_SIGN_PKCS1_4096_SHA256: rsa('pkcs1', 4096, 'sha256'),
  RSA_SIGN_PKCS1_4096_SHA512: rsa('pkcs1', 4096, 'sha512'),
  ECDSA_P256_SHA256: { kind: 'ecdsa', hash: 'sha256', fits: 'prime256v1' },
  ECDSA_P384_SHA384: { kind: 'ecdsa', hash: 'sha384', fits: 'secp384r1' },
  ECDSA_P521_SHA512: { kind: 'ecdsa', hash: 'sha512', fits: 'secp521r1' },
  ML_DSA_65: { kind: 'ml-dsa', hash: '', fits: '' },
};

/** Names and aliases with their numbers; the first name of a number is the one that is answered. */
const ALGORITHM_NUMBERS: ReadonlyMap<string, number> = new Map([
  ...Object.keys(ALGORITHMS).map((name, index): [string, number] => [name, name === 'ML_DSA_65' ? 13 : index + 1]),
  ['RSA_SIGN_PSS_2048_SHA256', 1],
  ['RSA_SIGN_PSS_3072_SHA256', 2],
  ['RSA_SIGN_PSS_4096_SHA256', 3],
  ['RSA_SIGN_PSS_4096_SHA512', 4],
  ['EC_SIGN_P256_SHA256', 9],
  ['EC_SIGN_P384_SHA384', 10],
  ['EC_SIGN_P521_SHA512', 11],
]);

const PEM = /^\s*-----BEGIN PUBLIC KEY-----\s([A-Za-z0-9+/=\s]+)-----END PUBLIC KEY-----\s*$/;
/** The DER of the object identifier 2.16.840.1.101.3.4.3.18, id-ml-dsa-65; Node 20 cannot parse such keys itself. */
const ML_DSA_65_OID = Buffer.from('0609608648016503040312', 'hex');
/** RFC 3986: a URI with its scheme, or the `//host/path` form of Google's full resource names. */
const URI = /^([A-Za-z][A-Za-z0-9+.-]*:|\/\/)([A-Za-z0-9._~:/?#[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*$/;

/** Reads one entry of `publicKeys`, fills its id, and refuses what the API refuses. */
export async function parseKey(value: unknown, at: string): Promise<AttestorKey> {
  if (!isObject(value)) throw new ApiError('INVALID_ARGUMENT', `Invalid value at '${at}' (message expected)`);
  refuseUnknown(value, ['id', 'comment', 'asciiArmoredPgpPublicKey', 'pkixPublicKey'], at);
  const comment = stringMember(value, 'comment');
  const armored = stringMember(value, 'asciiArmoredPgpPublicKey');
  const pkix = objectMember(value, 'pkixPublicKey');
  if ((armored === '') !== isObject(value['pkixPublicKey'])) {
    throw new ApiError('INVALID_ARGUMENT', `${at}: exactly one of asciiArmoredPgpPublicKey and pkixPublicKey must be set.`);
  }
  // The id of a PGP key is always its fingerprint; what the caller sent is overwritten.
  if (armored !== '') return { id: await pgpFingerprint(armored, at), comment, pgp: armored };
  return { ...parsePkix(pkix, stringMember(value, 'id'), `${at}.pkix_public_key`), comment };
}

/** One stored key in the API's JSON. */
export function renderKey(key: AttestorKey): JsonObject {
  const comment = key.comment === '' ? {} : { comment: key.comment };
  return { id: key.id, ...comment, ...(key.pkix ? { pkixPublicKey: { ...key.pkix } } : { asciiArmoredPgpPublicKey: key.pgp }) };
}

/** The DER of a PEM that holds one SPKI public key and nothing else, or undefined. */
export function derOfPem(pem: string): Buffer | undefined {
  const found = PEM.exec(pem);
  const der = Buffer.from((found?.[1] ?? '').replace(/\s+/g, ''), 'base64');
  return der.length > 2 && der.length === derLength(der) ? der : undefined;
}

/** How long a DER value says it is, header included; OpenSSL overlooks what comes after it. */
function derLength(der: Buffer): number {
  const first = der[1] ?? 0;
  const more = first < 0x80 ? 0 : first & 0x7f;
  if (more === 0) return 2 + first;
  return more <= 4 && der.length >= 2 + more ? 2 + more + der.readUIntBE(2, more) : -1;
}

function parsePkix(pkix: JsonObject, id: string, at: string): { id: string; pkix: PkixKey } {
  refuseUnknown(pkix, ['publicKeyPem', 'signatureAlgorithm', 'keyId'], at);
  const publicKeyPem = stringMember(pkix, 'publicKeyPem');
  const der = derOfPem(publicKeyPem);
  if (!der)
    throw new ApiError('INVALID_ARGUMENT', `${at}.public_key_pem: a PEM with exactly one public key ("BEGIN PUBLIC KEY") was expected.`);
  const signatureAlgorithm = enumMember(pkix['signatureAlgorithm'], ALGORITHM_NUMBERS, `${at}.signature_algorithm`);
  requireFit(der, signatureAlgorithm, at);
  const keyId = stringMember(pkix, 'keyId');
  const chosen = id || keyId || `ni:///sha-256;${createHash('sha256').update(der).digest('base64url')}`;
  if (!URI.test(chosen)) throw new ApiError('INVALID_ARGUMENT', `${at}: the id "${chosen}" is not a valid RFC 3986 URI.`);
  if (keyId !== '' && keyId !== chosen)
    throw new ApiError('INVALID_ARGUMENT', `${at}.key_id must be blank or equal to the id of the public key.`);
  return { id: chosen, pkix: { publicKeyPem, signatureAlgorithm, ...(keyId === '' ? {} : { keyId }) } };
}

function requireFit(der: Buffer, name: string, at: string): void {
  const algorithm = ALGORITHMS[name];
  if (!algorithm) throw new ApiError('INVALID_ARGUMENT', `${at}.signature_algorithm must be specified.`);
  if (algorithm.kind === 'ml-dsa' ? der.includes(ML_DSA_65_OID) : fits(spkiKey(der, at), algorithm)) return;
  throw new ApiError('INVALID_ARGUMENT', `${at}: the public key does not match the signature algorithm ${name}.`);
}

function spkiKey(der: Buffer, at: string): KeyObject {
  try {
    return createPublicKey({ key: der, format: 'der', type: 'spki' });
  } catch {
    throw new ApiError('INVALID_ARGUMENT', `${at}.public_key_pem: the PEM does not hold a public key.`);
  }
}

function fits(key: KeyObject, algorithm: Algorithm): boolean {
  const { modulusLength, namedCurve } = key.asymmetricKeyDetails ?? {};
  if (algorithm.kind === 'ecdsa') return key.asymmetricKeyType === 'ec' && namedCurve === algorithm.fits;
  return key.asymmetricKeyType === 'rsa' && modulusLength === algorithm.fits;
}

async function pgpFingerprint(armored: string, at: string): Promise<string> {
  const openpgp = await import('openpgp');
  const refuse = (why: string) => new ApiError('INVALID_ARGUMENT', `${at}.ascii_armored_pgp_public_key: ${why}`);
  const keys = await openpgp.readKeys({ armoredKeys: armored }).catch(() => {
    throw refuse('not an ASCII-armored PGP public key.');
  });
  const [key] = keys;
  if (!key || keys.length !== 1) throw refuse('exactly one PGP public key was expected.');
  if (key.isPrivate()) throw refuse('this is a private key.');
  const fingerprint = key.getFingerprint().toUpperCase();
  if (fingerprint.length !== 40) throw refuse('only version 4 keys are supported.');
  return fingerprint;
}
