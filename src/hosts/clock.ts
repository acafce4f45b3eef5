// SPDX-License-Identifier: Apache-2.0
import { performance } from 'node:perf_hooks';
import { BinauthzError } from '../core/errors.js';
import type { Clock } from '../ports/clock.js';
import type { Timer } from '../ports/timer.js';

/**
 * The machine's clock as it stood when the process began, and the time that went by since: deadlines hang on it, and a
 * clock that is set while a run waits must neither prolong nor end it. Its sleeps end with CANCELLED as soon as the run is
 * cancelled.
 */
export function systemClock(signal: AbortSignal): Clock {
  return {
    now: () => Math.round(performance.timeOrigin + performance.now()),
    random: () => Math.random(),
    sleep: (ms) => sleep(ms, signal),
  };
}

/** The machine's timers. */
export const systemTimer: Timer = (ms, ring) => {
  const timeout = setTimeout(ring, ms);
  timeout.unref();
  return () => clearTimeout(timeout);
};

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = (): void => {
      clearTimeout(timer);
      reject(
        new BinauthzError('CANCELLED', 'the run was cancelled', { hint: 'run again: whatever was posted already is found and left alone' }),
      );
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', cancel);
      resolve();
    }, ms);
    if (signal.aborted) cancel();
    else signal.addEventListener('abort', cancel, { once: true });
  });
}
