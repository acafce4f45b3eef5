// SPDX-License-Identifier: Apache-2.0

/** Chance that repeats: the same seed gives the same draws. */
export class Random {
  #state: number;

  constructor(seed: number) {
    // Neighbouring seeds must not give neighbouring draws.
    this.#state = Math.imul(seed ^ (seed >>> 16), 0x45d9f3b) >>> 0;
    this.next();
  }

  /** A number from 0 up to, but not including, 1 (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from `least` to `most`, both included. */
  whole(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(choices: readonly T[]): T {
    const chosen = choices[this.whole(0, choices.length - 1)];
    if (chosen === undefined) throw new Error('nothing to pick from');
    return chosen;
  }

  /** So many different ones, in random order. */
  some<T>(choices: readonly T[], count: number): readonly T[] {
    const left = [...choices];
    return Array.from({ length: Math.min(count, choices.length) }, () => left.splice(this.whole(0, left.length - 1), 1)).flat();
  }
}
