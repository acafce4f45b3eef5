// SPDX-License-Identifier: Apache-2.0
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ALGORITHMS } from '../../src/core/signing/algorithm.js';
import {
  algorithmsFor,
  defaultKeyId,
  describeKey,
  fits,
  isSameKey,
  isTrustedAs,
  normalizeFingerprint,
  parsePem,
  publicKeyOf,
  spkiOf,
  type AttestorKey,
  type PublicKey,
} from '../../src/core/signing/public-key.js';
import { algorithmNamed, keyPairFor, privatePem, publicPem, rsaPublicKey } from '../support/pkix-keys.js';

const P256 = algorithmNamed('ECDSA_P256_SHA256');
const FINGERPRINT = '0123456789ABCDEF0123456789ABCDEF01234567';

// Facts 1.3; the first is Google's published pair.
const KEY_IDS = [
  [
    'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEXnpuYEfvLl1kj4fjxViFRwY1a+zC5qzlf9LJIK+rnjq42tiKGyyXMbnZKJiYPPdMDGyltnkrABnztg2jJ48aYQ==',
    'ni:///sha-256;EwVxs8fNUAHq9FI2AMfh8WNIXVBuuTMeGtPH72U-I70',
  ],
  [
    'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEe9+z/3CPGSAAqvjbgT9MGqY8zFT0AopMeYl1dIlz7VlQxNBduAJAg57BFUse+EoYWA+24XTwsG3FOGOvS1ikIA==',
    'ni:///sha-256;omcFDhGT5aPWuhJuvkMoAxf7yo98Y2ntoqATcjFiUTk',
  ],
] as const;

function pkix(which = 0): Extract<PublicKey, { kind: 'pkix' }> {
  return { kind: 'pkix', spki: spkiOf(publicPem(keyPairFor(P256, which).publicKey))!, algorithm: P256 };
}

describe('key ids', () => {
  it.each(KEY_IDS)('the default id of %s', (base64, id) => {
    const spki = Buffer.from(base64, 'base64');
    expect(defaultKeyId(spki)).toBe(id);
    const pem = publicPem(createPublicKey({ key: spki, format: 'der', type: 'spki' }));
    expect(defaultKeyId(spkiOf(pem)!)).toBe(id);
    expect(defaultKeyId(spkiOf(pem.replaceAll('\n', '\r\n'))!)).toBe(id);
  });

  it.each([
    [FINGERPRINT, FINGERPRINT],
    [FINGERPRINT.toLowerCase(), FINGERPRINT],
    [`openpgp4fpr:${FINGERPRINT.toLowerCase()}`, FINGERPRINT],
    ['0123 4567 89AB CDEF 0123  4567 89AB CDEF 0123 4567', FINGERPRINT],
    ['OPENPGP4FPR:abcd', 'ABCD'],
    ['abcdopenpgp4fpr:abcd', 'ABCDOPENPGP4FPR:ABCD'],
  ])('the fingerprint %s', (text, fingerprint) => {
    expect(normalizeFingerprint(text)).toBe(fingerprint);
  });
});

describe('parsePem', () => {
  const pem = publicPem(keyPairFor(P256).publicKey);

  it('takes one SPKI block, with text around it', () => {
    expect(parsePem(pem)?.asymmetricKeyType).toBe('ec');
    expect(parsePem(`a comment\n${pem}`)?.asymmetricKeyType).toBe('ec');
  });

  it.each([
    ['nothing', ''],
    ['two keys', pem + pem],
    ['a private key', privatePem(keyPairFor(P256).privateKey)],
    ['PKCS#1', rsaPublicKey(2048).export({ type: 'pkcs1', format: 'pem' }).toString()],
    ['a broken body', pem.replace(/\n.{9}/, '\n@@@')],
    ['no end', pem.slice(0, 100)],
    ['base64 without lines around it', pem.split('\n').slice(1, -2).join('')],
  ])('refuses %s', (_name, text) => {
    expect(parsePem(text)).toBeUndefined();
    expect(spkiOf(text)).toBeUndefined();
  });
});

describe('the key behind an attestor’s entry', () => {
  const pem = publicPem(keyPairFor(P256).publicKey);

  it.each<[string, AttestorKey, PublicKey | undefined]>([
    ['a PKIX key', { kind: 'pkix', id: 'x', pem, algorithm: 'EC_SIGN_P256_SHA256' }, pkix()],
    ['a PGP key', { kind: 'pgp', id: FINGERPRINT.toLowerCase(), armored: '' }, { kind: 'pgp', fingerprint: FINGERPRINT }],
    ['no key', { kind: 'pkix', id: 'x', pem: 'broken', algorithm: P256.name }, undefined],
    ['a key that nobody can verify with', { kind: 'pkix', id: 'x', pem, algorithm: 'ML_DSA_65' }, undefined],
  ])('%s', (_name, listed, key) => {
    expect(publicKeyOf(listed)).toEqual(key);
  });
});

describe('fits', () => {
  it.each(ALGORITHMS.map((algorithm) => [algorithm.name, algorithm] as const))(
    'a key made for %s fits it and only its like',
    (_name, algorithm) => {
      const { scheme: own } = algorithm;
      const publicKey = own.kind === 'ecdsa' ? keyPairFor(algorithm).publicKey : rsaPublicKey(own.bits);
      const same = ALGORITHMS.filter(({ scheme }) =>
        'bits' in scheme ? 'bits' in own && scheme.bits === own.bits : 'curve' in own && scheme.curve === own.curve,
      );
      expect(algorithmsFor(publicKey)).toEqual(same);
    },
  );

  it('knows a private key as well', () => {
    expect(fits(keyPairFor(P256).privateKey, P256)).toBe(true);
    expect(fits(keyPairFor(P256).privateKey, algorithmNamed('ECDSA_P384_SHA384'))).toBe(false);
  });

  it.each([
    ['RSA 1024', rsaPublicKey(1024)],
    ['RSA-PSS 2048', generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).publicKey],
    ['secp256k1', generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey],
    ['Ed25519', generateKeyPairSync('ed25519').publicKey],
  ])('%s fits none', (_name, publicKey) => {
    expect(algorithmsFor(publicKey)).toEqual([]);
  });
});

describe('isSameKey and isTrustedAs', () => {
  const pem = publicPem(keyPairFor(P256).publicKey);
  const listed = { kind: 'pkix', id: 'any', pem, algorithm: 'ECDSA_P256_SHA256' } as const;

  it('compares PKIX keys by SPKI, never by id', () => {
    expect(isSameKey(pkix(), listed)).toBe(true);
    expect(isSameKey(pkix(), { ...listed, pem: pem.replaceAll('\n', '\r\n') })).toBe(true);
    expect(isSameKey(pkix(1), { ...listed, id: defaultKeyId(pkix(1).spki) })).toBe(false);
    expect(isSameKey(pkix(), { ...listed, pem: 'broken' })).toBe(false);
  });

  it('needs the declared algorithm, under either of its names', () => {
    expect(isTrustedAs(pkix(), listed)).toBe(true);
    expect(isTrustedAs(pkix(), { ...listed, algorithm: 'EC_SIGN_P256_SHA256' })).toBe(true);
    expect(isTrustedAs(pkix(), { ...listed, algorithm: 'ECDSA_P384_SHA384' })).toBe(false);
    expect(isTrustedAs(pkix(), { ...listed, algorithm: '' })).toBe(false);
    expect(isTrustedAs(pkix(1), listed)).toBe(false);
  });

  it('compares PGP keys by fingerprint, and never across kinds', () => {
    const pgp = { kind: 'pgp', fingerprint: FINGERPRINT } as const;
    expect(isTrustedAs(pgp, { kind: 'pgp', id: FINGERPRINT.toLowerCase(), armored: '' })).toBe(true);
    expect(isTrustedAs(pgp, { kind: 'pgp', id: FINGERPRINT.slice(24), armored: '' })).toBe(false);
    expect(isTrustedAs(pgp, { ...listed, id: FINGERPRINT })).toBe(false);
    const posing = { kind: 'pgp', id: defaultKeyId(pkix().spki), armored: pem } as const;
    expect([isSameKey(pkix(), posing), isTrustedAs(pkix(), posing)]).toEqual([false, false]);
  });

  it('names keys by what identifies them', () => {
    expect(describeKey({ kind: 'pgp', fingerprint: FINGERPRINT })).toBe(`PGP ${FINGERPRINT}`);
    expect(describeKey(pkix())).toBe(`ECDSA_P256_SHA256 ${defaultKeyId(pkix().spki)}`);
  });
});
