// SPDX-License-Identifier: Apache-2.0
// A check as JUnit's XML: a suite per file, a case per image in it.
import type { Reason, Verdict } from '../core/policy/verdict.js';
import type { CheckResult } from '../core/results.js';
import { countsOf, isWorseThanImages, lineOf, placesOf, tellingReasons, workloadOf, type ImagePlace } from './check-findings.js';
import { junitDocument, type JunitCase, type JunitSuite } from './junit-document.js';

interface Case extends JunitCase {
  readonly suite: string;
}

const MOST_LISTED = 100;

/** The check as a JUnit document: DENIED is a failure, UNKNOWN an error, and what else is to be said is its output. */
export function junitOf(result: CheckResult): string {
  return junitDocument('binauthz check', checkSuites(result));
}

/** The suites of a check, one for each file. */
export function checkSuites(result: CheckResult): readonly JunitSuite[] {
  const { platform, cluster } = result.target;
  const properties = {
    verdict: result.verdict,
    policy: result.policy,
    platform,
    ...(cluster === undefined ? {} : { cluster }),
    ...(result.emulator ? { emulator: 'true' } : {}),
  };
  const suites = new Map<string, Case[]>();
  for (const entry of [...overallCase(result), ...result.images.flatMap(placesOf).map(caseOf)]) {
    const suite = suites.get(entry.suite) ?? [];
    suite.push(entry);
    suites.set(entry.suite, suite);
  }
  return [...suites].map(([name, cases]) => ({ name, properties, cases }));
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
