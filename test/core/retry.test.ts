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
    const work = operation(failing());
    await expect(retry(work.run, fakePace())).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(work.attempts).toEqual([1]);
  });

  it('does not repeat a foreign error', async () => {
    await expect(retry(() => Promise.reject(new TypeError('x')), fakePace())).rejects.toBeInstanceOf(TypeError);
  });

  it.each<[Transient['kind'], number]>([
    ['unavailable', 30_000],
    ['quota', 70_000],
  ])('gives up on %s within %i ms, and not long before', async (kind, budgetMs) => {
    const pace = fakePace();
    const startedAt = pace.now();
    await expect(retry(() => Promise.reject(failing({ kind })), pace)).rejects.toMatchObject({ transient: { kind } });
    expect(pace.now() - startedAt).toBeLessThanOrEqual(budgetMs);
    expect(pace.now() - startedAt).toBeGreaterThan(budgetMs / 2);
  });

  it('waits as long as the service asked for, but not past the budget', async () => {
    const pace = fakePace();
    const startedAt = pace.now();
    await retry(operation(failing({ kind: 'quota', retryAfterMs: 4_000 })).run, pace);
    expect(pace.now() - startedAt).toBe(4_000);
    const patient = operation(failing({ kind: 'unavailable', retryAfterMs: 31_000 }));
    await expect(retry(patient.run, fakePace())).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(patient.attempts).toEqual([1]);
  });

  it('begins no attempt after a deadline', async () => {
    const pace = fakePace();
    const deadline = pace.now() + 1_000;
    await expect(retry(() => Promise.reject(failing({ kind: 'unavailable' })), pace, { deadline })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    });
    expect(pace.now()).toBeLessThanOrEqual(deadline);
  });

  it('tells of each failure that is tried again', async () => {
    const told: number[] = [];
    await retry(operation(failing({ kind: 'unavailable' }), failing({ kind: 'unavailable' })).run, fakePace(), {
      onRetry: (_error, delayMs) => told.push(delayMs),
    });
    expect(told).toHaveLength(2);
    expect(told[1]).toBeGreaterThan(told[0] ?? Infinity);
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
