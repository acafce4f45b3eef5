// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { ERROR_CODES, EXIT_CODES } from '../../src/core/error-codes.js';
import { asError, asErrors, BinauthzError, BinauthzErrors, exitCodeOf, type ErrorCode } from '../../src/core/errors.js';
import { Secret } from '../../src/core/secret.js';

const errors = (...codes: readonly ErrorCode[]): readonly BinauthzError[] => codes.map((code) => new BinauthzError(code, code));

describe('exit codes', () => {
  it.each<[number, readonly ErrorCode[]]>([
    [0, []],
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

  it('of every error are documented', () => {
    const documented = EXIT_CODES.flatMap(({ code }) => code.split(', '));
    for (const [code, { exit, meaning, fix }] of Object.entries(ERROR_CODES)) {
      expect(documented).toContain(String(exit));
      expect([code, meaning.endsWith('.'), fix.length > 0]).toEqual([code, true, true]);
    }
  });
});

describe('an error', () => {
  it('is one line', () => {
    expect(new BinauthzError('INTERNAL', 'first\r\n  second\nthird').message).toBe('first second third');
  });

  it.each<[string, unknown, ErrorCode]>([
    ['ours', new BinauthzError('TAG_MOVED', 'x'), 'TAG_MOVED'],
    ['several of ours', new BinauthzErrors([new BinauthzError('TAG_MOVED', 'x'), new BinauthzError('INTERNAL', 'y')]), 'TAG_MOVED'],
    ['a foreign one', new TypeError('x'), 'INTERNAL'],
    ['a text', 'x', 'INTERNAL'],
    ['nothing', undefined, 'INTERNAL'],
    ['a value without a text', Object.create(null), 'INTERNAL'],
  ])('is made of %s', (_title, thrown, code) => {
    expect(asError(thrown).code).toBe(code);
    expect(asErrors(thrown)[0].code).toBe(code);
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
