// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { renderResult } from '../../src/hosts/cli/render.js';
import { styleFor } from '../../src/hosts/cli/terminal.js';
import type { CheckedOccurrence, CheckResult, ListResult } from '../../src/core/results.js';
import { matrixOfCheck, matrixOfList } from '../../src/reports/attestation-matrix.js';
import { checkMarkdown } from '../../src/reports/check-markdown.js';
import { checkText } from '../../src/reports/check-text.js';
import { allowed, checked, denied, digest, HOSTILE, MISSING } from '../support/check-results.js';

const PLAIN = styleFor(false, undefined);
const CI = 'projects/p/attestors/built-by-ci';
const QA = 'projects/p/attestors/approved-by-qa';
const TIME = '2026-01-02T03:04:05Z';

const occurrence = (attestor: string, parts: Partial<CheckedOccurrence> = {}): CheckedOccurrence => ({
  attestor,
  occurrence: 'projects/p/occurrences/1',
  digest: digest('a'),
  publicKeyId: '//cloudkms/k/1',
  createTime: TIME,
  verified: true,
  ...parts,
});
const partly = denied({ digest: digest('a'), reasons: [{ ...MISSING, attestor: QA }], occurrences: [occurrence(CI)] });
const whole = allowed({
  digest: digest('b'),
  reasons: [
    { code: 'ATTESTED', message: 'x', attestor: CI },
    { code: 'ATTESTED', message: 'x', attestor: QA },
  ],
  occurrences: [occurrence(CI, { digest: digest('b') }), occurrence(QA, { digest: digest('b'), publicKeyId: 'ABCD' })],
});

describe('who signed what in a check', () => {
  test('has a cell for every attestor that the rule requires, with its key and time', () =>
    expect(matrixOfCheck(checked([partly, whole]))).toEqual([
      {
        image: partly.image,
        cells: [
          { attestor: QA, state: 'missing' },
          { attestor: CI, state: 'signed', key: '//cloudkms/k/1', time: TIME },
        ],
      },
      {
        image: whole.image,
        cells: [
          { attestor: QA, state: 'signed', key: 'ABCD', time: TIME },
          { attestor: CI, state: 'signed', key: '//cloudkms/k/1', time: TIME },
        ],
      },
    ]));
  test('counts what verifies before what does not, and only the digest that was judged', () => {
    const bad = occurrence(QA, { verified: false, publicKeyId: 'bad', digest: digest('c') });
    const index = occurrence(QA, { publicKeyId: 'index' });
    const cellOf = (...occurrences: CheckedOccurrence[]) =>
      matrixOfCheck(checked([{ ...partly, childDigest: digest('c'), occurrences }]))[0]?.cells.find(({ attestor }) => attestor === QA);
    const ci = occurrence(CI, { digest: digest('c') });
    expect(cellOf(ci, bad, occurrence(QA, { digest: digest('c'), publicKeyId: 'good' }))).toMatchObject({ state: 'signed', key: 'good' });
    expect(cellOf(ci, bad)).toMatchObject({ state: 'not valid', key: 'bad' });
    expect(cellOf(ci, index)).toEqual({ attestor: QA, state: 'missing' });
  });
  test('is not shown for one attestor, and once for the same image in many places', () => {
    expect(matrixOfCheck(checked([denied({ occurrences: [] }), allowed()]))).toEqual([]);
    expect(matrixOfCheck(checked([partly, { ...partly, sources: [] }]))).toHaveLength(1);
  });
  test('as text', () =>
    expect(
      checkText(checked([partly]), PLAIN)
        .split('\n')
        .slice(-6),
    ).toEqual([
      'attestors:',
      `  ${partly.image}`,
      `    ${QA}  missing`,
      `    ${CI}     signed by //cloudkms/k/1 at ${TIME}`,
      'DENIED: 1 DENIED of 1 image, under projects/p/policy on GKE cluster us-central1-a.prod',
      '',
    ]));
  test('as Markdown: a column for each attestor', () => {
    const lines = checkMarkdown(checked([partly, whole])).split('\n');
    const at = lines.indexOf('#### Attestors');
    expect(lines[at + 2]).toBe(`| Image | <code>${QA}</code> | <code>${CI}</code> |`);
    expect(lines[at + 4]).toMatch(/\| ❌ missing \| ✅ signed by /);
    expect(lines[at + 5]).toMatch(/\| ✅ signed by ABCD at .* \| ✅ signed by /);
    expect(checkMarkdown(checked([allowed()]))).not.toContain('#### Attestors');
  });
  test('stays within its bounds', () => {
    const many = (count: number): CheckResult =>
      checked(Array.from({ length: count }, (_, index) => ({ ...partly, image: `gcr.io/p/app-${index}@${digest('a')}` })));
    expect(checkText(many(60), PLAIN)).toContain('  … and 10 more images (--output json has all of them)\n');
    expect(new TextEncoder().encode(checkMarkdown(many(5_000))).length).toBeLessThan(256 * 1024);
    const wide = { ...partly, occurrences: Array.from({ length: 20 }, (_, index) => occurrence(`projects/p/attestors/${index}`)) };
    expect(checkMarkdown(checked([wide]))).toContain('… and 15 more attestors in the report');
  });
  test.each(HOSTILE)('obeys nothing of %j', (text) => {
    const half = (word: string): CheckResult =>
      checked([{ ...partly, image: word, occurrences: [occurrence(word, { publicKeyId: word, createTime: word })] }]);
    const lineCount = (report: string): number => report.split('\n').length;
    expect(lineCount(checkText(half(text), PLAIN))).toBe(lineCount(checkText(half('harmless'), PLAIN)));
    expect(lineCount(checkMarkdown(half(text)))).toBe(lineCount(checkMarkdown(half('harmless'))));
    expect(checkMarkdown(half('harmless'))).toContain('signed by harmless at harmless');
  });
});

describe('who signed what in a listing', () => {
  const row = { image: `gcr.io/p/app@${digest('a')}`, digest: digest('a'), occurrence: 'o', publicKeyId: 'k', verified: true };
  const listed = (...attestors: readonly string[]): ListResult => ({
    schema: 'binauthz.list/v1',
    attestations: attestors.map((attestor) => ({ ...row, attestor })),
  });
  test('of two attestors', () => {
    expect(matrixOfList(listed(CI, QA))[0]?.cells.map(({ state }) => state)).toEqual(['signed', 'signed']);
    expect(renderResult(listed(CI, QA), PLAIN).split('\n').slice(-5)).toEqual([
      'attestors:',
      `  ${row.image}`,
      `    ${CI}     signed by k`,
      `    ${QA}  signed by k`,
      '',
    ]);
  });
  test('is not shown for one, nor for an occurrence that is nobody’s', () => {
    expect(matrixOfList(listed(CI, CI))).toEqual([]);
    expect(matrixOfList(listed(CI, ''))).toEqual([]);
    expect(renderResult(listed(CI), PLAIN)).not.toContain('attestors:');
  });
});
