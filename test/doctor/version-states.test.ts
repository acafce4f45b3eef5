// SPDX-License-Identifier: Apache-2.0
// Which versions of a key doctor asks about where none is enabled, and when it asks about none.
import { describe, expect, it } from 'vitest';
import type { KeyFacts } from '../../src/core/doctor/facts.js';
import { BinauthzError } from '../../src/core/errors.js';
import type { KeyVersionName } from '../../src/core/names.js';
import { withVersions } from '../../src/usecases/steps/examine-versions.js';
import { failed, KEY, kmsKey, ok } from '../support/doctor-facts.js';

const unopened = failed('KEY_UNUSABLE', 'it has no enabled version');
const whole = (overrides: Partial<KeyFacts> = {}): KeyFacts =>
  kmsKey({ source: { kind: 'kms-key', key: KEY }, opened: unopened, ...overrides });
const named = (number: number) => `${KEY}/cryptoKeyVersions/${number}` as KeyVersionName;

/** A key with so many versions, the state of each by its number; and what was asked for. */
function states(count: number, stateOf: (number: number) => string | BinauthzError = () => 'DISABLED') {
  const asked: number[] = [];
  const state = async (version: KeyVersionName): Promise<string> => {
    const number = Number(version.split('/').at(-1));
    asked.push(number);
    const answer = number > count ? new BinauthzError('KEY_NOT_FOUND', `no ${version}`) : stateOf(number);
    if (answer instanceof BinauthzError) throw answer;
    return answer;
  };
  return { ports: { keyStates: { state } }, asked };
}

describe('the versions of a key without an enabled one', () => {
  it.each([
    [0, 2],
    [1, 2],
    [2, 6],
    [3, 6],
    [7, 14],
    [62, 62],
    [100, 62],
  ])('are %i, the newest first, for %i questions', async (count, questions) => {
    const { ports, asked } = states(count, (number) => `STATE_${number}`);
    const { kms } = await withVersions(whole(), ports);
    const seen = Math.min(count, 62);
    const expected = Array.from({ length: seen }, (_, index) => ({ version: named(seen - index), state: `STATE_${seen - index}` }));
    expect(kms?.versions).toEqual(ok(expected));
    expect(asked).toHaveLength(questions);
  });

  it('are not known where one of them cannot be read', async () => {
    const { ports } = states(3, (number) => (number === 2 ? new BinauthzError('PERMISSION_DENIED', 'no') : 'DISABLED'));
    expect((await withVersions(whole(), ports)).kms?.versions).toMatchObject({ ok: false, error: { code: 'PERMISSION_DENIED' } });
  });

  it.each<[string, KeyFacts]>([
    ['the key opens', whole({ opened: kmsKey().opened })],
    ['the key is missing', whole({ opened: failed('KEY_NOT_FOUND') })],
    ['a version was named', kmsKey({ opened: unopened })],
  ])('are no question where %s', async (_title, facts) => {
    const { ports, asked } = states(3);
    expect(await withVersions(facts, ports)).toBe(facts);
    expect(asked).toEqual([]);
  });
});
