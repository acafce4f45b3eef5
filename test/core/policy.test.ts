// SPDX-License-Identifier: Apache-2.0
// Every stated rule of the evaluation, allowed and denied. Each case names its source: a section of
// facts/binary-authorization.md, of traps.md (T) or the contract design/interface.md (C).
import { describe, expect, it } from 'vitest';
import type { ImageUse } from '../../src/core/deployment/image-use.js';
import { placeOf } from '../../src/core/deployment/place.js';
import { parseClusterRef } from '../../src/core/deployment/target.js';
import { parseDigest, type Digest } from '../../src/core/image/digest.js';
import type { AttestorName } from '../../src/core/names.js';
import {
  pose,
  type ClusterState,
  type Evaluation,
  type Evidence,
  type PolicyContext,
  type Resolution,
} from '../../src/core/policy/evaluate.js';
import { parsePolicy } from '../../src/core/policy/parse.js';
import { worst, type ReasonCode, type Verdict } from '../../src/core/policy/verdict.js';

const [A, B] = ['projects/p/attestors/a', 'projects/p/attestors/b'] as AttestorName[] as [AttestorName, AttestorName];
const [D, INDEX] = ['d', 'e'].map((digit) => parseDigest(`sha256:${digit.repeat(64)}`)) as [Digest, Digest];
const PINNED = `gcr.io/p/app@${D}`;

const rule = (evaluationMode: string, ...requireAttestationsBy: readonly string[]) => ({
  evaluationMode,
  enforcementMode: 'ENFORCED_BLOCK_AND_AUDIT_LOG',
  ...(requireAttestationsBy.length > 0 ? { requireAttestationsBy } : {}),
});
const dry = (made: ReturnType<typeof rule>) => ({ ...made, enforcementMode: 'DRYRUN_AUDIT_LOG_ONLY' });
const ALLOW = rule('ALWAYS_ALLOW');
const DENY = rule('ALWAYS_DENY');
const REQUIRE = rule('REQUIRE_ATTESTATION', A, B);

interface Setting {
  readonly policy: Record<string, unknown>;
  readonly system?: readonly string[] | 'unreadable';
  readonly cluster?: string;
  readonly state?: ClusterState['state'];
  readonly use?: Partial<ImageUse>;
  readonly resolved?: Resolution;
  readonly evidence?: readonly Evidence[];
}

const found = (attestor: AttestorName, what: Evidence['found'], digest = D): Evidence => ({
  attestor,
  digest,
  found: what,
  what: 'so it is',
});
const verified = [found(A, 'verified'), found(B, 'verified')];
const none = [found(A, 'none'), found(B, 'none')];

function contextOf({ policy, system, cluster, state }: Setting): PolicyContext {
  const parsed = parsePolicy({ globalPolicyEvaluationMode: 'DISABLE', updateTime: '2026-01-01T00:00:00Z', ...policy });
  if (!parsed.policy) throw new Error(parsed.problems.join('; '));
  const ref = cluster === undefined ? undefined : parseClusterRef(cluster);
  const read = system === undefined || system === 'unreadable' ? undefined : { kind: 'read' as const, patterns: system };
  return {
    policy: parsed.policy,
    system: read ?? (system === undefined ? { kind: 'off' } : { kind: 'unreadable', why: 'no answer' }),
    ...(ref ? { cluster: { ref, state: state ?? 'enforcing', because: 'so it is' } } : {}),
  };
}

function evaluate(setting: Setting): Evaluation {
  const use: ImageUse = { image: PINNED, platform: 'gke', ...setting.use };
  const resolved = setting.resolved ? { resolved: setting.resolved } : {};
  const question = pose(contextOf(setting), { use, place: placeOf(use), ...resolved });
  return question.decided ?? question.judge(setting.evidence ?? []);
}

type Row = readonly [source: string, setting: Setting, verdict: Verdict, rule?: string | undefined, code?: ReasonCode];

function table(rows: readonly Row[]): void {
  it.each(rows.map(([source, ...rest]) => [source, rest[1], rest] as const))(
    '%s: %s',
    (_source, _verdict, [setting, verdict, ruleName, code]) => {
      const got = evaluate(setting);
      expect(got).toMatchObject({ verdict, ...(ruleName === undefined ? {} : { rule: ruleName }) });
      if (code) expect(got.reasons.map((reason) => reason.code)).toContain(code);
      expect(got.reasons.length).toBeGreaterThan(0);
      expect(got.denial === undefined).toBe(verdict !== 'DENIED');
    },
  );
}

describe('step 0: enforcement (facts 5.9, 5.6; C --cluster)', () => {
  const deny = { defaultAdmissionRule: DENY };
  const cluster = 'us-east1-a.prod';
  table([
    ['5.9 enforcing', { policy: deny, cluster }, 'DENIED'],
    ['5.9 not enforcing', { policy: deny, cluster, state: 'not-enforcing' }, 'NOT_ENFORCED', '', 'CLUSTER_NOT_ENFORCING'],
    ['5.9 an unknown mode', { policy: { defaultAdmissionRule: ALLOW }, cluster, state: 'unknown' }, 'UNKNOWN', '', 'EVIDENCE_MISSING'],
    ['C 403 is taken as enforcing', { policy: deny, cluster, state: 'assumed-enforcing' }, 'DENIED'],
    ['C 403 is taken as enforcing', { policy: { defaultAdmissionRule: ALLOW }, cluster, state: 'assumed-enforcing' }, 'ALLOWED'],
    ['C 404', { policy: { defaultAdmissionRule: ALLOW }, cluster, state: 'not-found' }, 'UNKNOWN', '', 'CLUSTER_NOT_FOUND'],
    [
      'C 404 with another key',
      { policy: { defaultAdmissionRule: ALLOW, clusterAdmissionRules: { 'us-east1-a.prd': ALLOW } }, cluster, state: 'not-found' },
      'UNKNOWN',
    ],
    [
      'C 404 with exactly that key',
      { policy: { ...deny, clusterAdmissionRules: { [cluster]: ALLOW } }, cluster, state: 'not-found' },
      'ALLOWED',
      `clusterAdmissionRules[${cluster}]`,
    ],
    [
      'C 404 with exactly that key',
      { policy: { defaultAdmissionRule: ALLOW, clusterAdmissionRules: { [cluster]: DENY } }, cluster, state: 'not-found' },
      'DENIED',
    ],
    ['C 404 in global', { policy: deny, cluster: 'global.member', state: 'not-found' }, 'DENIED', 'defaultAdmissionRule'],
    [
      'C 404 and a namespace rule of that name',
      { policy: { ...deny, kubernetesNamespaceAdmissionRules: { [cluster]: ALLOW } }, cluster, state: 'not-found' },
      'UNKNOWN',
    ],
    ['5.6 opted in', { policy: deny, use: { platform: 'cloud-run', cloudRun: { uses: 'project-policy' } } }, 'DENIED'],
    [
      '5.6 not opted in',
      { policy: deny, use: { platform: 'cloud-run', cloudRun: { uses: 'nothing' } } },
      'NOT_ENFORCED',
      '',
      'SERVICE_NOT_OPTED_IN',
    ],
    [
      '5.6 a platform policy',
      { policy: { defaultAdmissionRule: ALLOW }, use: { platform: 'cloud-run', cloudRun: { uses: 'platform-policy', policy: 'x' } } },
      'UNKNOWN',
      '',
      'CLOUD_RUN_PLATFORM_POLICY',
    ],
    ['C without a manifest it opted in', { policy: deny, use: { platform: 'cloud-run' } }, 'DENIED'],
    [
      '5.9 a cluster says nothing about Cloud Run',
      { policy: deny, cluster, state: 'not-enforcing', use: { platform: 'cloud-run' } },
      'DENIED',
    ],
  ]);
});

describe('step 2: break-glass (facts 5.7, 5.6)', () => {
  const policy = { defaultAdmissionRule: DENY };
  const glass = (by: 'label' | 'annotation' | 'cloud-run', value: string, isEffective = true) => ({
    breakGlass: { by, value, isEffective },
  });
  const run = { platform: 'cloud-run', cloudRun: { uses: 'project-policy' } } as const;
  table([
    ['5.7 the label', { policy, use: glass('label', 'true') }, 'ALLOWED_BREAK_GLASS', '', 'BREAK_GLASS'],
    ['5.7 the older annotation', { policy, use: glass('annotation', 'true') }, 'ALLOWED_BREAK_GLASS', '', 'BREAK_GLASS'],
    ['5.7 another value', { policy, use: glass('label', 'True') }, 'DENIED', undefined, 'BREAK_GLASS_INEFFECTIVE'],
    ['5.7 the wrong place', { policy, use: glass('label', 'true', false) }, 'DENIED', undefined, 'BREAK_GLASS_INEFFECTIVE'],
    [
      '5.7 reported where it is not needed',
      { policy: { defaultAdmissionRule: ALLOW }, use: glass('label', 'true') },
      'ALLOWED_BREAK_GLASS',
      '',
      'BREAK_GLASS',
    ],
    [
      '5.7 reported, not acting, where it is not needed',
      { policy: { defaultAdmissionRule: ALLOW }, use: glass('label', 'no', false) },
      'ALLOWED',
      undefined,
      'BREAK_GLASS_INEFFECTIVE',
    ],
    ['5.6 a justification', { policy, use: { ...run, ...glass('cloud-run', 'urgent') } }, 'ALLOWED_BREAK_GLASS', '', 'BREAK_GLASS'],
    ['5.6 an empty justification', { policy, use: { ...run, ...glass('cloud-run', '') } }, 'DENIED', undefined, 'BREAK_GLASS_INEFFECTIVE'],
    [
      '5.6 without the opt-in',
      { policy, use: { platform: 'cloud-run', cloudRun: { uses: 'nothing' }, ...glass('cloud-run', 'urgent') } },
      'NOT_ENFORCED',
      '',
      'BREAK_GLASS_INEFFECTIVE',
    ],
    [
      '5.7 a Pod’s label on Cloud Run',
      { policy, use: { ...run, ...glass('label', 'true') } },
      'DENIED',
      undefined,
      'BREAK_GLASS_INEFFECTIVE',
    ],
    [
      '5.2 step 0 comes first',
      { policy, cluster: 'us-east1-a.prod', state: 'not-enforcing', use: glass('label', 'true') },
      'NOT_ENFORCED',
      '',
      'BREAK_GLASS',
    ],
    [
      '5.2 whatever the policy is',
      {
        policy: { ...policy, clusterAdmissionRules: { 'a.b': DENY }, kubernetesNamespaceAdmissionRules: { n: DENY } },
        use: glass('label', 'true'),
      },
      'ALLOWED_BREAK_GLASS',
    ],
  ]);
});

describe('step 3: the system policy (facts 5.2, 5.8)', () => {
  const on = { defaultAdmissionRule: DENY, globalPolicyEvaluationMode: 'ENABLE' };
  const system = ['gcr.io/p/*'];
  table([
    ['5.2 step 3, exempt', { policy: on, system }, 'ALLOWED', 'systemPolicy', 'EXEMPT_BY_SYSTEM_POLICY'],
    ['5.2 step 3, everything else goes on', { policy: on, system: ['gke.gcr.io/**'] }, 'DENIED', 'defaultAdmissionRule'],
    ['5.2 step 3, DISABLE', { policy: { ...on, globalPolicyEvaluationMode: 'DISABLE' }, system }, 'DENIED'],
    ['5.2 step 3, unspecified is DISABLE', { policy: { ...on, globalPolicyEvaluationMode: undefined }, system }, 'DENIED'],
    [
      '5.5 a tag passes',
      { policy: { ...on, defaultAdmissionRule: REQUIRE }, system, use: { image: 'gcr.io/p/app:1' } },
      'ALLOWED',
      'systemPolicy',
    ],
    ['5.9 unreadable, a denial', { policy: on, system: 'unreadable' }, 'UNKNOWN', 'defaultAdmissionRule', 'EVIDENCE_MISSING'],
    ['5.9 never read although it is on', { policy: on }, 'UNKNOWN', undefined, 'EVIDENCE_MISSING'],
    ['unreadable, an allowance stands', { policy: { ...on, defaultAdmissionRule: ALLOW }, system: 'unreadable' }, 'ALLOWED'],
    ['unreadable, attested', { policy: { ...on, defaultAdmissionRule: REQUIRE }, system: 'unreadable', evidence: verified }, 'ALLOWED'],
    ['unreadable, dry run admits anyway', { policy: { ...on, defaultAdmissionRule: dry(DENY) }, system: 'unreadable' }, 'ALLOWED_DRY_RUN'],
    ['unreadable and off', { policy: { ...on, globalPolicyEvaluationMode: 'DISABLE' }, system: 'unreadable' }, 'DENIED'],
    ['5.6 not on Cloud Run', { policy: on, system, use: { platform: 'cloud-run' } }, 'DENIED'],
    ['5.6 not on Cloud Run', { policy: on, system: 'unreadable', use: { platform: 'cloud-run' } }, 'DENIED'],
  ]);
});

describe('step 4: the allowlist (facts 5.2, 5.3; more in policy-allowlist.test.ts)', () => {
  const listed = (namePattern: string) => ({ defaultAdmissionRule: DENY, admissionWhitelistPatterns: [{ namePattern }] });
  const run = (resolved: Resolution, image = 'gcr.io/p/app:1') => ({ use: { platform: 'cloud-run', image } as const, resolved });
  const failed = { failed: 'no answer' };
  table([
    ['5.2 step 4', { policy: listed('gcr.io/p/*') }, 'ALLOWED', 'admissionWhitelistPatterns', 'EXEMPT_BY_PATTERN'],
    ['5.2 step 4', { policy: listed('gcr.io/q/*') }, 'DENIED'],
    [
      '5.2 step 4, before a specific rule',
      { policy: { ...listed('gcr.io/p/*'), clusterAdmissionRules: { 'us-east1-a.prod': DENY } }, cluster: 'us-east1-a.prod' },
      'ALLOWED',
      'admissionWhitelistPatterns',
    ],
    [
      '5.5 a tag passes',
      { policy: { ...listed('gcr.io/p/*'), defaultAdmissionRule: REQUIRE }, use: { image: 'gcr.io/p/app:1' } },
      'ALLOWED',
    ],
    ['5.3 nginx is not normalised', { policy: listed('docker.io/library/*'), use: { image: 'nginx' } }, 'DENIED'],
    ['5.3 nginx as written', { policy: listed('nginx'), use: { image: 'nginx' } }, 'ALLOWED'],
    ['5.6 no tag on Cloud Run', { policy: listed('gcr.io/p/app:1'), ...run({ digest: D }) }, 'DENIED'],
    ['5.6 NAME@* on Cloud Run', { policy: listed('gcr.io/p/app@*'), ...run({ digest: D }) }, 'ALLOWED'],
    ['5.6 NAME@DIGEST on Cloud Run', { policy: listed(`gcr.io/p/app@${D}`), ...run({ digest: D }) }, 'ALLOWED'],
    ['5.6 NAME@DIGEST of the child', { policy: listed(`gcr.io/p/app@${D}`), ...run({ digest: INDEX, child: D }) }, 'ALLOWED'],
    ['5.6 NAME@DIGEST of the index', { policy: listed(`gcr.io/p/app@${INDEX}`), ...run({ digest: INDEX, child: D }) }, 'DENIED'],
    ['5.6 NAME@* whatever the digest', { policy: listed('gcr.io/p/app@*'), ...run(failed) }, 'ALLOWED'],
    ['5.6 NAME@DIGEST, not resolved', { policy: listed(`gcr.io/p/app@${D}`), ...run(failed) }, 'UNKNOWN', undefined, 'IMAGE_NOT_RESOLVED'],
    ...['0', 'f'].map((digit): Row => [
      `5.6 digests that begin with ${digit}, not resolved`,
      { policy: listed(`gcr.io/p/app@sha256:${digit}*`), ...run(failed) },
      'UNKNOWN',
      undefined,
      'IMAGE_NOT_RESOLVED',
    ]),
    ['5.6 another name, not resolved', { policy: listed('gcr.io/p/other@*'), ...run(failed) }, 'DENIED'],
    ['5.6 the bare name, not resolved', { policy: listed('gcr.io/p/app'), ...run(failed) }, 'DENIED'],
  ]);
});

describe('step 5: the rule (facts 5.2, 5.4; C without --cluster)', () => {
  const cluster = 'us-east1-a.prod';
  const strict = { defaultAdmissionRule: ALLOW, clusterAdmissionRules: { [cluster]: DENY } };
  const open = { defaultAdmissionRule: DENY, clusterAdmissionRules: { [cluster]: ALLOW } };
  const namespaces = { defaultAdmissionRule: DENY, kubernetesNamespaceAdmissionRules: { 'team-1': ALLOW } };
  const accounts = { defaultAdmissionRule: DENY, kubernetesServiceAccountAdmissionRules: { 'team-1:robot': ALLOW } };
  const identities = { defaultAdmissionRule: DENY, istioServiceIdentityAdmissionRules: { 'p.svc.id.goog/ns/team-1/sa/robot': ALLOW } };
  const robot = { namespace: 'team-1', serviceAccount: 'robot' };
  table([
    ['5.2 the cluster rule', { policy: strict, cluster }, 'DENIED', `clusterAdmissionRules[${cluster}]`],
    ['5.2 the cluster rule', { policy: open, cluster }, 'ALLOWED', `clusterAdmissionRules[${cluster}]`],
    ['5.2 another cluster', { policy: strict, cluster: 'us-east1-a.dev' }, 'ALLOWED', 'defaultAdmissionRule'],
    ['5.4 another location', { policy: open, cluster: 'us-east1.prod' }, 'DENIED', 'defaultAdmissionRule'],
    [
      '5.4 a membership',
      { policy: { ...open, clusterAdmissionRules: { 'global.member': ALLOW } }, cluster: 'global.member', state: 'not-found' },
      'ALLOWED',
    ],
    [
      'a name that every object has',
      { policy: { ...namespaces, defaultAdmissionRule: DENY }, use: { namespace: 'constructor' } },
      'DENIED',
      'defaultAdmissionRule',
    ],
    ['C no cluster, verdicts differ', { policy: strict }, 'UNKNOWN', '', 'CLUSTER_UNKNOWN'],
    ['C no cluster, verdicts differ', { policy: open }, 'UNKNOWN', '', 'CLUSTER_UNKNOWN'],
    ['C no cluster, all deny', { policy: { ...strict, defaultAdmissionRule: DENY } }, 'DENIED', 'defaultAdmissionRule'],
    ['C no cluster, all allow', { policy: { ...open, defaultAdmissionRule: REQUIRE }, evidence: verified }, 'ALLOWED'],
    [
      'C no cluster, one needs more',
      { policy: { ...open, defaultAdmissionRule: REQUIRE }, evidence: [found(A, 'verified')] },
      'UNKNOWN',
      '',
      'CLUSTER_UNKNOWN',
    ],
    ['C no cluster, dry run is another verdict', { policy: { ...open, clusterAdmissionRules: { [cluster]: dry(DENY) } } }, 'UNKNOWN'],
    ['5.4 the namespace', { policy: namespaces, use: { namespace: 'team-1' } }, 'ALLOWED', 'kubernetesNamespaceAdmissionRules[team-1]'],
    ['5.4 another namespace', { policy: namespaces, use: { namespace: 'team-2' } }, 'DENIED', 'defaultAdmissionRule'],
    ['5.4 the service account', { policy: accounts, use: robot }, 'ALLOWED', 'kubernetesServiceAccountAdmissionRules[team-1:robot]'],
    ['5.4 its name in another namespace', { policy: accounts, use: { ...robot, namespace: 'team-2' } }, 'DENIED', 'defaultAdmissionRule'],
    ['5.4 another one in the namespace', { policy: accounts, use: { namespace: 'team-1' } }, 'DENIED', 'defaultAdmissionRule'],
    ['5.4 a mesh identity does not match a plain Pod', { policy: identities, use: robot }, 'DENIED', 'defaultAdmissionRule'],
    ['5.2 two kinds of rules', { policy: { ...open, ...namespaces }, cluster, use: robot }, 'UNKNOWN', '', 'RULE_MAPS_CONFLICT'],
    [
      '5.2 two kinds of rules that agree',
      { policy: { ...open, ...namespaces, defaultAdmissionRule: ALLOW }, cluster, use: robot },
      'UNKNOWN',
      '',
      'RULE_MAPS_CONFLICT',
    ],
    [
      '5.4 Cloud Run: the default rule only',
      { policy: strict, cluster, use: { platform: 'cloud-run' } },
      'ALLOWED',
      'defaultAdmissionRule',
    ],
    [
      '5.4 Cloud Run: the default rule only',
      { policy: namespaces, use: { platform: 'cloud-run', ...robot } },
      'DENIED',
      'defaultAdmissionRule',
    ],
  ]);
});

describe('step 6: attestations (facts 5.2, 5.5, 5.6)', () => {
  const policy = { defaultAdmissionRule: REQUIRE };
  const two = (first: Evidence['found'], second: Evidence['found']) => [found(A, first), found(B, second)];
  const tag = { image: 'gcr.io/p/app:1' };
  const run = { platform: 'cloud-run', ...tag } as const;
  const child = { digest: INDEX, child: D };
  const index = [found(A, 'verified', INDEX), found(B, 'verified', INDEX)];
  table([
    ['5.2 every attestor', { policy, evidence: verified }, 'ALLOWED', 'defaultAdmissionRule', 'ATTESTED'],
    ['5.2 one of two', { policy, evidence: two('verified', 'none') }, 'DENIED', 'defaultAdmissionRule', 'NO_TRUSTED_ATTESTATION'],
    ['5.2 the other of two', { policy, evidence: two('none', 'verified') }, 'DENIED', 'defaultAdmissionRule', 'NO_TRUSTED_ATTESTATION'],
    ['5.2 none', { policy, evidence: none }, 'DENIED'],
    ['5.2 any evidence inside an attestor', { policy, evidence: [...two('none', 'verified'), found(A, 'verified')] }, 'ALLOWED'],
    ['5.2 any evidence inside an attestor', { policy, evidence: [...two('disagreement', 'verified'), found(A, 'verified')] }, 'ALLOWED'],
    [
      'one attestor named twice',
      { policy: { defaultAdmissionRule: rule('REQUIRE_ATTESTATION', A, A) }, evidence: [found(A, 'verified')] },
      'ALLOWED',
    ],
    ['4.1 no keys', { policy, evidence: two('verified', 'attestor-without-keys') }, 'DENIED', undefined, 'ATTESTOR_HAS_NO_KEY'],
    ['5.2 a deleted attestor', { policy, evidence: two('verified', 'attestor-missing') }, 'UNKNOWN', undefined, 'ATTESTOR_MISSING'],
    ['4.2 disagreement', { policy, evidence: two('verified', 'disagreement') }, 'UNKNOWN', undefined, 'VALIDATION_DISAGREES'],
    ['4.2 an unspecified result', { policy, evidence: two('verified', 'undecided') }, 'UNKNOWN', undefined, 'VALIDATION_UNDECIDED'],
    ['C not readable', { policy, evidence: two('verified', 'no-answer') }, 'UNKNOWN', undefined, 'EVIDENCE_MISSING'],
    ['one missing, one open', { policy, evidence: two('none', 'no-answer') }, 'DENIED'],
    ['one missing, one deleted', { policy, evidence: two('attestor-missing', 'none') }, 'DENIED'],
    ['nobody was asked', { policy, evidence: [] }, 'UNKNOWN', undefined, 'EVIDENCE_MISSING'],
    ['only one was asked', { policy, evidence: [found(A, 'verified')] }, 'UNKNOWN', undefined, 'EVIDENCE_MISSING'],
    ['asked for another digest', { policy, evidence: index }, 'UNKNOWN', undefined, 'EVIDENCE_MISSING'],
    ['5.5 a tag on GKE', { policy, use: tag, evidence: verified }, 'DENIED', undefined, 'IMAGE_NOT_PINNED'],
    [
      '5.5 a tag on GKE that resolves',
      { policy, use: tag, resolved: { digest: D }, evidence: verified },
      'DENIED',
      undefined,
      'IMAGE_NOT_PINNED',
    ],
    ['5.5 a name alone', { policy, use: { image: 'nginx' }, evidence: verified }, 'DENIED', undefined, 'IMAGE_NOT_PINNED'],
    [
      '5.5 a short digest',
      { policy, use: { image: 'gcr.io/p/app@sha256:dd' }, evidence: verified },
      'DENIED',
      undefined,
      'IMAGE_NOT_PINNED',
    ],
    [
      '5.5 an upper-case digest',
      { policy, use: { image: `gcr.io/p/app@sha256:${'D'.repeat(64)}` }, evidence: verified },
      'DENIED',
      undefined,
      'IMAGE_NOT_PINNED',
    ],
    ['5.5 two digests', { policy, use: { image: `gcr.io/p/app@x@${D}` }, evidence: verified }, 'DENIED', undefined, 'IMAGE_NOT_PINNED'],
    ['C tag and digest', { policy, use: { image: `gcr.io/p/app:1@${D}` }, evidence: verified }, 'ALLOWED'],
    ['C a name without a registry', { policy, use: { image: `nginx@${D}` }, evidence: verified }, 'ALLOWED'],
    ['5.5 a tag under ALWAYS_ALLOW', { policy: { defaultAdmissionRule: ALLOW }, use: tag }, 'ALLOWED'],
    ['5.6 a tag on Cloud Run', { policy, use: run, resolved: { digest: D }, evidence: verified }, 'ALLOWED'],
    ['5.6 a tag on Cloud Run', { policy, use: run, resolved: { digest: D }, evidence: none }, 'DENIED'],
    [
      '5.6 not resolved',
      { policy, use: run, resolved: { failed: 'no answer' }, evidence: verified },
      'UNKNOWN',
      undefined,
      'IMAGE_NOT_RESOLVED',
    ],
    ['5.6 never resolved', { policy, use: run, evidence: verified }, 'UNKNOWN', undefined, 'IMAGE_NOT_RESOLVED'],
    [
      '5.6 not resolved, everything allowed',
      { policy: { defaultAdmissionRule: ALLOW }, use: run, resolved: { failed: 'no answer' } },
      'ALLOWED',
    ],
    ['5.6 the child is attested', { policy, use: run, resolved: child, evidence: [...verified] }, 'ALLOWED'],
    [
      '5.6 only the index is attested',
      { policy, use: run, resolved: child, evidence: [...none, ...index] },
      'DENIED',
      undefined,
      'PLATFORM_CHILD_NOT_ATTESTED',
    ],
    [
      '13 a digest, registry not readable',
      { policy, use: { platform: 'cloud-run' }, resolved: { failed: 'no answer' }, evidence: verified },
      'ALLOWED',
    ],
  ]);
});

describe('step 8: dry run (facts 5.2), and the modes', () => {
  const tried = { defaultAdmissionRule: dry(REQUIRE) };
  table([
    ['5.2 a violation', { policy: tried, evidence: none }, 'ALLOWED_DRY_RUN', 'defaultAdmissionRule', 'NO_TRUSTED_ATTESTATION'],
    ['5.2 no violation', { policy: tried, evidence: verified }, 'ALLOWED'],
    ['5.2 a tag', { policy: tried, use: { image: 'nginx' } }, 'ALLOWED_DRY_RUN', undefined, 'IMAGE_NOT_PINNED'],
    ['5.2 ALWAYS_DENY', { policy: { defaultAdmissionRule: dry(DENY) } }, 'ALLOWED_DRY_RUN', undefined, 'POLICY_DENIES_ALL'],
    ['C what cannot be read stays open', { policy: tried, evidence: [found(A, 'verified'), found(B, 'no-answer')] }, 'UNKNOWN'],
    [
      '5.2 the selected rule’s mode: specific dry run',
      { policy: { defaultAdmissionRule: DENY, clusterAdmissionRules: { 'a.b': dry(DENY) } }, cluster: 'a.b' },
      'ALLOWED_DRY_RUN',
    ],
    [
      '5.2 the selected rule’s mode: default dry run',
      { policy: { defaultAdmissionRule: dry(DENY), clusterAdmissionRules: { 'a.b': DENY } }, cluster: 'a.b' },
      'DENIED',
    ],
    ['5.1 ALWAYS_DENY', { policy: { defaultAdmissionRule: DENY } }, 'DENIED', 'defaultAdmissionRule', 'POLICY_DENIES_ALL'],
    ['5.1 ALWAYS_ALLOW', { policy: { defaultAdmissionRule: ALLOW } }, 'ALLOWED', 'defaultAdmissionRule', 'POLICY_ALLOWS_ALL'],
    [
      '5.1 never set',
      { policy: { defaultAdmissionRule: ALLOW, updateTime: undefined, globalPolicyEvaluationMode: 'ENABLE' }, system: 'unreadable' },
      'ALLOWED',
      'defaultAdmissionRule',
      'POLICY_ALLOWS_ALL',
    ],
    ['5.1 no update time does not open a closed policy', { policy: { defaultAdmissionRule: DENY, updateTime: undefined } }, 'DENIED'],
  ]);

  it('takes the worst of several (facts 5.2 step 7), and nothing for UNKNOWN', () => {
    expect([
      worst([]),
      worst(['ALLOWED', 'DENIED', 'UNKNOWN']),
      worst(['ALLOWED', 'ALLOWED']),
      worst(['ALLOWED', 'UNKNOWN', 'ALLOWED']),
      worst(['ALLOWED_DRY_RUN', 'NOT_ENFORCED', 'ALLOWED_BREAK_GLASS']),
    ]).toEqual(['UNKNOWN', 'DENIED', 'ALLOWED', 'UNKNOWN', 'NOT_ENFORCED']);
  });
});
