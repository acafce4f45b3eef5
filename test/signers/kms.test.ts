// SPDX-License-Identifier: Apache-2.0
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { BinauthzError } from '../../src/core/errors.js';
import { keyOf, type KeyVersionName } from '../../src/core/names.js';
import { ALGORITHMS, type Algorithm } from '../../src/core/signing/algorithm.js';
import type { AttestorKey } from '../../src/core/signing/public-key.js';
import { openKmsKey, openKmsKeyVersion } from '../../src/signers/kms.js';
import { createVerifier } from '../../src/signers/verifier.js';
import { describeSigner, PAYLOAD } from '../contracts/signer.js';
import { FakeKeyService, fakeVersion, versionName, type FakeVersion, type Fault } from '../support/fake-key-service.js';
import { fakePace } from '../support/fake-pace.js';
import { algorithmNamed, keyPairFor, publicPem } from '../support/pkix-keys.js';

const V1 = versionName(1);
const P256 = algorithmNamed('ECDSA_P256_SHA256');

function version(n: number, algorithm: Algorithm = P256, kms: string = algorithm.kms ?? ''): FakeVersion {
  return fakeVersion(versionName(n), kms, keyPairFor(algorithm, n));
}

function listed(algorithm: Algorithm, which: number): AttestorKey {
  return { kind: 'pkix', id: 'id', pem: publicPem(keyPairFor(algorithm, which).publicKey), algorithm: algorithm.name };
}

for (const algorithm of ALGORITHMS.filter(({ kms }) => kms !== undefined)) {
  describeSigner(`Cloud KMS ${algorithm.kms}`, async () => ({
    signer: await openKmsKeyVersion(V1, new FakeKeyService([version(1, algorithm)]), fakePace()),
    listed: [listed(algorithm, 1)],
    others: [listed(algorithm, 2)],
    verifier: createVerifier(fakePace()),
    secrets: [],
  }));
}

/** Opens and signs; the fault is planted before. */
async function run(
  fault: Fault,
  algorithm = P256,
): Promise<{ signature: Promise<Uint8Array>; service: FakeKeyService; pauses: readonly number[] }> {
  const service = new FakeKeyService([version(1, algorithm)]);
  const pace = fakePace();
  service.plant(fault);
  const signature = openKmsKeyVersion(V1, service, pace).then((signer) => signer.sign(PAYLOAD, signer.publicKeys[0]));
  await signature.catch(() => undefined);
  return { signature, service, pauses: pace.pauses };
}

function flipped(bytes: Uint8Array): Uint8Array {
  const changed = bytes.slice();
  changed[20]! ^= 1;
  return changed;
}

const DAMAGES: readonly (readonly [string, 'publicKey' | 'sign', Fault])[] = [
  ['another name of the public key', 'publicKey', { publicKey: (reply) => ({ ...reply, name: versionName(2) }) }],
  ['an altered PEM', 'publicKey', { publicKey: (reply) => ({ ...reply, pem: publicPem(keyPairFor(P256, 9).publicKey) }) }],
  ['another checksum of the PEM', 'publicKey', { publicKey: (reply) => ({ ...reply, pemCrc32c: 1 }) }],
  ['no checksum of the PEM', 'publicKey', { publicKey: (reply) => ({ ...reply, pemCrc32c: undefined }) }],
  ['another name of the signature', 'sign', { signature: (reply) => ({ ...reply, name: versionName(2) }) }],
  ['an empty name of the signature', 'sign', { signature: (reply) => ({ ...reply, name: '' }) }],
  ['a digest that the service did not verify', 'sign', { signature: (reply) => ({ ...reply, verifiedDigestCrc32c: false }) }],
  ['an altered signature', 'sign', { signature: (reply) => ({ ...reply, signature: flipped(reply.signature) }) }],
  ['another checksum of the signature', 'sign', { signature: (reply) => ({ ...reply, signatureCrc32c: 0 }) }],
  ['no checksum of the signature', 'sign', { signature: (reply) => ({ ...reply, signatureCrc32c: undefined }) }],
  [
    'an empty signature without a checksum',
    'sign',
    { signature: (reply) => ({ ...reply, signature: new Uint8Array(), signatureCrc32c: undefined }) },
  ],
];

describe('the integrity protocol', () => {
  it('takes one call of each kind where all is well', async () => {
    const { signature, service, pauses } = await run({});
    await expect(signature).resolves.toBeInstanceOf(Uint8Array);
    expect(service.calls.map(({ method }) => method)).toEqual(['publicKey', 'sign']);
    expect(pauses).toEqual([]);
  });

  it.each(DAMAGES)('survives %s twice', async (_name, method, fault) => {
    const { signature, service, pauses } = await run({ ...fault, times: 2 });
    await expect(signature).resolves.toBeInstanceOf(Uint8Array);
    expect(service.calls.filter((call) => call.method === method)).toHaveLength(3);
    expect(pauses).toHaveLength(2);
  });

  it.each(DAMAGES)('fails at %s three times, and uses nothing of it', async (_name, method, fault) => {
    const { signature, service } = await run(fault);
    await expect(signature).rejects.toMatchObject({
      code: 'CHECKSUM_MISMATCH',
      exitCode: 7,
      resource: V1,
      message: expect.stringContaining(V1),
      hint: expect.any(String),
    });
    expect(service.calls.filter((call) => call.method === method)).toHaveLength(3);
  });

  it('refuses an intact signature that does not verify, at once', async () => {
    const other = new FakeKeyService([{ ...version(1), privateKey: keyPairFor(P256, 5).privateKey }]);
    const signer = await openKmsKeyVersion(V1, other, fakePace());
    await expect(signer.sign(PAYLOAD, signer.publicKeys[0])).rejects.toMatchObject({
      code: 'SIGNATURE_INVALID',
      exitCode: 7,
      resource: V1,
    });
    expect(other.calls.filter(({ method }) => method === 'sign')).toHaveLength(1);
  });

  it('passes on failures of the service without another try', async () => {
    const service = new FakeKeyService([{ ...version(1), enabled: false }]);
    await expect(openKmsKeyVersion(V1, service, fakePace())).rejects.toMatchObject({ code: 'KEY_UNUSABLE' });
    await expect(openKmsKeyVersion(versionName(2), service, fakePace())).rejects.toMatchObject({ code: 'KEY_NOT_FOUND' });
    expect(service.calls).toHaveLength(2);
  });

  it('ends when the run is cancelled between two tries', async () => {
    const service = new FakeKeyService([version(1)]);
    service.plant({ publicKey: (reply) => ({ ...reply, pemCrc32c: 1 }) });
    const pace = { ...fakePace(), sleep: () => Promise.reject(new BinauthzError('CANCELLED', 'cancelled')) };
    await expect(openKmsKeyVersion(V1, service, pace)).rejects.toMatchObject({ code: 'CANCELLED' });
  });
});

describe('openKmsKeyVersion', () => {
  it.each([
    'EC_SIGN_ED25519',
    'EC_SIGN_SECP256K1_SHA256',
    'RSA_SIGN_RAW_PKCS1_2048',
    'PQ_SIGN_ML_DSA_65',
    'GOOGLE_SYMMETRIC_ENCRYPTION',
    '',
  ])('refuses algorithm "%s" with those that are usable', async (algorithm) => {
    const service = new FakeKeyService([version(1, P256, algorithm)]);
    // Post-quantum keys come without PEM and checksum.
    service.plant({ publicKey: (reply) => ({ ...reply, pem: '', pemCrc32c: undefined }) });
    await expect(openKmsKeyVersion(V1, service, fakePace())).rejects.toMatchObject({
      code: 'KEY_ALGORITHM_UNSUPPORTED',
      exitCode: 7,
      resource: V1,
      message: expect.stringContaining('EC_SIGN_P256_SHA256'),
    });
  });

  it.each([
    ['another curve', keyPairFor(algorithmNamed('ECDSA_P384_SHA384'))],
    ['another kind', keyPairFor(algorithmNamed('RSA_PSS_2048_SHA256'))],
    ['secp256k1', generateKeyPairSync('ec', { namedCurve: 'secp256k1' })],
  ])('refuses a public key of %s', async (_name, keys) => {
    const service = new FakeKeyService([fakeVersion(V1, 'EC_SIGN_P256_SHA256', keys)]);
    await expect(openKmsKeyVersion(V1, service, fakePace())).rejects.toMatchObject({ code: 'RESPONSE_INVALID', exitCode: 7, resource: V1 });
  });

  it('refuses an intact public key that is no PEM', async () => {
    const service = new FakeKeyService([{ ...version(1), pem: 'nothing' }]);
    await expect(openKmsKeyVersion(V1, service, fakePace())).rejects.toMatchObject({ code: 'RESPONSE_INVALID' });
  });
});

describe('openKmsKey', () => {
  const key = keyOf(V1);
  const names = async (...versions: FakeVersion[]): Promise<string[]> =>
    (await openKmsKey(key, new FakeKeyService(versions), fakePace())).map(({ name }) => name);
  const of = (...ns: number[]): KeyVersionName[] => ns.map((n) => versionName(n));

  it('opens the enabled versions, the newest first', async () => {
    expect(await names(version(1), version(2), { ...version(11), enabled: false }, version(10))).toEqual(of(10, 2, 1));
  });

  it('passes over versions whose algorithm no attestor can name', async () => {
    expect(await names(version(1), version(2, P256, 'EC_SIGN_ED25519'), version(3))).toEqual(of(3, 1));
  });

  it('fails where all are such', async () => {
    await expect(names(version(1, P256, 'EC_SIGN_ED25519'), version(2, P256, 'RSA_SIGN_RAW_PKCS1_2048'))).rejects.toMatchObject({
      code: 'KEY_ALGORITHM_UNSUPPORTED',
      resource: versionName(2),
    });
  });

  it('fails where none is enabled', async () => {
    await expect(names({ ...version(1), enabled: false })).rejects.toMatchObject({
      code: 'KEY_UNUSABLE',
      exitCode: 7,
      resource: key,
      hint: expect.stringContaining('versions enable'),
    });
    await expect(names()).rejects.toMatchObject({ code: 'KEY_UNUSABLE' });
  });

  it('fails where one cannot be opened for another reason, for it might be the trusted one', async () => {
    const service = new FakeKeyService([version(1), version(2)]);
    service.plant({ publicKey: (reply) => ({ ...reply, pemCrc32c: reply.name.endsWith('/1') ? 1 : reply.pemCrc32c }) });
    await expect(openKmsKey(key, service, fakePace())).rejects.toMatchObject({ code: 'CHECKSUM_MISMATCH', resource: V1 });
  });

  it('opens the newest twenty', async () => {
    const versions = Array.from({ length: 23 }, (_, i) => fakeVersion(versionName(i + 1), 'EC_SIGN_P256_SHA256', keyPairFor(P256)));
    const service = new FakeKeyService(versions);
    const signers = await openKmsKey(key, service, fakePace());
    expect(signers.map(({ name }) => name)).toEqual(of(...Array.from({ length: 20 }, (_, i) => 23 - i)));
    expect(service.calls.filter(({ method }) => method === 'publicKey')).toHaveLength(20);
  });
});
