// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { digestOf } from '../../src/core/image/digest.js';
import type { AttestorName, KeyName, NoteName, ProjectId } from '../../src/core/names.js';
import { createArtifactCatalog } from '../../src/google/artifact-registry.js';
import { createAttestorService } from '../../src/google/binary-authorization.js';
import { createAttestationStore } from '../../src/google/container-analysis.js';
import { createKeyService } from '../../src/google/kms.js';
import { allPages } from '../../src/google/pages.js';
import { errorOf, googleOn } from './google.js';
import { googleError, startStub, type Stub } from './stub-server.js';

let stub: Stub;
beforeEach(async () => {
  stub = await startStub();
});
afterEach(() => stub.close());

const NOTE = 'projects/p/notes/n' as NoteName;
const DIGEST = digestOf(new Uint8Array([1]));

describe('a listing', () => {
  it('goes on over empty pages', async () => {
    const pages = [
      { items: [1], nextPageToken: 'a' },
      { items: [], nextPageToken: 'b' },
      { items: [2], nextPageToken: '' },
    ];
    const asked: string[] = [];
    expect(await allPages('r', (token) => (asked.push(token), Promise.resolve(pages.shift()!)))).toEqual([1, 2]);
    expect(asked).toEqual(['', 'a', 'b']);
  });

  it('with ever new tokens ends', async () => {
    let count = 0;
    const error = await errorOf(allPages('r', () => Promise.resolve({ items: [], nextPageToken: String((count += 1)) })));
    expect([error.code, count]).toEqual(['RESPONSE_INVALID', 1_000]);
  });

  it.each<[string, () => Promise<unknown>]>([
    ['occurrences', () => createAttestationStore(googleOn(stub.host).google).listOfNote(NOTE, DIGEST)],
    ['occurrences of a project', () => createAttestationStore(googleOn(stub.host).google).listInProject('p' as ProjectId)],
    ['attestors', () => createAttestorService(googleOn(stub.host).google).attestorsIn('p' as ProjectId)],
    [
      'key versions',
      () => createKeyService(googleOn(stub.host).google).enabledVersions('projects/p/locations/l/keyRings/r/cryptoKeys/k' as KeyName),
    ],
    ['images', () => createArtifactCatalog(googleOn(stub.host).google).listImages({ project: 'p', location: 'l', repository: 'r' })],
  ])('of %s whose token comes again ends', async (_name, read) => {
    stub.plan({ body: { nextPageToken: 'again' } });
    expect((await errorOf(read())).code).toBe('RESPONSE_INVALID');
    expect(stub.asked).toHaveLength(2);
  });
});

describe('what a listing answers', () => {
  const occurrence = (change: object): object => ({
    name: 'projects/p/occurrences/o',
    kind: 'ATTESTATION',
    noteName: NOTE,
    resourceUri: `https://gcr.io/p/x@${DIGEST}`,
    attestation: { serializedPayload: '', signatures: [] },
    ...change,
  });

  it.each([
    ['a resource that only ends like one', { resourceUri: `https://gcr.io/p/x/${DIGEST}` }],
    ['no name', { name: '' }],
    ['a name with more in it', { name: 'projects/p/occurrences/o; rm -rf /' }],
    ['a name that leads elsewhere', { name: 'projects/p/occurrences/..' }],
  ])('does not count with %s', async (_name, change) => {
    stub.plan({ body: { occurrences: [occurrence(change), occurrence({})] } });
    expect(await createAttestationStore(googleOn(stub.host).google).listOfNote(NOTE, DIGEST)).toHaveLength(1);
  });

  it('leaves out a key without an id', async () => {
    stub.plan({
      body: {
        userOwnedGrafeasNote: {
          noteReference: NOTE,
          publicKeys: [{ pkixPublicKey: { publicKeyPem: 'x' } }, { asciiArmoredPgpPublicKey: 'x' }],
        },
      },
    });
    expect((await createAttestorService(googleOn(stub.host).google).attestor('projects/p/attestors/a' as AttestorName)).keys).toEqual([]);
  });
});

describe('Retry-After', () => {
  it.each(['0', '-1', new Date(0).toUTCString()])('%s still leaves a pause before each attempt', async (value) => {
    const { google, pace } = googleOn(stub.host);
    stub.plan({ status: 503, headers: { 'retry-after': value }, body: googleError(503, 'UNAVAILABLE', 'x') });
    await errorOf(createAttestationStore(google).listOfNote(NOTE));
    expect(Math.min(...pace.pauses)).toBeGreaterThan(50);
    expect(stub.asked.length).toBeLessThan(30);
  });

  it.each(['9'.repeat(400), '99999999999999999999'])('beyond the budget ends at once', async (value) => {
    const { google, pace } = googleOn(stub.host);
    stub.plan({ status: 429, headers: { 'retry-after': value }, body: googleError(429, 'RESOURCE_EXHAUSTED', 'x') });
    expect((await errorOf(createAttestationStore(google).listOfNote(NOTE))).code).toBe('QUOTA_EXHAUSTED');
    expect(pace.pauses).toEqual([]);
  });
});

describe('where credentials go', () => {
  it.each([
    'http://127.0.0.1@evil.example/',
    'http://localhost@evil.example/',
    'http://localhost.evil.example/',
    'http://127.0.0.1.nip.io/',
    'http://0.0.0.0/',
    'http://[::ffff:127.0.0.1]/',
    'http://[::]/',
    'HTTP://evil.example/',
    'http://169.254.169.254/',
    'http://user:p@127.0.0.1/',
    'ftp://127.0.0.1/',
    'https://evil.example/?x/',
    'https:\\\\u@evil.example/',
    'http://0x7f.evil.example/',
    'http://128.0.0.1/',
  ])('never to %s', (url) => expect(() => googleOn(undefined, { endpointOverrides: { cloudkms: url } })).toThrow(/must be/));

  it.each([
    '127.0.0.1:1@evil.example',
    'evil.example:80',
    '0.0.0.0:80',
    '127.0.0.1.evil.example:80',
    'localhost:80#@evil.example',
    '[::ffff:7f00:1]:80',
  ])('nor to the emulator %s', (host) => {
    expect(() => googleOn(host)).toThrow(/must be|loopback/);
  });

  it('follows no redirect', async () => {
    const thief = await startStub();
    stub.plan({ status: 307, headers: { location: thief.url } });
    await errorOf(createAttestationStore(googleOn(stub.host, { token: 'hunter2' }).google).listOfNote(NOTE));
    expect([stub.asked.length, thief.asked.length]).toEqual([1, 0]);
    await thief.close();
  });
});
