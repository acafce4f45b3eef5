// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import {
  ALGORITHMS,
  algorithmOfAttestor,
  algorithmOfKms,
  ML_DSA_65,
  whyKmsAlgorithmIsRefused,
  type Algorithm,
} from '../../src/core/signing/algorithm.js';

// Facts 2.2: attestor enum, alias, Cloud KMS algorithm, digest, padding with size or curve.
const TABLE: readonly (readonly [string, string, string | undefined, string, Algorithm['scheme']])[] = [
  ['RSA_PSS_2048_SHA256', 'RSA_SIGN_PSS_2048_SHA256', 'RSA_SIGN_PSS_2048_SHA256', 'sha256', { kind: 'rsa-pss', bits: 2048 }],
  ['RSA_PSS_3072_SHA256', 'RSA_SIGN_PSS_3072_SHA256', 'RSA_SIGN_PSS_3072_SHA256', 'sha256', { kind: 'rsa-pss', bits: 3072 }],
  ['RSA_PSS_4096_SHA256', 'RSA_SIGN_PSS_4096_SHA256', 'RSA_SIGN_PSS_4096_SHA256', 'sha256', { kind: 'rsa-pss', bits: 4096 }],
  ['RSA_PSS_4096_SHA512', 'RSA_SIGN_PSS_4096_SHA512', 'RSA_SIGN_PSS_4096_SHA512', 'sha512', { kind: 'rsa-pss', bits: 4096 }],
  ['RSA_SIGN_PKCS1_2048_SHA256', 'RSA_SIGN_PKCS1_2048_SHA256', 'RSA_SIGN_PKCS1_2048_SHA256', 'sha256', { kind: 'rsa-pkcs1', bits: 2048 }],
  ['RSA_SIGN_PKCS1_3072_SHA256', 'RSA_SIGN_PKCS1_3072_SHA256', 'RSA_SIGN_PKCS1_3072_SHA256', 'sha256', { kind: 'rsa-pkcs1', bits: 3072 }],
  ['RSA_SIGN_PKCS1_4096_SHA256', 'RSA_SIGN_PKCS1_4096_SHA256', 'RSA_SIGN_PKCS1_4096_SHA256', 'sha256', { kind: 'rsa-pkcs1', bits: 4096 }],
  ['RSA_SIGN_PKCS1_4096_SHA512', 'RSA_SIGN_PKCS1_4096_SHA512', 'RSA_SIGN_PKCS1_4096_SHA512', 'sha512', { kind: 'rsa-pkcs1', bits: 4096 }],
  ['ECDSA_P256_SHA256', 'EC_SIGN_P256_SHA256', 'EC_SIGN_P256_SHA256', 'sha256', { kind: 'ecdsa', curve: 'P-256' }],
  ['ECDSA_P384_SHA384', 'EC_SIGN_P384_SHA384', 'EC_SIGN_P384_SHA384', 'sha384', { kind: 'ecdsa', curve: 'P-384' }],
  ['ECDSA_P521_SHA512', 'EC_SIGN_P521_SHA512', undefined, 'sha512', { kind: 'ecdsa', curve: 'P-521' }],
];

const REFUSED = [
  'EC_SIGN_ED25519',
  'EC_SIGN_SECP256K1_SHA256',
  'EC_SIGN_P521_SHA512',
  'RSA_SIGN_RAW_PKCS1_2048',
  'RSA_SIGN_RAW_PKCS1_3072',
  'RSA_SIGN_RAW_PKCS1_4096',
  'PQ_SIGN_ML_DSA_44',
  'PQ_SIGN_ML_DSA_65',
  'PQ_SIGN_ML_DSA_87',
  'PQ_SIGN_ML_DSA_65_EXTERNAL_MU',
  'PQ_SIGN_SLH_DSA_SHA2_128S',
  'PQ_SIGN_HASH_SLH_DSA_SHA2_128S_SHA256',
  'RSA_DECRYPT_OAEP_2048_SHA256',
  'HMAC_SHA256',
  'GOOGLE_SYMMETRIC_ENCRYPTION',
  'toString',
  '',
];

describe('algorithms', () => {
  it('has exactly those of the table', () => {
    expect(ALGORITHMS.map(({ name }) => name)).toEqual(TABLE.map(([name]) => name));
  });

  it.each(TABLE)('%s is also %s', (name, alias, kms, hash, scheme) => {
    expect(algorithmOfAttestor(name)).toEqual({ name, kms, hash, scheme });
    expect(algorithmOfAttestor(alias)).toBe(algorithmOfAttestor(name));
    if (kms !== undefined) expect(algorithmOfKms(kms)).toBe(algorithmOfAttestor(name));
  });

  it.each(REFUSED)('Cloud KMS algorithm "%s" is refused with the usable ones', (name) => {
    expect(algorithmOfKms(name)).toBeUndefined();
    const usable = TABLE.flatMap(([, , kms]) => kms ?? []).join(', ');
    const reason =
      name === 'PQ_SIGN_ML_DSA_65'
        ? 'attestors can name ML_DSA_65, but what Google verifies for it is not published'
        : 'no attestor can name it';
    expect(whyKmsAlgorithmIsRefused(name)).toBe(`algorithm ${name} cannot be used: ${reason}; usable are ${usable}`);
  });

  it('does not verify what Google has not published', () => {
    expect(ML_DSA_65).toBe('ML_DSA_65');
    expect(algorithmOfAttestor(ML_DSA_65)).toBeUndefined();
  });

  it.each(['SIGNATURE_ALGORITHM_UNSPECIFIED', 'ecdsa_p256_sha256', 'ECDSA_P256', '', 'constructor'])(
    'no attestor algorithm "%s"',
    (name) => {
      expect(algorithmOfAttestor(name)).toBeUndefined();
    },
  );
});
