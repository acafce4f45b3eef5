// SPDX-License-Identifier: Apache-2.0
// What check says of an image and no other finding tells.
import { describe, expect, it, test } from 'vitest';
import type { Attestor } from '../../src/core/attestation/attestor.js';
import type { AttestorKey } from '../../src/core/signing/public-key.js';
import type { AttestationFacts, DoctorFacts, ImageFacts, Question } from '../../src/core/doctor/facts.js';
import type { FindingCode } from '../../src/core/doctor/findings.js';
import { judgeVerdicts } from '../../src/core/doctor/verdicts.js';
import { REASON_CODES, type Reason, type ReasonCode, type Verdict } from '../../src/core/policy/verdict.js';
import {
  attestor,
  BLOCK,
  policy,
  AGENT,
  APP,
  ATTESTOR,
  codesOf,
  DIGEST,
  expectFindings,
  failed,
  image,
  listed,
  NOTE,
  ok,
  sound,
} from '../support/doctor-facts.js';

const NAME = `${APP}@${DIGEST}`;
const CHECK = 'binauthz check';
const DENY = { evaluationMode: 'ALWAYS_DENY', enforcementMode: BLOCK };
const CLUSTER = { kind: 'cluster', key: 'l.c', location: 'l', name: 'c' } as const;
const SERVICE = { kind: 'service', key: 'r.s', location: 'r', name: 's' } as const;
const TRUSTING = (keys: readonly AttestorKey[]): Attestor => ({ name: ATTESTOR, note: NOTE, keys, serviceAgent: AGENT });

function said(
  reason: Reason,
  verdict: Verdict,
  overrides: Partial<ImageFacts> = {},
  question: Partial<Question> = {},
  text = NAME,
): DoctorFacts {
  const evaluation = { verdict, rule: '', reasons: [reason], assumptions: [], warnings: [] };
  return sound({ images: [image({ evaluation, ...overrides }, text)] }, question);
}
const reason = (code: ReasonCode, more: Partial<Reason> = {}): Reason => ({ code, message: 'as check says', ...more });

/** They keep nothing from running. */
const HARMLESS: readonly ReasonCode[] = [
  'ATTESTED',
  'POLICY_ALLOWS_ALL',
  'EXEMPT_BY_SYSTEM_POLICY',
  'CLUSTER_NOT_ENFORCING',
  'SERVICE_NOT_OPTED_IN',
];

/** Told by the place, the policy or the attestor, with its repair: so are these facts, and what is found in them. */
const TOLD: readonly (readonly [ReasonCode, Verdict, Partial<DoctorFacts>, readonly FindingCode[]])[] = [
  ['POLICY_DENIES_ALL', 'DENIED', { policy: policy({ defaultAdmissionRule: DENY }) }, ['POLICY_DENIES_ALL']],
  ['ATTESTOR_HAS_NO_KEY', 'DENIED', { attestors: [attestor({ attestor: ok(TRUSTING([])) })] }, ['ATTESTOR_WITHOUT_KEYS']],
  [
    'ATTESTOR_MISSING',
    'UNKNOWN',
    { attestors: [attestor({ attestor: failed('ATTESTOR_NOT_FOUND') })] },
    ['ATTESTOR_MISSING', 'POLICY_ATTESTOR_MISSING'],
  ],
  ['CLUSTER_NOT_FOUND', 'UNKNOWN', { target: { ref: CLUSTER, state: failed('NOT_FOUND') } }, ['CLUSTER_MISSING']],
  [
    'CLOUD_RUN_PLATFORM_POLICY',
    'UNKNOWN',
    { target: { ref: SERVICE, state: ok({ enforcement: { isEnforced: undefined, because: 'so' } }) } },
    ['CLOUD_RUN_PLATFORM_POLICY'],
  ],
  [
    'RULE_MAPS_CONFLICT',
    'UNKNOWN',
    { policy: policy({ clusterAdmissionRules: { a: DENY }, kubernetesNamespaceAdmissionRules: { b: DENY } }) },
    ['POLICY_RULE_MAPS_CONFLICT'],
  ],
  ['POLICY_NOT_READABLE', 'UNKNOWN', { policy: failed('UNAVAILABLE') }, ['NOT_CHECKED']],
];
const ELSEWHERE = [...HARMLESS, ...TOLD.map(([code]) => code)];
const OWN: readonly ReasonCode[] = ['IMAGE_NOT_PINNED', 'EXEMPT_BY_PATTERN', 'VALIDATION_DISAGREES'];
const OTHERS = (Object.keys(REASON_CODES) as ReasonCode[]).filter((code) => !ELSEWHERE.includes(code) && !OWN.includes(code));

describe('a reason of check', () => {
  test.each(HARMLESS)('is none against an image: %s', (code) => {
    const facts = said(reason(code), 'UNKNOWN');
    const [first] = facts.images;
    const reasons = [...(first?.evaluation?.reasons ?? []), reason('EVIDENCE_MISSING')];
    const both = { ...facts, images: [{ ...first!, evaluation: { ...first!.evaluation!, reasons } }] };
    expect(judgeVerdicts(both, []).map(({ message }) => message)).toEqual(['EVIDENCE_MISSING: as check says']);
  });
  test.each(TOLD)('is left to the finding that repairs it: %s', (code, verdict, facts, codes) => {
    expect(codesOf({ ...said(reason(code, { attestor: ATTESTOR }), verdict), ...facts })).toEqual(codes);
  });

  test.each(OTHERS)('is told of what is denied or undecided: %s', (code) => {
    const expected = (finding: FindingCode) => ({
      code: finding,
      resource: NAME,
      message: `${code}: as check says`,
      fix: `${CHECK} ${NAME} --project deploy`,
    });
    expect(judgeVerdicts(said(reason(code), 'DENIED'), [])).toEqual([expected('DEPLOYMENT_DENIED')]);
    expect(judgeVerdicts(said(reason(code), 'UNKNOWN'), [])).toEqual([expected('DEPLOYMENT_UNDECIDED')]);
    for (const verdict of ['ALLOWED', 'ALLOWED_DRY_RUN', 'NOT_ENFORCED'] as const)
      expect(judgeVerdicts(said(reason(code), verdict), [])).toEqual([]);
  });
  it('says its own next step, if it names one, and is asked about again', () => {
    const missing = reason('EVIDENCE_MISSING', { hint: 'do this' });
    expectFindings(said(missing, 'UNKNOWN'), {
      code: 'DEPLOYMENT_UNDECIDED',
      error: 'UNDECIDED',
      resource: NAME,
      says: ['EVIDENCE_MISSING: as check says (do this)'],
      fix: `${CHECK} ${NAME} --project deploy`,
    });
    expectFindings(said(missing, 'DENIED'), {
      code: 'DEPLOYMENT_DENIED',
      error: 'POLICY_DENIED',
      resource: NAME,
      says: ['EVIDENCE_MISSING: as check says (do this)'],
      fix: `${CHECK} ${NAME} --project deploy`,
    });
  });

  test.each<ReasonCode>(['NO_TRUSTED_ATTESTATION', 'PLATFORM_CHILD_NOT_ATTESTED'])(
    'is left to the attestations, if they say anything: %s',
    (code) => {
      const attestor = { name: ATTESTOR, note: NOTE, keys: [listed()], serviceAgent: AGENT };
      const found = (isVerified: boolean): AttestationFacts => ({
        attestor,
        digest: DIGEST,
        isVerified,
        rejected: [],
        elsewhere: [],
        siblings: [],
      });
      expect(codesOf(said(reason(code), 'DENIED', { attestations: [ok(found(false))] }))).toEqual(['NOT_ATTESTED']);
      expect(codesOf(said(reason(code), 'DENIED', { attestations: [ok(found(true))] }))).toEqual(['DEPLOYMENT_DENIED']);
      const [one] = said(reason(code), 'DENIED', { attestations: [ok(found(false))] }).images;
      const [other] = said(reason(code), 'DENIED', {}, {}, `${APP}-other@${DIGEST}`).images;
      expect(codesOf(sound({ images: [one!, other!] }))).toEqual(['DEPLOYMENT_DENIED', 'NOT_ATTESTED']);
      expect(codesOf(said(reason('EVIDENCE_MISSING'), 'UNKNOWN', { attestations: [ok(found(false))] }))).toEqual([
        'DEPLOYMENT_UNDECIDED',
        'NOT_ATTESTED',
      ]);
    },
  );
  it('is none where nothing was judged', () => expect(codesOf(sound({ images: [image()] }))).toEqual([]));
});

describe('an image by its tag', () => {
  const unpinned = reason('IMAGE_NOT_PINNED');
  const expected = { code: 'IMAGE_BY_TAG', error: 'POLICY_DENIED', resource: `${APP}:v1` } as const;
  it('is pinned in the manifest', () =>
    expectFindings(said(unpinned, 'DENIED', {}, {}, `${APP}:v1`), {
      ...expected,
      says: [`${APP}:v1 names a tag, which GKE does not resolve`, `write ${NAME} into the manifest`],
      fix: `sed -i 's|${APP}:v1|${NAME}|g' MANIFEST`,
    }));
  it('has its digest filled in where it is not known', () => {
    const [first] = judgeVerdicts(said(unpinned, 'DENIED', { resolved: failed('UNAVAILABLE') }, {}, `${APP}:v1`), []).filter(
      ({ code }) => code === 'IMAGE_BY_TAG',
    );
    expect(first).toMatchObject({ resource: `${APP}:v1`, fix: `sed -i 's|${APP}:v1|${APP}@sha256:DIGEST|g' MANIFEST` });
  });
  it('is resolved by attest itself', () =>
    expect(judgeVerdicts(said(unpinned, 'DENIED', {}, { eyes: 'attest' }, `${APP}:v1`), [])).toEqual([]));
});

describe('what else has a finding of its own', () => {
  it('is an exemption, which a person has to judge', () =>
    expectFindings(said(reason('EXEMPT_BY_PATTERN', { hint: 'x' }), 'ALLOWED'), {
      ...{ code: 'IMAGE_EXEMPT', resource: NAME, says: ['as check says: no attestation of it is ever looked at'] },
      fix: 'gcloud container binauthz policy export --project=deploy',
    }));
  it('is Google’s validation where it contradicts', () => {
    const expected = { code: 'GOOGLE_DISAGREES', error: 'UNDECIDED', says: ['as check says'] } as const;
    expectFindings(said(reason('VALIDATION_DISAGREES', { attestor: ATTESTOR }), 'UNKNOWN'), {
      ...{ ...expected, resource: ATTESTOR },
      fix: `${CHECK} ${NAME} --project deploy`,
    });
    expectFindings(said(reason('VALIDATION_DISAGREES', { hint: 'ask Google' }), 'UNKNOWN'), {
      ...{ ...expected, resource: NAME },
      says: ['as check says (ask Google)'],
      fix: `${CHECK} ${NAME} --project deploy`,
    });
  });
});
