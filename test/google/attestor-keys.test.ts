// SPDX-License-Identifier: Apache-2.0
// Keys of an attestor are changed by many at once, and the API replaces the attestor as a whole: nobody's key is lost.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AttestorName } from '../../src/core/names.js';
import type { AttestorKey } from '../../src/core/signing/public-key.js';
import { createAttestorKeys } from '../../src/google/attestor-keys.js';
import { createAttestorService } from '../../src/google/binary-authorization.js';
import { startTestEmulator, type TestEmulator } from '../support/emulator.js';
import { signingKey } from '../support/keys.js';
import { makePgpKey } from '../support/pgp-keys.js';
import { Stage } from '../support/stage.js';
import { errorOf, googleOn } from './google.js';
import { startStub, type Planned, type Stub } from './stub-server.js';

let emulator: TestEmulator;
let stage: Stage;
let attestor: AttestorName;

beforeEach(async () => {
  emulator = await startTestEmulator();
  stage = new Stage(emulator);
  attestor = (await stage.attestor('ci', [])) as AttestorName;
});
afterEach(async () => {
  expect(emulator.lastErrors).toEqual([]);
  await emulator.close();
});

const keys = (token?: string) => createAttestorKeys(googleOn(emulator.host, token === undefined ? {} : { token }).google);
const read = () => createAttestorService(googleOn(emulator.host).google).attestor(attestor);
const ids = async (): Promise<readonly string[]> => (await read()).keys.map(({ id }) => id);
const writes = async (): Promise<number> => (await stage.requests()).filter((request) => request.startsWith('PUT ')).length;

function pkix(id: string, algorithm = 'ECDSA_P256_SHA256'): AttestorKey {
  return { kind: 'pkix', id, pem: signingKey(algorithm).pem, algorithm };
}

describe('add', () => {
  it('puts a key beside the others, and is over at the second time', async () => {
    const [one, two] = [pkix('https://k/1'), pkix('https://k/2')];
    await keys().add(attestor, one);
    expect((await keys().add(attestor, two)).keys).toEqual([one, two]);
    const before = await writes();
    expect((await keys().add(attestor, { ...two, id: 'https://k/other-id' })).keys).toEqual([one, two]);
    expect(await writes()).toBe(before);
  });

  it('takes a PGP key, whose id the API computes', async () => {
    const pgp = await makePgpKey();
    const key = { kind: 'pgp', id: pgp.fingerprint, armored: pgp.public } as const;
    expect((await keys().add(attestor, key)).keys).toEqual([key]);
    await keys().add(attestor, key);
    expect(await writes()).toBe(1);
  });

  it('loses none of twenty keys that are added at once', async () => {
    const wanted = Array.from({ length: 20 }, (_, index) => pkix(`https://k/${String(index)}`));
    await Promise.all(wanted.map((key) => keys().add(attestor, key)));
    expect([...(await ids())].sort()).toEqual(wanted.map(({ id }) => id).sort());
  });

  it('once, where several add the same key at once', async () => {
    const key = pkix('https://k/1');
    await Promise.all(Array.from({ length: 8 }, () => keys().add(attestor, key)));
    expect(await ids()).toEqual(['https://k/1']);
  });

  it.each([
    ['reset-after', 1],
    ['reset-before', 1],
  ])('converges where the answer is lost (%s)', async (fault) => {
    await stage.call('POST', '/_emulator/faults', { rules: [{ method: '^PUT$', times: 1, do: fault }] });
    await keys().add(attestor, pkix('https://k/1'));
    expect(await ids()).toEqual(['https://k/1']);
  });

  it('keeps the description, comments and keys of a kind that is not known here', async () => {
    const unknown = {
      id: 'https://k/pq',
      comment: 'post-quantum',
      pkixPublicKey: { publicKeyPem: mlDsa(), signatureAlgorithm: 'ML_DSA_65' },
    };
    const current = await stage.call('GET', `/v1/${attestor}`);
    await stage.call('PUT', `/v1/${attestor}`, {
      ...current,
      description: 'built by ci',
      userOwnedGrafeasNote: { ...current.userOwnedGrafeasNote, publicKeys: [unknown] },
    });
    await keys().add(attestor, pkix('https://k/1'));
    const after = await stage.call('GET', `/v1/${attestor}`);
    expect([after.description, after.userOwnedGrafeasNote.publicKeys[0]]).toEqual(['built by ci', unknown]);
    expect(after.userOwnedGrafeasNote.publicKeys).toHaveLength(2);
  });

  it('refuses an id that belongs to another key, or to this one under another algorithm', async () => {
    const key = pkix('https://k/1');
    await keys().add(attestor, key);
    expect(await errorOf(keys().add(attestor, pkix('https://k/1')))).toMatchObject({ code: 'ATTESTOR_KEY_CONFLICT', exitCode: 7 });
    expect(await ids()).toEqual(['https://k/1']);
  });

  it('says which permission is missing, and which attestor', async () => {
    const error = await errorOf(keys('as:nobody@example.com').add(attestor, pkix('https://k/1')));
    expect(error).toMatchObject({
      code: 'PERMISSION_DENIED',
      message: expect.stringContaining('binaryauthorization.attestors.get') as string,
    });
    await stage.grant(attestor, 'user:reader@example.com', 'roles/binaryauthorization.attestorsViewer');
    const second = await errorOf(keys('as:reader@example.com').add(attestor, pkix('https://k/1')));
    expect(second.message).toContain('binaryauthorization.attestors.update');
    const missing = await errorOf(keys().add('projects/shop-prod/attestors/none' as AttestorName, pkix('https://k/1')));
    expect(missing).toMatchObject({ code: 'ATTESTOR_NOT_FOUND', hint: expect.stringContaining('attestors list') as string });
  });
});

describe('remove', () => {
  it('takes one key away, and is over at the second time', async () => {
    const [one, two] = [pkix('https://k/1'), pkix('https://k/2')];
    await keys().add(attestor, one);
    const judged = await keys().add(attestor, two);
    expect((await keys().remove(judged, one.id)).keys).toEqual([two]);
    const before = await writes();
    expect((await keys().remove(judged, one.id)).keys).toEqual([two]);
    expect(await writes()).toBe(before);
  });

  it.each([
    ['another key was removed meanwhile', ['https://k/1']],
    ['another key came meanwhile', ['https://k/1', 'https://k/2', 'https://k/3']],
  ])('removes nothing where %s', async (_, present) => {
    const made = new Map(['https://k/1', 'https://k/2', 'https://k/3'].map((id) => [id, pkix(id)]));
    const entry = (id: string): AttestorKey => made.get(id)!;
    await keys().add(attestor, entry('https://k/1'));
    const judged = await keys().add(attestor, entry('https://k/2'));
    if (present.length > 2) await keys().add(attestor, entry('https://k/3'));
    else await keys().remove(judged, 'https://k/2');
    expect(await errorOf(keys().remove(judged, 'https://k/1'))).toMatchObject({ code: 'CHANGED_MEANWHILE', exitCode: 4 });
    expect(await ids()).toEqual(present);
  });

  it('removes nothing where another key has the id of one by now', async () => {
    const [one, two] = [pkix('https://k/1'), pkix('https://k/2')];
    await keys().add(attestor, one);
    const judged = await keys().add(attestor, two);
    await keys().remove(judged, two.id);
    await keys().add(attestor, pkix('https://k/2'));
    expect((await errorOf(keys().remove(judged, one.id))).code).toBe('CHANGED_MEANWHILE');
  });

  it('converges where the answer is lost', async () => {
    await keys().add(attestor, pkix('https://k/1'));
    const judged = await keys().add(attestor, pkix('https://k/2'));
    await stage.call('POST', '/_emulator/faults', { rules: [{ method: '^PUT$', times: 1, do: 'reset-after' }] });
    await keys().remove(judged, 'https://k/1');
    expect(await ids()).toEqual(['https://k/2']);
  });
});

describe('a server that is not Google’s', () => {
  let stub: Stub;
  beforeEach(async () => (stub = await startStub()));
  afterEach(() => stub.close());
  const answer = (publicKeys: readonly object[], etag?: string): Planned => ({
    body: {
      name: attestor,
      userOwnedGrafeasNote: { noteReference: 'projects/p/notes/n', publicKeys },
      ...(etag === undefined ? {} : { etag }),
    },
  });

  it.each([
    ['sends no etag', [answer([])], 1],
    ['does not do what it was asked for', [answer([], '"1"'), answer([], '"2"')], 2],
  ])('%s: RESPONSE_INVALID', async (_, answers, requests) => {
    stub.plan(...answers);
    const error = await errorOf(createAttestorKeys(googleOn(stub.host).google).add(attestor, pkix('https://k/1')));
    expect([error.code, stub.asked.length]).toEqual(['RESPONSE_INVALID', requests]);
  });
});

// The DER of an ML-DSA-65 public key, as far as the emulator looks at it: the algorithm's identifier.
function mlDsa(): string {
  const body = Buffer.concat([Buffer.from('300b0609608648016503040312', 'hex'), Buffer.from('030500', 'hex'), Buffer.alloc(4)]);
  const der = Buffer.concat([Buffer.from([0x30, body.length]), body]);
  return `-----BEGIN PUBLIC KEY-----\n${der.toString('base64')}\n-----END PUBLIC KEY-----\n`;
}
