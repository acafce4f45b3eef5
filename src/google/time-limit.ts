// SPDX-License-Identifier: Apache-2.0
import { TimeoutFailure } from './failures.js';

/**
 * Work with a signal of its own, which fires after `limitMs` (then TimeoutFailure; at most 2^31 - 1) or with any of
 * `ends`. Nobody waits longer for it than that, whether or not the work heeds its signal.
 *
 * Nothing keeps listening when the work has ended: a signal of AbortSignal.timeout is held, with all that listens to it
 * through AbortSignal.any too, until its time is over. At hundreds of short calls a second that adds up.
 */
export async function withinLimit<T>(limitMs: number, ends: readonly AbortSignal[], work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const { signal } = controller;
  const timeout = AbortSignal.timeout(limitMs);
  const expire = (): void => controller.abort(new TimeoutFailure(limitMs));
  const end = (): void => controller.abort(new Error('aborted'));
  timeout.addEventListener('abort', expire);
  for (const other of ends) other.addEventListener('abort', end);
  try {
    if (ends.some(({ aborted }) => aborted)) end();
    signal.throwIfAborted();
    return await Promise.race([work(signal), failureOf(signal)]);
  } finally {
    timeout.removeEventListener('abort', expire);
    for (const other of ends) other.removeEventListener('abort', end);
  }
}

function failureOf(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
}
