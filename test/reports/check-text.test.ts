// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { styleFor } from '../../src/hosts/cli/terminal.js';
import { checkText } from '../../src/reports/check-text.js';
import { allowed, checked, denied, digest, HOSTILE, MISSING, planted, source } from '../support/check-results.js';

const PLAIN = styleFor(false, undefined);
const COLOURED = styleFor(true, undefined);
const linesOf = (...parameters: Parameters<typeof checked>): readonly string[] => checkText(checked(...parameters), PLAIN).split('\n');

describe('a check', () => {
  test('as people read it: the worst last, the verdict at the end', () => {
    expect(
      linesOf(
        [denied({ sources: [source(), source({ file: '-', line: 4, name: '', containerType: 'init' })] }), allowed({ sources: [] })],
        { assumptions: ['the cluster enforces', 'b'] },
      ),
    ).toEqual([
      `ALLOWED  ${allowed().image}`,
      '  rule: clusterAdmissionRules[us-central1-a.prod]',
      '  ATTESTED: it is attested',
      `DENIED  ${denied().image}`,
      '  rule: clusterAdmissionRules[us-central1-a.prod]',
      '  NO_TRUSTED_ATTESTATION: no attestation of projects/p/attestors/a verifies',
      '    hint: binauthz attest gcr.io/p/app',
      '  denial: "Image gcr.io/p/app denied by attestor projects/p/attestors/a"',
      '  k8s/app.yaml:23 Deployment/app container web',
      '  standard input:4 Deployment init container web',
      'assumptions:',
      '  - the cluster enforces',
      '  - b',
      'DENIED: 1 DENIED, 1 ALLOWED of 2 images, under projects/p/policy on GKE cluster us-central1-a.prod',
      '',
    ]);
  });
  test('says what was judged where the image does not', () => {
    const lines = linesOf([allowed({ image: 'gcr.io/p/app:1', digest: digest('c'), childDigest: digest('d') })]);
    expect(lines.slice(1, 3)).toEqual([`  judged: ${digest('c')}`, `  judged: ${digest('d')}`]);
    expect(linesOf([allowed({ digest: digest('b') })]).some((line) => line.includes('judged'))).toBe(false);
  });
  test('shows a hint of several lines below itself', () =>
    expect(linesOf([denied({ reasons: [{ ...MISSING, hint: 'first\nsecond' }] })]).slice(3, 5)).toEqual([
      '    hint: first',
      '          second',
    ]));
  test('counts the places that are too many', () => {
    const lines = linesOf([denied({ sources: Array.from({ length: 2_000 }, () => source()) })]);
    expect(lines.filter((line) => line.includes('k8s/app.yaml:23'))).toHaveLength(20);
    expect(lines).toContain('  … and 1980 more places (--output json has all of them)');
  });
  test('shows platform policies as advice', () =>
    expect(
      linesOf([allowed()], {
        platformPolicies: [
          { policy: 'x', verdict: 'NON_CONFORMANT', results: [{ workload: 'Pod/a', image: 'i', verdict: 'DENY', explanation: 'e' }] },
        ],
      }).slice(-4, -1),
    ).toEqual([
      'advisory  platform policy x: NON_CONFORMANT',
      '  DENY  Pod/a  i: e',
      'ALLOWED: 1 ALLOWED of 1 image, under projects/p/policy on GKE cluster us-central1-a.prod',
    ]));
  test('of nothing is unknown; the emulator is named', () =>
    expect(linesOf([], { target: { platform: 'cloud-run' }, emulator: true })).toEqual([
      'UNKNOWN: no image, under projects/p/policy on Cloud Run (on the emulator: nothing of this exists in Google Cloud)',
      '',
    ]));
  test.each([
    ['DENIED', 31],
    ['UNKNOWN', 31],
    ['NOT_ENFORCED', 33],
    ['ALLOWED_BREAK_GLASS', 33],
    ['ALLOWED', 32],
  ] as const)('%s has the colour %i', (verdict, colour) => {
    const text = checkText(checked([denied({ verdict })]), COLOURED);
    expect(text).toMatch(new RegExp(`^\u001b\\[${colour}m${verdict}\u001b\\[0m  gcr[\\s\\S]*\n\u001b\\[${colour}m${verdict}: `));
  });
});

describe('planted text', () => {
  test.each(HOSTILE)('%j', (text) => {
    const [lines, plain] = [text, 'x'].map((name) => checkText(planted(name), PLAIN).split('\n'));
    const head = (line: string): string | undefined => /^ *[\w "-]{0,3}/.exec(line)?.[0].replace(/\S/g, 'w');
    // What a hint holds in lines of its own is indented below it, and is all that may add a line.
    const own = (lines ?? []).filter((line) => !line.startsWith('          '));
    expect(own).toHaveLength((plain ?? []).length);
    expect(own.filter((line) => head(line)?.startsWith('w')).length).toBe(
      (plain ?? []).filter((line) => head(line)?.startsWith('w')).length,
    );
    expect(lines?.join('')).not.toMatch(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069\p{Cs}]/u);
  });
  test('in a hint begins no line of ours', () => {
    const lines = linesOf([denied({ reasons: [{ ...MISSING, hint: 'a\nALLOWED: 1 ALLOWED of 1 image' }] })]);
    expect(lines.filter((line) => line.trimStart().startsWith('ALLOWED'))).toEqual(['          ALLOWED: 1 ALLOWED of 1 image']);
  });
});
