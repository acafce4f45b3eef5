// SPDX-License-Identifier: Apache-2.0

export type HashName = 'sha256' | 'sha384' | 'sha512';

/** How a PKIX signature is made: the padding or curve, and the hash over the payload. */
export interface Algorithm {
  /** The attestor's enum name, as gcloud writes it. */
  readonly name: AlgorithmName;
  readonly hash: HashName;
  readonly scheme:
    | { readonly kind: 'rsa-pss' | 'rsa-pkcs1'; readonly bits: number }
    | { readonly kind: 'ecdsa'; readonly curve: 'P-256' | 'P-384' | 'P-521' };
  /** The Cloud KMS algorithm that makes such signatures; none for P-521, which only local keys have. */
  readonly kms: string | undefined;
}

/** The attestor's enum names; each may also arrive under the alias that the API knows for it. */
export type AlgorithmName =
  | 'RSA_PSS_2048_SHA256'
  | 'RSA_PSS_3072_SHA256'
  | 'RSA_PSS_4096_SHA256'
  | 'RSA_PSS_4096_SHA512'
  | 'RSA_SIGN_PKCS1_2048_SHA256'
  | 'RSA_SIGN_PKCS1_3072_SHA256'
  | 'RSA_SIGN_PKCS1_4096_SHA256'
  | 'RSA_SIGN_PKCS1_4096_SHA512'
  | 'ECDSA_P256_SHA256'
  | 'ECDSA_P384_SHA384'
  | 'ECDSA_P521_SHA512';

/** Every algorithm that an attestor's PKIX key may declare and that this product can verify. */
export const ALGORITHMS: readonly Algorithm[] = [
  rsa('RSA_PSS_2048_SHA256', 'rsa-pss', 2048, 'sha256'),
  rsa('RSA_PSS_3072_SHA256', 'rsa-pss', 3072, 'sha256'),
  rsa('RSA_PSS_4096_SHA256', 'rsa-pss', 4096, 'sha256'),
  rsa('RSA_PSS_4096_SHA512', 'rsa-pss', 4096, 'sha512'),
  rsa('RSA_SIGN_PKCS1_2048_SHA256', 'rsa-pkcs1', 2048, 'sha256'),
  rsa('RSA_SIGN_PKCS1_3072_SHA256', 'rsa-pkcs1', 3072, 'sha256'),
  rsa('RSA_SIGN_PKCS1_4096_SHA256', 'rsa-pkcs1', 4096, 'sha256'),
  rsa('RSA_SIGN_PKCS1_4096_SHA512', 'rsa-pkcs1', 4096, 'sha512'),
  { name: 'ECDSA_P256_SHA256', hash: 'sha256', scheme: { kind: 'ecdsa', curve: 'P-256' }, kms: 'EC_SIGN_P256_SHA256' },
  { name: 'ECDSA_P384_SHA384', hash: 'sha384', scheme: { kind: 'ecdsa', curve: 'P-384' }, kms: 'EC_SIGN_P384_SHA384' },
  { name: 'ECDSA_P521_SHA512', hash: 'sha512', scheme: { kind: 'ecdsa', curve: 'P-521' }, kms: undefined },
];

/** Post-quantum signatures: attestors can name them, but what the enforcer verifies is not published. */
export const ML_DSA_65 = 'ML_DSA_65';

/** The algorithm that an attestor's key declares, under either of its names; undefined for one we cannot verify. */
export function algorithmOfAttestor(name: string): Algorithm | undefined {
  return ALGORITHMS.find((algorithm) => algorithm.name === name || aliasOf(algorithm.name) === name);
}

/** The algorithm of a Cloud KMS key; undefined where no attestor can name it. */
export function algorithmOfKms(name: string): Algorithm | undefined {
  return ALGORITHMS.find((algorithm) => algorithm.kms === name);
}

/** Why a Cloud KMS algorithm cannot be used for attestations, and which can. */
export function whyKmsAlgorithmIsRefused(name: string): string {
  const usable = ALGORITHMS.flatMap(({ kms }) => kms ?? []).join(', ');
  const reason =
    name === 'PQ_SIGN_ML_DSA_65'
      ? 'attestors can name ML_DSA_65, but what Google verifies for it is not published'
      : 'no attestor can name it';
  return `algorithm ${name} cannot be used: ${reason}; usable are ${usable}`;
}

// proto google/cloud/binaryauthorization/v1/resources.proto, PkixPublicKey.SignatureAlgorithm: one number, two names.
// The second is also Cloud KMS's.
function aliasOf(name: AlgorithmName): string {
  return name.replace('ECDSA_', 'EC_SIGN_').replace('RSA_PSS_', 'RSA_SIGN_PSS_');
}

function rsa(name: AlgorithmName, kind: 'rsa-pss' | 'rsa-pkcs1', bits: number, hash: HashName): Algorithm {
  return { name, hash, scheme: { kind, bits }, kms: aliasOf(name) };
}
