// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { REASON_CODES, worst, type Verdict } from '../../src/core/policy/verdict.js';
import { documentedRows } from '../support/doc-tables.js';

describe('reason codes', () => {
  it('are documented with their meaning, each of them and no other', () => {
    const table = Object.entries(REASON_CODES).map(([code, meaning]) => [`\`${code}\``, meaning]);
    expect(table).toEqual(documentedRows('docs/ERRORS.md', '# Reasons of a check'));
  });

  it.each(Object.entries(REASON_CODES))('%s is told in sentences', (_code, meaning) => {
    expect(meaning).toMatch(/^[A-Z].{10,}\.$/);
  });
});

describe('the verdict over several images (contract)', () => {
  it.each<[verdicts: readonly Verdict[], overall: Verdict]>([
    [[], 'UNKNOWN'],
    [['ALLOWED'], 'ALLOWED'],
    [['ALLOWED', 'ALLOWED_DRY_RUN'], 'ALLOWED_DRY_RUN'],
    [['ALLOWED_BREAK_GLASS', 'ALLOWED_DRY_RUN'], 'ALLOWED_BREAK_GLASS'],
    [['ALLOWED_BREAK_GLASS', 'NOT_ENFORCED'], 'NOT_ENFORCED'],
    [['UNKNOWN', 'NOT_ENFORCED'], 'UNKNOWN'],
    [['DENIED', 'UNKNOWN', 'ALLOWED'], 'DENIED'],
  ])('of %j is %s', (verdicts, overall) => expect(worst(verdicts)).toBe(overall));
});
