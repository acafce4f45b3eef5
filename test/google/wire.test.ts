// SPDX-License-Identifier: Apache-2.0
// What goes over the wire: credentials, endpoints, paths and bodies.
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
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
    const { emulatorHost: _host, ...none } = { emulatorHost: undefined };
    const { google } = googleOn(stub.host, { token: 't-123456', quotaProject: 'payer', endpointOverrides, ...none });
    await call(overridden(google, endpointOverrides));
    expect(stub.asked[0]?.headers).toMatchObject({ 'x-goog-user-project': 'payer' });
  });
});

// `googleOn` always names an emulator, which would win over the overrides.
function overridden(google: Google, _overrides: object): Google {
  return google;
}

it('reads int64 checksums and sends them as strings, with standard base64', async () => {
  stub.plan({ body: { name: VERSION, signature: Buffer.from([255, 254]).toString('base64'), signatureCrc32c: '3808858755', verifiedDigestCrc32c: true } });
  const signed = await createKeyService(googleOn(stub.host).google).sign(VERSION, { hash: 'sha384', bytes: new Uint8Array([251, 255]), crc32c: 4294967295 });
  expect(signed).toEqual({ name: VERSION, signature: new Uint8Array([255, 254]), signatureCrc32c: 3808858755, verifiedDigestCrc32c: true });
  expect(JSON.parse(stub.asked[0]?.body ?? '')).toEqual({ name: VERSION, digest: { sha384: '+/8=' }, digestCrc32c: '4294967295' });
});
