// SPDX-License-Identifier: Apache-2.0
// What was just made at Google takes a while to be known everywhere at Google.
import { asError, type BinauthzError } from '../../core/errors.js';
import { backoff } from '../../core/retry.js';
import type { Clock } from '../../ports/clock.js';
import type { Reporter } from '../../ports/reporter.js';

export interface SettlingPorts {
  readonly clock: Clock;
  readonly reporter: Reporter;
}

const PAUSES = { firstMs: 1_000, longestMs: 10_000 };

/** Does the work again while it fails only because something new is not known yet, for at most `patienceMs`. */
export async function untilSettled<T>(
  work: () => Promise<T>,
  isSettling: (error: BinauthzError) => boolean,
  { clock, reporter, patienceMs }: SettlingPorts & { readonly patienceMs: number },
): Promise<T> {
  const deadline = clock.now() + patienceMs;
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (thrown) {
      const error = asError(thrown);
      if (!isSettling(error) || clock.now() >= deadline) throw thrown;
      const pauseMs = backoff(attempt, clock.random(), PAUSES);
      reporter.info(`${error.message}; it may just not be known everywhere yet: trying again in ${pauseMs} ms`);
      await clock.sleep(pauseMs);
    }
  }
}
