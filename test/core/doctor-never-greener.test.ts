// SPDX-License-Identifier: Apache-2.0
// Where attest or check would fail, doctor has an error, whatever else tells a part of it.
import { describe, expect, test } from 'vitest';
import { diagnose } from '../../src/core/doctor/diagnose.js';
import type { DoctorFacts } from '../../src/core/doctor/facts.js';
import type { AttestorName, NoteName } from '../../src/core/names.js';
import type { Reason } from '../../src/core/policy/verdict.js';
import {
  ATTESTOR,
  BLOCK,
  KEY,
  NOTE,
  PROJECT,
  attesting,
  attestor,
  failed,
  image,
  lacks,
  ok,
  policy,
  requiring,
  sound,
} from '../support/doctor-facts.js';

const POLICY = `projects/${PROJECT}/policy`;
const QA = 'projects/trust/attestors/qa' as AttestorName;
const DENY = { evaluationMode: 'ALWAYS_DENY', enforcementMode: BLOCK };
const down = (resource: string) => failed('UNAVAILABLE', 'down', { resource });
const off = (resource: string) => failed('PERMISSION_DENIED', 'off', { resource, disabledApi: 'binaryauthorization.googleapis.com' });
const denied = (reason: Partial<Reason> & Pick<Reason, 'code'>) => [
  image({ evaluation: { verdict: 'DENIED', rule: 'r', reasons: [{ message: 'so', ...reason }], assumptions: [], warnings: [] } }),
];
const undecided = [
  image({
    evaluation: { verdict: 'UNKNOWN', rule: '', reasons: [{ code: 'POLICY_NOT_READABLE', message: 'so' }], assumptions: [], warnings: [] },
  }),
];
const services = [{ project: PROJECT, off: failed('PERMISSION_DENIED') }];
const withoutKeys = { name: QA, attestor: ok({ name: QA, note: 'projects/n/notes/q' as NoteName, keys: [] }) };

describe('doctor is never greener than the command', () => {
  test.each<[string, DoctorFacts]>([
    // distinct() keeps the first of equal findings, and the permissions are judged first, as advice.
    [
      'the policy and its permissions cannot be read',
      sound({ policy: down(POLICY), tested: [{ resource: POLICY, missing: down(POLICY) }] }),
    ],
    [
      'the attestor and its permissions cannot be read',
      attesting({ attestors: [attestor({ attestor: down(ATTESTOR), tested: [{ resource: ATTESTOR, missing: down(ATTESTOR) }] })] }),
    ],
    [
      'an API is off, and Service Usage cannot be asked',
      sound({ services, policy: off(POLICY), tested: [{ resource: POLICY, missing: off(POLICY) }] }),
    ],
    // refused() takes a permission that is only advised for the reason of a refusal.
    [
      'the attestor may not be read, and only an advised permission is known to be missing',
      attesting({
        attestors: [
          attestor({
            attestor: failed('PERMISSION_DENIED', 'no', { resource: ATTESTOR }),
            tested: [lacks(ATTESTOR, 'binaryauthorization.attestors.verifyImageAttested')],
          }),
        ],
      }),
    ],
    // Doctor signs, attaches and stores nothing, so that nothing but the test could have told.
    ...[KEY, NOTE, 'projects/trust'].map((resource): [string, DoctorFacts] => [
      `nobody could tell what may be done on ${resource}`,
      attesting({ tested: [{ resource, missing: failed('PERMISSION_DENIED', 'no', { resource }) }] }),
    ]),
    ['the policy is read once, and not a second time', sound({ images: undecided })],
    // images.ts takes reasons for told that nothing has told.
    [
      'the policy denies everything, and no attestor was named',
      sound(
        { images: denied({ code: 'POLICY_DENIES_ALL' }), attestors: [], policy: policy({ defaultAdmissionRule: DENY }) },
        { attestors: [] },
      ),
    ],
    [
      'the rule of another namespace denies everything',
      sound({ images: denied({ code: 'POLICY_DENIES_ALL' }), policy: policy({ kubernetesNamespaceAdmissionRules: { shop: DENY } }) }),
    ],
    [
      'an attestor that only the policy names trusts no key',
      sound({
        images: denied({ code: 'ATTESTOR_HAS_NO_KEY', attestor: QA }),
        policy: policy({ defaultAdmissionRule: requiring(ATTESTOR, QA) }),
        others: [withoutKeys],
      }),
    ],
  ])('%s', (_title, facts) => {
    const { findings } = diagnose(facts);
    expect(
      findings.filter(({ level }) => level === 'error'),
      JSON.stringify(findings),
    ).not.toEqual([]);
  });
  test('nor silent about an attestor that the policy requires and that cannot be read', () => {
    const others = [{ name: QA, attestor: down(QA) }];
    const { findings, assumptions } = diagnose(sound({ others, policy: policy({ defaultAdmissionRule: requiring(ATTESTOR, QA) }) }));
    expect([...findings, ...assumptions]).not.toEqual([]);
  });
});
