// SPDX-License-Identifier: Apache-2.0
import { getEventListeners } from 'node:events';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { KeyVersionName } from '../../src/core/names.js';
import { TimeoutFailure } from '../../src/google/failures.js';
import { createKeyService } from '../../src/google/kms.js';
import { withinLimit } from '../../src/google/time-limit.js';
import { googleOn } from './google.js';
import { startStub } from './stub-server.js';

const LIMIT_MS = 20_000;
const never = () => new Promise<never>(() => undefined);

describe('work within a limit', () => {
  afterEach(() => vi.useRealTimers());

  it('gives what it gives, and leaves neither timer nor listener', async () => {
    vi.useFakeTimers();
    const run = new AbortController();
    expect(await withinLimit(LIMIT_MS, [run.signal], () => Promise.resolve('done'))).toBe('done');
    expect(vi.getTimerCount()).toBe(0);
    expect(getEventListeners(run.signal, 'abort')).toEqual([]);
  });

  it('fails as it fails, and leaves neither timer nor listener', async () => {
    vi.useFakeTimers();
    const run = new AbortController();
    await expect(withinLimit(LIMIT_MS, [run.signal], () => Promise.reject(new Error('reset')))).rejects.toThrow('reset');
    expect(vi.getTimerCount()).toBe(0);
    expect(getEventListeners(run.signal, 'abort')).toEqual([]);
  });

  it('is given up after the limit and not before, although it does not heed its signal', async () => {
    vi.useFakeTimers();
    let given: AbortSignal | undefined;
    const work = withinLimit(LIMIT_MS, [], (signal) => {
      given = signal;
      return never();
    });
    const failed = expect(work).rejects.toEqual(new TimeoutFailure(LIMIT_MS));
    await vi.advanceTimersByTimeAsync(LIMIT_MS - 1);
    expect(given?.aborted).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(given?.aborted).toBe(true);
    await failed;
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

it('lets go of a call through the client library as soon as it has ended', async () => {
  const stub = await startStub();
  const lasting = vi.spyOn(AbortSignal, 'timeout');
  try {
    const run = new AbortController();
    const name = 'projects/p/locations/global/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1' as KeyVersionName;
    stub.plan({ body: { name, pem: 'x', algorithm: 'EC_SIGN_P256_SHA256', pemCrc32c: '4294967295' } });
    const keys = createKeyService(googleOn(stub.host, { signal: run.signal }).google);
    for (let call = 0; call < 3; call += 1) expect(await keys.publicKey(name)).toMatchObject({ name });
    expect(stub.asked).toHaveLength(3);
    // Whatever listens to such a signal is held until its time is over.
    expect(lasting).not.toHaveBeenCalled();
    expect(getEventListeners(run.signal, 'abort')).toEqual([]);
  } finally {
    lasting.mockRestore();
    await stub.close();
  }
});
