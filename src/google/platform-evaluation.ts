// SPDX-License-Identifier: Apache-2.0
// EvaluateGkePolicyResponse in the terms of the port: one line of explanation for each image.
import type { PlatformEvaluation } from '../ports/policy-service.js';
import { list, member } from './json.js';

const VERDICTS = ['CONFORMANT', 'NON_CONFORMANT', 'ERROR'] as const;

/** Reads the answer of an evaluation. A verdict that is absent or not known is UNKNOWN, never conformant. */
export function evaluationOf(reply: unknown): PlatformEvaluation {
  const images = list(member(reply, 'results')).flatMap((pod) => list(member(pod, 'imageResults')));
  return {
    verdict: verdictOf(reply),
    images: images.map((image) => ({
      image: text(member(image, 'imageUri')),
      verdict: verdictOf(image),
      explanation: explanationOf(image),
    })),
  };
}

function verdictOf(part: unknown): PlatformEvaluation['verdict'] {
  return VERDICTS.find((verdict) => verdict === member(part, 'verdict')) ?? 'UNKNOWN';
}

function explanationOf(image: unknown): string {
  const set = member(image, 'checkSetResult');
  if (set === undefined) return joined([text(member(image, 'explanation')), allowed(image, 'the policy')]);
  const what = named('check set', set);
  const checks = list(member(member(set, 'checkResults'), 'results'));
  return joined([
    text(member(image, 'explanation')),
    allowed(set, what),
    prefixed(what, text(member(set, 'explanation'))),
    ...relevant(checks).map((check) => prefixed(`${what}, ${named('check', check)}`, findingOf(check))),
  ]);
}

// Where something failed, what did not fail explains nothing.
function relevant(checks: readonly unknown[]): readonly unknown[] {
  const failed = checks.filter((check) => allowed(check, '') === '' && verdictOf(member(check, 'evaluationResult')) !== 'CONFORMANT');
  return failed.length > 0 ? failed : checks;
}

function findingOf(check: unknown): string {
  const finding = allowed(check, 'the check') || text(member(check, 'explanation')) || verdictOf(member(check, 'evaluationResult'));
  const type = text(member(check, 'type'));
  return type === '' ? finding : `${finding} (${type})`;
}

function allowed(part: unknown, by: string): string {
  const pattern = text(member(member(part, 'allowlistResult'), 'matchedPattern'));
  return pattern === '' ? '' : `exempted by the pattern ${pattern} of ${by}`;
}

// An index of zero is left out of Google's JSON, and int64 comes as a string.
function named(what: string, part: unknown): string {
  const name = text(member(part, 'displayName'));
  if (name !== '') return `${what} ${JSON.stringify(name)}`;
  const index = member(part, 'index');
  return `${what} ${typeof index === 'string' || typeof index === 'number' ? String(index) : '0'}`;
}

function prefixed(what: string, said: string): string {
  return said === '' ? '' : `${what}: ${said}`;
}

function joined(parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join('; ');
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
