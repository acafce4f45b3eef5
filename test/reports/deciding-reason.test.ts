// SPDX-License-Identifier: Apache-2.0
// An image has reasons of all kinds; the one that decided its verdict is the first that is said.
import { describe, expect, test } from 'vitest';
import type { Reason, ReasonCode, Verdict } from '../../src/core/policy/verdict.js';
import type { CheckedImage } from '../../src/core/results.js';
import { refusalOf } from '../../src/hosts/commands/check/gate.js';
import { checkMarkdown } from '../../src/reports/check-markdown.js';
import { reasonsByWeight, tellingReasons } from '../../src/reports/check-findings.js';
import { allowed, checked, denied } from '../support/check-results.js';

const reason = (code: ReasonCode): Reason => ({ code, message: `because ${code}`, hint: `mend ${code}` });
const judged = (verdict: Verdict, codes: readonly ReasonCode[], parts: Partial<CheckedImage> = {}): CheckedImage => ({
  ...allowed({ verdict, reasons: codes.map(reason) }),
  ...parts,
});
const DENIAL = { denial: 'Image denied by attestor projects/p/attestors/a' };

// The policy's own denial has a text; without one it is the closed set of --require-attested that denied.
const CASES: readonly [string, CheckedImage, ReasonCode][] = [
  ['attested, but not by this pipeline', judged('DENIED', ['ATTESTED', 'NOT_IN_ATTESTED_SET']), 'NOT_IN_ATTESTED_SET'],
  ['exempt, but not of this pipeline', judged('DENIED', ['EXEMPT_BY_PATTERN', 'NOT_IN_ATTESTED_SET']), 'NOT_IN_ATTESTED_SET'],
  ['break-glass does not help', judged('DENIED', ['BREAK_GLASS', 'NOT_IN_ATTESTED_SET']), 'NOT_IN_ATTESTED_SET'],
  ['nor what looks like it', judged('DENIED', ['ATTESTED', 'BREAK_GLASS_INEFFECTIVE', 'NOT_IN_ATTESTED_SET']), 'NOT_IN_ATTESTED_SET'],
  ['nor a cluster that enforces nothing', judged('DENIED', ['CLUSTER_NOT_ENFORCING', 'NOT_IN_ATTESTED_SET']), 'NOT_IN_ATTESTED_SET'],
  ['nor a dry run', judged('DENIED', ['NO_TRUSTED_ATTESTATION', 'NOT_IN_ATTESTED_SET']), 'NOT_IN_ATTESTED_SET'],
  ['nor a doubt', judged('DENIED', ['EVIDENCE_MISSING', 'NOT_IN_ATTESTED_SET']), 'NOT_IN_ATTESTED_SET'],
  ['the policy denies too', judged('DENIED', ['POLICY_DENIES_ALL', 'NOT_IN_ATTESTED_SET'], DENIAL), 'POLICY_DENIES_ALL'],
  ['one attestor denies, one is open', judged('DENIED', ['EVIDENCE_MISSING', 'ATTESTOR_HAS_NO_KEY'], DENIAL), 'ATTESTOR_HAS_NO_KEY'],
  [
    'a dry run, with one attestor open',
    judged('ALLOWED_DRY_RUN', ['EVIDENCE_MISSING', 'NO_TRUSTED_ATTESTATION']),
    'NO_TRUSTED_ATTESTATION',
  ],
  ['what is open keeps its order', judged('UNKNOWN', ['NO_TRUSTED_ATTESTATION', 'IMAGE_NOT_RESOLVED']), 'NO_TRUSTED_ATTESTATION'],
];

describe.each(CASES)('%s', (_, image, code) => {
  test('the line of a failed run names it, with its own next step', () => {
    expect(refusalOf(checked([image]), { mode: 'enforce', strict: true })).toMatchObject({
      message: expect.stringContaining(`(${code}: because ${code})`),
      hint: `mend ${code}`,
    });
  });
  test('it comes first in Markdown and in what programs read, and no reason is lost', () => {
    expect(/<code>([A-Z_]+)<\/code> because/.exec(checkMarkdown(checked([image])))?.[1]).toBe(code);
    expect(tellingReasons(image)[0]?.code).toBe(code);
    expect(new Set(reasonsByWeight(image))).toEqual(new Set(image.reasons));
  });
});

test('a reason without a next step does not borrow that of another', () => {
  const reasons: readonly Reason[] = [{ code: 'POLICY_DENIES_ALL', message: 'no' }, reason('NOT_IN_ATTESTED_SET')];
  const refusal = refusalOf(checked([denied({ reasons })]), { mode: 'enforce', strict: false });
  expect([refusal?.message, refusal?.hint]).toEqual([
    expect.stringContaining('(POLICY_DENIES_ALL: no)'),
    'the result names the reasons of each image',
  ]);
});
