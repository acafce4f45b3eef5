// SPDX-License-Identifier: Apache-2.0
// An audit as text, Markdown and SARIF: what came from a workload's author is shown, and obeyed by nothing.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import Ajv from 'ajv';
import { describe, expect, it } from 'vitest';
import { collectEvents, groupsOf } from '../../src/core/audit/events.js';
import { readinessOf } from '../../src/core/audit/readiness.js';
import type { AuditResult } from '../../src/core/operation-results.js';
import { auditMarkdown } from '../../src/reports/audit-markdown.js';
import { auditSarif } from '../../src/reports/audit-sarif.js';
import { auditText } from '../../src/reports/audit-text.js';
import { EVENTS } from '../support/audit-cases.js';
import { denied, pod, revision, RUN_ANNOTATION, type Entry } from '../support/log-entries.js';

const schema = JSON.parse(
  readFileSync(createRequire(import.meta.url).resolve('schemastore/schemas/json/sarif-2.1.0.json'), 'utf8'),
) as object;
const validate = new Ajv({ schemaId: 'auto', unknownFormats: 'ignore', logger: false }).compile(schema);
const STYLE = {
  bad: (text: string) => text,
  doubtful: (text: string) => text,
  good: (text: string) => text,
  faint: (text: string) => text,
};
const SINCE = '2026-11-14T00:00:00.000Z';
const UNTIL = '2026-11-21T00:00:00.000Z';

function resultOf(entries: readonly Entry[], more: Partial<AuditResult> = {}): AuditResult {
  const collector = collectEvents();
  collector.add(entries.map((entry, index) => ({ timestamp: `2026-11-20T10:00:0${index % 10}Z`, insertId: `i${index}`, ...entry })));
  const events = collector.events();
  const complete = more.complete ?? true;
  const period = { since: SINCE, until: UNTIL };
  return {
    schema: 'binauthz.audit/v1',
    project: 'shop-prod',
    ...period,
    complete,
    events,
    groups: groupsOf(events),
    readiness: readinessOf(events, { ...period, complete }),
    ...more,
  };
}

const HOSTILE =
  '\u001b[2J\u202e](https://evil.example/) <img src=x> | `x` **b** @team ::error::x\n| **DENIED** |\r\n### no event \u0000\u2028';
const hostile = resultOf([
  denied(1, { workload: HOSTILE, principal: HOSTILE, pod: { spec: { containers: [{ image: HOSTILE }] } } }),
  denied(2, { refusal: { reason: 'VIOLATES_POLICY', message: `not this image: ${HOSTILE}` } }),
  revision(3, { annotations: { [RUN_ANNOTATION]: HOSTILE } }),
]);
const all = resultOf(EVENTS.flatMap(([, , make]) => [make(1), make(2)]));
const sarif = (result: AuditResult) =>
  JSON.parse(auditSarif(result, { version: '1.0.0', fallbackFile: '.github/workflows/audit.yml' })) as {
    runs: {
      results: { message: { text: string }; partialFingerprints: Record<string, string> }[];
      invocations: { executionSuccessful: boolean }[];
    }[];
  };

describe('what a workload’s author wrote', () => {
  it('is in the result', () => expect(hostile.events).toHaveLength(3));

  it('steers no terminal, and begins no line', () => {
    const text = auditText(hostile, STYLE);
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e\u2028]/);
    expect(text.split('\n').filter((line) => /^(?:### no event|\| \*\*DENIED)/.test(line))).toEqual([]);
  });

  it('is no Markdown', () => {
    const text = auditMarkdown(hostile, 100_000);
    expect(text).not.toMatch(/<img|https:\/\/evil|\]\(|`x`|[\u0000-\u0009\u001b\u202e]/);
    expect(text).not.toMatch(/^### no event/m);
    const rows = text.split('\n').filter((line) => line.startsWith('| '));
    expect(new Set(rows.map((row) => row.split(' | ').length))).toEqual(new Set([6]));
    expect(rows).toHaveLength(2 + hostile.groups.length);
    expect(text).not.toMatch(/(^|[^&])@team/);
  });

  it('is no link in SARIF', () => {
    const [run] = sarif(hostile).runs;
    for (const { message } of run?.results ?? []) expect(message.text).not.toMatch(/\]\(|[\u0000-\u001f\u202e]/);
  });
});

describe('SARIF', () => {
  it.each<[string, AuditResult]>([
    ['every kind of event', all],
    ['hostile events', hostile],
    ['no event', resultOf([])],
    [
      'an incomplete read',
      resultOf([], { complete: false, errors: [{ code: 'LOGS_INCOMPLETE', message: 'm', exitCode: 4 }], warnings: ['w'], emulator: true }),
    ],
  ])('of %s is of the published schema', (_, result) => {
    const report = sarif(result);
    expect(validate(report) ? [] : validate.errors).toEqual([]);
    expect(report.runs[0]?.results).toHaveLength(result.groups.length);
    expect(report.runs[0]?.invocations[0]?.executionSuccessful).toBe(result.complete);
  });

  it('tells results apart, and knows them again', () => {
    const prints = (result: AuditResult) =>
      sarif(result).runs[0]?.results.map(({ partialFingerprints }) => partialFingerprints['primaryLocationLineHash']);
    expect(new Set(prints(all)).size).toBe(all.groups.length);
    expect(prints(all)).toEqual(prints(all));
  });
});

describe('Markdown', () => {
  it('keeps to its size, and says what it left out', () => {
    const many = resultOf(
      Array.from({ length: 500 }, (_, index) => pod(index, { podLabels: { 'image-policy.k8s.io/break-glass': 'true' } })),
    );
    const text = auditMarkdown(many, 20_000);
    expect(text.length).toBeLessThan(25_000);
    expect(text).toMatch(/^… and \d+ more in the report$/m);
  });

  it('says that a read was not complete', () =>
    expect(auditMarkdown(resultOf([], { complete: false }), 1_000)).toContain('**Incomplete:**'));
});

describe('the verdict of a dry run', () => {
  const statement = (entries: readonly Entry[], complete = true): string => resultOf(entries, { complete }).readiness.statement;
  const [, , dryRun] = EVENTS.find(([what]) => what === 'a dry run') ?? [];
  const [, , failOpen] = EVENTS.find(([what]) => what === 'fail-open') ?? [];

  it('is ready without would-be denials, and claims no more than was seen', () =>
    expect(statement([])).toMatch(/^0 would-be denials in 7 days: ready to enforce what was deployed .*which these logs cannot show$/));
  it('is not ready with one', () =>
    expect(statement(dryRun ? [dryRun(1)] : [])).toMatch(/^1 would-be denial in 7 days: not ready to enforce/));
  it('is unknown where not everything was read', () => expect(statement([], false)).toMatch(/^unknown: /));
  it('is not ready where not everything was read, but one was', () =>
    expect(statement(dryRun ? [dryRun(1)] : [], false)).toMatch(/may not have been read: not ready/));
  it('names admissions that nothing checked', () =>
    expect(statement(failOpen ? [failOpen(1)] : [])).toContain('but 1 admission was not checked at all'));
});
