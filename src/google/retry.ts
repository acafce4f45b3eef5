// SPDX-License-Identifier: Apache-2.0
// How calls to Google are made: the client libraries' own retries are off, and core/retry.ts decides instead.
import type { CallOptions } from 'google-gax';
import { retry, type Pace } from '../core/retry.js';
import type { Reporter } from '../ports/reporter.js';
import { translate, type Call } from './errors.js';

/** Makes calls; the options given to `send` must be passed to the client library. */
export interface Caller {
  /** A call that may safely be made again; no attempt outlives `deadline` (milliseconds since the epoch, by the run's pace). */
  repeat<T>(call: Call, send: (options: CallOptions) => Promise<T>, deadline?: number): Promise<T>;
  /** A call that is made exactly once, also where its outcome is unknown. */
  once<T>(call: Call, send: (options: CallOptions) => Promise<T>): Promise<T>;
}

/** What calls need from the run. */
export interface CallerOptions {
  readonly pace: Pace;
  readonly reporter: Reporter;
  readonly signal?: AbortSignal;
  readonly timeoutMs: number;
}

/** The one maker of calls of a run. */
export function createCaller({ pace, reporter, signal, timeoutMs }: CallerOptions): Caller {
  // The transport ends an attempt at its time limit; the library's own limit stands behind it, for deadlines.
  const optionsUntil = (deadline: number): CallOptions => ({
    retry: null,
    autoPaginate: false,
    timeout: Math.max(1, Math.min(2 * timeoutMs, deadline - pace.now())),
  });
  const attempt = async <T>(call: Call, send: (options: CallOptions) => Promise<T>, deadline: number): Promise<T> => {
    try {
      signal?.throwIfAborted();
      return await send(optionsUntil(deadline));
    } catch (error) {
      throw translate(error, call, signal?.aborted === true);
    }
  };
  return {
    once: (call, send) => attempt(call, send, Infinity),
    repeat: (call, send, deadline = Infinity) =>
      retry(() => attempt(call, send, deadline), pace, {
        deadline,
        onRetry: (error, delayMs) => reporter.info(`${error.message}; trying again in ${delayMs} ms`),
      }),
  };
}
