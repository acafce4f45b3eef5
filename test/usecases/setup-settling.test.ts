// SPDX-License-Identifier: Apache-2.0
// What was just made at Google and is not known everywhere yet: what is tried again, how often and for how long.
import { describe, expect, it } from 'vitest';
import { BinauthzError } from '../../src/core/errors.js';
import { untilSettled } from '../../src/usecases/steps/settling.js';
import { fakePace } from '../support/fake-pace.js';

const unknown = new BinauthzError('NOT_FOUND', 'no such account');
const refused = new BinauthzError('PERMISSION_DENIED', 'not allowed');

/** Work that fails with these errors, one after the other, and then succeeds. */
async function settled(errors: readonly Error[], patienceMs: number) {
  const clock = fakePace(0);
  const said: string[] = [];
  const say = (text: string): void => void said.push(text);
  const left = [...errors];
  let calls = 0;
  const work = (): Promise<string> => {
    calls += 1;
    const error = left.shift();
    return error ? Promise.reject(error) : Promise.resolve('done');
  };
  const outcome = await untilSettled(work, ({ code }) => code === 'NOT_FOUND', {
    clock,
    patienceMs,
    reporter: { step: say, info: say, warn: say, debug: say },
  }).catch((error: unknown) => error);
  return { outcome, calls, said, pauses: clock.pauses, tookMs: clock.now() };
}

describe('what is not known everywhere yet', () => {
  it('is tried once where it is known', async () =>
    expect(await settled([], 60_000)).toEqual({ outcome: 'done', calls: 1, said: [], pauses: [], tookMs: 0 }));

  it('is tried again, more and more seldom, which is said', async () => {
    const { outcome, pauses, said } = await settled(Array<Error>(6).fill(unknown), 600_000);
    expect([outcome, pauses]).toEqual(['done', [750, 1_500, 3_000, 6_000, 7_500, 7_500]]);
    expect(said.slice(0, 2)).toEqual([
      'no such account; it may just not be known everywhere yet: trying again in 750 ms',
      'no such account; it may just not be known everywhere yet: trying again in 1500 ms',
    ]);
  });

  it('fails at the end of the patience, not before and not after', async () => {
    const always = Array<Error>(50).fill(unknown);
    expect(await settled(always, 750 + 1_500)).toMatchObject({ outcome: unknown, calls: 3, tookMs: 2_250 });
    expect(await settled(always, 750 + 1_500 + 1)).toMatchObject({ outcome: unknown, calls: 4, tookMs: 5_250 });
    expect(await settled(always, 0)).toMatchObject({ outcome: unknown, calls: 1, pauses: [] });
  });

  it('is not what fails for another reason', async () => {
    expect(await settled([refused], 60_000)).toMatchObject({ outcome: refused, calls: 1, pauses: [] });
    expect(await settled([unknown, refused], 60_000)).toMatchObject({ outcome: refused, calls: 2, pauses: [750] });
  });

  it('is no foreign error, which comes out as it is', async () => {
    const foreign = new TypeError('a bug');
    expect(await settled([foreign], 60_000)).toMatchObject({ outcome: foreign, calls: 1 });
  });
});
