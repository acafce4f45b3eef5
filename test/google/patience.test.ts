// SPDX-License-Identifier: Apache-2.0
// How long a call waits for a service that asks for more patience than a call has, or that never answers.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AttestorName, KeyVersionName, NoteName, ProjectId } from '../../src/core/names.js';
import { createAttestorService } from '../../src/google/binary-authorization.js';
import type { Google } from '../../src/google/clients.js';
import { createAttestationStore } from '../../src/google/container-analysis.js';
import { createKeyService } from '../../src/google/kms.js';
import type { Timer } from '../../src/ports/timer.js';
import type { FakePace } from '../support/fake-pace.js';
import { errorOf, googleOn } from './google.js';
import { googleError, startStub, type Planned, type Stub } from './stub-server.js';

const VERSION = 'projects/p/locations/global/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1' as KeyVersionName;
const ATTESTOR = 'projects/p/attestors/a' as AttestorName;
const NOTE = 'projects/p/notes/n' as NoteName;

let stub: Stub;
beforeEach(async () => {
  stub = await startStub();
});
afterEach(() => stub.close());

const calls: Record<string, (google: Google) => Promise<unknown>> = {
  'client library': (google) => createKeyService(google).publicKey(VERSION),
  REST: (google) => createAttestorService(google).attestor(ATTESTOR),
  'a post': (google) =>
    createAttestationStore(google).create('p' as ProjectId, {
      note: NOTE,
      resourceUri: 'https://gcr.io/p/x@sha256:1',
      payload: new Uint8Array([1]),
      signatures: [],
    }),
};

describe.each(Object.entries(calls))('a pause that is longer than a call is retried, through %s', (_name, call) => {
  const info = { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '5400s' };
  it.each<[string, Planned, string, string]>([
    ['429', { status: 429, headers: { 'retry-after': '3600' } }, 'QUOTA_EXHAUSTED', '1 h'],
    ['429 of 71 s', { status: 429, headers: { 'retry-after': '71' } }, 'QUOTA_EXHAUSTED', '1.2 min'],
    ['503', { status: 503, headers: { 'retry-after': '31' } }, 'UNAVAILABLE', '31.0 s'],
    ['429 as google.rpc.RetryInfo', { status: 429, body: googleError(429, 'X', 'x'.repeat(5_000), [info]) }, 'QUOTA_EXHAUSTED', '1.5 h'],
  ])('%s: is named, and the hint is to run again after it', async (_title, answer, code, wait) => {
    stub.plan({ body: googleError(answer.status ?? 0, 'X', 'Quota exceeded.'), ...answer });
    const { google, pace } = googleOn(stub.host);
    const error = await errorOf(call(google));
    expect([error.code, error.hint]).toEqual([code, expect.stringContaining(`run again in ${wait}, not sooner`)]);
    expect(error.message).toMatch(new RegExp(`[^.]; the service asks to wait ${wait}$`));
    expect([stub.asked.length, pace.pauses]).toEqual([1, []]);
  });
});

it('names no pause that is waited for', async () => {
  stub.plan({ status: 429, headers: { 'retry-after': '60' }, body: googleError(429, 'X', 'Quota exceeded') });
  const { google, pace } = googleOn(stub.host);
  const error = await errorOf(createKeyService(google).publicKey(VERSION));
  expect([error.message.includes('asks to wait'), error.hint, pace.pauses]).toEqual([
    false,
    expect.stringContaining('run again in a minute'),
    [60_000],
  ]);
});

/** A timer that rings within moments and takes virtual time with it, the shorter the sooner. */
function quickTimer(paceOf: () => FakePace): Timer {
  return (ms, ring) => {
    const timeout = setTimeout(() => {
      paceOf().advance(ms);
      ring();
    }, ms / 100);
    return () => clearTimeout(timeout);
  };
}

describe('a service that hangs', () => {
  const on = (): ReturnType<typeof googleOn> => {
    const made: ReturnType<typeof googleOn> = googleOn(stub.host, { timer: quickTimer(() => made.pace) });
    return made;
  };

  it.each(['client library', 'REST'])('is given up as the budget ends, after a whole first attempt, through %s', async (name) => {
    stub.plan({ fault: 'hang' });
    const { google, pace } = on();
    const startedAt = pace.now();
    const error = await errorOf(calls[name]?.(google) ?? Promise.resolve());
    expect(error).toMatchObject({ code: 'UNAVAILABLE', transient: { kind: 'unavailable' } });
    expect([pace.now() - startedAt, pace.pauses, stub.asked.length]).toEqual([30_000, [150], 2]);
    expect(error.message).toContain('no answer within 9850 ms');
  });

  it('has the time of a quota where that ran out before', async () => {
    const busy: Planned = { status: 429, headers: { 'retry-after': '60' }, body: googleError(429, 'X', 'Quota exceeded') };
    stub.plan(busy, { fault: 'hang' });
    const { google, pace } = on();
    const startedAt = pace.now();
    expect((await errorOf(createKeyService(google).publicKey(VERSION))).message).toContain('no answer within 10000 ms');
    expect(pace.now() - startedAt).toBe(70_000);
  });

  // The last attempt begins as the budget ends; a healthy service must not pass for one that hangs.
  it('at the end of the budget is given a fair time', async () => {
    const down: Planned = { status: 503, body: googleError(503, 'UNAVAILABLE', 'down') };
    stub.plan(...Array.from({ length: 10 }, () => down), { fault: 'hang' });
    const { google, pace } = on();
    const startedAt = pace.now();
    expect((await errorOf(createKeyService(google).publicKey(VERSION))).message).toContain('no answer within 3000 ms');
    expect(pace.now() - startedAt).toBe(33_000);
  });
});
