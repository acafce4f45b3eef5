// SPDX-License-Identifier: Apache-2.0
import { TimeoutFailure } from './failures.js';

/**
 * Work with a signal of its own, which fires after `limitMs` (then TimeoutFailure) or with any of `ends`. Nobody waits
 * longer for it than that, whether or not the work heeds its signal.
 *
 * AbortSignal.timeout and AbortSignal.any would do the same, but hold what listens to them until the time is over. At
 * hundreds of short calls a second that keeps the memory of all of them.
 */
export async function withinLimit<T>(limitMs: number, ends: readonly AbortSignal[], work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const { signal } = controller;
  const timer = setTimeout(() => controller.abort(new TimeoutFailure(limitMs)), limitMs);
  const end = (): void => controller.abort(new Error('aborted'));
  for (const other of ends) other.addEventListener('abort', end);
  try {
    if (ends.some(({ aborted }) => aborted)) end();
    signal.throwIfAborted();
    return await Promise.race([work(signal), failureOf(signal)]);
  } finally {
    clearTimeout(timer);
    for (const other of ends) other.removeEventListener('abort', end);
  }
}

function failureOf(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
}
