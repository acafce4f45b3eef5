// SPDX-License-Identifier: Apache-2.0
import { getEventListeners } from 'node:events';
import { OAuth2Client } from 'google-auth-library';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { KeyVersionName, NoteName } from '../../src/core/names.js';
import { createAttestationStore } from '../../src/google/container-analysis.js';
import { TimeoutFailure } from '../../src/google/failures.js';
import { createKeyService } from '../../src/google/kms.js';
import { withinLimit } from '../../src/google/time-limit.js';
import { createTransport } from '../../src/google/transport.js';
import { systemTimer } from '../../src/hosts/clock.js';
import type { Timer } from '../../src/ports/timer.js';
import { fakePace } from '../support/fake-pace.js';
import { googleOn } from './google.js';
import { startStub, type Stub } from './stub-server.js';

const LIMIT_MS = 20_000;
const never = () => new Promise<never>(() => undefined);

/** A timer in the test's hands. */
function handTimer() {
  const asked: number[] = [];
  const rings = new Set<() => void>();
  const timer: Timer = (ms, ring) => {
    asked.push(ms);
    rings.add(ring);
    return () => rings.delete(ring);
  };
  return { timer, asked, rings, ring: () => [...rings].forEach((ring) => ring()) };
}

afterEach(() => vi.restoreAllMocks());

describe('work within a limit', () => {
  it('gives what it gives, and nothing listens any more', async () => {
    const { timer, asked, rings } = handTimer();
    const run = new AbortController();
    expect(await withinLimit({ limitMs: LIMIT_MS, ends: [run.signal], timer }, () => Promise.resolve('done'))).toBe('done');
    expect([asked, rings.size, getEventListeners(run.signal, 'abort')]).toEqual([[LIMIT_MS], 0, []]);
  });

  it('fails as it fails, and nothing listens any more', async () => {
    const { timer, rings } = handTimer();
    const run = new AbortController();
    const work = withinLimit({ limitMs: LIMIT_MS, ends: [run.signal], timer }, () => Promise.reject(new Error('reset')));
    await expect(work).rejects.toThrow('reset');
    expect([rings.size, getEventListeners(run.signal, 'abort')]).toEqual([0, []]);
  });

  it('is given up after the limit and not before, although it does not heed its signal', async () => {
    const { timer, ring } = handTimer();
    let given: AbortSignal | undefined;
    const work = withinLimit({ limitMs: LIMIT_MS, ends: [], timer }, (signal) => {
      given = signal;
      return never();
    });
    expect(given?.aborted).toBe(false);
    ring();
    expect(given?.aborted).toBe(true);
    await expect(work).rejects.toEqual(new TimeoutFailure(LIMIT_MS));
  });

  it('ends with either of the signals around it', async () => {
    for (const which of [0, 1]) {
      const ends = [new AbortController(), new AbortController()];
      const work = withinLimit({ ...handTimer(), limitMs: LIMIT_MS, ends: ends.map(({ signal }) => signal) }, never);
      ends[which]?.abort();
      await expect(work).rejects.toThrow('aborted');
    }
  });

  it('is not begun where one of them has fired already', async () => {
    const work = vi.fn(never);
    await expect(withinLimit({ ...handTimer(), limitMs: LIMIT_MS, ends: [AbortSignal.abort()] }, work)).rejects.toThrow('aborted');
    expect(work).not.toHaveBeenCalled();
  });
});

describe('a call through the client library', () => {
  const name = 'projects/p/locations/global/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1' as KeyVersionName;
  const note = 'projects/p/notes/n' as NoteName;
  let stub: Stub;
  beforeEach(async () => {
    stub = await startStub();
  });
  afterEach(() => stub.close());

  it('lets go of everything as soon as it has ended', async () => {
    const timeouts = vi.spyOn(AbortSignal, 'timeout');
    const run = new AbortController();
    stub.plan({ body: { name, pem: 'x', algorithm: 'EC_SIGN_P256_SHA256', pemCrc32c: '4294967295' } });
    const keys = createKeyService(googleOn(stub.host, { signal: run.signal }).google);
    for (let call = 0; call < 3; call += 1) expect(await keys.publicKey(name)).toMatchObject({ name });
    expect(stub.asked).toHaveLength(3);
    // Whatever listens to such a signal is held until its time is over.
    expect(timeouts).not.toHaveBeenCalled();
    expect(getEventListeners(run.signal, 'abort')).toEqual([]);
  });

  it('may have a deadline beyond what a timer can count', async () => {
    const warnings: Error[] = [];
    const listen = (warning: Error) => warnings.push(warning);
    process.on('warning', listen);
    stub.plan({ body: { occurrences: [] } });
    const { google, pace } = googleOn(stub.host);
    expect(await createAttestationStore(google).listOfNote(note, undefined, pace.now() + 90 * 24 * 3_600_000)).toEqual([]);
    await new Promise(setImmediate);
    process.off('warning', listen);
    expect([stub.asked.length, warnings]).toEqual([1, []]);
  });
});

// A body that is sent after the end of its call was told fails in a stream that nobody listens to.
describe('a request with a body', () => {
  const uncaught: unknown[] = [];
  const others = process.listeners('uncaughtException');
  const keep = (error: unknown) => uncaught.push(error);
  let stub: Stub;
  beforeEach(async () => {
    stub = await startStub();
    process.removeAllListeners('uncaughtException').on('uncaughtException', keep);
  });
  afterEach(async () => {
    process.off('uncaughtException', keep);
    for (const listener of others) process.on('uncaughtException', listener);
    await stub.close();
  });

  it.each([
    ['whose token came too late', 'credentials', 150],
    ['whose way out was found too late', 'interceptor', 150],
    ['whose token came after the run was cancelled', 'credentials', 20_000],
    ['whose way out was found after the run was cancelled', 'interceptor', 20_000],
  ])('%s is not sent', async (_, slow, timeoutMs) => {
    const run = new AbortController();
    const client = new OAuth2Client();
    client.setCredentials({ access_token: 'token' });
    const late = <T>(value: T) => new Promise<T>((resolve) => setTimeout(() => resolve(value), 400));
    if (slow === 'interceptor') client.transporter.interceptors.request.add({ resolved: late });
    const reporter = { step: () => undefined, info: () => undefined, warn: () => undefined, debug: () => undefined };
    const options = { pace: fakePace(), timer: systemTimer, reporter, signal: run.signal, timeoutMs };
    const transport = createTransport(options, () => (slow === 'credentials' ? late(client) : Promise.resolve(client)));
    const sent = transport.send({ method: 'POST', url: `${stub.url}v1/x`, headers: new Headers(), body: '{}' });
    setTimeout(() => run.abort(), 200);
    await expect(sent).rejects.toThrow();
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect([stub.asked, uncaught]).toEqual([[], []]);
  });
});

describe('the timer of the machine', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('rings once, after its time', () => {
    const ring = vi.fn();
    systemTimer(100, ring);
    vi.advanceTimersByTime(99);
    expect(ring).not.toHaveBeenCalled();
    vi.advanceTimersByTime(500);
    expect(ring).toHaveBeenCalledOnce();
  });

  it('that is taken back is gone', () => {
    const ring = vi.fn();
    systemTimer(100, ring)();
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(500);
    expect(ring).not.toHaveBeenCalled();
  });
});
