// SPDX-License-Identifier: Apache-2.0
// What a check tells GitHub's pages.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { BinauthzError } from '../../src/core/errors.js';
import type { Verdict } from '../../src/core/policy/verdict.js';
import type { CheckResult } from '../../src/core/results.js';
import type { ActionCommand } from '../../src/hosts/action/outputs.js';
import { annotate, comment, markdownOf } from '../../src/hosts/action/telling.js';
import { gatekeeper, type Gate } from '../../src/hosts/commands/check/gate.js';
import { endingOf, type CommandResult, type Ending } from '../../src/hosts/outcome.js';
import { actionOptions } from './world.js';

const check = (verdict: Verdict): CheckResult => ({
  schema: 'binauthz.check/v1',
  verdict,
  policy: 'projects/p/policy',
  target: { platform: 'gke' },
  images: [
    {
      image: 'nginx',
      verdict,
      rule: 'defaultAdmissionRule',
      reasons: [{ code: 'IMAGE_NOT_PINNED', message: 'a tag', hint: 'write the digest' }],
      occurrences: [],
      target: { platform: 'gke' },
      sources: [
        {
          file: 'k8s/app.yaml',
          line: 23,
          kind: 'Pod',
          name: 'app',
          container: 'main',
          containerType: 'container',
          namespace: 'default',
          serviceAccount: 'default',
        },
      ],
    },
  ],
  platformPolicies: [],
  assumptions: [],
});
const ENFORCED: Gate = { mode: 'enforce', strict: false };
const ended = (result: CommandResult, gate: Gate = ENFORCED, errors: readonly BinauthzError[] = []): Ending =>
  endingOf(result, errors, { onEmulator: false, refuse: gatekeeper(gate) });
const attested = (verdict: Verdict): CommandResult => ({
  schema: 'binauthz.attest/v1',
  images: [],
  attestations: [],
  check: check(verdict),
});

let lines: string[];
let exitCode: typeof process.exitCode;
beforeEach(() => {
  lines = [];
  exitCode = process.exitCode;
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => (lines.push(...String(text).trimEnd().split('\n')), true));
});
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = exitCode;
});
const annotated = (command: ActionCommand, ending: Ending): readonly string[] => {
  process.exitCode = 0;
  annotate(command, ending);
  return lines.filter((line) => line.startsWith('::'));
};

describe('annotations', () => {
  test.each<[ActionCommand, CommandResult]>([
    ['check', check('DENIED')],
    ['attest', attested('DENIED')],
  ])('of %s: a denial fails the step, and lies on the manifest’s line', (command, result) => {
    expect(annotated(command, ended(result))).toEqual([
      expect.stringMatching(new RegExp(`^::error::binauthz ${command} failed with exit code 3 .*DENIED: 1 DENIED of 1 image`)),
      expect.stringMatching(/^::error title=binauthz check,file=k8s\/app\.yaml,line=23::DENIED: nginx .*IMAGE_NOT_PINNED/),
    ]);
    expect(process.exitCode).toBe(1);
  });
  test('what does not fail the step is a warning, also a denial with check: warn', () => {
    const said = annotated('attest', ended(attested('DENIED'), { mode: 'warn', strict: false }));
    expect([process.exitCode, said.length, said.filter((line) => !line.startsWith('::warning '))]).toEqual([0, 2, []]);
  });
  test('a verdict that only strictness refuses fails the step', () => {
    const said = annotated('check', ended(check('ALLOWED_DRY_RUN'), { mode: 'enforce', strict: true }));
    expect([process.exitCode, said[0]]).toEqual([1, expect.stringMatching(/^::error::binauthz check failed with exit code 3/)]);
  });
  test('plainly allowed is silent', () => expect(annotated('check', ended(check('ALLOWED')))).toEqual([]));
  test('an error beside the verdict hides neither', () => {
    const said = annotated('check', ended(check('DENIED'), ENFORCED, [new BinauthzError('UNAVAILABLE', 'no report')]));
    expect(said[0]).toMatch(/^::error::binauthz check failed with exit code 9 .*no report/);
    expect(said.slice(1).join('\n')).toContain('k8s/app.yaml');
  });
});

describe('the summary', () => {
  test('of check is the check', () =>
    expect(markdownOf('check', ended(check('DENIED')), 'https://h/run')).toMatch(/^### .*DENIED[\s\S]*https:\/\/h\/run/));
  test('of attest is what was attested, then the check', () => {
    const text = markdownOf('attest', ended(attested('DENIED')), undefined);
    expect(text).toMatch(/^### binauthz attest: failed with exit code 3[\s\S]*### .*binauthz check: DENIED/);
  });
  test('of bad input is its errors', () => {
    const ending = ended(check('UNKNOWN'), ENFORCED, [new BinauthzError('INVALID_INPUT', 'no such file')]);
    expect(markdownOf('check', ending, undefined)).toMatch(/failed with exit code 2[\s\S]*no such file/);
  });
});

describe('the comment', () => {
  const told = { ending: ended(check('DENIED')), runUrl: undefined };
  test.each<[string, ActionCommand, Record<string, string>, string[]]>([
    ['is not written unless it is asked for', 'check', {}, []],
    [
      'needs a token',
      'check',
      { 'comment-on-pr': 'true' },
      ['::warning title=binauthz::cannot comment on the pull request: the input github-token is empty'],
    ],
    [
      'needs a check',
      'attest',
      { 'comment-on-pr': 'true', 'github-token': 't' },
      [
        '::warning title=binauthz::comment-on-pr: without a check there is no verdict to comment: set check to warn or enforce, or name a vulnerability-policy',
      ],
    ],
  ])('%s', async (_, command, inputs, warnings) => {
    await comment(command, actionOptions(inputs, command), told);
    expect(lines.filter((line) => line !== '')).toEqual(warnings);
  });
});
