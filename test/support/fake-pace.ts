// SPDX-License-Identifier: Apache-2.0
import type { Pace } from '../../src/core/retry.js';

/** Virtual time: sleeping moves the clock and returns at once. */
export interface FakePace extends Pace {
  /** The pauses asked for so far, in milliseconds. */
  readonly pauses: readonly number[];
  advance(ms: number): void;
}

/** No wait has so many pauses: virtual time would let one that never ends run for ever. */
const MOST_PAUSES = 2_000;

/** A pace that starts at `startMs` and always draws one half. */
export function fakePace(startMs: number = Date.now()): FakePace {
  let now = startMs;
  const pauses: number[] = [];
  return {
    pauses,
    now: () => now,
    random: () => 0.5,
    sleep: (ms) => {
      pauses.push(ms);
      now += ms;
      if (pauses.length > MOST_PAUSES) return Promise.reject(new Error(`a wait of more than ${MOST_PAUSES} pauses, the last of ${ms} ms`));
      return Promise.resolve();
    },
    advance: (ms) => {
      now += ms;
    },
  };
}
