// SPDX-License-Identifier: Apache-2.0
// A check as JUnit's XML: a suite per file, a case per image in it.
import type { Reason, Verdict } from '../core/policy/verdict.js';
import type { CheckResult } from '../core/results.js';
import {
  countsOf,
  isWorseThanImages,
  levelOf,
  lineOf,
  placesOf,
  reasonsByWeight,
  tellingReasons,
  verdictWords,
  workloadOf,
  type ImagePlace,
  type Strictness,
} from './check-findings.js';
import { junitDocument, type JunitCase, type JunitSuite } from './junit-document.js';

interface Case extends JunitCase {
  readonly suite: string;
}

const MOST_LISTED = 100;

/** The check as a JUnit document: what fails the run is a failure, UNKNOWN an error, and what else is to be said its output. */
export function junitOf(result: CheckResult, strictness: Strictness = {}): string {
  return junitDocument('binauthz check', checkSuites(result, strictness));
}

/** The suites of a check, one for each file. */
export function checkSuites(result: CheckResult, strictness: Strictness): readonly JunitSuite[] {
  const { platform, cluster } = result.target;
  const properties = {
    verdict: result.verdict,
    policy: result.policy,
    platform,
    ...(cluster === undefined ? {} : { cluster }),
    ...(result.emulator ? { emulator: 'true' } : {}),
  };
  const suites = new Map<string, Case[]>();
  const cases = result.images.flatMap(placesOf).map((place) => caseOf(place, strictness));
  for (const entry of [...overallCase(result, strictness), ...cases]) {
    const suite = suites.get(entry.suite) ?? [];
    suite.push(entry);
    suites.set(entry.suite, suite);
  }
  return [...suites].map(([name, entries]) => ({ name, properties, cases: entries }));
}

/** What is worse than every image must not look like a document in which all is well. */
function overallCase(result: CheckResult, strictness: Strictness): readonly Case[] {
  if (!isWorseThanImages(result)) return [];
  const errors = result.errors ?? [];
  return [
    {
      suite: 'binauthz check',
      name: 'verdict',
      outcome: outcomeOf(result.verdict, strictness) === 'failure' ? 'failure' : 'error',
      type: result.verdict,
      message: `the verdict is ${result.verdict}: ${countsOf(result.images)}`,
      body: errors.slice(0, MOST_LISTED).map(({ code, message }) => `${code}: ${message}`),
    },
  ];
}

function caseOf({ image, source }: ImagePlace, strictness: Strictness): Case {
  const reasons = tellingReasons(image);
  const codes = [...new Set(reasons.map(({ code }) => code))];
  return {
    suite: source?.file ?? 'image',
    name: source ? `${workloadOf(source)}: ${image.image}` : image.image,
    outcome: outcomeOf(image.verdict, strictness),
    type: codes.join(' '),
    message: `${verdictWords(image.verdict, strictness)}: ${reasons.map(({ message }) => message).join('; ')}`,
    body: [
      `verdict: ${image.verdict}`,
      ...(image.rule === '' ? [] : [`rule: ${image.rule}`]),
      ...(source ? [`at: ${lineOf(source)}`] : []),
      ...reasonsByWeight(image).slice(0, MOST_LISTED).flatMap(reasonLines),
      ...(image.denial === undefined ? [] : [`denial: ${image.denial}`]),
    ],
  };
}

function reasonLines({ code, message, hint }: Reason): readonly string[] {
  return [`${code}: ${message}`, ...(hint === undefined ? [] : [`  hint: ${hint}`])];
}

function outcomeOf(verdict: Verdict, strictness: Strictness): Case['outcome'] {
  if (verdict === 'UNKNOWN') return 'error';
  return levelOf(verdict, strictness) === 'error' ? 'failure' : 'passed';
}
