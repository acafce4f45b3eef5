// SPDX-License-Identifier: Apache-2.0
import type { Timer } from '../ports/timer.js';
import { TimeoutFailure } from './failures.js';

/** When work is given up. */
export interface TimeLimit {
  /** After so many milliseconds, at most 2^31 - 1. */
  readonly limitMs: number;
  /** With any of these, whose listeners are taken away again. */
  readonly ends: readonly AbortSignal[];
  readonly timer: Timer;
}

/**
 * Work with a signal of its own, which fires after the limit (then TimeoutFailure) or with one of the ends. Nobody waits
 * longer for it than that, whether or not the work heeds its signal.
 *
 * AbortSignal.timeout and AbortSignal.any would do the same, but are held, with all that ever listened to them, until the
 * time is over. At hundreds of short calls a second that adds up.
 */
export async function withinLimit<T>({ limitMs, ends, timer }: TimeLimit, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const { signal } = controller;
  const forget = timer(limitMs, () => controller.abort(new TimeoutFailure(limitMs)));
  const end = (): void => controller.abort(new Error('aborted'));
  for (const other of ends) other.addEventListener('abort', end);
  try {
    if (ends.some(({ aborted }) => aborted)) end();
    signal.throwIfAborted();
    return await Promise.race([work(signal), failureOf(signal)]);
  } finally {
    forget();
    for (const other of ends) other.removeEventListener('abort', end);
  }
}

function failureOf(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
}
