// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { constants, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Secret } from '../../src/core/secret.js';
import { ALGORITHMS, type Algorithm } from '../../src/core/signing/algorithm.js';
import { defaultKeyId, spkiOf, type AttestorKey } from '../../src/core/signing/public-key.js';
import { openPkixKey, verifyPkix } from '../../src/signers/pkix.js';
import { createVerifier } from '../../src/signers/verifier.js';
import { describeSigner, PAYLOAD } from '../contracts/signer.js';
import { fakePace } from '../support/fake-pace.js';
import { algorithmNamed, keyPairFor, privatePem, publicPem } from '../support/pkix-keys.js';

const SOURCE = 'PKIX_KEY';
const NAMED = ALGORITHMS.map((algorithm) => [algorithm.name, algorithm] as const);
const P256 = algorithmNamed('ECDSA_P256_SHA256');

type PkixListed = Extract<AttestorKey, { kind: 'pkix' }>;

function listedAs(algorithm: Algorithm, which = 0): PkixListed {
  return { kind: 'pkix', id: 'id', pem: publicPem(keyPairFor(algorithm, which).publicKey), algorithm: algorithm.name };
}

function open(value: string): ReturnType<typeof openPkixKey> {
  return openPkixKey(new Secret(value, SOURCE));
}

async function signWith(algorithm: Algorithm, which = 0): Promise<Uint8Array> {
  const signer = open(privatePem(keyPairFor(algorithm, which).privateKey));
  return signer.sign(
    PAYLOAD,
    signer.publicKeys.find((key) => key.kind === 'pkix' && key.algorithm === algorithm)!,
  );
}

for (const algorithm of ALGORITHMS.filter(({ name }) =>
  [
    'ECDSA_P256_SHA256',
    'ECDSA_P384_SHA384',
    'ECDSA_P521_SHA512',
    'RSA_PSS_2048_SHA256',
    'RSA_PSS_3072_SHA256',
    'RSA_PSS_4096_SHA512',
  ].includes(name),
)) {
  describeSigner(`local PKIX ${'curve' in algorithm.scheme ? algorithm.scheme.curve : algorithm.scheme.bits}`, () => {
    const pem = privatePem(keyPairFor(algorithm).privateKey);
    const signer = open(pem);
    const algorithms = signer.publicKeys.flatMap((key) => (key.kind === 'pkix' ? [key.algorithm] : []));
    return Promise.resolve({
      signer,
      listed: algorithms.map((each) => listedAs(each)),
      others: algorithms.map((each) => listedAs(each, 1)),
      verifier: createVerifier(fakePace()),
      secrets: pem.split('\n').filter((line) => line.length > 20 && !line.startsWith('-')),
    });
  });
}

describe('a local PKIX key', () => {
  it.each(NAMED)('signs and verifies as %s, and as nothing else', async (_name, algorithm) => {
    const signature = await signWith(algorithm);
    for (const other of ALGORITHMS) {
      const { verified } = verifyPkix(PAYLOAD, signature, { ...listedAs(algorithm), algorithm: other.name });
      expect([other.name, verified]).toEqual([other.name, other === algorithm]);
    }
  });

  it.each(NAMED)('verifies %s under its alias, and rejects each flipped bit of the signature', async (_name, algorithm) => {
    const signature = await signWith(algorithm);
    const alias = algorithm.name.replace(/^ECDSA_/, 'EC_SIGN_').replace(/^RSA_PSS_/, 'RSA_SIGN_PSS_');
    expect(verifyPkix(PAYLOAD, signature, { ...listedAs(algorithm), algorithm: alias })).toEqual({ verified: true });
    for (let at = 0; at < signature.length; at += 7) {
      const tampered = signature.slice();
      tampered[at]! ^= 0x10;
      expect(verifyPkix(PAYLOAD, tampered, listedAs(algorithm))).toMatchObject({ verified: false });
    }
  });

  it('of RSA stands for one public key per algorithm of its size', () => {
    const signer = open(privatePem(keyPairFor(algorithmNamed('RSA_PSS_4096_SHA256')).privateKey));
    expect(signer.publicKeys.map((key) => key.kind === 'pkix' && key.algorithm.name)).toEqual([
      'RSA_PSS_4096_SHA256',
      'RSA_PSS_4096_SHA512',
      'RSA_SIGN_PKCS1_4096_SHA256',
      'RSA_SIGN_PKCS1_4096_SHA512',
    ]);
  });

  it('is named by its default id, and refuses to sign with an algorithm that is not its own', async () => {
    const signer = open(privatePem(keyPairFor(P256).privateKey));
    expect(signer.name).toBe(defaultKeyId(spkiOf(publicPem(keyPairFor(P256).publicKey))!));
    const foreign = { kind: 'pkix', spki: new Uint8Array(), algorithm: algorithmNamed('ECDSA_P384_SHA384') } as const;
    await expect(signer.sign(PAYLOAD, foreign)).rejects.toMatchObject({ code: 'INTERNAL' });
    await expect(signer.sign(PAYLOAD, { kind: 'pgp', fingerprint: '' })).rejects.toMatchObject({ code: 'INTERNAL' });
  });
});

describe('openPkixKey', () => {
  const ec = keyPairFor(P256).privateKey;
  const rsa = keyPairFor(algorithmNamed('RSA_PSS_2048_SHA256')).privateKey;
  const pem = privatePem(ec);
  const exported = (key: KeyObject, type: 'pkcs8' | 'sec1' | 'pkcs1', format: 'pem' | 'der'): Buffer =>
    Buffer.from(key.export({ type, format } as never));

  it.each<[string, string]>([
    ['PKCS#8 PEM', pem],
    ['SEC1 PEM', exported(ec, 'sec1', 'pem').toString()],
    ['PKCS#1 PEM', exported(rsa, 'pkcs1', 'pem').toString()],
    [
      'SEC1 after its parameters, as openssl ecparam writes it',
      `-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n${exported(ec, 'sec1', 'pem')}`,
    ],
    ['a key beside its public half', publicPem(keyPairFor(P256).publicKey) + pem],
    ['PEM with CRLF', pem.replaceAll('\n', '\r\n')],
    ['PEM with \\n escapes', pem.replaceAll('\n', '\\n')],
    ['base64 of PEM', Buffer.from(pem).toString('base64')],
    ['base64 of PKCS#8 DER', exported(ec, 'pkcs8', 'der').toString('base64')],
    ['base64 of SEC1 DER', exported(ec, 'sec1', 'der').toString('base64')],
    ['base64 of PKCS#1 DER', exported(rsa, 'pkcs1', 'der').toString('base64')],
  ])('reads %s', async (_name, value) => {
    const signer = open(value);
    const [key] = signer.publicKeys;
    const algorithm = key.kind === 'pkix' ? key.algorithm : P256;
    expect(verifyPkix(PAYLOAD, await signer.sign(PAYLOAD, key), listedAs(algorithm))).toEqual({ verified: true });
  });

  const encryptedPem = ec.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }).toString();
  it.each<[string, string, RegExp]>([
    ['encrypted PKCS#8', encryptedPem, /encrypted/],
    ['base64 of encrypted PKCS#8', Buffer.from(encryptedPem).toString('base64'), /encrypted/],
    [
      'encrypted PKCS#8 DER',
      ec.export({ type: 'pkcs8', format: 'der', cipher: 'aes-256-cbc', passphrase: 'x' }).toString('base64'),
      /encrypted/,
    ],
    [
      'a traditional encrypted key',
      ec.export({ type: 'sec1', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }).toString(),
      /encrypted/,
    ],
    ['a public key', publicPem(keyPairFor(P256).publicKey), /PUBLIC KEY/],
    ['two keys', pem + exported(rsa, 'pkcs1', 'pem').toString(), /2 private keys/],
    ['a PGP key', '-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nAAAA\n-----END PGP PRIVATE KEY BLOCK-----', /PGP PRIVATE KEY BLOCK/],
    ['a broken body', pem.replace(/\n.{30}/, '\nAAAA'), /cannot be read/],
    ['a key cut short', pem.slice(0, 90), /0 private keys/],
    ['bytes that are no key', Buffer.from('nothing at all').toString('base64'), /cannot be read/],
    ['words', 'not a key', /neither PEM nor base64/],
    ['nothing', '', /neither PEM nor base64/],
  ])('refuses %s', (_name, value, says) => {
    expect(() => open(value)).toThrow(
      expect.objectContaining({
        code: 'SECRET_UNUSABLE',
        exitCode: 2,
        resource: SOURCE,
        message: expect.stringMatching(says),
        hint: expect.any(String),
      }),
    );
  });

  it.each([
    ['Ed25519', generateKeyPairSync('ed25519')],
    ['RSA 1024', generateKeyPairSync('rsa', { modulusLength: 1024 })],
    ['RSA-PSS 2048', generateKeyPairSync('rsa-pss', { modulusLength: 2048 })],
    ['secp256k1', generateKeyPairSync('ec', { namedCurve: 'secp256k1' })],
  ])('refuses %s, which no attestor can name', (_name, { privateKey }) => {
    expect(() => open(privatePem(privateKey))).toThrow(expect.objectContaining({ code: 'KEY_ALGORITHM_UNSUPPORTED', exitCode: 7 }));
  });
});

describe('verifyPkix', () => {
  const pss = algorithmNamed('RSA_PSS_2048_SHA256');
  const key = keyPairFor(P256).privateKey;

  it.each([
    ['no salt', 0],
    ['the longest salt', constants.RSA_PSS_SALTLEN_MAX_SIGN],
  ])('accepts a PSS signature with %s only with a warning', (_name, saltLength) => {
    const signature = sign('sha256', PAYLOAD, { key: keyPairFor(pss).privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength });
    expect(verifyPkix(PAYLOAD, signature, listedAs(pss))).toEqual({ verified: true, warning: expect.stringContaining('salt') });
    expect(verifyPkix(PAYLOAD.slice(1), signature, listedAs(pss))).toMatchObject({ verified: false });
  });

  it.each<[string, PkixListed]>([
    ['not published', { ...listedAs(P256), algorithm: 'ML_DSA_65' }],
    ['does not know', { ...listedAs(P256), algorithm: 'SIGNATURE_ALGORITHM_UNSPECIFIED' }],
    ['no readable public key', { ...listedAs(P256), pem: 'garbage' }],
    ['no readable public key', { ...listedAs(P256), pem: '' }],
    ['declares ECDSA_P384_SHA384, but the key is EC prime256v1', { ...listedAs(P256), algorithm: 'ECDSA_P384_SHA384' }],
    ['but the key is RSA 2048', { ...listedAs(pss), algorithm: 'RSA_PSS_3072_SHA256' }],
    ['no ECDSA_P256_SHA256 signature', listedAs(P256, 1)],
  ])('says "%s"', async (reason, listed) => {
    expect(verifyPkix(PAYLOAD, await signWith(P256), listed)).toEqual({ verified: false, reason: expect.stringContaining(reason) });
  });

  it('says so where the signature was made for another algorithm of the key', async () => {
    const signature = await signWith(algorithmNamed('RSA_SIGN_PKCS1_2048_SHA256'));
    expect(verifyPkix(PAYLOAD, signature, listedAs(pss))).toEqual({
      verified: false,
      reason: expect.stringMatching(/made as RSA_SIGN_PKCS1_2048_SHA256.*declares RSA_PSS_2048_SHA256/),
    });
  });

  it('says so where ECDSA comes raw instead of as DER', () => {
    const raw = sign('sha256', PAYLOAD, { key, dsaEncoding: 'ieee-p1363' });
    expect(verifyPkix(PAYLOAD, raw, listedAs(P256))).toEqual({ verified: false, reason: expect.stringContaining('DER') });
  });

  it('takes DER strictly', () => {
    const der = sign('sha256', PAYLOAD, { key, dsaEncoding: 'der' });
    const long = Buffer.concat([Buffer.from([0x30, 0x81]), der.subarray(1)]);
    const indefinite = Buffer.concat([Buffer.from([0x30, 0x80]), der.subarray(2), Buffer.from([0, 0])]);
    const padded = Buffer.concat([Buffer.from([0x30, (der[1] ?? 0) + 1, 2, (der[3] ?? 0) + 1, 0]), der.subarray(4)]);
    expect(verifyPkix(PAYLOAD, der, listedAs(P256))).toEqual({ verified: true });
    for (const loose of [Buffer.concat([der, Buffer.from([0])]), long, indefinite, padded]) {
      expect(verifyPkix(PAYLOAD, loose, listedAs(P256))).toMatchObject({ verified: false });
    }
  });

  it('does not take a signature over the hash for one over the payload', () => {
    const { privateKey } = keyPairFor(P256);
    expect(verifyPkix(PAYLOAD, sign(null, Buffer.alloc(32), { key: privateKey, dsaEncoding: 'der' }), listedAs(P256))).toMatchObject({
      verified: false,
    });
  });
});

const openssl = spawnSync('openssl', ['version']);
describe.skipIf(openssl.status !== 0)('openssl as the judge (skipped where there is no openssl)', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'bz-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it.each(NAMED)('verifies our %s, and not over another payload', async (name, algorithm) => {
    const files = { key: join(folder, `${name}.pem`), signature: join(folder, `${name}.sig`), payload: join(folder, `${name}.txt`) };
    writeFileSync(files.key, publicPem(keyPairFor(algorithm).publicKey));
    writeFileSync(files.signature, await signWith(algorithm));
    writeFileSync(files.payload, PAYLOAD);
    const pssOptions = algorithm.scheme.kind === 'rsa-pss' ? ['-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:digest'] : [];
    const judge = (): string =>
      spawnSync('openssl', [
        'dgst',
        `-${algorithm.hash}`,
        '-verify',
        files.key,
        ...pssOptions,
        '-signature',
        files.signature,
        files.payload,
      ])
        .stdout.toString()
        .trim();
    expect(judge()).toBe('Verified OK');
    writeFileSync(files.payload, PAYLOAD.slice(1));
    expect(judge()).toBe('Verification failure');
  });
});
