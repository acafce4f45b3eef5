// SPDX-License-Identifier: Apache-2.0
// The algorithms, purposes, levels and states that Cloud KMS names, and which key each algorithm stands for.
// Source: google/cloud/kms/v1/resources.proto.

/** The hashes that a digest may come in. */
export type HashName = 'sha256' | 'sha384' | 'sha512';

/** The key that an algorithm needs; `none` is a symmetric key, of which nothing ever leaves KMS. */
export type KeyShape =
  | { readonly type: 'rsa'; readonly bits: number }
  | { readonly type: 'ec'; readonly curve: CurveName }
  | { readonly type: 'ed25519' }
  | { readonly type: 'none' };

/** The curves by OpenSSL's names. */
export type CurveName = 'prime256v1' | 'secp384r1' | 'secp256k1';

/** How an algorithm signs; an algorithm of another purpose does not. */
export type SignScheme = { readonly kind: 'pkcs1' | 'pss' | 'ecdsa'; readonly hash: HashName } | { readonly kind: 'eddsa' };

/** One CryptoKeyVersionAlgorithm that this emulator can create. */
export interface Algorithm {
  readonly name: string;
  readonly number: number;
  readonly purpose: string;
  readonly key: KeyShape;
  readonly sign?: SignScheme;
}

/** CryptoKeyPurpose. */
export const PURPOSES: ReadonlyMap<string, number> = new Map([
  ['ENCRYPT_DECRYPT', 1],
  ['ASYMMETRIC_SIGN', 5],
  ['ASYMMETRIC_DECRYPT', 6],
  ['MAC', 9],
]);

/** ProtectionLevel. It changes nothing about a signature. */
export const PROTECTION_LEVELS: ReadonlyMap<string, number> = new Map([
  ['SOFTWARE', 1],
  ['HSM', 2],
  ['EXTERNAL', 3],
  ['EXTERNAL_VPC', 4],
  ['HSM_SINGLE_TENANT', 5],
]);

/** CryptoKeyVersionState, as far as a key made here can reach one. */
export const STATES: ReadonlyMap<string, number> = new Map([
  ['ENABLED', 1],
  ['DISABLED', 2],
  ['DESTROYED', 3],
  ['DESTROY_SCHEDULED', 4],
  ['PENDING_GENERATION', 5],
]);

/** PublicKeyFormat, as far as it applies to keys that are not post-quantum. */
export const PUBLIC_KEY_FORMATS: ReadonlyMap<string, number> = new Map([
  ['PUBLIC_KEY_FORMAT_UNSPECIFIED', 0],
  ['PEM', 1],
  ['DER', 2],
]);

function rsaSign(kind: 'pss' | 'pkcs1', bits: number, hash: HashName, number: number): Algorithm {
  const name = `RSA_SIGN_${kind.toUpperCase()}_${String(bits)}_${hash.toUpperCase()}`;
  return { name, number, purpose: 'ASYMMETRIC_SIGN', key: { type: 'rsa', bits }, sign: { kind, hash } };
}

function ecSign(name: string, number: number, curve: CurveName, hash: HashName): Algorithm {
  return { name, number, purpose: 'ASYMMETRIC_SIGN', key: { type: 'ec', curve }, sign: { kind: 'ecdsa', hash } };
}

function rsaDecrypt(bits: number, hash: HashName, number: number): Algorithm {
  const name = `RSA_DECRYPT_OAEP_${String(bits)}_${hash.toUpperCase()}`;
  return { name, number, purpose: 'ASYMMETRIC_DECRYPT', key: { type: 'rsa', bits } };
}

/** Every algorithm that a key may be created with. Any other is refused. */
export const ALGORITHMS: readonly Algorithm[] = [
  rsaSign('pss', 2048, 'sha256', 2),
  rsaSign('pss', 3072, 'sha256', 3),
  rsaSign('pss', 4096, 'sha256', 4),
  rsaSign('pss', 4096, 'sha512', 15),
  rsaSign('pkcs1', 2048, 'sha256', 5),
  rsaSign('pkcs1', 3072, 'sha256', 6),
  rsaSign('pkcs1', 4096, 'sha256', 7),
  rsaSign('pkcs1', 4096, 'sha512', 16),
  ecSign('EC_SIGN_P256_SHA256', 12, 'prime256v1', 'sha256'),
  ecSign('EC_SIGN_P384_SHA384', 13, 'secp384r1', 'sha384'),
  ecSign('EC_SIGN_SECP256K1_SHA256', 31, 'secp256k1', 'sha256'),
  { name: 'EC_SIGN_ED25519', number: 40, purpose: 'ASYMMETRIC_SIGN', key: { type: 'ed25519' }, sign: { kind: 'eddsa' } },
  // The rest cannot sign. They are here so that a client can meet a key of another purpose.
  rsaDecrypt(2048, 'sha256', 8),
  rsaDecrypt(3072, 'sha256', 9),
  rsaDecrypt(4096, 'sha256', 10),
  rsaDecrypt(4096, 'sha512', 17),
  { name: 'GOOGLE_SYMMETRIC_ENCRYPTION', number: 1, purpose: 'ENCRYPT_DECRYPT', key: { type: 'none' } },
  { name: 'HMAC_SHA256', number: 32, purpose: 'MAC', key: { type: 'none' } },
];

/** The algorithms' names with their numbers, for the wire. */
export const ALGORITHM_NUMBERS: ReadonlyMap<string, number> = new Map(ALGORITHMS.map(({ name, number }) => [name, number]));
