// SPDX-License-Identifier: Apache-2.0
// Verdict → exit code, warning and line, for every verdict and every way to be strict about it.
import { describe, expect, test } from 'vitest';
import { BinauthzError } from '../../src/core/errors.js';
import { VERDICTS, type Verdict } from '../../src/core/policy/verdict.js';
import type { AttestResult, CheckedImage, CheckResult } from '../../src/core/results.js';
import { outputsOf } from '../../src/hosts/action/outputs.js';
import { closingLine } from '../../src/hosts/action/closing-line.js';
import { renderResult } from '../../src/hosts/cli/render.js';
import { styleFor } from '../../src/hosts/cli/terminal.js';
import { gatekeeper, refusalOf, verdictStatus, verdictWarning, type Gate } from '../../src/hosts/commands/check/gate.js';
import { emptyResult, endingOf } from '../../src/hosts/outcome.js';
import { scrubbedEnding, scrubberOf } from '../../src/hosts/scrub.js';
import { Secret } from '../../src/core/secret.js';

const image = (verdict: Verdict, name = verdict.toLowerCase()): CheckedImage => ({
  image: name,
  verdict,
  rule: 'defaultAdmissionRule',
  reasons: [{ code: 'NO_TRUSTED_ATTESTATION', message: `because of ${name}`, hint: `mend ${name}` }],
  occurrences: [],
  target: { platform: 'gke' },
  sources: [],
});
const result = (verdict: Verdict, images = [image(verdict)]): CheckResult => ({
  schema: 'binauthz.check/v1',
  verdict,
  policy: 'projects/p/policy',
  target: { platform: 'gke' },
  images,
  platformPolicies: [],
  assumptions: [],
});
const gate = (mode: Gate['mode'], strict: boolean): Gate => ({ mode, strict });
const attested = (check: CheckResult): AttestResult => ({ schema: 'binauthz.attest/v1', images: [], attestations: [], check });

const CODES: Readonly<Record<Verdict, readonly [number, number]>> = {
  ALLOWED: [0, 0],
  ALLOWED_DRY_RUN: [0, 3],
  ALLOWED_BREAK_GLASS: [0, 3],
  NOT_ENFORCED: [0, 3],
  UNKNOWN: [4, 4],
  DENIED: [3, 3],
};

describe.each(VERDICTS)('%s', (verdict) => {
  const [usual, strict] = CODES[verdict];
  test('has its exit code, stricter with --strict, and 0 with --check warn', () => {
    expect(verdictStatus(verdict, gate('enforce', false))).toBe(usual);
    expect(verdictStatus(verdict, gate('enforce', true))).toBe(strict);
    expect([false, true].map((isStrict) => verdictStatus(verdict, gate('warn', isStrict)))).toEqual([0, 0]);
  });
  test.each([gate('enforce', false), gate('enforce', true), gate('warn', false), gate('warn', true)])(
    'either fails with a line, or passes with a warning, or is ALLOWED: %j',
    (rules) => {
      const refusal = refusalOf(result(verdict), rules);
      const warning = verdictWarning(result(verdict), rules);
      expect([refusal !== undefined, warning !== undefined].filter(Boolean).length).toBe(verdict === 'ALLOWED' ? 0 : 1);
      expect(refusal?.exitCode ?? 0).toBe(verdictStatus(verdict, rules));
    },
  );
  test('ends check and attest alike', () => {
    for (const given of [result(verdict), attested(result(verdict))]) {
      const ending = endingOf(given, [], { onEmulator: false, refuse: gatekeeper(gate('enforce', false)) });
      expect([ending.exitCode, ending.errors, ending.result.errors, ending.refusal !== undefined]).toEqual([
        usual,
        [],
        undefined,
        usual !== 0,
      ]);
    }
  });
});

describe('the line of a refusal', () => {
  test('names verdict, image, policy and reason, and the next step', () => {
    const refusal = refusalOf(result('DENIED', [image('ALLOWED'), image('DENIED', 'one'), image('DENIED', 'two')]), gate('enforce', false));
    expect(refusal).toMatchObject({
      code: 'POLICY_DENIED',
      resource: 'projects/p/policy',
      message: 'the check ended DENIED: one is DENIED under projects/p/policy (NO_TRUSTED_ATTESTATION: because of one), and 1 more',
      hint: 'mend one',
    });
  });
  test('says when only strictness refuses', () => {
    expect(refusalOf(result('ALLOWED_DRY_RUN'), gate('enforce', true))).toMatchObject({
      code: 'POLICY_DENIED',
      message: expect.stringContaining('and only ALLOWED is accepted'),
    });
  });
  test('of nothing judged', () =>
    expect(refusalOf({ ...result('UNKNOWN', []), policy: '' }, gate('enforce', false))).toMatchObject({
      code: 'UNDECIDED',
      message: 'the check ended UNKNOWN: no image was judged',
    }));
  test('a warning says what an enforced check would have done', () => {
    expect(verdictWarning(result('DENIED'), gate('warn', false))).toMatch(
      /^the check ended DENIED: denied is DENIED under .*; with the check enforced this run would have ended with exit code 3$/,
    );
    expect(verdictWarning(result('NOT_ENFORCED'), gate('enforce', false))).not.toContain('enforced this run');
  });
});

describe('the end of a run that checks', () => {
  const failure = new BinauthzError('PERMISSION_DENIED', 'not yours');
  test('whatever failed outranks the verdict', () => {
    for (const given of [result('DENIED'), attested(result('DENIED'))]) {
      const ending = endingOf(given, [failure], { onEmulator: false, refuse: gatekeeper(gate('enforce', false)) });
      expect([ending.exitCode, ending.refusal]).toEqual([5, undefined]);
    }
  });
  test('a check that got nowhere is UNKNOWN, cancelled by its signal, and never 0', () => {
    expect(emptyResult('check')).toMatchObject({ verdict: 'UNKNOWN', images: [] });
    const cancelled = endingOf(emptyResult('check'), [new BinauthzError('CANCELLED', 'c')], { cancelledBy: 'SIGTERM', onEmulator: false });
    expect(cancelled.exitCode).toBe(143);
    expect(endingOf(emptyResult('check'), [], { onEmulator: false, refuse: gatekeeper(gate('enforce', false)) }).exitCode).toBe(4);
  });
  test('bad input that shows late is an error result', () =>
    expect(endingOf(result('DENIED'), [new BinauthzError('INVALID_INPUT', 'x')], { onEmulator: false }).result.schema).toBe(
      'binauthz.error/v1',
    ));
  test('a secret that a server repeated leaves the refusal too', () => {
    const ending = endingOf(result('DENIED', [image('DENIED', 'token-1234')]), [], {
      onEmulator: false,
      refuse: gatekeeper(gate('enforce', false)),
    });
    expect(JSON.stringify(scrubbedEnding(ending, scrubberOf([new Secret('token-1234', 't')])).refusal?.message)).not.toContain(
      'token-1234',
    );
  });
});

describe('what hosts make of it', () => {
  const ending = endingOf(result('DENIED'), [], { onEmulator: false, refuse: gatekeeper(gate('enforce', false)) });
  test('outputs of check', () =>
    expect(outputsOf('check', { ending, report: '/tmp/r.json', firstAsked: '' })).toEqual({
      verdict: 'DENIED',
      report: '/tmp/r.json',
      'exit-code': '3',
    }));
  test('the verdict of attest, empty where no check took place or nothing was judged', () => {
    const verdictOf = (given: Parameters<typeof endingOf>[0], errors: readonly BinauthzError[] = []) =>
      outputsOf('attest', { ending: endingOf(given, errors, { onEmulator: false }), report: undefined, firstAsked: '' }).verdict;
    expect(verdictOf(attested(result('ALLOWED')))).toBe('ALLOWED');
    expect(verdictOf({ schema: 'binauthz.attest/v1', images: [], attestations: [] })).toBe('');
    expect(verdictOf(emptyResult('check'), [failure()])).toBe('');
  });
  test('the closing line', () =>
    expect(closingLine('check', ending, '/tmp/r.json')).toBe(
      'binauthz check: failed with exit code 3; verdict: DENIED; report: /tmp/r.json',
    ));
  test('text, also behind that of attest', () => {
    const plain = styleFor(false, undefined);
    expect(renderResult(result('DENIED'), plain)).toContain('DENIED: 1 DENIED of 1 image');
    expect(renderResult(attested(result('DENIED')), plain)).toContain('DENIED: 1 DENIED of 1 image');
    expect(renderResult({ ...result('UNKNOWN', []), errors: [] }, plain)).toBe('');
  });
});

function failure(): BinauthzError {
  return new BinauthzError('CANCELLED', 'c');
}
