// SPDX-License-Identifier: Apache-2.0
// All findings together: each told once, what stops the command first, and never at odds with what check says of the images.
import { describe, expect, it, test } from 'vitest';
import { diagnose, refusalOf } from '../../src/core/doctor/diagnose.js';
import type { DoctorFacts, ImageFacts } from '../../src/core/doctor/facts.js';
import type { DoctorFinding } from '../../src/core/operation-results.js';
import type { Verdict } from '../../src/core/policy/verdict.js';
import { ATTESTOR, attesting, attestor, failed, iam, image, lacks, NOTE, ok, policy, PROJECT, sound } from '../support/doctor-facts.js';

const POLICY = `projects/${PROJECT}/policy`;
const SHUT = [iam(NOTE)];
const told = (facts: DoctorFacts): readonly (readonly [string, string])[] =>
  diagnose(facts).findings.map(({ code, error, level }) => [code, error ?? level]);

describe('the order', () => {
  it('begins with what stops the command', () => {
    const tested = [lacks(POLICY, 'binaryauthorization.policy.get')];
    const facts = sound({
      tested,
      attestors: [attestor({ tested: [lacks(ATTESTOR, 'binaryauthorization.attestors.verifyImageAttested')], noteAccess: SHUT })],
    });
    const system = policy({ globalPolicyEvaluationMode: 'DISABLE' });
    expect(told({ ...facts, policy: system })).toEqual([
      ['PERMISSION_MISSING', 'UNDECIDED'],
      ['AGENT_CANNOT_READ_NOTE', 'UNDECIDED'],
      ['PERMISSION_ADVISED', 'warning'],
      ['SYSTEM_POLICY_OFF', 'warning'],
    ]);
  });
});

test('a warning has no error, not even an undefined one', () => {
  const { findings } = diagnose(sound({ policy: policy({ globalPolicyEvaluationMode: 'DISABLE' }) }));
  expect(findings.map((finding) => Object.keys(finding))).toEqual([['code', 'level', 'resource', 'message', 'fix']]);
});

describe('one cause', () => {
  const off = (resource: string) => failed('PERMISSION_DENIED', 'off', { resource, disabledApi: 'binaryauthorization.googleapis.com' });
  it('is told once, however many reads it fails', () => {
    const services = [{ project: PROJECT, off: ok(['binaryauthorization.googleapis.com']) }];
    const facts = sound({ services, policy: off(POLICY), tested: [{ resource: POLICY, missing: off(POLICY) }] });
    expect(told(facts)).toEqual([['API_DISABLED', 'UNDECIDED']]);
    expect(diagnose(facts).findings[0]?.resource).toBe('projects/deploy/services/binaryauthorization.googleapis.com');
  });
  it('is another one with another resource', () => {
    const other = { name: `${ATTESTOR}-2` as typeof ATTESTOR, attestor: failed('UNAVAILABLE', 'down', { resource: `${ATTESTOR}-2` }) };
    const attestors = [attestor({ attestor: failed('UNAVAILABLE', 'down', { resource: ATTESTOR }) }), { ...attestor(), ...other }];
    expect(diagnose(sound({ attestors })).findings.map(({ code, resource }) => [code, resource])).toEqual([
      ['NOT_CHECKED', ATTESTOR],
      ['NOT_CHECKED', `${ATTESTOR}-2`],
    ]);
  });
  it('is another one with another code', () => {
    const state = ok({
      enforcement: { isEnforced: false, because: 'so' },
      cloudRun: { setting: { uses: 'nothing' }, breakGlass: 'now' },
    } as const);
    const target = { ref: { kind: 'service', key: 'r.s', location: 'r', name: 's' }, state } as const;
    const { findings } = diagnose(sound({ target }, { platform: 'cloud-run' }));
    expect(findings.map(({ code }) => code)).toEqual(['CLOUD_RUN_NOT_ENFORCING', 'CLOUD_RUN_BREAK_GLASS']);
    expect(findings[0]?.fix).toBe(findings[1]?.fix);
  });
});

describe('where check decided about every image, and denied none', () => {
  const shown = (verdict: Verdict): ImageFacts => image({ evaluation: { verdict, rule: '', reasons: [], assumptions: [], warnings: [] } });
  const unseen = lacks(POLICY, 'binaryauthorization.policy.get');
  const facts = (images: readonly ImageFacts[]): DoctorFacts =>
    sound({ images, tested: [unseen], attestors: [attestor({ noteAccess: SHUT })] });
  const hidden = ['AGENT_CANNOT_READ_NOTE', 'UNDECIDED'];
  const stopping = ['PERMISSION_MISSING', 'UNDECIDED'];
  const softened = ['PERMISSION_MISSING', 'warning'];

  test.each<Verdict>(['ALLOWED', 'ALLOWED_DRY_RUN', 'ALLOWED_BREAK_GLASS', 'NOT_ENFORCED'])(
    'what would have kept it from that is a warning, save what check cannot see: %s',
    (verdict) => expect(told(facts([shown('ALLOWED'), shown(verdict)]))).toEqual([hidden, softened]),
  );
  test.each<[string, readonly ImageFacts[]]>([
    ['there is no image', []],
    ['an image is denied', [shown('ALLOWED'), shown('DENIED')]],
    ['an image is undecided', [shown('UNKNOWN'), shown('ALLOWED')]],
    ['an image could not be judged', [shown('ALLOWED'), image()]],
  ])('is not where %s', (_title, images) => expect(told(facts(images))).toEqual([stopping, hidden]));

  it('what would make check deny is a warning too', () => {
    const note = { name: NOTE, found: ok({ isAttestation: false }) };
    const wrong = sound({ images: [shown('ALLOWED')], attestors: [attestor({ note })] });
    expect(told(wrong)).toEqual([['NOTE_NOT_ATTESTATION', 'warning']]);
    expect(told({ ...wrong, images: [] })).toEqual([['NOTE_NOT_ATTESTATION', 'POLICY_DENIED']]);
  });
  it('attest still ends for what stops attest', () => {
    const tested = [lacks('projects/notary', 'containeranalysis.occurrences.create')];
    const target = {
      ref: { kind: 'cluster', key: 'l.c', location: 'l', name: 'c' },
      state: failed('NOT_FOUND', 'gone', { resource: 'c' }),
    } as const;
    expect(told(attesting({ images: [shown('ALLOWED')], tested, target }))).toEqual([
      ['PERMISSION_MISSING', 'PERMISSION_DENIED'],
      ['CLUSTER_MISSING', 'warning'],
    ]);
    expect(told(attesting({ tested: [], target }))).toEqual([['CLUSTER_MISSING', 'UNDECIDED']]);
  });
});

describe('what was taken for granted', () => {
  it('is said once, on one line, whoever took it', () => {
    const off = failed('UNAVAILABLE', 'asleep');
    const facts = sound({
      attestors: [attestor({ note: { name: NOTE, found: failed('PERMISSION_DENIED') } })],
      services: [{ project: PROJECT, off }],
      target: { ref: { kind: 'cluster', key: 'l.c', location: 'l', name: 'c' }, state: failed('UNAVAILABLE') },
      images: [image({ assumptions: ['the namespace\nis default', 'so'] }), image({ assumptions: ['so', 'the namespace is default'] })],
    });
    expect(diagnose(facts).assumptions).toEqual([
      `the note ${NOTE} exists, and is one for attestations: it could not be read`,
      'every API that is called in deploy is on: Service Usage could not be asked (asleep)',
      'the cluster l.c asks the policy: it could not be read',
      'the namespace is default',
      'so',
    ]);
  });
});

describe('the error that stands for all', () => {
  const finding = (error: DoctorFinding['error'], message: string): DoctorFinding => ({
    ...{ code: 'C', resource: `of ${message}`, message, fix: 'f' },
    ...(error === undefined ? { level: 'warning' as const } : { level: 'error' as const, error }),
  });
  it('names the finding, its resource, and what to do', () => {
    const error = refusalOf([finding(undefined, 'w'), finding('UNDECIDED', 'one')]);
    expect(error).toMatchObject({
      code: 'UNDECIDED',
      message: 'doctor found what keeps the run from succeeding: one',
      resource: 'of one',
      hint: 'run the command that the result gives for each finding, then doctor again',
    });
  });
  it('counts the other errors, and no warning', () => {
    const error = refusalOf([
      finding('UNDECIDED', 'one'),
      finding('POLICY_DENIED', 'two'),
      finding(undefined, 'w'),
      finding('POLICY_DENIED', 'three'),
    ]);
    expect(error).toMatchObject({
      code: 'POLICY_DENIED',
      resource: 'of two',
      message: expect.stringMatching(/: two, and 2 more$/) as unknown,
    });
  });
});
