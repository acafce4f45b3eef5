// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { BinauthzError, type Transient } from '../../src/core/errors.js';
import { backoff, retry } from '../../src/core/retry.js';
import { fakePace } from '../support/fake-pace.js';

const failing = (transient?: Transient): BinauthzError =>
  new BinauthzError(transient?.kind === 'quota' ? 'QUOTA_EXHAUSTED' : 'UNAVAILABLE', 'no', transient ? { transient } : {});

/** Fails with these errors in turn, then succeeds. */
function operation(...errors: readonly (BinauthzError | undefined)[]) {
  const attempts: number[] = [];
  return {
    attempts,
    run: (attempt: number) => {
      attempts.push(attempt);
      const error = errors[attempt - 1];
      return error ? Promise.reject(error) : Promise.resolve('done');
    },
  };
}

/** An operation that fails for so long that no budget lasts; not for ever, or a policy without an end would hang here. */
const failingOn = (transient?: Transient) => operation(...Array.from({ length: 100 }, () => failing(transient)));

describe('retry', () => {
  it.each<[string, readonly BinauthzError[], number]>([
    ['success', [], 1],
    ['two transient failures', [failing({ kind: 'unavailable' }), failing({ kind: 'quota' })], 3],
  ])('ends well after %s', async (_title, errors, attempts) => {
    const work = operation(...errors);
    expect(await retry(work.run, fakePace())).toBe('done');
    expect(work.attempts).toHaveLength(attempts);
  });

  it('does not repeat what fails for good', async () => {
    const work = failingOn();
    await expect(retry(work.run, fakePace())).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(work.attempts).toEqual([1]);
  });

  it('does not repeat a foreign error, and throws it as it came', async () => {
    const foreign = new TypeError('x');
    const attempts: number[] = [];
    const work = (attempt: number): Promise<void> => (attempts.push(attempt) > 100 ? Promise.resolve() : Promise.reject(foreign));
    await expect(retry(work, fakePace())).rejects.toBe(foreign);
    expect(attempts).toEqual([1]);
  });

  // Of each delay one half is jitter, of which this pace draws one half; the last attempt is at the end of the budget.
  it.each<[Transient['kind'], number, readonly number[]]>([
    ['unavailable', 30_000, [150, 300, 600, 1_200, 2_400, 4_800, 6_000, 6_000, 6_000, 2_550]],
    ['quota', 70_000, [750, 1_500, 3_000, 6_000, 12_000, 15_000, 15_000, 15_000, 1_750]],
  ])('gives up on %s after %i ms, with longer and longer pauses', async (kind, budgetMs, pauses) => {
    const pace = fakePace();
    const startedAt = pace.now();
    const work = failingOn({ kind });
    await expect(retry(work.run, pace)).rejects.toMatchObject({ transient: { kind } });
    expect(pace.pauses).toEqual(pauses);
    expect(pace.now() - startedAt).toBe(budgetMs);
    expect(work.attempts).toHaveLength(pauses.length + 1);
  });

  it.each<[Transient, readonly number[]]>([
    [{ kind: 'quota', retryAfterMs: 4_000 }, [4_000]],
    [{ kind: 'quota', retryAfterMs: 0 }, [750]],
    [{ kind: 'unavailable', retryAfterMs: 149 }, [150]],
    [{ kind: 'unavailable', retryAfterMs: 30_000 }, [30_000]],
  ])('after %j waits %j: as long as the service asked for, but never less than the policy', async (transient, pauses) => {
    const pace = fakePace();
    expect(await retry(operation(failing(transient)).run, pace)).toBe('done');
    expect(pace.pauses).toEqual(pauses);
  });

  it('makes no attempt before the time that the service named, and none past the budget', async () => {
    const patient = failingOn({ kind: 'unavailable', retryAfterMs: 30_001 });
    await expect(retry(patient.run, fakePace())).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(patient.attempts).toEqual([1]);
  });

  it.each([
    [449, [150]],
    [450, [150, 300]],
    [1_049, [150, 300]],
  ])('begins no attempt after a deadline in %i ms: pauses %j', async (ms, pauses) => {
    const pace = fakePace();
    const work = failingOn({ kind: 'unavailable' });
    await expect(retry(work.run, pace, { deadline: pace.now() + ms })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(pace.pauses).toEqual(pauses);
  });

  it('tells of each failure that is tried again', async () => {
    const told: (readonly [string, number])[] = [];
    await retry(operation(failing({ kind: 'unavailable' }), failing({ kind: 'quota' })).run, fakePace(), {
      onRetry: ({ code }, delayMs) => told.push([code, delayMs]),
    });
    expect(told).toEqual([
      ['UNAVAILABLE', 150],
      ['QUOTA_EXHAUSTED', 1_500],
    ]);
  });
});

describe('backoff', () => {
  it.each([
    [1, 0, 50],
    [1, 0.999, 100],
    [3, 0, 200],
    [20, 0.999, 1_000],
  ])('attempt %i with chance %d waits about %i ms', (attempt, random, ms) => {
    expect(Math.abs(backoff(attempt, random, { firstMs: 100, longestMs: 1_000 }) - ms)).toBeLessThanOrEqual(1);
  });
});
