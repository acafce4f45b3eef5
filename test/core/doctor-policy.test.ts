// SPDX-License-Identifier: Apache-2.0
// The project's policy: what of it keeps the attestors from deciding, what is rarely meant, and the edit that changes it.
import { describe, expect, it, test } from 'vitest';
import { diagnose } from '../../src/core/doctor/diagnose.js';
import type { DoctorFacts, Question } from '../../src/core/doctor/facts.js';
import { choiceOf, judgePolicy } from '../../src/core/doctor/policy.js';
import type { TargetRef } from '../../src/core/deployment/target.js';
import type { AttestorName } from '../../src/core/names.js';
import {
  ATTESTOR,
  attesting,
  attestor,
  BLOCK,
  codesOf,
  expectFindings,
  failed,
  lacks,
  policy,
  requiring,
  sound,
} from '../support/doctor-facts.js';

const POLICY = 'projects/deploy/policy';
const QA = 'projects/trust/attestors/qa' as AttestorName;
const GONE = 'projects/trust/attestors/gone' as AttestorName;
const ALLOW = { evaluationMode: 'ALWAYS_ALLOW', enforcementMode: BLOCK };
const DENY = { evaluationMode: 'ALWAYS_DENY', enforcementMode: BLOCK };
const DRY_RUN = { enforcementMode: 'DRYRUN_AUDIT_LOG_ONLY' };
const CLUSTER = { kind: 'cluster', key: 'us-central1-a.prod', location: 'us-central1-a', name: 'prod' } as const;
const SERVICE = { kind: 'service', key: 'us-central1.web', location: 'us-central1', name: 'web' } as const;

/** Exports the policy, has jq change it, and imports what came of it. */
const edited = (program: string): string =>
  [
    'gcloud container binauthz policy export --project=deploy --format=json > binauthz-policy.json',
    `  && jq '${program}' binauthz-policy.json > binauthz-policy-changed.json`,
    '  && gcloud container binauthz policy import binauthz-policy-changed.json --project=deploy',
  ].join(' \\\n');
const ruleOf = (mode: string, ...attestors: readonly string[]): string =>
  JSON.stringify({ evaluationMode: mode, enforcementMode: BLOCK, ...(attestors.length > 0 && { requireAttestationsBy: attestors }) });

const withPolicy = (members: object, question: Partial<Question> = {}): DoctorFacts =>
  sound({ policy: policy(members as Record<string, unknown>) }, question);
const withDefault = (rule: object, question: Partial<Question> = {}): DoctorFacts => withPolicy({ defaultAdmissionRule: rule }, question);
const on = (target: TargetRef): Partial<Question> => ({ target, platform: target.kind === 'cluster' ? 'gke' : 'cloud-run' });
const base = { resource: POLICY } as const;

describe('the rule that decides', () => {
  const [allows, denies] = ['POLICY_ALLOWS_ALL', 'POLICY_DENIES_ALL'] as const;
  const required = edited(`.defaultAdmissionRule = ${ruleOf('REQUIRE_ATTESTATION', ATTESTOR, QA)}`);
  const two = { attestors: [ATTESTOR, QA] };

  it('is made to require the attestors where it admits everything', () => {
    const says = ['defaultAdmissionRule admits every image, attested or not (ALWAYS_ALLOW)'];
    expectFindings(withDefault(ALLOW, two), { ...base, code: allows, says, fix: required });
    const denied = edited(`.defaultAdmissionRule = ${ruleOf('ALWAYS_DENY')}`);
    expectFindings(withDefault(ALLOW, { attestors: [] }), { ...base, code: allows, says, fix: denied });
  });
  it('is made where no policy was ever set', () => {
    const never = { updateTime: undefined, globalPolicyEvaluationMode: 'ENABLE' };
    expectFindings(withPolicy({ ...never, defaultAdmissionRule: ALLOW }, two), {
      ...{ ...base, code: 'POLICY_NEVER_SET', fix: required },
      says: ['no policy was ever set: every image is admitted, attested or not'],
    });
    // A rule of a cluster is one that somebody set.
    const specific = withPolicy({ ...never, clusterAdmissionRules: { [CLUSTER.key]: ALLOW } }, on(CLUSTER));
    expect(codesOf(specific)).toEqual([allows]);
    expect(codesOf(withPolicy(never))).toEqual([]);
  });
  it('is made to require the attestors where it denies everything, or to ask again where nobody named one', () => {
    expectFindings(withDefault(DENY, two), {
      ...{ ...base, code: denies, error: 'POLICY_DENIED', fix: required },
      says: ['defaultAdmissionRule denies every image, attested or not (ALWAYS_DENY)'],
    });
    expectFindings(withDefault(DENY, { attestors: [] }), {
      ...{ ...base, code: denies, error: 'POLICY_DENIED', fix: 'binauthz doctor --project deploy --attestor ATTESTOR' },
      says: ['denies every image', 'name the attestor that is to decide instead'],
    });
  });
  it('is made to block where it only logs', () => {
    expectFindings(withDefault({ ...requiring(ATTESTOR), ...DRY_RUN }), {
      ...{ ...base, code: 'POLICY_DRY_RUN' },
      says: ['defaultAdmissionRule only logs what it would deny (DRYRUN_AUDIT_LOG_ONLY): it blocks nothing'],
      fix: edited(`.defaultAdmissionRule.enforcementMode = "${BLOCK}"`),
    });
  });
  it('is made to require each attestor that it does not', () => {
    const says = (name: string): readonly string[] => [
      `defaultAdmissionRule does not require ${name}, only ${QA}, ${GONE}: its attestations decide nothing there`,
    ];
    const other = 'projects/trust/attestors/other' as AttestorName;
    const fix = (name: string): string => edited(`.defaultAdmissionRule.requireAttestationsBy += ["${name}"]`);
    expectFindings(
      withDefault(requiring(QA, GONE), { attestors: [ATTESTOR, QA, other] }),
      { ...base, code: 'POLICY_WITHOUT_ATTESTOR', says: says(ATTESTOR), fix: fix(ATTESTOR) },
      { ...base, code: 'POLICY_WITHOUT_ATTESTOR', says: says(other), fix: fix(other) },
    );
  });

  const rules = { clusterAdmissionRules: { [CLUSTER.key]: ALLOW, 'us-east1.other': { ...requiring(ATTESTOR), ...DRY_RUN } } };
  test.each<[string, Partial<Question>, readonly string[]]>([
    ['that of the cluster, where one was named', on(CLUSTER), [allows]],
    ['any of them, where none was named', {}, [allows, 'POLICY_DRY_RUN']],
    ['the default one on Cloud Run', on(SERVICE), []],
    ['the default one of a cluster without one', on({ ...CLUSTER, key: 'us-west1.third', name: 'third' }), []],
  ])('is %s', (_title, question, codes) => expect(codesOf(withPolicy(rules, question))).toEqual(codes));
  it('is edited by its key', () =>
    expectFindings(withPolicy(rules, on(CLUSTER)), {
      ...{ ...base, code: allows, says: [`clusterAdmissionRules[${CLUSTER.key}] admits every image`] },
      fix: edited(`.clusterAdmissionRules["${CLUSTER.key}"] = ${ruleOf('REQUIRE_ATTESTATION', ATTESTOR)}`),
    }));
});

describe('the policy as a whole', () => {
  it('may hold one kind of rules only, and none is chosen among several', () => {
    const rules = {
      kubernetesNamespaceAdmissionRules: { shop: ALLOW },
      clusterAdmissionRules: { [CLUSTER.key]: ALLOW },
      istioServiceIdentityAdmissionRules: { s: ALLOW },
    };
    const facts = withPolicy(rules);
    const others = ['.kubernetesNamespaceAdmissionRules', '.kubernetesServiceAccountAdmissionRules', '.istioServiceIdentityAdmissionRules'];
    const expected = {
      ...base,
      code: 'POLICY_RULE_MAPS_CONFLICT',
      error: 'UNDECIDED',
      says: [
        'the policy has clusterAdmissionRules and kubernetesNamespaceAdmissionRules and istioServiceIdentityAdmissionRules: only one kind',
        'the command keeps clusterAdmissionRules and drops kubernetesNamespaceAdmissionRules, istioServiceIdentityAdmissionRules',
      ],
      fix: edited(`del(${others.join(', ')})`),
    } as const;
    expectFindings(facts, expected);
    expect(facts.policy.ok && choiceOf({ platform: 'gke' }, facts.policy.value)).toBeUndefined();
    const off = { code: 'SYSTEM_POLICY_OFF', ...base, says: [], fix: edited('.globalPolicyEvaluationMode = "ENABLE"') } as const;
    expectFindings(withPolicy({ ...rules, globalPolicyEvaluationMode: 'DISABLE' }), expected, off);
    expectFindings(withPolicy({ ...rules, globalPolicyEvaluationMode: 'DISABLE' }, on(SERVICE)), expected);
  });

  const off = { ...base, code: 'SYSTEM_POLICY_OFF', fix: edited('.globalPolicyEvaluationMode = "ENABLE"') } as const;
  test.each([
    ['switched off', { globalPolicyEvaluationMode: 'DISABLE' }, 'globalPolicyEvaluationMode is DISABLE: images'],
    ['left out', { globalPolicyEvaluationMode: undefined }, 'globalPolicyEvaluationMode is not set, which means DISABLE: images'],
  ])('lets no system image in where the system policy is %s, which only clusters have', (_title, members, says) => {
    expectFindings(withPolicy(members), { ...off, says: [says, 'a cluster may start and then lose its system Pods'] });
    expect(codesOf(withPolicy(members, { platform: 'cloud-run' }))).toEqual([]);
  });
});

describe('a rule of a cluster under another key', () => {
  const elsewhere = 'us-central1.prod';
  const moved = `.clusterAdmissionRules |= with_entries(if .key == "${elsewhere}" then .key = "${CLUSTER.key}" else . end)`;
  it('is moved', () =>
    expectFindings(withPolicy({ clusterAdmissionRules: { [elsewhere]: requiring(ATTESTOR) } }, on(CLUSTER)), {
      ...{ ...base, code: 'POLICY_KEY_SIMILAR', fix: edited(moved) },
      says: [`the policy has a rule for ${elsewhere}, and none for ${CLUSTER.key}`],
    }));
  test.each<[string, object, Partial<Question>]>([
    ['the cluster has one', { [elsewhere]: requiring(ATTESTOR), [CLUSTER.key]: requiring(ATTESTOR) }, on(CLUSTER)],
    ['it is of another cluster', { 'us-central1.test': requiring(ATTESTOR) }, on(CLUSTER)],
    ['no cluster was named', { [elsewhere]: requiring(ATTESTOR) }, {}],
    ['Cloud Run is meant, which has no rules of its own', { 'us-central1-a.web': requiring(ATTESTOR) }, on(SERVICE)],
  ])('is none where %s', (_title, clusterAdmissionRules, question) =>
    expect(codesOf(withPolicy({ clusterAdmissionRules }, question))).toEqual([]),
  );
});

describe('an attestor that the policy requires and that does not exist', () => {
  const missing = (name: AttestorName) => ({ name, attestor: failed('ATTESTOR_NOT_FOUND', 'gone', { resource: name }) });
  const instead = `.requireAttestationsBy = ["${ATTESTOR}"]`;
  const denied = 'del(.requireAttestationsBy) | .evaluationMode = "ALWAYS_DENY"';
  const without = (last: string, name = GONE): string =>
    edited(
      `(.defaultAdmissionRule, (.clusterAdmissionRules, .kubernetesNamespaceAdmissionRules, .kubernetesServiceAccountAdmissionRules, .istioServiceIdentityAdmissionRules | values | .[])) |= if (.requireAttestationsBy // [] | index("${name}")) then .requireAttestationsBy -= ["${name}"] | if .requireAttestationsBy == [] then ${last} else . end else . end`,
    );
  const expected = {
    ...base,
    code: 'POLICY_ATTESTOR_MISSING',
    error: 'UNDECIDED',
    says: [`the policy requires ${GONE}, which does not exist`],
  } as const;

  it('is taken out, wherever it is required', () => {
    const members = { defaultAdmissionRule: requiring(ATTESTOR, GONE) };
    expectFindings({ ...withPolicy(members), others: [missing(GONE), missing(GONE)] }, { ...expected, fix: without(instead) });
    const specific = { clusterAdmissionRules: { 'us-east1.other': requiring(GONE) } };
    expectFindings({ ...withPolicy(specific, on(CLUSTER)), others: [missing(GONE)] }, { ...expected, fix: without(instead) });
  });
  it('is not replaced by itself, nor by another one that is gone', () => {
    const facts = withPolicy({ defaultAdmissionRule: requiring(ATTESTOR) });
    const gone = { ...facts, attestors: [attestor(missing(ATTESTOR))] };
    expect(judgePolicy(gone)).toMatchObject([{ code: 'POLICY_ATTESTOR_MISSING', fix: without(denied, ATTESTOR) }]);
    const two = withPolicy({ defaultAdmissionRule: requiring(GONE, QA) }, { attestors: [GONE, QA] });
    const first = judgePolicy({ ...two, attestors: [attestor(missing(GONE))], others: [missing(QA)] });
    expect(first.map(({ fix }) => fix)).toEqual([without(denied, GONE), without(denied, QA)]);
  });
  it('is no matter of the policy where it does not require it, or where it could not be read', () => {
    expect(codesOf({ ...withPolicy({}), others: [missing(GONE)] })).toEqual([]);
    const unread = { name: GONE, attestor: failed('UNAVAILABLE', 'asleep', { resource: GONE }) };
    expect(judgePolicy({ ...withPolicy({ defaultAdmissionRule: requiring(ATTESTOR, GONE) }), others: [unread] })).toEqual([]);
  });
});

describe('a pattern', () => {
  const exempting = (...patterns: readonly string[]): DoctorFacts =>
    withPolicy({ admissionWhitelistPatterns: patterns.map((namePattern) => ({ namePattern })) });
  const broad = { ...base, code: 'ALLOWLIST_TOO_BROAD' } as const;
  test.each(['gcr.io/shop*', 'gcr.io/shop**'])('is closed where it goes on into other names: %s', (pattern) =>
    expectFindings(exempting('gcr.io/other/x', pattern), {
      ...broad,
      says: [`the pattern ${pattern} also exempts every name that goes on after "gcr.io/shop", such as gcr.io/shop-other/image`],
      fix: edited(`.admissionWhitelistPatterns |= map(if .namePattern == "${pattern}" then .namePattern = "gcr.io/shop/**" else . end)`),
    }),
  );
  test.each(['gcr.io/*', 'gcr.io/**'])('is taken out where it exempts a whole registry: %s', (pattern) =>
    expectFindings(exempting(pattern), {
      ...broad,
      says: [`the pattern ${pattern} exempts every image of the registry, whoever pushed it`],
      fix: edited(`.admissionWhitelistPatterns |= map(select(.namePattern != "${pattern}"))`),
    }),
  );
  it('is as it should be where it ends with its name, or goes on behind it', () =>
    expect(
      codesOf(exempting('gcr.io/shop/x', 'gcr.io/shop/', 'gcr.io/shop/**', 'gcr.io/shop/*', 'gcr.io/shop/x:*', 'gcr.io/shop/x@*')),
    ).toEqual([]));
});

describe('a policy that could not be read', () => {
  const unread = (missing: readonly string[] = []): Partial<DoctorFacts> => ({
    policy: failed('PERMISSION_DENIED', 'may not', { resource: POLICY }),
    tested: [lacks('projects/deploy', 'other'), lacks(POLICY, ...missing)],
  });
  const expected = {
    ...base,
    code: 'NOT_CHECKED',
    says: ['the policy of deploy could not be checked: may not'],
    fix: `binauthz doctor --project deploy --attestor ${ATTESTOR}`,
  } as const;
  it('keeps check from deciding, and attest from nothing', () => {
    expectFindings(sound(unread()), { ...expected, error: 'UNDECIDED' });
    expectFindings(attesting(unread()), expected);
  });
  it('is let read where nothing tells that it may be, by whoever runs this', () => {
    const hint = 'grant it: gcloud projects add-iam-policy-binding deploy --member=MEMBER (MEMBER is the identity of this run)';
    const refused = failed('PERMISSION_DENIED', 'may not', { resource: 'projects/deploy', hint });
    const granted = (member: string) =>
      `gcloud container binauthz policy add-iam-policy-binding --project=deploy --condition=None --member=${member} --role=roles/binaryauthorization.policyViewer`;
    const signer = 'serviceAccount:ci@p.com';
    const says = [...expected.says, 'the role roles/binaryauthorization.policyViewer carries binaryauthorization.policy.get'];
    const unknown = { policy: refused, tested: [] };
    expectFindings(attesting(unknown, { signer }), { ...expected, says, fix: granted(signer) });
    expectFindings(sound(unknown, { signer }), { ...expected, says, fix: granted(signer), error: 'UNDECIDED' });
    expectFindings(attesting(unknown), { ...expected, says: [...says, 'MEMBER in the command is', '--signer'], fix: granted('MEMBER') });
    expect(diagnose(attesting(unknown, { signer })).findings[0]?.message).not.toContain('MEMBER');
  });
  it('is looked at where it was read, and is not understood', () =>
    expectFindings(sound({ policy: failed('UNDECIDED', 'MAYBE is none', { resource: POLICY }) }), {
      ...{ ...expected, error: 'UNDECIDED' },
      says: ['MAYBE is none'],
      fix: 'gcloud container binauthz policy export --project=deploy',
    }));
  it('is told by the permission that is missing, on the policy alone', () => {
    expect(codesOf(sound(unread(['binaryauthorization.policy.get'])))).toEqual(['PERMISSION_MISSING']);
    const above = failed('PERMISSION_DENIED', 'may not', { resource: `${POLICY}` });
    const tested = [lacks('projects/deploy', 'containeranalysis.occurrences.create'), lacks(POLICY)];
    expect(diagnose(sound({ policy: above, tested })).findings.map(({ code }) => code)).toEqual(['PERMISSION_MISSING', 'NOT_CHECKED']);
  });
});
