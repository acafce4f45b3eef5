// SPDX-License-Identifier: Apache-2.0
// JUnit's XML in the form that Jenkins, GitLab and CircleCI read. Nothing that came from outside leaves its place in it.
import { shown } from './check-findings.js';

/** A case of a suite: what was judged, and how that ended. */
export interface JunitCase {
  readonly name: string;
  readonly outcome: 'failure' | 'error' | 'passed';
  readonly type: string;
  readonly message: string;
  readonly body: readonly string[];
}

/** Cases that belong together. */
export interface JunitSuite {
  readonly name: string;
  readonly properties?: Readonly<Record<string, string>>;
  readonly cases: readonly JunitCase[];
}

const LONGEST_TEXT = 2_000;

/** Suites as a document of this name. */
export function junitDocument(name: string, suites: readonly JunitSuite[]): string {
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${attributes({ name, ...totals(suites.flatMap(({ cases }) => cases)) })}>`,
    ...suites.flatMap(suiteLines),
    '</testsuites>',
    '',
  ].join('\n');
}

function suiteLines({ name, properties, cases }: JunitSuite): readonly string[] {
  const listed = Object.entries(properties ?? {}).map(([key, value]) => `      <property${attributes({ name: key, value })}/>`);
  return [
    `  <testsuite${attributes({ name, ...totals(cases) })}>`,
    ...(listed.length === 0 ? [] : ['    <properties>', ...listed, '    </properties>']),
    ...cases.flatMap((entry) => caseLines(name, entry)),
    '  </testsuite>',
  ];
}

function caseLines(suite: string, { name, outcome, type, message, body }: JunitCase): readonly string[] {
  const text = body.map((line) => escaped(indented(line))).join('\n');
  const inner =
    outcome === 'passed' ? `<system-out>${text}</system-out>` : `<${outcome}${attributes({ type, message })}>${text}</${outcome}>`;
  return [`    <testcase${attributes({ classname: suite, name })}>`, `      ${inner}`, '    </testcase>'];
}

function totals(cases: readonly JunitCase[]): Readonly<Record<string, string>> {
  const count = (outcome: JunitCase['outcome']): string => String(cases.filter((entry) => entry.outcome === outcome).length);
  return { tests: String(cases.length), failures: count('failure'), errors: count('error') };
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
function escaped(text: string): string {
  const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' };
  return text
    .replace(/[^\t\n\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replace(/[&<>"']/g, (character) => entities[character] ?? '');
}
