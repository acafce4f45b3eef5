// SPDX-License-Identifier: Apache-2.0
// The one retry policy: used for Google's APIs, registries and posting, so it lives where all of them may import it.
// It owns neither time nor chance: both come in, and the same inputs give the same delays.
import { asError, type BinauthzError, type Transient } from './errors.js';

/** Time and chance, as a clock gives them. */
export interface Pace {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Resolves after `ms` milliseconds; rejects with CANCELLED when the run is cancelled. */
  sleep(ms: number): Promise<void>;
  /** A number from 0 up to, but not including, 1. */
  random(): number;
}

/** How long one call is retried in all (interface contract): a minute-long quota window needs more than a hiccup. */
export const RETRY_BUDGET_MS = { unavailable: 30_000, quota: 70_000 } as const;

const FIRST_DELAY_MS = { unavailable: 200, quota: 1_000 } as const;
const LONGEST_DELAY_MS = { unavailable: 8_000, quota: 20_000 } as const;

/** What a caller may add to the policy. */
export interface RetryOptions {
  /** Milliseconds since the epoch, by the same pace: no further attempt begins after it. */
  readonly deadline?: number | undefined;
  /** Told of each failure that is tried again. */
  readonly onRetry?: (error: BinauthzError, delayMs: number) => void;
}

/**
 * Runs an operation again while it fails transiently, until it succeeds, fails for good, or the budget is spent. It is
 * told when the budget ends that an attempt draws on (milliseconds since the epoch): the first draws on none.
 */
export async function retry<T>(
  operation: (attempt: number, budgetEndsAt: number) => Promise<T>,
  pace: Pace,
  options: RetryOptions = {},
): Promise<T> {
  const startedAt = pace.now();
  let budgetEndsAt = Infinity;
  for (let attempt = 1; ; attempt++) {
    try {
      return await operation(attempt, budgetEndsAt);
    } catch (thrown) {
      const error = asError(thrown);
      const { transient } = error;
      if (!transient) throw thrown;
      budgetEndsAt = startedAt + RETRY_BUDGET_MS[transient.kind];
      const delayMs = within(budgetEndsAt - pace.now(), delayBefore(transient, attempt, pace.random()), transient);
      if (delayMs === undefined || pace.now() + delayMs > (options.deadline ?? Infinity)) throw thrown;
      options.onRetry?.(error, delayMs);
      await pace.sleep(delayMs);
    }
  }
}

function delayBefore(transient: Transient, attempt: number, random: number): number {
  const ours = backoff(attempt, random, {
    firstMs: FIRST_DELAY_MS[transient.kind],
    longestMs: LONGEST_DELAY_MS[transient.kind],
  });
  // A server may ask for more patience than ours, never for less: "Retry-After: 0" would have it called without a pause.
  return Math.max(transient.retryAfterMs ?? 0, ours);
}

/** The exponential delay before attempt n + 1, half of it jitter, never above `longestMs`. */
export function backoff(attempt: number, random: number, bounds: { readonly firstMs: number; readonly longestMs: number }): number {
  const full = Math.min(bounds.longestMs, bounds.firstMs * 2 ** (attempt - 1));
  return Math.round(full / 2 + (full / 2) * random);
}

// The last attempt is at the end of the budget, not up to a pause before it: a quota's minute may end in between. Where
// the service itself named a later time, an earlier attempt is of no use.
function within(leftMs: number, delayMs: number, { retryAfterMs }: Transient): number | undefined {
  if (leftMs <= 0) return undefined;
  if (retryAfterMs !== undefined) return delayMs <= leftMs ? delayMs : undefined;
  return Math.min(delayMs, leftMs);
}
