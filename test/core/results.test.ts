// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { BinauthzError } from '../../src/core/errors.js';
import { reportOf } from '../../src/core/results.js';

describe('an error in a result (contract)', () => {
  it('has its code, message and exit code', () => {
    expect(reportOf(new BinauthzError('TAG_MOVED', 'no'))).toStrictEqual({ code: 'TAG_MOVED', message: 'no', exitCode: 7 });
  });

  it('has resource and hint where the error has them', () => {
    expect(reportOf(new BinauthzError('NOT_VISIBLE', 'no', { resource: 'projects/p', hint: 'run again' }))).toStrictEqual({
      code: 'NOT_VISIBLE',
      message: 'no',
      resource: 'projects/p',
      hint: 'run again',
      exitCode: 8,
    });
  });
});
