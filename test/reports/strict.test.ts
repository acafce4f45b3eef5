// SPDX-License-Identifier: Apache-2.0
// With --strict the reports of a run that fails must not look like those of one that passes.
import { describe, expect, test } from 'vitest';
import { VERDICTS, type Verdict } from '../../src/core/policy/verdict.js';
import type { CheckResult } from '../../src/core/results.js';
import { checkAnnotations } from '../../src/hosts/action/annotations.js';
import { renderJunit, renderSarif } from '../../src/reports/verdict-files.js';
import { renderVerdictMarkdown } from '../../src/reports/verdict-markdown.js';
import { allowed, checked, denied } from '../support/check-results.js';
import { casesOf, junitProblems } from '../support/junit-schema.js';
import { sarifProblems } from '../support/sarif-schema.js';
import { parseXml } from '../support/xml.js';

const LENIENT = ['ALLOWED_DRY_RUN', 'ALLOWED_BREAK_GLASS', 'NOT_ENFORCED'] as const;
const verdicts = (check: CheckResult, strict: boolean) => ({ check, vulnerabilities: undefined, strict });
const junit = (check: CheckResult, strict: boolean): readonly (string | undefined)[] => {
  const root = parseXml(renderJunit(verdicts(check, strict)));
  expect(junitProblems(root)).toEqual([]);
  return casesOf(root).map(({ children }) => children[0]?.name);
};
const sarif = (check: CheckResult, strict: boolean): readonly { level: string; message: { text: string } }[] => {
  const document = JSON.parse(renderSarif(verdicts(check, strict), { version: '1' })) as { runs: { results: [] }[] };
  expect(sarifProblems(document)).toEqual([]);
  return document.runs[0]?.results ?? [];
};
const headline = (check: CheckResult, strict: boolean): string => renderVerdictMarkdown(verdicts(check, strict)).split('\n')[0] ?? '';
const levels = (check: CheckResult, strict: boolean): readonly string[] => checkAnnotations(check, { strict }).map(({ level }) => level);
const only = (verdict: Verdict): CheckResult => checked([verdict === 'ALLOWED' ? allowed() : denied({ verdict })]);

describe.each(LENIENT)('%s', (verdict) => {
  test('passes with a doubt where the gate is not strict', () => {
    expect(junit(only(verdict), false)).toEqual(['system-out']);
    expect(sarif(only(verdict), false).map(({ level }) => level)).toEqual(['warning']);
    expect(headline(only(verdict), false)).toBe(`### ⚠️ binauthz check: ${verdict}`);
    expect(levels(only(verdict), false)).toEqual(['warning', 'warning']);
  });
  test('fails in every report where it is, and says why', () => {
    expect(junit(only(verdict), true)).toEqual(['failure']);
    expect(renderJunit(verdicts(only(verdict), true))).toContain(`message="${verdict}, and only ALLOWED is accepted: `);
    const [result] = sarif(only(verdict), true);
    expect([result?.level, result?.message.text]).toEqual([
      'error',
      expect.stringMatching(new RegExp(`^${verdict}, and only ALLOWED is accepted: `)),
    ]);
    expect(headline(only(verdict), true)).toBe(`### ❌ binauthz check: ${verdict}, and only ALLOWED is accepted`);
    expect(levels(only(verdict), true)).toEqual(['error', 'error']);
  });
});

test.each(VERDICTS.filter((verdict) => !LENIENT.some((lenient) => lenient === verdict)))('strictness changes nothing of %s', (verdict) => {
  const check = only(verdict);
  expect(renderJunit(verdicts(check, true))).toBe(renderJunit(verdicts(check, false)));
  expect(renderSarif(verdicts(check, true), { version: '1' })).toBe(renderSarif(verdicts(check, false), { version: '1' }));
  expect(renderVerdictMarkdown(verdicts(check, true))).toBe(renderVerdictMarkdown(verdicts(check, false)));
  expect(checkAnnotations(check, { strict: true })).toEqual(checkAnnotations(check));
});

test('every image is judged by itself: a pass stays one beside what strictness refuses', () => {
  const check = checked([allowed(), denied({ verdict: 'ALLOWED_DRY_RUN' }), denied({ verdict: 'UNKNOWN' }), denied()]);
  expect(junit(check, true)).toEqual(['system-out', 'failure', 'error', 'failure']);
  expect(junit(check, false)).toEqual(['system-out', 'system-out', 'error', 'failure']);
  expect(levels(check, true)).toEqual(['error', 'error', 'error', 'error']);
});
