// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { asError, asErrors, BinauthzError, BinauthzErrors, exitCodeOf, type ErrorCode } from '../../src/core/errors.js';
import { Secret } from '../../src/core/secret.js';

const errors = (...codes: readonly ErrorCode[]): readonly BinauthzError[] => codes.map((code) => new BinauthzError(code, code));

describe('exit codes', () => {
  it.each<[number, readonly ErrorCode[]]>([
    [0, []],
    [130, ['INVALID_INPUT', 'INTERNAL', 'CANCELLED', 'SIGNATURE_INVALID']],
    [2, ['INTERNAL', 'INVALID_INPUT', 'SIGNATURE_INVALID']],
    [1, ['SIGNATURE_INVALID', 'INTERNAL', 'PERMISSION_DENIED']],
    [7, ['UNDECIDED', 'NOT_VISIBLE', 'UNAVAILABLE', 'IMAGE_NOT_FOUND', 'PERMISSION_DENIED', 'SIGNATURE_INVALID']],
    [5, ['UNDECIDED', 'NOT_VISIBLE', 'UNAVAILABLE', 'IMAGE_NOT_FOUND', 'PERMISSION_DENIED']],
    [6, ['UNDECIDED', 'NOT_VISIBLE', 'UNAVAILABLE', 'IMAGE_NOT_FOUND']],
    [9, ['UNDECIDED', 'POLICY_DENIED', 'NOT_VISIBLE', 'UNAVAILABLE']],
    [8, ['UNDECIDED', 'POLICY_DENIED', 'NOT_VISIBLE']],
    [3, ['UNDECIDED', 'POLICY_DENIED']],
    [4, ['UNDECIDED']],
  ])('%i wins among %j', (exitCode, codes) => {
    expect(exitCodeOf(errors(...codes))).toBe(exitCode);
    expect(exitCodeOf([...errors(...codes)].reverse())).toBe(exitCode);
  });
});

describe('an error', () => {
  it('is one line', () => {
    expect(new BinauthzError('INTERNAL', 'first\r\n  second\nthird').message).toBe('first second third');
  });

  it.each<[string, unknown, string]>([
    ['an error', new TypeError('x'), 'unexpected failure: TypeError: x'],
    ['a text', 'x', 'unexpected failure: x'],
    ['nothing', undefined, 'unexpected failure: undefined'],
    ['a value without a text', Object.create(null), 'unexpected failure: a value without a text was thrown'],
  ])('that is foreign, such as %s, is a bug of ours', (_title, thrown, message) => {
    expect(asErrors(thrown)).toEqual([asError(thrown)]);
    expect(asError(thrown)).toMatchObject({ name: 'BinauthzError', code: 'INTERNAL', exitCode: 1, message });
    expect(asError(thrown).cause).toBe(thrown);
    expect(asError(thrown).hint).toBe(
      'this is a bug in binauthz: please report it with the output of a run with --verbose (on GitHub: with debug logging enabled)',
    );
  });

  it('of ours stays what it is', () => {
    const [first, second] = [new BinauthzError('TAG_MOVED', 'x'), new BinauthzError('INTERNAL', 'y')];
    const several = new BinauthzErrors([first, second]);
    expect(asError(first)).toBe(first);
    expect(asErrors(first)).toEqual([first]);
    expect(asError(several)).toBe(first);
    expect(asErrors(several)).toBe(several.errors);
    expect([several.name, several.message]).toEqual(['BinauthzErrors', 'x; y']);
  });

  it('carries what it is given, and nothing else', () => {
    const details = {
      resource: 'projects/p',
      hint: 'wait',
      cause: new Error('x'),
      transient: { kind: 'quota' },
      disabledApi: 'a',
    } as const;
    expect(new BinauthzError('QUOTA_EXHAUSTED', 'no', details)).toMatchObject({ ...details, code: 'QUOTA_EXHAUSTED', exitCode: 9 });
    const bare = new BinauthzError('INTERNAL', 'no');
    expect([bare.resource, bare.hint, bare.transient, bare.disabledApi, Object.hasOwn(bare, 'cause')]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
      false,
    ]);
  });

  it('keeps secrets out of its message, hint and resource', () => {
    const key = '-----BEGIN PGP PRIVATE KEY BLOCK-----\nabc\n-----END PGP PRIVATE KEY BLOCK-----';
    const error = new BinauthzError('INTERNAL', `cannot use ${key}`, {
      hint: 'Authorization: Bearer ya29.abcdefghij',
      resource: 'https://user:secret@example.com/v2/?token=secret',
    });
    const text = JSON.stringify([error.message, error.hint, error.resource]);
    for (const secret of ['abc', 'ya29', 'secret']) expect(text).not.toContain(secret);
  });
});

describe('a secret', () => {
  it('shows itself only when asked', () => {
    const secret = new Secret('hunter2', 'PASSWORD');
    expect([String(secret), JSON.stringify({ secret }), secret.reveal()]).toEqual([
      '[secret from PASSWORD]',
      '{"secret":"[secret from PASSWORD]"}',
      'hunter2',
    ]);
  });
});
