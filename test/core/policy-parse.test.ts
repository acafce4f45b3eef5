// SPDX-License-Identifier: Apache-2.0
// What is refused, and where. Sources: facts 5.1, 5.8; traps 3 and 4.
import { describe, expect, it } from 'vitest';
import { parsePolicy, parseSystemPolicy, type PolicyOrigin } from '../../src/core/policy/parse.js';
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
  const pattern = (namePattern: unknown) => ({ defaultAdmissionRule: DENY, admissionWhitelistPatterns: [{ namePattern }] });
  const EVALUATION = 'expected one of ALWAYS_ALLOW, REQUIRE_ATTESTATION, ALWAYS_DENY';
  const ENFORCEMENT = 'expected one of ENFORCED_BLOCK_AND_AUDIT_LOG, DRYRUN_AUDIT_LOG_ONLY';
  const PATTERN = 'expected a name, with "*" or "**" at its end only, and only behind "registry/"';
  const ATTESTORS = 'REQUIRE_ATTESTATION needs at least one, the other modes none';
  const inDefault = (problem: string): string => `defaultAdmissionRule.${problem}`;

  it.each<[title: string, document: unknown, ...problems: readonly string[]]>([
    ['5.1: no object', [], 'the policy is not an object'],
    ['5.1: a text', 'policy', 'the policy is not an object'],
    ['5.1: no default rule', { description: 'x' }, 'defaultAdmissionRule is missing'],
    ['5.1: a default rule of null', { description: 'x', defaultAdmissionRule: null }, 'defaultAdmissionRule is missing'],
    ['5.1: a default rule that is a list', { defaultAdmissionRule: [] }, 'defaultAdmissionRule is [], expected a rule'],
    ['5.1: a default rule that is a text', { defaultAdmissionRule: 'x' }, 'defaultAdmissionRule is "x", expected a rule'],
    [
      '5.1: an unspecified evaluation mode',
      { defaultAdmissionRule: { ...DENY, evaluationMode: 'EVALUATION_MODE_UNSPECIFIED' } },
      inDefault(`evaluationMode is "EVALUATION_MODE_UNSPECIFIED", ${EVALUATION}`),
    ],
    [
      '5.1: no evaluation mode',
      { defaultAdmissionRule: { enforcementMode: DENY.enforcementMode } },
      inDefault(`evaluationMode is missing, ${EVALUATION}`),
    ],
    [
      '5.1: no evaluation mode, and attestors',
      { defaultAdmissionRule: { enforcementMode: DENY.enforcementMode, requireAttestationsBy: [A] } },
      inDefault(`evaluationMode is missing, ${EVALUATION}`),
    ],
    [
      '5.1: an unspecified enforcement mode',
      { defaultAdmissionRule: { ...DENY, enforcementMode: '' } },
      inDefault(`enforcementMode is "", ${ENFORCEMENT}`),
    ],
    [
      '5.1: no attestors',
      { defaultAdmissionRule: { ...REQUIRE, requireAttestationsBy: [] } },
      inDefault(`requireAttestationsBy has 0 attestors with evaluationMode REQUIRE_ATTESTATION: ${ATTESTORS}`),
    ],
    [
      '5.1: attestors with ALWAYS_DENY',
      { defaultAdmissionRule: { ...DENY, requireAttestationsBy: [A] } },
      inDefault(`requireAttestationsBy has 1 attestors with evaluationMode ALWAYS_DENY: ${ATTESTORS}`),
    ],
    [
      '5.1: attestors with ALWAYS_ALLOW',
      { defaultAdmissionRule: { ...ALLOW, requireAttestationsBy: [A, A] } },
      inDefault(`requireAttestationsBy has 2 attestors with evaluationMode ALWAYS_ALLOW: ${ATTESTORS}`),
    ],
    [
      'a short attestor name, and no text',
      { defaultAdmissionRule: { ...REQUIRE, requireAttestationsBy: ['a', 1] } },
      inDefault('requireAttestationsBy holds "a", expected projects/PROJECT/attestors/ATTESTOR'),
      inDefault('requireAttestationsBy holds 1, expected projects/PROJECT/attestors/ATTESTOR'),
    ],
    [
      'a list of one attestor as an attestor',
      { defaultAdmissionRule: { ...REQUIRE, requireAttestationsBy: [[A]] } },
      inDefault(`requireAttestationsBy holds ["${A}"], expected projects/PROJECT/attestors/ATTESTOR`),
    ],
    [
      'attestors that are no list',
      { defaultAdmissionRule: { ...DENY, requireAttestationsBy: A } },
      inDefault(`requireAttestationsBy is "${A}", expected a list`),
    ],
    ['5.1: a wildcard in the middle', pattern('gcr.io/p/n*x'), `admissionWhitelistPatterns[0].namePattern is "gcr.io/p/n*x", ${PATTERN}`],
    ['5.1: a wildcard in the registry', pattern('gcr.i*'), `admissionWhitelistPatterns[0].namePattern is "gcr.i*", ${PATTERN}`],
    ['a pattern that is a list', pattern(['gcr.io/p/*']), `admissionWhitelistPatterns[0].namePattern is ["gcr.io/p/*"], ${PATTERN}`],
    [
      'patterns as texts',
      { defaultAdmissionRule: DENY, admissionWhitelistPatterns: [{ namePattern: 'gcr.io/p/*' }, 'gcr.io/p/*'] },
      `admissionWhitelistPatterns[1].namePattern is missing, ${PATTERN}`,
    ],
    [
      'patterns that are no list',
      { defaultAdmissionRule: DENY, admissionWhitelistPatterns: {} },
      'admissionWhitelistPatterns is {}, expected a list',
    ],
    [
      'a broken cluster rule',
      { defaultAdmissionRule: DENY, clusterAdmissionRules: { 'us-east1-a.prod': { ...DENY, enforcementMode: 'x' } } },
      `clusterAdmissionRules[us-east1-a.prod].enforcementMode is "x", ${ENFORCEMENT}`,
    ],
    [
      'a rule map that is a list',
      { defaultAdmissionRule: DENY, clusterAdmissionRules: [] },
      'clusterAdmissionRules is [], expected a map of rules',
    ],
    [
      'an unknown global mode',
      { defaultAdmissionRule: DENY, globalPolicyEvaluationMode: 'ON' },
      'globalPolicyEvaluationMode is "ON", expected one of GLOBAL_POLICY_EVALUATION_MODE_UNSPECIFIED, ENABLE, DISABLE',
    ],
    [
      'texts that are none',
      { defaultAdmissionRule: DENY, name: 1, description: [], updateTime: {}, etag: true },
      'name is 1, expected a text',
      'description is [], expected a text',
      'updateTime is {}, expected a text',
      'etag is true, expected a text',
    ],
    [
      'a value that would fill the log',
      { defaultAdmissionRule: DENY, clusterAdmissionRules: 'x'.repeat(200) },
      `clusterAdmissionRules is "${'x'.repeat(119)}…, expected a map of rules`,
    ],
    [
      'a value that just does not',
      { defaultAdmissionRule: DENY, clusterAdmissionRules: 'x'.repeat(118) },
      `clusterAdmissionRules is "${'x'.repeat(118)}", expected a map of rules`,
    ],
  ])('%s is refused, live and in a file', (_title, document, ...problems) => {
    for (const origin of [LIVE, FILE]) expect(parsePolicy(document, origin)).toEqual({ problems });
  });

  it.each<[string, unknown]>([
    ['null for what is left out', { name: null, updateTime: null, clusterAdmissionRules: null, admissionWhitelistPatterns: null }],
    ['empty texts', { name: '', etag: '' }],
    ['its own name', { name: 'projects/proj/policy' }],
    ['one rule map beside an empty one', { ...TWO_MAPS, clusterAdmissionRules: {} }],
    [
      'what gcloud exports',
      {
        name: 'projects/proj/policy',
        etag: '"x"',
        updateTime: '2026-01-01T00:00:00Z',
        description: 'd',
        globalPolicyEvaluationMode: 'ENABLE',
        admissionWhitelistPatterns: [{ namePattern: 'gcr.io/p/*' }],
        clusterAdmissionRules: { 'us-east1-a.prod': REQUIRE },
        kubernetesNamespaceAdmissionRules: {},
        kubernetesServiceAccountAdmissionRules: {},
        istioServiceIdentityAdmissionRules: {},
      },
    ],
  ])('%s is taken, live and in a file', (_title, document) => {
    for (const origin of [LIVE, FILE])
      expect(parsePolicy({ defaultAdmissionRule: DENY, ...(document as object) }, origin).problems).toBeUndefined();
  });

  const MEMBERS =
    'name, description, updateTime, etag, clusterAdmissionRules, kubernetesNamespaceAdmissionRules, kubernetesServiceAccountAdmissionRules, istioServiceIdentityAdmissionRules, globalPolicyEvaluationMode, admissionWhitelistPatterns, defaultAdmissionRule';

  it.each<[title: string, document: object, problem: string]>([
    [
      '5.1: two rule maps',
      TWO_MAPS,
      'clusterAdmissionRules and kubernetesNamespaceAdmissionRules are both given, expected rules in at most one of the rule maps',
    ],
    [
      'traps 4: the name of another project',
      { name: 'projects/other/policy' },
      'name is "projects/other/policy", expected projects/proj/policy: the file is the policy of something else',
    ],
    ['an unknown member', { admissionAllowlistPatterns: [] }, `admissionAllowlistPatterns is not known, expected one of ${MEMBERS}`],
    [
      'an unknown member of a rule',
      { defaultAdmissionRule: { ...DENY, mode: 'x' } },
      'defaultAdmissionRule.mode is not known, expected one of evaluationMode, enforcementMode, requireAttestationsBy',
    ],
    [
      'an unknown member of a pattern',
      { admissionWhitelistPatterns: [{ namePattern: 'gcr.io/p/*', why: 'x' }] },
      'admissionWhitelistPatterns[0].why is not known, expected one of namePattern',
    ],
  ])('%s: refused in a file, taken live', (_title, document, problem) => {
    expect(parsePolicy({ defaultAdmissionRule: DENY, ...document }, LIVE).policy).toBeDefined();
    expect(parsePolicy({ defaultAdmissionRule: DENY, ...document }, FILE)).toEqual({ problems: [problem] });
  });

  it('is read to the last member', () => {
    const document = {
      updateTime: '2026-01-01T00:00:00Z',
      globalPolicyEvaluationMode: 'ENABLE',
      admissionWhitelistPatterns: [{ namePattern: 'gcr.io/p/*' }, { namePattern: 'gcr.io/q/app' }],
      defaultAdmissionRule: DENY,
      kubernetesNamespaceAdmissionRules: { prod: { ...REQUIRE, enforcementMode: 'DRYRUN_AUDIT_LOG_ONLY' } },
    };
    expect(parsePolicy(document)).toEqual({
      policy: {
        admissionWhitelistPatterns: ['gcr.io/p/*', 'gcr.io/q/app'],
        rules: {
          clusterAdmissionRules: {},
          kubernetesNamespaceAdmissionRules: { prod: { ...REQUIRE, enforcementMode: 'DRYRUN_AUDIT_LOG_ONLY' } },
          kubernetesServiceAccountAdmissionRules: {},
          istioServiceIdentityAdmissionRules: {},
        },
        defaultAdmissionRule: { ...DENY, requireAttestationsBy: [] },
        usesSystemPolicy: true,
        namesSystemPolicy: true,
        isNeverSet: false,
        updateTime: '2026-01-01T00:00:00Z',
      },
    });
    expect(policy({})).not.toHaveProperty('updateTime');
  });

  it.each([undefined, null, {}])('traps 4: an empty file (%j) is a problem', (document) => {
    expect(parsePolicy(document, FILE)).toEqual({ problems: ['the policy is empty, expected at least a defaultAdmissionRule'] });
    expect(parsePolicy(document, LIVE).problems).toHaveLength(1);
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
    expect(parseSystemPolicy({ admissionWhitelistPatterns: [{ namePattern: 'gke.gcr.io/**', new: 1 }], new: 1 })).toEqual({
      patterns: ['gke.gcr.io/**'],
    });
    expect(parseSystemPolicy({}).patterns).toEqual([]);
  });

  it.each<[unknown, string]>([
    [null, 'the system policy is not an object'],
    ['x', 'the system policy is not an object'],
    [[], 'the system policy is not an object'],
    [{ admissionWhitelistPatterns: {} }, 'admissionWhitelistPatterns is {}, expected a list'],
    [
      { admissionWhitelistPatterns: [{ namePattern: 'gcr.io/**' }, { namePattern: '*' }] },
      'admissionWhitelistPatterns[1].namePattern is "*", expected a name, with "*" or "**" at its end only, and only behind "registry/"',
    ],
  ])('%j cannot be used', (document, problem) => {
    expect(parseSystemPolicy(document)).toEqual({ problems: [problem] });
  });
});
