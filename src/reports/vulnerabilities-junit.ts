// SPDX-License-Identifier: Apache-2.0
// Vulnerabilities as JUnit's XML: a suite per image, with a case for its scan and one for each finding.
import type { VulnerabilitiesResult, VulnerabilityFinding, VulnerableImage } from '../core/results.js';
import type { VulnerabilityReason } from '../core/vulnerabilities/evaluate.js';
import { junitDocument, type JunitCase, type JunitSuite } from './junit-document.js';
import { summaryOf, waiverOf, worstFindingsFirst } from './vulnerability-findings.js';

/** The result as a JUnit document: a denied finding is a failure, a scan that cannot be judged an error. */
export function vulnerabilitiesJunit(result: VulnerabilitiesResult): string {
  return junitDocument('binauthz vulnerabilities', vulnerabilitySuites(result));
}

/** The suites of a result, one for each image. */
export function vulnerabilitySuites(result: VulnerabilitiesResult): readonly JunitSuite[] {
  return [...overallSuite(result), ...result.images.map((image) => ({ name: image.image, cases: casesOf(image) }))];
}

/** What failed beside the images, and a run without images, must not look like a document in which all is well. */
function overallSuite(result: VulnerabilitiesResult): readonly JunitSuite[] {
  const errors = result.errors ?? [];
  if (errors.length === 0 && result.images.length > 0) return [];
  const message = `the verdict is ${result.verdict}: ${summaryOf(result)}`;
  const body = errors.map(({ code, message: text }) => `${code}: ${text}`);
  return [{ name: 'binauthz vulnerabilities', cases: [{ name: 'verdict', outcome: 'error', type: result.verdict, message, body }] }];
}

function casesOf({ scan, reasons, findings }: VulnerableImage): readonly JunitCase[] {
  const doubts = reasons.filter(({ code }) => code.startsWith('SCAN_'));
  const scanned: JunitCase = {
    name: 'scan',
    outcome: doubts.length > 0 ? 'error' : 'passed',
    type: codesOf(doubts),
    message: doubts.map(({ message }) => message).join('; ') || scan,
    body: doubts.flatMap(reasonLines),
  };
  return [scanned, ...worstFindingsFirst(findings).map(caseOf)];
}

function caseOf(finding: VulnerabilityFinding): JunitCase {
  const { id, package: name, version, fixedVersion, severity, cvss, verdict, reasons = [], platforms = [] } = finding;
  const waiver = waiverOf(finding);
  return {
    name: [id, name, version, ...platforms].filter((part) => part !== '').join(' '),
    outcome: verdict === 'DENIED' ? 'failure' : 'passed',
    type: codesOf(reasons),
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

function codesOf(reasons: readonly VulnerabilityReason[]): string {
  return [...new Set(reasons.map(({ code }) => code))].join(' ');
}

function reasonLines({ code, message, hint }: VulnerabilityReason): readonly string[] {
  return [`${code}: ${message}`, ...(hint === undefined ? [] : [`  hint: ${hint}`])];
}
