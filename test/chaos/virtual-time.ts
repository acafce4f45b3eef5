// SPDX-License-Identifier: Apache-2.0
// One time for the product and the emulator that costs nothing to wait for: it stands still while anything is under
// way, and leaps to the next sleeper's end once everybody sleeps.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ClientRequest } from 'node:http';
import { BinauthzError } from '../../src/core/errors.js';
import type { EmulatorClock } from '../../src/emulator/world.js';
import type { Clock } from '../../src/ports/clock.js';

/** Turns of the event loop without a request before everybody is taken to sleep: a promise chain may need some. */
const IDLE_TURNS = 3;
const REQUEST_STARTED = 'http.client.request.start';

interface Sleeper {
  readonly until: number;
  readonly wake: () => void;
  /** The emulator sleeps inside of a request, which is then not under way. */
  readonly holdsRequest: boolean;
}

/** A product's clock, and the end of all its sleeps. */
export interface ProductClock extends Clock {
  cancel(): void;
}

/** Virtual time. Every request that goes out over node:http in this process keeps it from leaping. */
export class VirtualTime {
  // The shipped program knows no other time than the machine's, so this one begins there.
  #now = Date.now();
  #requests = 0;
  #isWatching = false;
  #isStill = false;
  readonly #sleepers = new Set<Sleeper>();
  readonly #onRequest = (message: unknown): void => {
    this.#requests += 1;
    (message as { request: ClientRequest }).request.once('close', () => {
      this.#requests -= 1;
    });
  };

  constructor() {
    subscribe(REQUEST_STARTED, this.#onRequest);
  }

  now(): number {
    return this.#now;
  }

  /** The emulator's clock: its sleeps delay a request. */
  readonly emulatorClock: EmulatorClock = {
    now: () => this.#now,
    sleep: (ms) => new Promise((wake) => this.#add({ until: this.#now + ms, wake, holdsRequest: true })),
  };

  /** Resolves after so much virtual time, whoever else is awake. */
  pause(ms: number): Promise<void> {
    return new Promise((wake) => this.#add({ until: this.#now + ms, wake, holdsRequest: false }));
  }

  /** A clock for one run of the product, ahead of the emulator's by `skewMs`. */
  clock(skewMs: number, random: () => number): ProductClock {
    const cancellations = new Set<() => void>();
    let isCancelled = false;
    const sleep = (ms: number): Promise<void> =>
      new Promise((resolve, reject) => {
        const wake = (): void => {
          cancellations.delete(cancel);
          resolve();
        };
        const sleeper = { until: this.#now + ms, wake, holdsRequest: false };
        const cancel = (): void => {
          this.#sleepers.delete(sleeper);
          reject(new BinauthzError('CANCELLED', 'the run was cancelled', { hint: 'run again' }));
        };
        if (isCancelled) return cancel();
        cancellations.add(cancel);
        this.#add(sleeper);
      });
    const cancel = (): void => {
      isCancelled = true;
      for (const end of cancellations) end();
    };
    return { now: () => this.#now + skewMs, random, sleep, cancel };
  }

  /** Keeps time from leaping while something is looked at, whoever sleeps. */
  async still<T>(look: () => Promise<T>): Promise<T> {
    this.#isStill = true;
    try {
      return await look();
    } finally {
      this.#isStill = false;
    }
  }

  /** Lets everything that still sleeps come to its end. */
  async settle(): Promise<void> {
    while (this.#sleepers.size > 0) await turn();
  }

  close(): void {
    unsubscribe(REQUEST_STARTED, this.#onRequest);
  }

  #add(sleeper: Sleeper): void {
    this.#sleepers.add(sleeper);
    if (this.#isWatching) return;
    this.#isWatching = true;
    void this.#watch();
  }

  async #watch(): Promise<void> {
    for (let idleTurns = 0; this.#sleepers.size > 0;) {
      await turn();
      const held = [...this.#sleepers].filter(({ holdsRequest }) => holdsRequest).length;
      idleTurns = this.#isStill || this.#requests > held ? 0 : idleTurns + 1;
      if (idleTurns < IDLE_TURNS) continue;
      idleTurns = 0;
      this.#leap();
    }
    this.#isWatching = false;
  }

  #leap(): void {
    const until = Math.min(...[...this.#sleepers].map((sleeper) => sleeper.until));
    this.#now = Math.max(this.#now, until);
    for (const sleeper of this.#sleepers) {
      if (sleeper.until > this.#now) continue;
      this.#sleepers.delete(sleeper);
      sleeper.wake();
    }
  }
}

function turn(): Promise<void> {
  return new Promise(setImmediate);
}
