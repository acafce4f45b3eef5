// SPDX-License-Identifier: Apache-2.0
// The emulator's Cloud KMS, judged by OpenSSL, by node:crypto and by Google's own client.
import { spawnSync } from 'node:child_process';
import { constants, createHash, createPublicKey, verify, type KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KeyManagementServiceClient } from '@google-cloud/kms/build/src/v1/key_management_service_client.js';
import { GoogleAuth, PassThroughClient } from 'google-auth-library';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { crc32c } from '../../src/emulator/kms/crc32c.js';
import { startTestEmulator, type Answer, type TestEmulator } from '../support/emulator.js';

const RING = 'projects/p/locations/global/keyRings/ring';
const MESSAGE = Buffer.from('{\n  "critical": {}\n}\n');
const openssl = spawnSync('openssl', ['version']).status === 0;

type Hash = 'sha256' | 'sha384' | 'sha512';
interface Case {
  readonly algorithm: string;
  readonly hash?: Hash;
  readonly padding?: 'pkcs1' | 'pss';
  readonly bytes?: number;
}

const CASES: readonly Case[] = [
  { algorithm: 'RSA_SIGN_PSS_2048_SHA256', hash: 'sha256', padding: 'pss', bytes: 256 },
  { algorithm: 'RSA_SIGN_PSS_3072_SHA256', hash: 'sha256', padding: 'pss', bytes: 384 },
  { algorithm: 'RSA_SIGN_PSS_4096_SHA256', hash: 'sha256', padding: 'pss', bytes: 512 },
  { algorithm: 'RSA_SIGN_PSS_4096_SHA512', hash: 'sha512', padding: 'pss', bytes: 512 },
  { algorithm: 'RSA_SIGN_PKCS1_2048_SHA256', hash: 'sha256', padding: 'pkcs1', bytes: 256 },
  { algorithm: 'RSA_SIGN_PKCS1_3072_SHA256', hash: 'sha256', padding: 'pkcs1', bytes: 384 },
  { algorithm: 'RSA_SIGN_PKCS1_4096_SHA256', hash: 'sha256', padding: 'pkcs1', bytes: 512 },
  { algorithm: 'RSA_SIGN_PKCS1_4096_SHA512', hash: 'sha512', padding: 'pkcs1', bytes: 512 },
  { algorithm: 'EC_SIGN_P256_SHA256', hash: 'sha256' },
  { algorithm: 'EC_SIGN_P384_SHA384', hash: 'sha384' },
  { algorithm: 'EC_SIGN_SECP256K1_SHA256', hash: 'sha256' },
  { algorithm: 'EC_SIGN_ED25519', bytes: 64 },
];

let emulator: TestEmulator;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kms-'));
  emulator = await startTestEmulator();
  await post(`/v1/projects/p/locations/global/keyRings?keyRingId=ring`, {});
  await Promise.all(CASES.map(({ algorithm }) => createKey(algorithm, algorithm)));
}, 180_000);

afterAll(async () => {
  expect(emulator.lastErrors).toEqual([]);
  await emulator.close();
  rmSync(folder, { recursive: true, force: true });
});

async function ask(method: string, path: string, body?: unknown, as?: string): Promise<{ status: number; body: Answer['json'] }> {
  const { status, json } = await emulator.api(method, path, body, as === undefined ? undefined : `as:${as}`);
  return { status, body: json };
}

const get = (path: string, as?: string) => ask('GET', path, undefined, as);
const post = (path: string, body: unknown, as?: string) => ask('POST', path, body, as);
const patch = (path: string, body: unknown, as?: string) => ask('PATCH', path, body, as);

async function createKey(id: string, algorithm: unknown, more: object = {}): Promise<string> {
  const body = { purpose: 'ASYMMETRIC_SIGN', versionTemplate: { algorithm }, ...more };
  const created = await post(`/v1/${RING}/cryptoKeys?cryptoKeyId=${id}`, body);
  expect(created).toMatchObject({ status: 200, body: { name: `${RING}/cryptoKeys/${id}`, purpose: 'ASYMMETRIC_SIGN' } });
  return `${RING}/cryptoKeys/${id}/cryptoKeyVersions/1`;
}

function versionOf(algorithm: string): string {
  return `${RING}/cryptoKeys/${algorithm}/cryptoKeyVersions/1`;
}

function digestOf(hash: Hash, message = MESSAGE): string {
  return createHash(hash).update(message).digest('base64');
}

async function publicKeyOf(version: string): Promise<KeyObject> {
  const { body } = await get(`/v1/${version}/publicKey`);
  return createPublicKey(body.pem);
}

/** The request that signs MESSAGE with a case's algorithm. */
function signRequest({ hash }: Case): object {
  return hash ? { digest: { [hash]: digestOf(hash) } } : { data: MESSAGE.toString('base64') };
}

function nodeAccepts({ hash, padding }: Case, key: KeyObject, signature: Buffer, message = MESSAGE): boolean {
  if (padding === 'pss') {
    return verify(
      hash,
      message,
      { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST },
      signature,
    );
  }
  return verify(hash ?? null, message, padding ? { key, padding: constants.RSA_PKCS1_PADDING } : { key, dsaEncoding: 'der' }, signature);
}

function opensslAccepts({ hash, padding }: Case, key: KeyObject, signature: Buffer, message = MESSAGE): boolean {
  const [pem, file, sig] = ['key.pem', 'message', 'signature'].map((name) => join(folder, name)) as [string, string, string];
  writeFileSync(pem, key.export({ type: 'spki', format: 'pem' }));
  writeFileSync(file, message);
  writeFileSync(sig, signature);
  const pss = padding === 'pss' ? ['-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:digest'] : [];
  const command = hash
    ? ['dgst', `-${hash}`, '-verify', pem, ...pss, '-signature', sig, file]
    : ['pkeyutl', '-verify', '-pubin', '-inkey', pem, '-rawin', '-in', file, '-sigfile', sig];
  return spawnSync('openssl', command).status === 0;
}

describe('crc32c', () => {
  it.each([
    [Buffer.from('123456789'), 3_808_858_755],
    [Buffer.from('hello'), 2_591_144_780],
    [createHash('sha256').update('hello').digest(), 492_493_660],
    [Buffer.alloc(0), 0],
  ])('of %j is %d', (bytes, expected) => {
    expect(crc32c(bytes)).toBe(expected);
  });
});

describe.each(CASES)('$algorithm', (item) => {
  const version = versionOf(item.algorithm);

  it('shows a public key with its name, algorithm and checksum', async () => {
    const { status, body } = await get(`/v1/${version}/publicKey`);
    expect(status).toBe(200);
    expect(body).toMatchObject({ name: version, algorithm: item.algorithm, protectionLevel: 'SOFTWARE' });
    expect(body.pem).toMatch(/^-----BEGIN PUBLIC KEY-----\n[\s\S]+-----END PUBLIC KEY-----\n$/);
    expect(body.pemCrc32c).toBe(String(crc32c(Buffer.from(body.pem))));
    expect(body.publicKey).toBeUndefined();
  });

  it('signs what node:crypto and openssl verify, and nothing else', async () => {
    const key = await publicKeyOf(version);
    for (let round = 0; round < 3; round += 1) {
      const { status, body } = await post(`/v1/${version}:asymmetricSign`, signRequest(item));
      expect(status).toBe(200);
      const signature = Buffer.from(body.signature, 'base64');
      if (item.bytes) expect(signature).toHaveLength(item.bytes);
      expect(body.signatureCrc32c).toBe(String(crc32c(signature)));
      expect(body).toMatchObject({ name: version, protectionLevel: 'SOFTWARE' });
      const tampered = Buffer.from(signature);
      tampered[signature.length - 1]! ^= 1;
      for (const accepts of openssl ? [nodeAccepts, opensslAccepts] : [nodeAccepts]) {
        expect(accepts(item, key, signature)).toBe(true);
        expect(accepts(item, key, tampered)).toBe(false);
        expect(accepts(item, key, signature, Buffer.from('another message'))).toBe(false);
      }
    }
  });

  it('signs data, hashing it itself where the algorithm hashes', async () => {
    const { body } = await post(`/v1/${version}:asymmetricSign`, { data: MESSAGE.toString('base64'), dataCrc32c: String(crc32c(MESSAGE)) });
    expect(body.verifiedDataCrc32c).toBe(true);
    expect(body.verifiedDigestCrc32c).toBeUndefined();
    expect(nodeAccepts(item, await publicKeyOf(version), Buffer.from(body.signature, 'base64'))).toBe(true);
  });
});

describe('many signatures of one elliptic-curve key', () => {
  it('are all valid DER, whatever the leading bytes of r and s', async () => {
    const version = versionOf('EC_SIGN_P256_SHA256');
    const key = await publicKeyOf(version);
    const signatures = await Promise.all(
      Array.from({ length: 200 }, async (_value, index) => {
        const message = Buffer.from(`message ${String(index)}`);
        const { body } = await post(`/v1/${version}:asymmetricSign`, { digest: { sha256: digestOf('sha256', message) } });
        return { message, signature: Buffer.from(body.signature, 'base64') };
      }),
    );
    expect(signatures.filter(({ message, signature }) => !verify('sha256', message, key, signature))).toEqual([]);
    expect(new Set(signatures.map(({ signature }) => signature.length)).size).toBeGreaterThan(1);
  });
});

describe('asymmetricSign', () => {
  const digest = createHash('sha256').update(MESSAGE).digest();
  const sha256 = digest.toString('base64');
  const right = String(crc32c(digest));

  it.each([
    ['text', right, true],
    ['number', crc32c(digest), true],
    ['nothing', undefined, undefined],
  ])('says that a checksum was verified only when one came (%s)', async (_what, digestCrc32c, verified) => {
    const { status, body } = await post(`/v1/${versionOf('EC_SIGN_P256_SHA256')}:asymmetricSign`, { digest: { sha256 }, digestCrc32c });
    expect({ status, verified: body.verifiedDigestCrc32c }).toEqual({ status: 200, verified });
  });

  it('takes both base64 alphabets and both spellings of fields', async () => {
    const awkward = createHash('sha256').update('hello-6').digest(); // holds both + and / in base64
    expect(awkward.toString('base64url')).toMatch(/-.*_/);
    const body = { digest: { sha256: awkward.toString('base64url') }, digest_crc32c: String(crc32c(awkward)) };
    const answer = await post(`/v1/${versionOf('EC_SIGN_P256_SHA256')}:asymmetricSign`, body);
    expect(answer).toMatchObject({ status: 200, body: { verifiedDigestCrc32c: true } });
  });

  const sha384 = createHash('sha384').update(MESSAGE).digest('base64');
  const data = MESSAGE.toString('base64');
  it.each([
    [
      'a wrong checksum',
      'EC_SIGN_P256_SHA256',
      { digest: { sha256 }, digestCrc32c: '1' },
      /checksum in field digest_crc32c did not match the data in field digest/,
    ],
    [
      'a wrong checksum of data',
      'EC_SIGN_P256_SHA256',
      { data, dataCrc32c: '1' },
      /checksum in field data_crc32c did not match the data in field data/,
    ],
    ['a checksum that is no number', 'EC_SIGN_P256_SHA256', { digest: { sha256 }, digestCrc32c: 'x' }, /digest_crc32c/],
    ['a checksum in a wrapper object', 'EC_SIGN_P256_SHA256', { digest: { sha256 }, digestCrc32c: { value: right } }, /digest_crc32c/],
    ['the wrong hash', 'EC_SIGN_P256_SHA256', { digest: { sha384 } }, /EC_SIGN_P256_SHA256 needs a sha256 digest, got sha384/],
    ['the wrong hash for P-384', 'EC_SIGN_P384_SHA384', { digest: { sha256 } }, /needs a sha384 digest/],
    ['the wrong hash for SHA-512', 'RSA_SIGN_PKCS1_4096_SHA512', { digest: { sha256 } }, /needs a sha512 digest/],
    [
      'a digest of the wrong length',
      'RSA_SIGN_PSS_2048_SHA256',
      { digest: { sha256: digest.subarray(1).toString('base64') } },
      /must be 32 bytes long, got 31/,
    ],
    ['two digests', 'EC_SIGN_P256_SHA256', { digest: { sha256, sha384 } }, /oneof/],
    ['an unknown digest', 'EC_SIGN_P256_SHA256', { digest: { md5: sha256 } }, /md5/],
    ['digest and data', 'EC_SIGN_P256_SHA256', { digest: { sha256 }, data }, /Only one of digest and data/],
    ['neither', 'EC_SIGN_P256_SHA256', {}, /One of digest and data/],
    ['a digest for Ed25519', 'EC_SIGN_ED25519', { digest: { sha256 } }, /signs data, not a digest/],
    ['too much data', 'EC_SIGN_ED25519', { data: Buffer.alloc(65_537).toString('base64') }, /at most 65536 bytes/],
    ['no base64', 'EC_SIGN_P256_SHA256', { digest: { sha256: '***' } }, /Base64 decoding failed/],
  ])('refuses %s', async (_what, algorithm, body, message) => {
    const answer = await post(`/v1/${versionOf(algorithm)}:asymmetricSign`, body);
    expect(answer).toMatchObject({
      status: 400,
      body: { error: { code: 400, status: 'INVALID_ARGUMENT', message: expect.stringMatching(message) } },
    });
  });
});

describe('publicKey in a format', () => {
  it.each([
    ['PEM', (pem: string) => Buffer.from(pem), true],
    ['1', (pem: string) => Buffer.from(pem), true],
    ['DER', (pem: string) => createPublicKey(pem).export({ type: 'spki', format: 'der' }), false],
  ])('%s', async (format, expected, withPem) => {
    const version = versionOf('EC_SIGN_P256_SHA256');
    const { pem } = (await get(`/v1/${version}/publicKey`)).body;
    const { body } = await get(`/v1/${version}/publicKey?publicKeyFormat=${format}`);
    expect(body.publicKey).toEqual({ data: expected(pem).toString('base64'), crc32cChecksum: String(crc32c(expected(pem))) });
    expect(body.pem).toBe(withPem ? pem : undefined);
  });

  it('refuses a post-quantum format', async () => {
    const answer = await get(`/v1/${versionOf('EC_SIGN_P256_SHA256')}/publicKey?publicKeyFormat=NIST_PQC`);
    expect(answer).toMatchObject({ status: 400, body: { error: { status: 'INVALID_ARGUMENT' } } });
  });
});

describe('the life of a version', () => {
  const states = async (version: string): Promise<string> => (await get(`/v1/${version}`)).body.state;
  const setState = (version: string, state: unknown) => patch(`/v1/${version}?updateMask=state`, { state });

  it('is disabled, unusable, enabled, destroyed and restored', async () => {
    const version = await createKey('life', 'EC_SIGN_P256_SHA256');
    expect(await setState(version, 'DISABLED')).toMatchObject({ status: 200, body: { name: version, state: 'DISABLED' } });
    const refused = {
      status: 400,
      body: {
        error: {
          status: 'FAILED_PRECONDITION',
          message: `${version} is not enabled, current state is: DISABLED.`,
          details: [
            { '@type': 'type.googleapis.com/google.rpc.PreconditionFailure', violations: [{ type: 'KEY_DISABLED', subject: version }] },
          ],
        },
      },
    };
    expect(await get(`/v1/${version}/publicKey`)).toMatchObject(refused);
    expect(await post(`/v1/${version}:asymmetricSign`, { digest: { sha256: digestOf('sha256') } })).toMatchObject(refused);
    expect((await setState(version, 1)).body.state).toBe('ENABLED');
    expect((await get(`/v1/${version}/publicKey`)).status).toBe(200);

    const destroyed = (await post(`/v1/${version}:destroy`, {})).body;
    expect(destroyed.state).toBe('DESTROY_SCHEDULED');
    expect(Date.parse(destroyed.destroyTime)).toBeGreaterThan(Date.now() + 29 * 86_400_000);
    expect(await post(`/v1/${version}:destroy`, {})).toMatchObject({ status: 400, body: { error: { status: 'FAILED_PRECONDITION' } } });
    expect(await setState(version, 'ENABLED')).toMatchObject({ status: 400, body: { error: { status: 'FAILED_PRECONDITION' } } });
    expect(await get(`/v1/${version}/publicKey`)).toMatchObject({
      body: { error: { message: expect.stringContaining('DESTROY_SCHEDULED') } },
    });

    const restored = (await post(`/v1/${version}:restore`, {})).body;
    expect(restored).toMatchObject({ state: 'DISABLED' });
    expect(restored.destroyTime).toBeUndefined();
    expect(await post(`/v1/${version}:restore`, {})).toMatchObject({ status: 400, body: { error: { status: 'FAILED_PRECONDITION' } } });
  });

  it('ends when the time to destroy has come', async () => {
    const version = await createKey('doomed', 'EC_SIGN_P256_SHA256', { destroyScheduledDuration: '0s' });
    await post(`/v1/${version}:destroy`, {});
    expect(await states(version)).toBe('DESTROYED');
    expect((await get(`/v1/${version}`)).body.destroyEventTime).toMatch(/^\d{4}-/);
    expect(await post(`/v1/${version}:restore`, {})).toMatchObject({ status: 400 });
  });

  it.each([
    ['no mask', '', { state: 'DISABLED' }],
    ['another field', '?updateMask=algorithm', { algorithm: 'EC_SIGN_P384_SHA384' }],
    ['a state that only the service sets', '?updateMask=state', { state: 'DESTROYED' }],
    ['a state that does not exist', '?updateMask=state', { state: 'ON' }],
    ['no state', '?updateMask=state', {}],
  ])('refuses an update with %s', async (_what, query, body) => {
    const answer = await patch(`/v1/${versionOf('EC_SIGN_P256_SHA256')}${query}`, body);
    expect(answer).toMatchObject({ status: 400, body: { error: { status: 'INVALID_ARGUMENT' } } });
  });
});

describe('versions in a list', () => {
  const key = `${RING}/cryptoKeys/many`;
  const list = async (query: string) => {
    const { status, body } = await get(`/v1/${key}/cryptoKeyVersions${query}`);
    return { status, ids: (body.cryptoKeyVersions ?? []).map(({ name }: { name: string }) => Number(name.split('/').pop())), ...body };
  };

  beforeAll(async () => {
    await createKey('many', 'EC_SIGN_P256_SHA256', {});
    for (let count = 1; count < 12; count += 1) await post(`/v1/${key}/cryptoKeyVersions`, {});
    await patch(`/v1/${key}/cryptoKeyVersions/2?updateMask=state`, { state: 'DISABLED' });
  });

  it.each([
    ['', [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]],
    ['?orderBy=name%20desc', [12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]],
    ['?filter=state%3DENABLED&orderBy=name', [1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]],
    ['?filter=state%3D%22DISABLED%22', [2]],
    ['?filter=state!%3DENABLED', [2]],
    ['?filter=-state%3DENABLED', [2]],
    ['?filter=state:disab', [2]],
    ['?filter=algorithm%3DEC_SIGN_P384_SHA384', []],
    ['?filter=', [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]],
  ])('%s', async (query, expected) => {
    const found = await list(query);
    expect({ status: found.status, ids: found.ids, total: found.totalSize }).toEqual({
      status: 200,
      ids: expected,
      total: expected.length,
    });
  });

  it('come in pages', async () => {
    const first = await list('?pageSize=5');
    const second = await list(`?pageSize=5&pageToken=${first.nextPageToken}`);
    const third = await list(`?pageSize=5&pageToken=${second.nextPageToken}`);
    expect([...first.ids, ...second.ids, ...third.ids]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(third.nextPageToken).toBeUndefined();
  });

  it.each(['?filter=state%20~%20x', '?filter=state', '?filter=state%3D', '?filter=createTime%3E2020', '?orderBy=createTime'])(
    'refuse %s',
    async (query) => {
      expect(await list(query)).toMatchObject({ status: 400, error: { status: 'INVALID_ARGUMENT' } });
    },
  );
});

describe('rings and keys', () => {
  it('are created, read, listed, and refused a second time', async () => {
    const location = '/v1/projects/p/locations/europe-west1';
    expect(await post(`${location}/keyRings?keyRingId=a`, {})).toMatchObject({
      status: 200,
      body: { name: 'projects/p/locations/europe-west1/keyRings/a' },
    });
    expect(await post(`${location}/keyRings?keyRingId=a`, {})).toMatchObject({
      status: 409,
      body: { error: { status: 'ALREADY_EXISTS' } },
    });
    expect((await get(`${location}/keyRings`)).body).toMatchObject({
      keyRings: [{ name: 'projects/p/locations/europe-west1/keyRings/a' }],
      totalSize: 1,
    });
    expect((await get(`${location}/keyRings/a`)).status).toBe(200);
    expect((await get(`${location}/keyRings/b`)).body.error.message).toBe(
      'KeyRing projects/p/locations/europe-west1/keyRings/b not found.',
    );
    expect((await get('/v1/projects/p/locations')).body.locations).toContainEqual({
      name: 'projects/p/locations/global',
      locationId: 'global',
    });
  });

  it('create one version, unless told not to', async () => {
    await post(`/v1/${RING}/cryptoKeys?cryptoKeyId=empty&skipInitialVersionCreation=true`, {
      purpose: 5,
      versionTemplate: { algorithm: 12, protectionLevel: 2 },
      labels: { my_label: 'x' },
    });
    const { body } = await get(`/v1/${RING}/cryptoKeys/empty`);
    expect(body).toMatchObject({
      purpose: 'ASYMMETRIC_SIGN',
      versionTemplate: { algorithm: 'EC_SIGN_P256_SHA256', protectionLevel: 'HSM' },
      labels: { my_label: 'x' },
    });
    expect((await get(`/v1/${RING}/cryptoKeys/empty/cryptoKeyVersions`)).body).toEqual({ totalSize: 0 });
    const version = (await post(`/v1/${RING}/cryptoKeys/empty/cryptoKeyVersions`, {})).body;
    expect(version).toMatchObject({
      name: `${RING}/cryptoKeys/empty/cryptoKeyVersions/1`,
      state: 'ENABLED',
      protectionLevel: 'HSM',
      algorithm: 'EC_SIGN_P256_SHA256',
    });
    expect((await patch(`/v1/${RING}/cryptoKeys/empty?updateMask=labels`, { labels: { team_name: 'y' } })).body.labels).toEqual({
      team_name: 'y',
    });
  });

  it('refuse a key whose id is taken while its key pair is still being made', async () => {
    const body = { purpose: 'ASYMMETRIC_SIGN', versionTemplate: { algorithm: 'RSA_SIGN_PSS_2048_SHA256' } };
    const answers = await Promise.all([1, 2].map(() => post(`/v1/${RING}/cryptoKeys?cryptoKeyId=race`, body)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
  });

  it.each([
    ['an algorithm that does not exist', { purpose: 'ASYMMETRIC_SIGN', versionTemplate: { algorithm: 'EC_SIGN_P999' } }],
    ['an algorithm that is not served', { purpose: 'ASYMMETRIC_SIGN', versionTemplate: { algorithm: 'PQ_SIGN_ML_DSA_65' } }],
    ['raw PKCS #1', { purpose: 'ASYMMETRIC_SIGN', versionTemplate: { algorithm: 'RSA_SIGN_RAW_PKCS1_2048' } }],
    ['no algorithm', { purpose: 'ASYMMETRIC_SIGN' }],
    ['an algorithm of another purpose', { purpose: 'ENCRYPT_DECRYPT', versionTemplate: { algorithm: 'EC_SIGN_P256_SHA256' } }],
    ['no purpose', { versionTemplate: { algorithm: 'EC_SIGN_P256_SHA256' } }],
    ['an unknown purpose', { purpose: 'SIGN', versionTemplate: { algorithm: 'EC_SIGN_P256_SHA256' } }],
  ])('refuse a key with %s', async (_what, body) => {
    const answer = await post(`/v1/${RING}/cryptoKeys?cryptoKeyId=bad`, body);
    expect(answer).toMatchObject({ status: 400, body: { error: { status: 'INVALID_ARGUMENT' } } });
    expect((await get(`/v1/${RING}/cryptoKeys/bad`)).status).toBe(404);
  });

  it.each(['', 'cryptoKeyId=', 'cryptoKeyId=a%2Fb', `cryptoKeyId=${'a'.repeat(64)}`])('refuse the id in "%s"', async (query) => {
    const body = { purpose: 'ASYMMETRIC_SIGN', versionTemplate: { algorithm: 'EC_SIGN_P256_SHA256' } };
    expect(await post(`/v1/${RING}/cryptoKeys?${query}`, body)).toMatchObject({ status: 400 });
  });

  it.each([
    ['cryptoKeys/none', `CryptoKey ${RING}/cryptoKeys/none not found.`],
    ['cryptoKeys/none/cryptoKeyVersions/1', `CryptoKeyVersion ${RING}/cryptoKeys/none/cryptoKeyVersions/1 not found.`],
    [
      'cryptoKeys/EC_SIGN_P256_SHA256/cryptoKeyVersions/9',
      `CryptoKeyVersion ${RING}/cryptoKeys/EC_SIGN_P256_SHA256/cryptoKeyVersions/9 not found.`,
    ],
    [
      'cryptoKeys/EC_SIGN_P256_SHA256/cryptoKeyVersions/9/publicKey',
      `CryptoKeyVersion ${RING}/cryptoKeys/EC_SIGN_P256_SHA256/cryptoKeyVersions/9 not found.`,
    ],
  ])('answer 404 for %s', async (path, message) => {
    expect(await get(`/v1/${RING}/${path}`)).toMatchObject({ status: 404, body: { error: { status: 'NOT_FOUND', message } } });
  });

  it.each([
    ['ENCRYPT_DECRYPT', undefined, 400],
    ['MAC', 'HMAC_SHA256', 400],
    ['ASYMMETRIC_DECRYPT', 'RSA_DECRYPT_OAEP_2048_SHA256', 200],
  ])('of purpose %s do not sign', async (purpose, algorithm, publicKeyStatus) => {
    const key = `${RING}/cryptoKeys/${purpose}`;
    const created = await post(`/v1/${RING}/cryptoKeys?cryptoKeyId=${purpose}`, {
      purpose,
      ...(algorithm ? { versionTemplate: { algorithm } } : {}),
    });
    expect(created).toMatchObject({ status: 200, body: { purpose } });
    expect((await get(`/v1/${key}/cryptoKeyVersions/1/publicKey`)).status).toBe(publicKeyStatus);
    const signed = await post(`/v1/${key}/cryptoKeyVersions/1:asymmetricSign`, { digest: { sha256: digestOf('sha256') } });
    expect(signed).toMatchObject({
      status: 400,
      body: { error: { status: 'FAILED_PRECONDITION', message: expect.stringContaining(purpose) } },
    });
  });
});

describe('permissions', () => {
  const version = versionOf('EC_SIGN_P384_SHA384');
  const key = `${RING}/cryptoKeys/EC_SIGN_P384_SHA384`;
  const request = { digest: { sha384: digestOf('sha384') } };
  const grant = (resource: string, role: string, email: string) =>
    post(`/v1/${resource}:setIamPolicy`, { policy: { bindings: [{ role, members: [`user:${email}`] }] } });

  it('a stranger may do nothing, and learns which permission is missing', async () => {
    const denied = (permission: string) => ({
      status: 403,
      body: { error: { status: 'PERMISSION_DENIED', message: expect.stringContaining(permission) } },
    });
    const as = 'stranger@example.com';
    expect(await post(`/v1/${version}:asymmetricSign`, request, as)).toMatchObject(denied('cloudkms.cryptoKeyVersions.useToSign'));
    expect(await get(`/v1/${version}/publicKey`, as)).toMatchObject(denied('cloudkms.cryptoKeyVersions.viewPublicKey'));
    expect(await get(`/v1/${version}`, as)).toMatchObject(denied('cloudkms.cryptoKeyVersions.get'));
    expect(await get(`/v1/${key}/cryptoKeyVersions`, as)).toMatchObject(denied('cloudkms.cryptoKeyVersions.list'));
    expect(await patch(`/v1/${version}?updateMask=state`, { state: 'DISABLED' }, as)).toMatchObject(
      denied('cloudkms.cryptoKeyVersions.update'),
    );
    expect(await post(`/v1/${version}:destroy`, {}, as)).toMatchObject(denied('cloudkms.cryptoKeyVersions.destroy'));
    expect(await post(`/v1/${key}/cryptoKeyVersions`, {}, as)).toMatchObject(denied('cloudkms.cryptoKeyVersions.create'));
    expect(await get(`/v1/${key}`, as)).toMatchObject(denied('cloudkms.cryptoKeys.get'));
    expect(await get(`/v1/${RING}/cryptoKeys`, as)).toMatchObject(denied('cloudkms.cryptoKeys.list'));
    expect(await post(`/v1/${RING}/cryptoKeys?cryptoKeyId=x`, {}, as)).toMatchObject(denied('cloudkms.cryptoKeys.create'));
    expect(await get(`/v1/${RING}`, as)).toMatchObject(denied('cloudkms.keyRings.get'));
    expect(await get('/v1/projects/p/locations/global/keyRings', as)).toMatchObject(denied('cloudkms.keyRings.list'));
    expect(await post('/v1/projects/p/locations/global/keyRings?keyRingId=x', {}, as)).toMatchObject(denied('cloudkms.keyRings.create'));
    expect(await get(`/v1/${key}:getIamPolicy`, as)).toMatchObject(denied('cloudkms.cryptoKeys.getIamPolicy'));
  });

  it('roles on the key and on its ring carry', async () => {
    expect((await grant(key, 'roles/cloudkms.signerVerifier', 'signer@example.com')).status).toBe(200);
    expect((await grant(RING, 'roles/cloudkms.viewer', 'viewer@example.com')).status).toBe(200);
    expect((await post(`/v1/${version}:asymmetricSign`, request, 'signer@example.com')).status).toBe(200);
    expect((await get(`/v1/${version}/publicKey`, 'signer@example.com')).status).toBe(200);
    // The gap that setups fall into: a signer may not list the versions of his key.
    expect((await get(`/v1/${key}/cryptoKeyVersions`, 'signer@example.com')).status).toBe(403);
    expect((await get(`/v1/${key}/cryptoKeyVersions`, 'viewer@example.com')).status).toBe(200);
    expect((await post(`/v1/${version}:asymmetricSign`, request, 'viewer@example.com')).status).toBe(403);
    const asked = { permissions: ['cloudkms.cryptoKeyVersions.useToSign', 'cloudkms.cryptoKeyVersions.list'] };
    expect((await post(`/v1/${key}:testIamPermissions`, asked, 'signer@example.com')).body).toEqual({
      permissions: ['cloudkms.cryptoKeyVersions.useToSign'],
    });
  });
});

describe("Google's client", () => {
  let client: KeyManagementServiceClient;
  const once = { retry: null };

  beforeAll(() => {
    const auth = new GoogleAuth({ authClient: new PassThroughClient() });
    client = new KeyManagementServiceClient({
      fallback: true,
      protocol: 'http',
      apiEndpoint: '127.0.0.1',
      port: emulator.port,
      auth,
    } as never);
  });
  afterAll(() => client.close());

  it('sets up a ring and a key, signs with checksums, and meets the errors it knows', async () => {
    const parent = 'projects/client/locations/global';
    const [ring] = await client.createKeyRing({ parent, keyRingId: 'r', keyRing: {} });
    const [key] = await client.createCryptoKey({
      parent: ring.name!,
      cryptoKeyId: 'k',
      cryptoKey: { purpose: 'ASYMMETRIC_SIGN', versionTemplate: { algorithm: 'EC_SIGN_P256_SHA256', protectionLevel: 'SOFTWARE' } },
    });
    const [versions] = await client.listCryptoKeyVersions({ parent: key.name!, filter: 'state=ENABLED' });
    expect(versions.map(({ name, state, algorithm }) => ({ name, state, algorithm }))).toEqual([
      { name: `${key.name}/cryptoKeyVersions/1`, state: 'ENABLED', algorithm: 'EC_SIGN_P256_SHA256' },
    ]);
    const name = versions[0]!.name!;
    const [publicKey] = await client.getPublicKey({ name });
    expect(Number(publicKey.pemCrc32c!.value)).toBe(crc32c(Buffer.from(publicKey.pem!)));

    const digest = createHash('sha256').update(MESSAGE).digest();
    const [signed] = await client.asymmetricSign({ name, digest: { sha256: digest }, digestCrc32c: { value: crc32c(digest) } });
    expect(signed).toMatchObject({ name, verifiedDigestCrc32c: true, protectionLevel: 'SOFTWARE' });
    const signature = Buffer.from(signed.signature as Uint8Array);
    expect(Number(signed.signatureCrc32c!.value)).toBe(crc32c(signature));
    expect(verify('sha256', MESSAGE, publicKey.pem!, signature)).toBe(true);

    await expect(client.asymmetricSign({ name, digest: { sha256: digest }, digestCrc32c: { value: 1 } }, once)).rejects.toMatchObject({
      code: 3,
    });
    const [disabled] = await client.updateCryptoKeyVersion({
      cryptoKeyVersion: { name, state: 'DISABLED' },
      updateMask: { paths: ['state'] },
    });
    expect(disabled.state).toBe('DISABLED');
    await expect(client.getPublicKey({ name }, once)).rejects.toMatchObject({
      code: 9,
      message: expect.stringContaining('is not enabled, current state is: DISABLED.'),
    });
    await expect(client.getCryptoKey({ name: `${key.name}x` }, once)).rejects.toMatchObject({ code: 5 });
  });
});
