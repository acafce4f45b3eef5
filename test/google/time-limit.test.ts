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
import { fakePace } from '../support/fake-pace.js';
import { googleOn } from './google.js';
import { startStub, type Stub } from './stub-server.js';

const LIMIT_MS = 20_000;
const never = () => new Promise<never>(() => undefined);

/** The next time limit, in the test's hands: nobody listens to it any more when `listeners` is 0. */
function takeTimeout() {
  const controller = new AbortController();
  const spy = vi.spyOn(AbortSignal, 'timeout').mockReturnValue(controller.signal);
  return { expire: () => controller.abort(), asked: spy.mock.calls, listeners: () => getEventListeners(controller.signal, 'abort').length };
}

afterEach(() => vi.restoreAllMocks());

describe('work within a limit', () => {
  it('gives what it gives, and nothing listens any more', async () => {
    const timeout = takeTimeout();
    const run = new AbortController();
    expect(await withinLimit(LIMIT_MS, [run.signal], () => Promise.resolve('done'))).toBe('done');
    expect([timeout.asked, timeout.listeners(), getEventListeners(run.signal, 'abort')]).toEqual([[[LIMIT_MS]], 0, []]);
  });

  it('fails as it fails, and nothing listens any more', async () => {
    const timeout = takeTimeout();
    const run = new AbortController();
    await expect(withinLimit(LIMIT_MS, [run.signal], () => Promise.reject(new Error('reset')))).rejects.toThrow('reset');
    expect([timeout.listeners(), getEventListeners(run.signal, 'abort')]).toEqual([0, []]);
  });

  it('is given up after the limit and not before, although it does not heed its signal', async () => {
    const timeout = takeTimeout();
    let given: AbortSignal | undefined;
    const work = withinLimit(LIMIT_MS, [], (signal) => {
      given = signal;
      return never();
    });
    expect(given?.aborted).toBe(false);
    timeout.expire();
    expect(given?.aborted).toBe(true);
    await expect(work).rejects.toEqual(new TimeoutFailure(LIMIT_MS));
  });

  it('ends with either of the signals around it', async () => {
    for (const which of [0, 1]) {
      const ends = [new AbortController(), new AbortController()];
      const work = withinLimit(
        LIMIT_MS,
        ends.map(({ signal }) => signal),
        never,
      );
      ends[which]?.abort();
      await expect(work).rejects.toThrow('aborted');
    }
  });

  it('is not begun where one of them has fired already', async () => {
    const work = vi.fn(never);
    await expect(withinLimit(LIMIT_MS, [AbortSignal.abort()], work)).rejects.toThrow('aborted');
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
    const signals = timeouts.mock.results.map(({ value }) => value as AbortSignal);
    // One for each, the transport's; the library's own would hold the call.
    expect(signals).toHaveLength(3);
    for (const signal of [...signals, run.signal]) expect(getEventListeners(signal, 'abort')).toEqual([]);
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
    const options = { pace: fakePace(), reporter, signal: run.signal, timeoutMs };
    const transport = createTransport(options, () => (slow === 'credentials' ? late(client) : Promise.resolve(client)));
    const sent = transport.send({ method: 'POST', url: `${stub.url}v1/x`, headers: new Headers(), body: '{}' });
    setTimeout(() => run.abort(), 200);
    await expect(sent).rejects.toThrow();
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect([stub.asked, uncaught]).toEqual([[], []]);
  });
});
