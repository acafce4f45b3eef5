// SPDX-License-Identifier: Apache-2.0
// Vulnerabilities as JUnit's XML: a suite per image, with a case for its scan and one for each finding.
import type { VulnerabilitiesResult, VulnerabilityFinding, VulnerableImage } from '../core/results.js';
import type { VulnerabilityReason } from '../core/vulnerabilities/evaluate.js';
import { shown } from './check-findings.js';
import { escaped } from './junit.js';
import { summaryOf, waiverOf, worstFindingsFirst } from './vulnerability-findings.js';

interface Case {
  readonly name: string;
  readonly outcome: 'failure' | 'error' | 'passed';
  readonly message: string;
  readonly body: readonly string[];
}

const LONGEST_TEXT = 2_000;

/** The result as a JUnit document: a denied finding is a failure, a scan that cannot be judged an error. */
export function vulnerabilitiesJunit(result: VulnerabilitiesResult): string {
  const suites = [...overallSuite(result), ...result.images.map((image) => ({ name: image.image, cases: casesOf(image) }))];
  const all = suites.flatMap(({ cases }) => cases);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${attributes({ name: 'binauthz vulnerabilities', ...totals(all) })}>`,
    ...suites.flatMap(({ name, cases }) => [
      `  <testsuite${attributes({ name, ...totals(cases) })}>`,
      ...cases.flatMap((entry) => caseLines(name, entry)),
      '  </testsuite>',
    ]),
    '</testsuites>',
    '',
  ].join('\n');
}

/** What failed beside the images, and a run without images, must not look like a document in which all is well. */
function overallSuite(result: VulnerabilitiesResult): readonly { readonly name: string; readonly cases: readonly Case[] }[] {
  const errors = result.errors ?? [];
  if (errors.length === 0 && result.images.length > 0) return [];
  const message = `the verdict is ${result.verdict}: ${summaryOf(result)}`;
  const body = errors.map(({ code, message: text }) => `${code}: ${text}`);
  return [{ name: 'binauthz vulnerabilities', cases: [{ name: 'verdict', outcome: 'error', message, body }] }];
}

function casesOf({ scan, reasons, findings }: VulnerableImage): readonly Case[] {
  const doubts = reasons.filter(({ code }) => code.startsWith('SCAN_'));
  const scanned: Case = {
    name: 'scan',
    outcome: doubts.length > 0 ? 'error' : 'passed',
    message: doubts.map(({ message }) => message).join('; ') || scan,
    body: doubts.flatMap(reasonLines),
  };
  return [scanned, ...worstFindingsFirst(findings).map(caseOf)];
}

function caseOf(finding: VulnerabilityFinding): Case {
  const { id, package: name, version, fixedVersion, severity, cvss, verdict, reasons = [], platforms = [] } = finding;
  const waiver = waiverOf(finding);
  return {
    name: [id, name, version, ...platforms].filter((part) => part !== '').join(' '),
    outcome: verdict === 'DENIED' ? 'failure' : 'passed',
    message: `${verdict}: ${reasons.map(({ message }) => message).join('; ') || severity}`,
    body: [
      `verdict: ${verdict}`,
      `severity: ${severity}`,
      `cvss: ${cvss === null ? 'none' : cvss}`,
      `fixed in: ${fixedVersion ?? 'none'}`,
      ...(waiver === '' ? [] : [`waiver: ${waiver}`]),
      ...reasons.flatMap(reasonLines),
    ],
  };
}

function reasonLines({ code, message, hint }: VulnerabilityReason): readonly string[] {
  return [`${code}: ${message}`, ...(hint === undefined ? [] : [`  hint: ${hint}`])];
}

function totals(cases: readonly Case[]): Readonly<Record<string, string>> {
  const count = (outcome: Case['outcome']): string => String(cases.filter((entry) => entry.outcome === outcome).length);
  return { tests: String(cases.length), failures: count('failure'), errors: count('error') };
}

function caseLines(suite: string, { name, outcome, message, body }: Case): readonly string[] {
  const text = body.map((line) => escaped(shown(line, LONGEST_TEXT))).join('\n');
  const inner =
    outcome === 'passed' ? `<system-out>${text}</system-out>` : `<${outcome}${attributes({ type: outcome, message })}>${text}</${outcome}>`;
  return [`    <testcase${attributes({ classname: suite, name })}>`, `      ${inner}`, '    </testcase>'];
}

function attributes(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => ` ${name}="${escaped(shown(value, LONGEST_TEXT))}"`)
    .join('');
}
