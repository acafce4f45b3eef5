// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AttestorName, KeyVersionName, NoteName, ProjectId } from '../../src/core/names.js';
import { createAttestorService } from '../../src/google/binary-authorization.js';
import { createAttestationStore } from '../../src/google/container-analysis.js';
import { createKeyService } from '../../src/google/kms.js';
import { errorOf, googleOn } from './google.js';
import { googleError, startStub, type Planned, type Stub } from './stub-server.js';

const VERSION = 'projects/p/locations/global/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1' as KeyVersionName;
const ATTESTOR = 'projects/p/attestors/a' as AttestorName;
const KEY: Planned = { body: { name: VERSION, pem: 'x', algorithm: 'EC_SIGN_P256_SHA256', pemCrc32c: '4294967295' } };
const busy: Planned = { status: 429, body: googleError(429, 'RESOURCE_EXHAUSTED', 'Quota exceeded') };

let stub: Stub;
beforeEach(async () => {
  stub = await startStub();
});
afterEach(() => stub.close());

describe('a call that may be repeated', () => {
  it.each([
    ['reset', { fault: 'reset' }],
    ['429', busy],
    ['503', { status: 503, body: '' }],
  ] as [string, Planned][])('goes on after a %s', async (_, failure) => {
    const { google, pace } = googleOn(stub.host);
    stub.plan(failure, failure, KEY);
    expect(await createKeyService(google).publicKey(VERSION)).toMatchObject({ name: VERSION, pemCrc32c: 4294967295 });
    expect(stub.asked).toHaveLength(3);
    expect(pace.pauses).toHaveLength(2);
  });

  it('ends after its budget, and not before', async () => {
    const { google, pace } = googleOn(stub.host);
    stub.plan({ status: 503, body: googleError(503, 'UNAVAILABLE', 'down') });
    expect((await errorOf(createKeyService(google).publicKey(VERSION))).code).toBe('UNAVAILABLE');
    const total = pace.pauses.reduce((sum, ms) => sum + ms, 0);
    expect(total).toBeLessThanOrEqual(30_000);
    expect(total).toBeGreaterThan(20_000);
  });

  it('is given longer where a quota is exhausted', async () => {
    const { google, pace } = googleOn(stub.host);
    stub.plan(busy);
    expect((await errorOf(createKeyService(google).publicKey(VERSION))).code).toBe('QUOTA_EXHAUSTED');
    expect(pace.pauses.reduce((sum, ms) => sum + ms, 0)).toBe(70_000);
  });
});

describe('Retry-After', () => {
  const waits: [string, Planned, number][] = [
    ['in seconds', { ...busy, headers: { 'retry-after': '7' } }, 7_000],
    ['on 503', { status: 503, headers: { 'retry-after': '3' }, body: googleError(503, 'UNAVAILABLE', 'down') }, 3_000],
    [
      'as google.rpc.RetryInfo',
      {
        status: 429,
        body: googleError(429, 'RESOURCE_EXHAUSTED', 'x', [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '2.5s' }]),
      },
      2_500,
    ],
  ];
  it.each(waits)('%s is honoured through the client library', async (_, failure, ms) => {
    const { google, pace } = googleOn(stub.host);
    stub.plan(failure, KEY);
    await createKeyService(google).publicKey(VERSION);
    expect(pace.pauses).toEqual([ms]);
  });

  it('is honoured through REST', async () => {
    const { google, pace } = googleOn(stub.host);
    stub.plan({ ...busy, headers: { 'retry-after': '7' } }, { body: { userOwnedGrafeasNote: { noteReference: 'projects/p/notes/n' } } });
    await createAttestorService(google).attestor(ATTESTOR);
    expect(pace.pauses).toEqual([7_000]);
  });

  it('as a date is measured by the clock of the run', async () => {
    const { google, pace } = googleOn(stub.host);
    stub.plan({ ...busy, headers: { 'retry-after': new Date(pace.now() + 10_000).toUTCString() } }, KEY);
    await createKeyService(google).publicKey(VERSION);
    expect(pace.pauses[0]).toBeGreaterThan(8_000);
    expect(pace.pauses[0]).toBeLessThanOrEqual(10_000);
  });
});

describe('storing an attestation', () => {
  const note = 'projects/p/notes/n' as NoteName;
  const attestation = { note, resourceUri: 'https://gcr.io/p/x@sha256:1', payload: new Uint8Array([1]), signatures: [] };

  it.each([
    ['reset', { fault: 'reset' }],
    ['503', { status: 503, body: '' }],
    ['429', busy],
    ['truncated answer', { fault: 'truncate', body: '{' }],
  ] as [string, Planned][])('is one request, and a transient error after a %s', async (_, failure) => {
    const { google, pace } = googleOn(stub.host);
    stub.plan(failure);
    const error = await errorOf(createAttestationStore(google).create('p' as ProjectId, attestation));
    expect(error.transient).toBeDefined();
    expect(stub.asked).toHaveLength(1);
    expect(pace.pauses).toEqual([]);
  });

  it('fails where the answer names no occurrence', async () => {
    expect((await errorOf(createAttestationStore(googleOn(stub.host).google).create('p' as ProjectId, attestation))).code).toBe(
      'RESPONSE_INVALID',
    );
  });
});
