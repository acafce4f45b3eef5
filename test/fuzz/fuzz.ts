// SPDX-License-Identifier: Apache-2.0
// How many inputs each parser gets, and what every parser owes to every input.
import fc from 'fast-check';
import { BinauthzError, BinauthzErrors } from '../../src/core/errors.js';

/** Generated inputs for each parser: some thousand in a usual run, 100,000 by `npm run fuzz`. */
export const INPUTS = Number(process.env['BINAUTHZ_FUZZ_INPUTS'] ?? 2_000);
const SEED = process.env['BINAUTHZ_FUZZ_SEED'];
/** A small input that keeps a processor busy for longer is a way to stop a build; waiting for a processor is none. */
const MOST_CPU_MS = 2_000;

/** Holds a property for each generated input; a failure prints the smallest one, and the seed that repeats it. */
export async function forEachInput<T>(inputs: fc.Arbitrary<T>, property: (input: T) => unknown, share = 1): Promise<void> {
  const timely = async (input: T): Promise<void> => {
    const before = process.cpuUsage();
    await property(input);
    const { user, system } = process.cpuUsage(before);
    const took = (user + system) / 1000;
    if (took > MOST_CPU_MS) throw new Error(`it took ${Math.round(took)} ms of processor time`);
  };
  await fc.assert(fc.asyncProperty(inputs, timely), {
    numRuns: Math.ceil(INPUTS * share),
    ...(SEED === undefined ? {} : { seed: Number(SEED) }),
  });
}

/** The parser's answer, or undefined where it refused with an error of the product; anything else thrown is a crash. */
export async function answerOf<T>(parse: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await parse();
  } catch (thrown) {
    if (thrown instanceof BinauthzError && thrown.code !== 'INTERNAL') return undefined;
    if (thrown instanceof BinauthzErrors && thrown.errors.every(({ code }) => code !== 'INTERNAL')) return undefined;
    throw thrown;
  }
}
