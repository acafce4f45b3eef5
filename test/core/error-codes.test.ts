// SPDX-License-Identifier: Apache-2.0
// The documents are written from these tables (npm run docs), and are the expectation here: a code, an exit or a text
// that changes is seen in the review of a page that users read.
import { describe, expect, it } from 'vitest';
import { ERROR_CODES, EXIT_CODES } from '../../src/core/error-codes.js';
import { documentedRows } from '../support/doc-tables.js';

describe('error codes', () => {
  it('are documented with their exit, meaning and fix, each of them and no other', () => {
    const table = Object.entries(ERROR_CODES).map(([code, { exit, meaning, fix }]) => [`\`${code}\``, String(exit), meaning, fix]);
    expect(table).toEqual(documentedRows('docs/ERRORS.md', '# Errors'));
  });

  it.each(Object.entries(ERROR_CODES))('%s exits as the contract says, and is told in sentences', (code, { exit, meaning, fix }) => {
    expect(code).toMatch(/^[A-Z]+(?:_[A-Z]+)*$/);
    expect(EXIT_CODES.flatMap((row) => row.code.split(', '))).toContain(String(exit));
    expect(meaning).toMatch(/^[A-Z`].{10,}\.$/);
    expect(fix).toMatch(/^[A-Z`].*[.`]$/);
  });
});

describe('exit codes', () => {
  it('are documented in the README', () => {
    expect(EXIT_CODES.map(({ code, meaning }) => [code, meaning])).toEqual(documentedRows('README.md', '<!-- exit-codes:begin'));
  });
});
