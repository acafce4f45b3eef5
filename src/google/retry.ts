// SPDX-License-Identifier: Apache-2.0
// How calls to Google are made: the client libraries' own retries are off, and core/retry.ts decides instead.
import type { CallOptions } from 'google-gax';
import { retry, type Pace } from '../core/retry.js';
import type { Reporter } from '../ports/reporter.js';
import type { Timer } from '../ports/timer.js';
import { translate, type Call } from './errors.js';
import { withinLimit } from './time-limit.js';

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
  readonly timer: Timer;
  readonly reporter: Reporter;
  readonly signal?: AbortSignal;
  /** How long the transport lets one attempt take. */
  readonly timeoutMs: number;
}

// No limit of the library's own, whose timer would outlive the call and hold on to it. The transport ends an attempt at
// its time limit, and a deadline that comes first ends it here.
const OPTIONS: CallOptions = { retry: null, autoPaginate: false, timeout: Infinity };

// The last attempt may begin as the budget ends. Cut off sooner, a healthy service would pass for one that hangs.
const SHORTEST_ATTEMPT_MS = 3_000;

/** The one maker of calls of a run. */
export function createCaller({ pace, timer, reporter, signal, timeoutMs }: CallerOptions): Caller {
  const attempt = async <T>(call: Call, send: () => Promise<T>): Promise<T> => {
    try {
      signal?.throwIfAborted();
      return await send();
    } catch (error) {
      throw translate(error, call, signal?.aborted === true);
    }
  };
  const before = <T>(deadline: number, send: (options: CallOptions) => Promise<T>): Promise<T> => {
    const leftMs = Math.max(1, deadline - pace.now());
    return leftMs > timeoutMs
      ? send(OPTIONS)
      : withinLimit({ limitMs: leftMs, ends: [], timer }, (end) => send({ ...OPTIONS, signal: end }));
  };
  return {
    once: (call, send) => attempt(call, () => send(OPTIONS)),
    repeat: (call, send, deadline = Infinity) =>
      retry(
        (_attempt, budgetEndsAt) => {
          const endsAt = Math.max(budgetEndsAt, pace.now() + SHORTEST_ATTEMPT_MS);
          return attempt(call, () => before(Math.min(deadline, endsAt), send));
        },
        pace,
        { deadline, onRetry: (error, delayMs) => reporter.info(`${error.message}; trying again in ${delayMs} ms`) },
      ),
  };
}
