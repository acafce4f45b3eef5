// SPDX-License-Identifier: Apache-2.0
// A check as JUnit's XML, in the form that Jenkins, GitLab and CircleCI read: a suite per file, a case per image in it.
import type { Reason, Verdict } from '../core/policy/verdict.js';
import type { CheckResult } from '../core/results.js';
import { countsOf, isWorseThanImages, lineOf, placesOf, shown, tellingReasons, workloadOf, type ImagePlace } from './check-findings.js';

interface Case {
  readonly suite: string;
  readonly name: string;
  readonly outcome: 'failure' | 'error' | 'passed';
  readonly type: string;
  readonly message: string;
  readonly body: readonly string[];
}

const LONGEST_TEXT = 2_000;
const MOST_LISTED = 100;

/** The check as a JUnit document: DENIED is a failure, UNKNOWN an error, and what else is to be said is its output. */
export function junitOf(result: CheckResult): string {
  const cases = [...overallCase(result), ...result.images.flatMap(placesOf).map(caseOf)];
  const suites = new Map<string, Case[]>();
  for (const entry of cases) {
    const suite = suites.get(entry.suite) ?? [];
    suite.push(entry);
    suites.set(entry.suite, suite);
  }
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${attributes({ name: 'binauthz check', ...totals(cases) })}>`,
    ...[...suites].flatMap(([name, entries]) => suiteLines(name, entries, result)),
    '</testsuites>',
    '',
  ].join('\n');
}

/** What is worse than every image must not look like a document in which all is well. */
function overallCase(result: CheckResult): readonly Case[] {
  if (!isWorseThanImages(result)) return [];
  const errors = result.errors ?? [];
  return [
    {
      suite: 'binauthz check',
      name: 'verdict',
      outcome: outcomeOf(result.verdict) === 'failure' ? 'failure' : 'error',
      type: result.verdict,
      message: `the verdict is ${result.verdict}: ${countsOf(result.images)}`,
      body: errors.slice(0, MOST_LISTED).map(({ code, message }) => `${code}: ${message}`),
    },
  ];
}

function caseOf({ image, source }: ImagePlace): Case {
  const reasons = tellingReasons(image);
  const codes = [...new Set(reasons.map(({ code }) => code))];
  return {
    suite: source?.file ?? 'image',
    name: source ? `${workloadOf(source)}: ${image.image}` : image.image,
    outcome: outcomeOf(image.verdict),
    type: codes.join(' '),
    message: `${image.verdict}: ${reasons.map(({ message }) => message).join('; ')}`,
    body: [
      `verdict: ${image.verdict}`,
      ...(image.rule === '' ? [] : [`rule: ${image.rule}`]),
      ...(source ? [`at: ${lineOf(source)}`] : []),
      ...image.reasons.slice(0, MOST_LISTED).flatMap(reasonLines),
      ...(image.denial === undefined ? [] : [`denial: ${image.denial}`]),
    ],
  };
}

function reasonLines({ code, message, hint }: Reason): readonly string[] {
  return [`${code}: ${message}`, ...(hint === undefined ? [] : [`  hint: ${hint}`])];
}

function outcomeOf(verdict: Verdict): Case['outcome'] {
  if (verdict === 'DENIED') return 'failure';
  return verdict === 'UNKNOWN' ? 'error' : 'passed';
}

function totals(cases: readonly Case[]): Readonly<Record<string, string>> {
  const count = (outcome: Case['outcome']): string => String(cases.filter((entry) => entry.outcome === outcome).length);
  return { tests: String(cases.length), failures: count('failure'), errors: count('error') };
}

function suiteLines(name: string, cases: readonly Case[], result: CheckResult): readonly string[] {
  const { platform, cluster } = result.target;
  const properties = {
    verdict: result.verdict,
    policy: result.policy,
    platform,
    ...(cluster === undefined ? {} : { cluster }),
    ...(result.emulator ? { emulator: 'true' } : {}),
  };
  return [
    `  <testsuite${attributes({ name, ...totals(cases) })}>`,
    '    <properties>',
    ...Object.entries(properties).map(([key, value]) => `      <property${attributes({ name: key, value })}/>`),
    '    </properties>',
    ...cases.flatMap(caseLines),
    '  </testsuite>',
  ];
}

function caseLines({ suite, name, outcome, type, message, body }: Case): readonly string[] {
  const text = body.map((line) => escaped(indented(line))).join('\n');
  const inner =
    outcome === 'passed' ? `<system-out>${text}</system-out>` : `<${outcome}${attributes({ type, message })}>${text}</${outcome}>`;
  return [`    <testcase${attributes({ classname: suite, name })}>`, `      ${inner}`, '    </testcase>'];
}

/** One line that keeps its own indentation: it cannot pass for another line of the text. */
function indented(line: string): string {
  return `${/^ */.exec(line)?.[0] ?? ''}${shown(line, LONGEST_TEXT)}`;
}

function attributes(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => ` ${name}="${escaped(shown(value, LONGEST_TEXT))}"`)
    .join('');
}

/** Text that XML 1.0 can hold: what it cannot, not even as a reference, is replaced. */
export function escaped(text: string): string {
  const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' };
  return text
    .replace(/[^\t\n\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replace(/[&<>"']/g, (character) => entities[character] ?? '');
}
