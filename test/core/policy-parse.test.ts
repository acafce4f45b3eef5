// SPDX-License-Identifier: Apache-2.0
// What is refused, where, and what is only warned about. Sources: facts 5.1, 5.3, 5.4, 5.8; traps 3 and 4.
import { describe, expect, it } from 'vitest';
import { parsePolicy, parseSystemPolicy, type PolicyOrigin } from '../../src/core/policy/parse.js';
import { policyWarnings } from '../../src/core/policy/warnings.js';
import { filledMaps, type Policy } from '../../src/core/policy/policy.js';

const A = 'projects/proj/attestors/a';
const ALLOW = { evaluationMode: 'ALWAYS_ALLOW', enforcementMode: 'ENFORCED_BLOCK_AND_AUDIT_LOG' };
const DENY = { ...ALLOW, evaluationMode: 'ALWAYS_DENY' };
const REQUIRE = { ...ALLOW, evaluationMode: 'REQUIRE_ATTESTATION', requireAttestationsBy: [A] };
const LIVE: PolicyOrigin = { from: 'live' };
const FILE: PolicyOrigin = { from: 'file', project: 'proj' };
const TWO_MAPS = { clusterAdmissionRules: { 'us-east1-a.prod': DENY }, kubernetesNamespaceAdmissionRules: { prod: DENY } };

function policy(document: Record<string, unknown>, origin = LIVE): Policy {
  const parsed = parsePolicy({ defaultAdmissionRule: DENY, ...document }, origin);
  if (!parsed.policy) throw new Error(parsed.problems.join('; '));
  return parsed.policy;
}

describe('a policy document', () => {
  it.each<[title: string, document: unknown, problem: RegExp]>([
    ['5.1: no object', [], /not an object/],
    ['5.1: a text', 'policy', /not an object/],
    ['5.1: no default rule', { description: 'x' }, /defaultAdmissionRule is missing/],
    ['5.1: a default rule of null', { description: 'x', defaultAdmissionRule: null }, /defaultAdmissionRule is missing/],
    ['5.1: a default rule that is a list', { defaultAdmissionRule: [] }, /expected a rule/],
    [
      '5.1: an unspecified evaluation mode',
      { defaultAdmissionRule: { ...DENY, evaluationMode: 'EVALUATION_MODE_UNSPECIFIED' } },
      /evaluationMode/,
    ],
    ['5.1: no evaluation mode', { defaultAdmissionRule: { enforcementMode: DENY.enforcementMode } }, /evaluationMode is missing/],
    ['5.1: an unspecified enforcement mode', { defaultAdmissionRule: { ...DENY, enforcementMode: '' } }, /enforcementMode/],
    ['5.1: no attestors', { defaultAdmissionRule: { ...REQUIRE, requireAttestationsBy: [] } }, /at least one/],
    ['5.1: attestors with ALWAYS_DENY', { defaultAdmissionRule: { ...DENY, requireAttestationsBy: [A] } }, /the other modes none/],
    ['5.1: attestors with ALWAYS_ALLOW', { defaultAdmissionRule: { ...ALLOW, requireAttestationsBy: [A] } }, /the other modes none/],
    ['a short attestor name', { defaultAdmissionRule: { ...REQUIRE, requireAttestationsBy: ['a'] } }, /projects\/PROJECT\/attestors/],
    ['attestors that are no list', { defaultAdmissionRule: { ...REQUIRE, requireAttestationsBy: A } }, /expected a list/],
    [
      '5.1: a wildcard in the middle',
      { defaultAdmissionRule: DENY, admissionWhitelistPatterns: [{ namePattern: 'gcr.io/p/n*x' }] },
      /namePattern/,
    ],
    [
      '5.1: a wildcard in the registry',
      { defaultAdmissionRule: DENY, admissionWhitelistPatterns: [{ namePattern: 'gcr.i*' }] },
      /registry/,
    ],
    ['patterns as texts', { defaultAdmissionRule: DENY, admissionWhitelistPatterns: ['gcr.io/p/*'] }, /namePattern is missing/],
    [
      'a broken cluster rule',
      { defaultAdmissionRule: DENY, clusterAdmissionRules: { 'us-east1-a.prod': {} } },
      /clusterAdmissionRules\[us-east1-a.prod\]/,
    ],
    ['a rule map that is a list', { defaultAdmissionRule: DENY, clusterAdmissionRules: [] }, /expected a map/],
    ['an unknown global mode', { defaultAdmissionRule: DENY, globalPolicyEvaluationMode: 'ON' }, /globalPolicyEvaluationMode/],
    ['a name that is a number', { defaultAdmissionRule: DENY, name: 1 }, /name is 1/],
  ])('%s is refused, live and in a file', (_title, document, problem) => {
    for (const origin of [LIVE, FILE]) {
      const parsed = parsePolicy(document, origin);
      expect(parsed.policy).toBeUndefined();
      expect(parsed.problems?.join('\n')).toMatch(problem);
    }
  });

  it.each<[title: string, document: unknown, problem: RegExp | undefined]>([
    ['5.1: two rule maps', { defaultAdmissionRule: DENY, ...TWO_MAPS }, /at most one of the rule maps/],
    ['5.1: one rule map beside an empty one', { defaultAdmissionRule: DENY, ...TWO_MAPS, clusterAdmissionRules: {} }, undefined],
    ['traps 4: the name of another project', { defaultAdmissionRule: DENY, name: 'projects/other/policy' }, /projects\/proj\/policy/],
    ['traps 4: its own name', { defaultAdmissionRule: DENY, name: 'projects/proj/policy' }, undefined],
    ['an unknown member', { defaultAdmissionRule: DENY, admissionAllowlistPatterns: [] }, /admissionAllowlistPatterns is not known/],
    ['an unknown member of a rule', { defaultAdmissionRule: { ...DENY, mode: 'x' } }, /defaultAdmissionRule.mode is not known/],
    [
      'an unknown member of a pattern',
      { defaultAdmissionRule: DENY, admissionWhitelistPatterns: [{ namePattern: 'gcr.io/p/*', why: 'x' }] },
      /why is not known/,
    ],
    [
      'what gcloud exports',
      {
        name: 'projects/proj/policy',
        etag: '"x"',
        updateTime: '2026-01-01T00:00:00Z',
        description: 'd',
        globalPolicyEvaluationMode: 'ENABLE',
        defaultAdmissionRule: DENY,
      },
      undefined,
    ],
  ])('%s: judged in a file, taken live', (_title, document, problem) => {
    expect(parsePolicy(document, LIVE).policy).toBeDefined();
    const { problems } = parsePolicy(document, FILE);
    if (problem) expect(problems?.join('\n')).toMatch(problem);
    else expect(problems).toBeUndefined();
  });

  it.each([undefined, null, {}])('traps 4: an empty file (%j) is a problem', (document) => {
    expect(parsePolicy(document, FILE).problems).toEqual([expect.stringMatching(/empty/)]);
    expect(parsePolicy(document, LIVE).policy).toBeUndefined();
  });

  it('names all problems at once', () => {
    const { problems } = parsePolicy({ name: 'x', extra: 1, clusterAdmissionRules: { a: {} }, defaultAdmissionRule: {} }, FILE);
    expect(problems).toHaveLength(6);
  });

  it('keeps two rule maps of a live policy, for the evaluation to refuse', () => {
    expect(filledMaps(policy(TWO_MAPS))).toEqual(['clusterAdmissionRules', 'kubernetesNamespaceAdmissionRules']);
  });

  it('5.1: knows a policy that was never set by its missing update time, live only', () => {
    expect(policy({}).isNeverSet).toBe(true);
    expect(policy({ updateTime: '2026-01-01T00:00:00Z' }).isNeverSet).toBe(false);
    expect(policy({}, FILE).isNeverSet).toBe(false);
  });

  it.each<[unknown, boolean, boolean]>([
    [undefined, false, false],
    ['GLOBAL_POLICY_EVALUATION_MODE_UNSPECIFIED', false, false],
    ['DISABLE', false, true],
    ['ENABLE', true, true],
  ])('5.2 step 3: globalPolicyEvaluationMode %s', (globalPolicyEvaluationMode, uses, names) => {
    expect(policy({ globalPolicyEvaluationMode })).toMatchObject({ usesSystemPolicy: uses, namesSystemPolicy: names });
  });
});

describe('a system policy document (facts 5.8)', () => {
  it('gives its patterns, whatever rules it has or lacks', () => {
    expect(parseSystemPolicy({ admissionWhitelistPatterns: [{ namePattern: 'gke.gcr.io/**' }] }).patterns).toEqual(['gke.gcr.io/**']);
    expect(parseSystemPolicy({}).patterns).toEqual([]);
  });

  it.each<[unknown]>([[null], ['x'], [{ admissionWhitelistPatterns: {} }], [{ admissionWhitelistPatterns: [{ namePattern: '*' }] }]])(
    '%j cannot be used',
    (document) => {
      expect(parseSystemPolicy(document).patterns).toBeUndefined();
    },
  );
});

describe('warnings about a policy', () => {
  const named = { globalPolicyEvaluationMode: 'ENABLE', updateTime: '2026-01-01T00:00:00Z' };
  const pattern = (namePattern: string) => ({ ...named, admissionWhitelistPatterns: [{ namePattern }] });

  it.each<[title: string, document: Record<string, unknown>, warning: RegExp | undefined]>([
    ['traps 3: ** behind a name', pattern('gcr.io/my-project**'), /gcr\.io\/my-project-other\/image/],
    ['traps 3: * behind a name', pattern('gcr.io/p/app*'), /also exempts/],
    ['traps 3: ** behind a slash', pattern('gcr.io/my-project/**'), undefined],
    ['traps 3: * behind a colon', pattern('gcr.io/p/app:*'), undefined],
    ['traps 4: NAME@*', pattern('gcr.io/p/app@*'), /digests only/],
    ['a literal name', pattern('gcr.io/p/app:1'), undefined],
    ['traps 1: no globalPolicyEvaluationMode', { updateTime: 'x' }, /globalPolicyEvaluationMode is not set/],
    ['traps 3: dry run', { ...named, defaultAdmissionRule: { ...DENY, enforcementMode: 'DRYRUN_AUDIT_LOG_ONLY' } }, /blocks nothing/],
    ['contract: ALWAYS_ALLOW', { ...named, defaultAdmissionRule: ALLOW }, /admits every image/],
    ['contract: never set', { defaultAdmissionRule: ALLOW }, /no policy was ever set/],
    ['5.4: a cluster key without a location', { ...named, clusterAdmissionRules: { prod: DENY } }, /LOCATION\.CLUSTER/],
    ['5.4: a membership', { ...named, clusterAdmissionRules: { 'global.test-membership': DENY } }, undefined],
    ['5.4: a namespace with digits', { ...named, kubernetesNamespaceAdmissionRules: { 'team-1': DENY } }, undefined],
    [
      '5.4: a service account without a namespace',
      { ...named, kubernetesServiceAccountAdmissionRules: { robot: DENY } },
      /NAMESPACE:SERVICEACCOUNT/,
    ],
    ['5.4: a mesh identity', { ...named, istioServiceIdentityAdmissionRules: { 'spiffe://d/ns/n/sa/s': DENY } }, undefined],
    ['5.4: no mesh identity', { ...named, istioServiceIdentityAdmissionRules: { 'n/s': DENY } }, /DOMAIN\/ns/],
  ])('%s', (_title, document, warning) => {
    const warnings = policyWarnings(policy(document));
    if (warning) expect(warnings.join('\n')).toMatch(warning);
    else expect(warnings).toEqual([]);
  });
});
