// SPDX-License-Identifier: Apache-2.0
// Work on many images side by side: bounded, in order, and never ended by the failure of one.
import { describe, expect, it } from 'vitest';
import { BinauthzError, BinauthzErrors } from '../../src/core/errors.js';
import { concurrently, errorsOf, settle, valuesOf } from '../../src/usecases/steps/concurrently.js';

const failure = (message: string): BinauthzError => new BinauthzError('UNAVAILABLE', message);
const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index);

/** How many of `count` pieces of work are in flight at once at most; those that come first take longest. */
async function mostInFlight(count: number, limit?: number): Promise<number> {
  let [inFlight, most] = [0, 0];
  const work = async (item: number): Promise<number> => {
    inFlight += 1;
    most = Math.max(most, inFlight);
    for (let turn = count; turn > item; turn--) await Promise.resolve();
    inFlight -= 1;
    return item;
  };
  const settled = await concurrently(numbers(count), work, ...(limit === undefined ? [] : [limit]));
  expect(valuesOf(settled)).toEqual(numbers(count));
  return most;
}

describe('work side by side', () => {
  it.each<[number, number | undefined, number]>([
    [5, 2, 2],
    [2, 5, 2],
    [40, undefined, 16],
    [0, undefined, 0],
  ])('on %i items with a limit of %s has %i in flight', async (count, limit, most) => expect(await mostInFlight(count, limit)).toBe(most));

  it('settles every item, in order, with its place and all of its errors', async () => {
    const settled = await concurrently(['a', 'b', 'c', 'd'], (item, index) => {
      if (item === 'b') return Promise.reject(failure('b'));
      if (item === 'c') return Promise.reject(new BinauthzErrors([failure('c 1'), failure('c 2')]));
      return Promise.resolve(`${item} ${index}`);
    });
    expect(settled.map(({ ok }) => ok)).toEqual([true, false, false, true]);
    expect(valuesOf(settled)).toEqual(['a 0', 'd 3']);
    expect(errorsOf(settled).map(({ message }) => message)).toEqual(['b', 'c 1', 'c 2']);
  });

  it('takes a foreign error for a bug', async () =>
    expect(errorsOf([await settle(Promise.reject(new Error('foreign')))])).toMatchObject([{ code: 'INTERNAL' }]));
});
