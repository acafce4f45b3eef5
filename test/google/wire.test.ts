// SPDX-License-Identifier: Apache-2.0
// What goes over the wire: credentials, endpoints, paths and bodies.
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Digest } from '../../src/core/image/digest.js';
import type { AttestorName, KeyName, KeyVersionName, NoteName, ProjectId } from '../../src/core/names.js';
import { createArtifactCatalog } from '../../src/google/artifact-registry.js';
import { createAttestorService } from '../../src/google/binary-authorization.js';
import type { Google } from '../../src/google/clients.js';
import { createAttestationStore, createNotePermissions } from '../../src/google/container-analysis.js';
import { createKeyService } from '../../src/google/kms.js';
import { errorOf, googleOn } from './google.js';
import { startStub, type Stub } from './stub-server.js';

const VERSION = 'projects/p/locations/global/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1' as KeyVersionName;
const NOTE = 'projects/p/notes/n' as NoteName;
const DIGEST = `sha256:${'a'.repeat(64)}` as Digest;

let stub: Stub;
beforeEach(async () => {
  stub = await startStub();
});
afterEach(() => stub.close());

const calls: Record<string, (google: Google) => Promise<unknown>> = {
  kms: (google) => createKeyService(google).publicKey(VERSION),
  grafeas: (google) => createAttestationStore(google).listOfNote(NOTE),
  containeranalysis: (google) => createNotePermissions(google).missingOnNote(NOTE, ['containeranalysis.notes.get']),
  'artifact-registry': (google) => createArtifactCatalog(google).listImages({ project: 'p', location: 'us', repository: 'r' }),
  rest: (google) => google.rest('binaryauthorization').request('GET', 'v1/projects/p/policy'),
};

describe.each(Object.entries(calls))('%s', (_, call) => {
  it('sends the token that it was given', async () => {
    await call(googleOn(stub.host, { token: 'as:ci@example.com' }).google);
    expect(stub.asked.map(({ headers }) => headers.authorization)).toEqual(['Bearer as:ci@example.com']);
  });

  it('sends nothing to the emulator without one', async () => {
    await call(googleOn(stub.host).google);
    expect(stub.asked).toHaveLength(1);
    expect(stub.asked[0]?.headers).not.toHaveProperty('authorization');
  });

  it('keeps the path of an endpoint override, and sends the quota project', async () => {
    const url = `${stub.url}some/prefix/`;
    const endpointOverrides = { cloudkms: url, containeranalysis: url, artifactregistry: url, binaryauthorization: url };
    await call(googleOn(undefined, { token: 't-123456', quotaProject: 'payer', endpointOverrides }).google);
    expect(stub.asked).toHaveLength(1);
    expect(stub.asked[0]?.url).toMatch(/^\/some\/prefix\/v1\/projects\/p\//);
    expect(stub.asked[0]?.headers).toMatchObject({ 'x-goog-user-project': 'payer', authorization: 'Bearer t-123456' });
  });
});

it('reads int64 checksums and sends them as strings, with standard base64', async () => {
  stub.plan({
    body: {
      name: VERSION,
      signature: Buffer.from([255, 254]).toString('base64'),
      signatureCrc32c: '3808858755',
      verifiedDigestCrc32c: true,
    },
  });
  const signed = await createKeyService(googleOn(stub.host).google).sign(VERSION, {
    hash: 'sha384',
    bytes: new Uint8Array([251, 255]),
    crc32c: 4294967295,
  });
  expect(signed).toEqual({ name: VERSION, signature: new Uint8Array([255, 254]), signatureCrc32c: 3808858755, verifiedDigestCrc32c: true });
  expect(stub.asked[0]?.url).toContain(`/v1/${VERSION}:asymmetricSign`);
  expect(JSON.parse(stub.asked[0]?.body ?? '')).toEqual({ digest: { sha384: '+/8=' }, digestCrc32c: '4294967295' });
});

it('posts an occurrence as documented', async () => {
  stub.plan({ body: { name: 'projects/q/occurrences/1' } });
  const attestation = {
    note: NOTE,
    resourceUri: `https://gcr.io/p/x@${DIGEST}`,
    payload: new Uint8Array([251, 255]),
    signatures: [{ publicKeyId: 'ni:///x', bytes: new Uint8Array([0]) }],
  };
  expect(await createAttestationStore(googleOn(stub.host).google).create('q' as ProjectId, attestation)).toBe('projects/q/occurrences/1');
  expect(stub.asked[0]).toMatchObject({ method: 'POST', url: expect.stringMatching(/^\/v1\/projects\/q\/occurrences(\?|$)/) });
  expect(JSON.parse(stub.asked[0]?.body ?? '')).toEqual({
    // NoteKind.ATTESTATION: the library sends enums as numbers.
    kind: 7,
    noteName: NOTE,
    resourceUri: attestation.resourceUri,
    attestation: { serializedPayload: '+/8=', signatures: [{ publicKeyId: 'ni:///x', signature: 'AA==' }] },
  });
});

it('asks for validation as documented, and keeps an unspecified result unspecified', async () => {
  const attestation = {
    note: NOTE,
    resourceUri: `https://gcr.io/p/x@${DIGEST}`,
    payload: new Uint8Array([251, 255]),
    signatures: [{ publicKeyId: 'id', bytes: new Uint8Array([0]) }],
  };
  const service = createAttestorService(googleOn(stub.host).google);
  const attestor = 'projects/example.com:p/attestors/a' as AttestorName;
  expect(await service.validate(attestor, attestation)).toMatchObject({ result: 'unspecified' });
  expect(stub.asked[0]?.url).toBe('/v1/projects/example.com%3Ap/attestors/a:validateAttestationOccurrence');
  expect(JSON.parse(stub.asked[0]?.body ?? '')).toEqual({
    attestation: { serializedPayload: '+/8=', signatures: [{ publicKeyId: 'id', signature: 'AA==' }] },
    occurrenceNote: NOTE,
    occurrenceResourceUri: attestation.resourceUri,
  });
  stub.plan({ body: { result: 'RESULT_UNSPECIFIED' } });
  expect(await service.validate(attestor, attestation)).toMatchObject({ result: 'unspecified' });
  stub.plan({ body: { result: 'ATTESTATION_NOT_VERIFIABLE', denialReason: 'because "so"' } });
  expect(await service.validate(attestor, attestation)).toEqual({ result: 'not-verifiable', reason: 'because "so"' });
});

describe('listings', () => {
  const occurrence = (id: number, more: object = {}): object => ({
    name: `projects/p/occurrences/${id}`,
    noteName: NOTE,
    kind: 'ATTESTATION',
    resourceUri: `gcr.io/p/x@${DIGEST}`,
    attestation: { serializedPayload: '_-8=', signatures: [] },
    ...more,
  });

  it('read every page, an empty one with a token included', async () => {
    stub.plan(
      { body: { occurrences: [occurrence(1)], nextPageToken: 'two' } },
      { body: { nextPageToken: 'three' } },
      { body: { occurrences: [occurrence(3)] } },
    );
    const found = await createAttestationStore(googleOn(stub.host).google).listOfNote(NOTE, DIGEST);
    expect(found.map(({ occurrence: name }) => name)).toEqual(['projects/p/occurrences/1', 'projects/p/occurrences/3']);
    expect(stub.asked.map(({ url }) => new URL(url, 'http://x').searchParams.get('pageToken'))).toEqual(['', 'two', 'three']);
    expect(new URL(stub.asked[0]?.url ?? '', 'http://x').searchParams.get('filter')).toBe(`has_suffix(resourceUrl, "${DIGEST}")`);
  });

  it('drop what is no attestation for the digest', async () => {
    const others = [
      occurrence(1, { kind: 'VULNERABILITY', attestation: undefined }),
      occurrence(2, { kind: undefined, attestation: undefined }),
      occurrence(3, { resourceUri: `gcr.io/p/x@sha256:${'b'.repeat(64)}` }),
      occurrence(4, { kind: undefined, createTime: '2026-11-20T10:00:00.123456789Z' }),
      occurrence(5, { kind: 7 }),
      occurrence(6, { kind: 'DISCOVERY' }),
    ];
    stub.plan({ body: { occurrences: others } });
    const found = await createAttestationStore(googleOn(stub.host).google).listOfNote(NOTE, DIGEST);
    expect(found.map(({ occurrence: name }) => name)).toEqual(['projects/p/occurrences/4', 'projects/p/occurrences/5']);
    expect(found[0]).toMatchObject({ createTime: '2026-11-20T10:00:00.123456789Z', payload: new Uint8Array([255, 239]) });
    expect(found[1]).not.toHaveProperty('createTime');
  });

  it('of key versions read every page, newest first by number, enabled only', async () => {
    const key = VERSION.replace(/\/cryptoKeyVersions.*/, '') as KeyName;
    const version = (number: number, state = 'ENABLED'): object => ({ name: `${key}/cryptoKeyVersions/${number}`, state });
    stub.plan(
      { body: { cryptoKeyVersions: [version(9), version(8, 'DISABLED')], nextPageToken: 'x' } },
      { body: { cryptoKeyVersions: [version(10)] } },
    );
    expect(await createKeyService(googleOn(stub.host).google).enabledVersions(key)).toEqual([
      `${key}/cryptoKeyVersions/10`,
      `${key}/cryptoKeyVersions/9`,
    ]);
  });

  it('of attestors read every page', async () => {
    const attestor = (id: string): object => ({ name: `projects/p/attestors/${id}`, userOwnedGrafeasNote: { noteReference: NOTE } });
    stub.plan({ body: { attestors: [attestor('a')], nextPageToken: 'x&y' } }, { body: { attestors: [attestor('b')] } });
    expect((await createAttestorService(googleOn(stub.host).google).attestorsIn('p' as ProjectId)).map(({ name }) => name)).toEqual([
      'projects/p/attestors/a',
      'projects/p/attestors/b',
    ]);
    expect(stub.asked[1]?.url).toContain('pageToken=x%26y');
  });
});

it('reads keys of every kind, and passes over one of a kind that it does not know', async () => {
  const publicKeys = [
    { id: 'P', asciiArmoredPgpPublicKey: 'armor' },
    { id: 'X', pkixPublicKey: { publicKeyPem: 'pem', signatureAlgorithm: 'EC_SIGN_P256_SHA256' } },
    { id: 'N', newKind: {} },
  ];
  stub.plan({ body: { userOwnedGrafeasNote: { noteReference: NOTE, publicKeys } } });
  const { keys } = await createAttestorService(googleOn(stub.host).google).attestor('projects/p/attestors/a' as AttestorName);
  expect(keys).toEqual([
    { kind: 'pgp', id: 'P', armored: 'armor' },
    { kind: 'pkix', id: 'X', pem: 'pem', algorithm: 'EC_SIGN_P256_SHA256' },
  ]);
});

it('refuses an attestor without a note', async () => {
  stub.plan({ body: { userOwnedDrydockNote: { noteReference: NOTE } } });
  expect((await errorOf(createAttestorService(googleOn(stub.host).google).attestor('projects/p/attestors/a' as AttestorName))).code).toBe(
    'RESPONSE_INVALID',
  );
});

describe('endpoints', () => {
  const refused: [string, object][] = [
    ['a credential in clear text', { endpointOverrides: { cloudkms: 'http://kms.example.com/' } }],
    ['a URL without a slash at its end', { endpointOverrides: { cloudkms: 'https://kms.example.com' } }],
    ['what is no URL', { endpointOverrides: { cloudkms: 'kms.example.com/' } }],
    ['credentials in a URL', { endpointOverrides: { cloudkms: 'https://me:secret@kms.example.com/' } }],
    ['an emulator elsewhere', { emulatorHost: 'emulator.example.com:80' }],
    ['an emulator that only looks near', { emulatorHost: '127.0.0.1.example.com:80' }],
  ];
  it.each(refused)('refuse %s', (_, options) => {
    expect(() => googleOn(undefined, options)).toThrowError(expect.objectContaining({ code: 'INVALID_INPUT' }));
  });

  it('accept https anywhere and http on this machine', () => {
    for (const cloudkms of ['https://kms.example.com/x/', 'http://localhost:1/', 'http://[::1]:1/'])
      expect(() => googleOn(undefined, { endpointOverrides: { cloudkms } })).not.toThrow();
  });
});

it('uses one connection for calls that follow each other, whatever the client', async () => {
  const { google } = googleOn(stub.host);
  for (const call of Object.values(calls)) await call(google);
  expect(stub.asked).toHaveLength(Object.keys(calls).length);
  expect(stub.connections()).toBe(1);
});

it('stays off a proxy on this machine', async () => {
  const proxy = await startStub();
  for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'http_proxy', 'https_proxy']) vi.stubEnv(name, proxy.url);
  try {
    for (const call of Object.values(calls)) await call(googleOn(stub.host).google);
  } finally {
    vi.unstubAllEnvs();
    await proxy.close();
  }
  expect(proxy.connections()).toBe(0);
  expect(stub.asked).toHaveLength(Object.keys(calls).length);
});

it('has one copy of google-gax, so that no client loses its credentials', () => {
  const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as { packages: object };
  for (const name of ['google-gax', 'google-auth-library', 'gaxios']) {
    expect(Object.keys(lock.packages).filter((path) => path.endsWith(`node_modules/${name}`))).toEqual([`node_modules/${name}`]);
  }
});
