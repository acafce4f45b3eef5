// SPDX-License-Identifier: Apache-2.0
// What is legal in a policy and rarely meant. Sources: facts 5.1, 5.4; traps 1, 3 and 4; the contract.
import { describe, expect, it } from 'vitest';
import { parsePolicy } from '../../src/core/policy/parse.js';
import { policyWarnings } from '../../src/core/policy/warnings.js';

const ALLOW = { evaluationMode: 'ALWAYS_ALLOW', enforcementMode: 'ENFORCED_BLOCK_AND_AUDIT_LOG' };
const DENY = { ...ALLOW, evaluationMode: 'ALWAYS_DENY' };
const NAMED = { globalPolicyEvaluationMode: 'ENABLE', updateTime: '2026-01-01T00:00:00Z' };
const NOT_NAMED = 'globalPolicyEvaluationMode is not set, which means DISABLE: images that Google’s own components run are not exempt';
const CLUSTER = 'LOCATION.CLUSTER, or LOCATION.MEMBERSHIP for a fleet';
const IDENTITY = 'DOMAIN/ns/NAMESPACE/sa/ACCOUNT';

const pattern = (namePattern: string) => ({ ...NAMED, admissionWhitelistPatterns: [{ namePattern }] });
const open = (text: string, fixed: string): string =>
  `the pattern ${text} also exempts every name that goes on after "${fixed}", such as ${fixed}-other/image`;
const keys = (map: string, expected: string, good: readonly string[], bad: readonly string[]): readonly [string, object, string[]] => [
  `5.4: keys of ${map}`,
  { ...NAMED, [map]: Object.fromEntries([...good, ...bad].map((key) => [key, DENY])) },
  bad.map((key) => `${map}[${key}] applies to nothing: its key is not of the form ${expected}`),
];

function warningsOf(document: object): readonly string[] {
  const parsed = parsePolicy({ defaultAdmissionRule: DENY, ...document });
  if (!parsed.policy) throw new Error(parsed.problems.join('; '));
  return policyWarnings(parsed.policy);
}

it.each<readonly [title: string, document: object, warnings: readonly string[]]>([
  ['traps 3: ** behind a name', pattern('gcr.io/my-project**'), [open('gcr.io/my-project**', 'gcr.io/my-project')]],
  ['traps 3: * behind a name', pattern('gcr.io/p/app*'), [open('gcr.io/p/app*', 'gcr.io/p/app')]],
  ['traps 3: ** behind a slash', pattern('gcr.io/my-project/**'), []],
  ['traps 3: * behind a colon', pattern('gcr.io/p/app:*'), []],
  ['traps 3: * behind a part of a tag', pattern('gcr.io/p/app:v*'), [open('gcr.io/p/app:v*', 'gcr.io/p/app:v')]],
  [
    'traps 4: NAME@*',
    pattern('gcr.io/p/app@*'),
    ['the pattern gcr.io/p/app@* exempts digests only on GKE: an image with a tag is not matched (for tags write gcr.io/p/app:*)'],
  ],
  ['a literal name', pattern('gcr.io/p/app'), []],
  ['traps 1: no globalPolicyEvaluationMode', { updateTime: 'x' }, [NOT_NAMED]],
  ['traps 1: DISABLE is said', { updateTime: 'x', globalPolicyEvaluationMode: 'DISABLE' }, []],
  [
    'traps 3: dry run',
    { ...NAMED, defaultAdmissionRule: { ...DENY, enforcementMode: 'DRYRUN_AUDIT_LOG_ONLY' } },
    ['defaultAdmissionRule only logs (DRYRUN_AUDIT_LOG_ONLY): it blocks nothing'],
  ],
  ['contract: ALWAYS_ALLOW', { ...NAMED, defaultAdmissionRule: ALLOW }, ['defaultAdmissionRule admits every image (ALWAYS_ALLOW)']],
  [
    'contract: a specific rule that admits everything',
    { ...NAMED, kubernetesNamespaceAdmissionRules: { prod: DENY, dev: ALLOW } },
    ['kubernetesNamespaceAdmissionRules[dev] admits every image (ALWAYS_ALLOW)'],
  ],
  ['contract: never set', { defaultAdmissionRule: ALLOW }, ['no policy was ever set: every image is admitted']],
  ['contract: no update time, and yet a rule that denies', {}, [NOT_NAMED]],
  [
    'contract: no update time, and yet specific rules',
    { defaultAdmissionRule: ALLOW, kubernetesNamespaceAdmissionRules: { prod: DENY } },
    ['defaultAdmissionRule admits every image (ALWAYS_ALLOW)', NOT_NAMED],
  ],
  keys(
    'clusterAdmissionRules',
    CLUSTER,
    ['us-east1-a.prod', 'global.test-membership', 'a.b', 'global.a.b'],
    ['prod', '.prod', 'us-east1-a.', '1.prod', 'us_east1.prod', 'US-east1.prod', 'us-east1-a.a b', 'us-east1-a.prod ', ' us-east1-a.prod'],
  ),
  keys('kubernetesNamespaceAdmissionRules', 'NAMESPACE', ['team-1', '1', 'a'], ['a:b', 'a/b', 'a b', 'a ', '/a', '']),
  keys(
    'kubernetesServiceAccountAdmissionRules',
    'NAMESPACE:SERVICEACCOUNT',
    ['team-1:robot', 'a:b'],
    ['robot', ':robot', 'team-1:', 'a:b:c', 'a/b:c', 'a:b/c', 'team 1:robot', 'team-1:robo t'],
  ),
  keys(
    'istioServiceIdentityAdmissionRules',
    IDENTITY,
    ['spiffe://d.example/ns/n-1/sa/s-1', 'd/ns/n/sa/s'],
    ['n/s', 'd/ns/n', '/ns/n/sa/s', 'd/ns//sa/s', 'd/ns/n/sa/', 'd/ns/n/sa/s/x', 'x/d/ns/n/sa/s', 'http://d/ns/n/sa/s', 'd /ns/n/sa/s'],
  ),
])('%s', (_title, document, warnings) => {
  expect(warningsOf(document)).toEqual(warnings);
});

describe('several warnings', () => {
  it('come in the order of patterns, rules, keys', () => {
    const document = {
      ...pattern('gcr.io/p*'),
      updateTime: 'x',
      globalPolicyEvaluationMode: undefined,
      clusterAdmissionRules: { x: ALLOW },
    };
    expect(warningsOf(document)).toEqual([
      open('gcr.io/p*', 'gcr.io/p'),
      'clusterAdmissionRules[x] admits every image (ALWAYS_ALLOW)',
      `clusterAdmissionRules[x] applies to nothing: its key is not of the form ${CLUSTER}`,
      NOT_NAMED,
    ]);
  });
});
