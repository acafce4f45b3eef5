// SPDX-License-Identifier: Apache-2.0
// The programs are run where jq is: what they make of a policy is what counts. Their text is pinned as well, for machines without it.
import { spawnSync } from 'node:child_process';
import { describe, expect, it, test } from 'vitest';
import {
  change,
  enforceRule,
  forgetAttestor,
  keepOnly,
  moveRule,
  replacePattern,
  replaceRule,
  requireAttestor,
  USE_SYSTEM_POLICY,
  type Edit,
} from '../../src/core/doctor/policy-edits.js';
import type { AttestorName, ProjectId } from '../../src/core/names.js';
import type { AdmissionRule } from '../../src/core/policy/policy.js';
import type { ChosenRule } from '../../src/core/policy/rules.js';
import { found, titled } from '../support/tools.js';

const [ONE, TWO] = ['projects/p/attestors/one', 'projects/p/attestors/two'] as unknown as [AttestorName, AttestorName];
const BLOCK = 'ENFORCED_BLOCK_AND_AUDIT_LOG';
const rule = (...requireAttestationsBy: readonly AttestorName[]): AdmissionRule => ({
  evaluationMode: 'REQUIRE_ATTESTATION',
  enforcementMode: BLOCK,
  requireAttestationsBy,
});
const DENY = { evaluationMode: 'ALWAYS_DENY', enforcementMode: BLOCK };
const DEFAULT: ChosenRule = { name: 'defaultAdmissionRule', key: '', rule: rule(ONE) };
const ofCluster = (key: string): ChosenRule => ({ name: 'n', map: 'clusterAdmissionRules', key, rule: rule(ONE) });
/** Everything but what is changed stays, whatever it is. */
const REST = { name: 'projects/p/policy', etag: 'W/"1"', description: 'ours' };

const CASES: readonly (readonly [title: string, edit: Edit, program: string, before: object, after: object])[] = [
  [
    'another default rule',
    replaceRule(DEFAULT, rule(TWO)),
    `.defaultAdmissionRule = {"evaluationMode":"REQUIRE_ATTESTATION","enforcementMode":"${BLOCK}","requireAttestationsBy":["${TWO}"]}`,
    { defaultAdmissionRule: { evaluationMode: 'ALWAYS_ALLOW' }, clusterAdmissionRules: { 'a.b': rule(ONE) } },
    { defaultAdmissionRule: rule(TWO), clusterAdmissionRules: { 'a.b': rule(ONE) } },
  ],
  [
    'a rule that denies, without attestors',
    replaceRule(ofCluster('a.b'), { evaluationMode: 'ALWAYS_DENY', enforcementMode: BLOCK, requireAttestationsBy: [] }),
    `.clusterAdmissionRules["a.b"] = {"evaluationMode":"ALWAYS_DENY","enforcementMode":"${BLOCK}"}`,
    { clusterAdmissionRules: { 'a.b': rule(ONE), 'a.c': rule(TWO) } },
    { clusterAdmissionRules: { 'a.b': DENY, 'a.c': rule(TWO) } },
  ],
  [
    'a rule that only logged',
    enforceRule(ofCluster('a.b'), BLOCK),
    `.clusterAdmissionRules["a.b"].enforcementMode = "${BLOCK}"`,
    { clusterAdmissionRules: { 'a.b': { ...rule(ONE), enforcementMode: 'DRYRUN_AUDIT_LOG_ONLY' } } },
    { clusterAdmissionRules: { 'a.b': rule(ONE) } },
  ],
  [
    'one more attestor',
    requireAttestor(DEFAULT, TWO),
    `.defaultAdmissionRule.requireAttestationsBy += ["${TWO}"]`,
    { defaultAdmissionRule: rule(ONE) },
    { defaultAdmissionRule: rule(ONE, TWO) },
  ],
  [
    'an attestor that is gone, with another in its place',
    forgetAttestor(ONE, TWO),
    `(.defaultAdmissionRule, (.clusterAdmissionRules, .kubernetesNamespaceAdmissionRules, .kubernetesServiceAccountAdmissionRules, .istioServiceIdentityAdmissionRules | values | .[])) |= if (.requireAttestationsBy // [] | index("${ONE}")) then .requireAttestationsBy -= ["${ONE}"] | if .requireAttestationsBy == [] then .requireAttestationsBy = ["${TWO}"] else . end else . end`,
    { defaultAdmissionRule: rule(ONE), clusterAdmissionRules: { 'a.b': rule(ONE, TWO), 'a.c': rule(TWO), 'a.d': DENY } },
    { defaultAdmissionRule: rule(TWO), clusterAdmissionRules: { 'a.b': rule(TWO), 'a.c': rule(TWO), 'a.d': DENY } },
  ],
  [
    'an attestor that is gone, with none in its place: what it covered is denied, and nothing else changes',
    forgetAttestor(ONE, undefined),
    `(.defaultAdmissionRule, (.clusterAdmissionRules, .kubernetesNamespaceAdmissionRules, .kubernetesServiceAccountAdmissionRules, .istioServiceIdentityAdmissionRules | values | .[])) |= if (.requireAttestationsBy // [] | index("${ONE}")) then .requireAttestationsBy -= ["${ONE}"] | if .requireAttestationsBy == [] then del(.requireAttestationsBy) | .evaluationMode = "ALWAYS_DENY" else . end else . end`,
    { defaultAdmissionRule: rule(TWO), kubernetesNamespaceAdmissionRules: { web: rule(ONE) } },
    { defaultAdmissionRule: rule(TWO), kubernetesNamespaceAdmissionRules: { web: DENY } },
  ],
  [
    'rules of one kind',
    keepOnly('kubernetesNamespaceAdmissionRules'),
    'del(.clusterAdmissionRules, .kubernetesServiceAccountAdmissionRules, .istioServiceIdentityAdmissionRules)',
    { clusterAdmissionRules: { 'a.b': rule(ONE) }, kubernetesNamespaceAdmissionRules: { web: rule(ONE) } },
    { kubernetesNamespaceAdmissionRules: { web: rule(ONE) } },
  ],
  [
    'another key',
    moveRule('a.b', 'c.b'),
    '.clusterAdmissionRules |= with_entries(if .key == "a.b" then .key = "c.b" else . end)',
    { clusterAdmissionRules: { 'a.b': rule(ONE), 'a.c': rule(TWO) } },
    { clusterAdmissionRules: { 'c.b': rule(ONE), 'a.c': rule(TWO) } },
  ],
  [
    'a narrower pattern',
    replacePattern('a/x**', 'a/x/**'),
    '.admissionWhitelistPatterns |= map(if .namePattern == "a/x**" then .namePattern = "a/x/**" else . end)',
    { admissionWhitelistPatterns: [{ namePattern: 'a/x**' }, { namePattern: 'b/*' }] },
    { admissionWhitelistPatterns: [{ namePattern: 'a/x/**' }, { namePattern: 'b/*' }] },
  ],
  [
    'one pattern less',
    replacePattern('a/**', undefined),
    '.admissionWhitelistPatterns |= map(select(.namePattern != "a/**"))',
    { admissionWhitelistPatterns: [{ namePattern: 'a/**' }, { namePattern: 'b/*' }] },
    { admissionWhitelistPatterns: [{ namePattern: 'b/*' }] },
  ],
  [
    'the system policy',
    USE_SYSTEM_POLICY,
    '.globalPolicyEvaluationMode = "ENABLE"',
    { globalPolicyEvaluationMode: 'DISABLE' },
    { globalPolicyEvaluationMode: 'ENABLE' },
  ],
  [
    'names that look like programs',
    moveRule('a."\\(env)', "b.'$(x)"),
    '.clusterAdmissionRules |= with_entries(if .key == "a.\\"\\\\(env)" then .key = "b.\'$(x)" else . end)',
    { clusterAdmissionRules: { 'a."\\(env)': DENY } },
    { clusterAdmissionRules: { "b.'$(x)": DENY } },
  ],
];

describe('a change of a policy', () => {
  test.each(CASES)('%s: the program', (_title, edit, program) => expect(edit).toBe(program));

  test.skipIf(!found('jq')).each(CASES)(titled('%s: what it makes', 'jq'), (_title, edit, _program, before, after) => {
    const { status, stdout, stderr } = spawnSync('jq', [edit], { input: JSON.stringify({ ...REST, ...before }), encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout)).toEqual({ ...REST, ...after });
  });

  it('is read, changed and imported, each step only after the one before', () => {
    expect(change('shop' as ProjectId, USE_SYSTEM_POLICY).split(' \\\n  && ')).toEqual([
      'gcloud container binauthz policy export --project=shop --format=json > binauthz-policy.json',
      `jq '.globalPolicyEvaluationMode = "ENABLE"' binauthz-policy.json > binauthz-policy-changed.json`,
      'gcloud container binauthz policy import binauthz-policy-changed.json --project=shop',
    ]);
  });
});
