// SPDX-License-Identifier: Apache-2.0
// What a reader is told: hints, the platform's own words (facts 10), assumptions (facts 13), warnings.
import { describe, expect, it } from 'vitest';
import type { Platform } from '../../src/core/deployment/target.js';
import { assumptionsFor } from '../../src/core/policy/assumptions.js';
import type { AttestorName } from '../../src/core/names.js';
import { denialText } from '../../src/core/policy/denial.js';
import type { Needs } from '../../src/core/policy/evaluate.js';
import type { Reason } from '../../src/core/policy/verdict.js';
import { A, ALLOW, ask, B, D, DENY, dry, explain, found, INDEX, REQUIRE, type Setting } from '../support/explain-policy.js';

const HOOK = 'admission webhook "imagepolicywebhook.image-policy.k8s.io" denied the request: ';
const ALWAYS = 'Denied by always_deny admission rule';
const NONE = 'No attestations found that were valid and signed by a key trusted by the attestor';
const oneOfTwo = [found(A, 'verified'), found(B, 'none')];
const bothMissing = [found(A, 'none'), found(B, 'none')];
const C = 'projects/p/attestors/c' as AttestorName;

describe('denial texts (facts 10)', () => {
  const image = `gcr.io/p/app@${D}`;
  it.each<[source: string, document: Record<string, unknown>, setting: Setting, denial: string]>([
    [
      'GKE, current',
      { defaultAdmissionRule: DENY },
      {},
      `${HOOK}Image ${image} denied by Binary Authorization default admission rule. ${ALWAYS}`,
    ],
    [
      'GKE, cluster rule',
      { defaultAdmissionRule: ALLOW, clusterAdmissionRules: { 'us-east1-a.prod': DENY } },
      { cluster: 'us-east1-a.prod' },
      `${HOOK}Image ${image} denied by Binary Authorization cluster admission rule for us-east1-a.prod. ${ALWAYS}`,
    ],
    [
      'GKE, namespace rule',
      { defaultAdmissionRule: ALLOW, kubernetesNamespaceAdmissionRules: { team: DENY } },
      { use: { namespace: 'team' } },
      `${HOOK}Image ${image} denied by Binary Authorization kubernetes namespace admission rule for team. ${ALWAYS}`,
    ],
    [
      'GKE, service account rule',
      { defaultAdmissionRule: ALLOW, kubernetesServiceAccountAdmissionRules: { 'team:robot': DENY } },
      { use: { namespace: 'team', serviceAccount: 'robot' } },
      `${HOOK}Image ${image} denied by Binary Authorization kubernetes service account admission rule for team:robot. ${ALWAYS}`,
    ],
    [
      'GKE, attestor',
      { defaultAdmissionRule: REQUIRE },
      { evidence: oneOfTwo },
      `${HOOK}Image ${image} denied by Binary Authorization default admission rule. Image ${image} denied by attestor ${B}: ${NONE}`,
    ],
    [
      'GKE, two attestors',
      { defaultAdmissionRule: REQUIRE },
      { evidence: bothMissing },
      `${HOOK}Image ${image} denied by Binary Authorization default admission rule. Image ${image} denied by attestor ${A}: ${NONE}. Image ${image} denied by attestor ${B}: ${NONE}`,
    ],
    [
      'GKE, a tag',
      { defaultAdmissionRule: { ...REQUIRE, requireAttestationsBy: [A] } },
      { image: 'gcr.io/p/app:1' },
      `${HOOK}Image gcr.io/p/app:1 denied by Binary Authorization default admission rule. Image gcr.io/p/app:1 denied by attestor ${A}: Expected digest with sha256 scheme, but got tag or malformed digest`,
    ],
    [
      'Cloud Run',
      { defaultAdmissionRule: REQUIRE },
      { image: 'gcr.io/p/app:1', use: { platform: 'cloud-run' }, resolved: { digest: INDEX, child: D }, evidence: oneOfTwo },
      `Revision … uses an unauthorized container image. Container image '${image}' is not authorized by policy. Image ${image} denied by attestor ${B}: ${NONE}`,
    ],
    [
      'Cloud Run, always denied',
      { defaultAdmissionRule: DENY },
      { use: { platform: 'cloud-run' }, resolved: { digest: D } },
      `Revision … uses an unauthorized container image. Container image '${image}' is not authorized by policy. Image ${image} denied by Binary Authorization default admission rule. ${ALWAYS}`,
    ],
  ])('%s', (_source, document, setting, denial) => {
    expect(explain(document, setting).denial).toBe(denial);
  });

  it('name each kind of rule', () => {
    const map = 'istioServiceIdentityAdmissionRules';
    expect(denialText({ platform: 'gke', image: 'x', map, key: 'd/ns/n/sa/s', attestors: [] })).toBe(
      `${HOOK}Image x denied by Binary Authorization istio service identity admission rule for d/ns/n/sa/s. ${ALWAYS}`,
    );
  });

  it('are one line, and so is all else, whatever a file holds or a caller adds', () => {
    const evaluation = explain({ defaultAdmissionRule: DENY }, { image: 'nginx\n::error::x\u0007' });
    expect([evaluation.denial, ...evaluation.reasons.map(({ message }) => message)].join('')).not.toMatch(/[\n\u0007]/);
    const evidence = [found(A, 'verified'), { ...found(B, 'none'), hint: 'use\n::error::x' }];
    expect(explain({ defaultAdmissionRule: REQUIRE }, { evidence }).reasons[0]?.hint).toBe('use ::error::x');
  });
});

// What the attestors' own reasons are is in policy-attestations.test.ts.
describe('reasons', () => {
  const deny = { defaultAdmissionRule: DENY };
  const require = { defaultAdmissionRule: REQUIRE };
  const run = { platform: 'cloud-run' } as const;
  const failed = { failed: 'no answer' };
  const two = { clusterAdmissionRules: { 'a.b': ALLOW }, kubernetesNamespaceAdmissionRules: { x: ALLOW } };
  const image = `gcr.io/p/app@${D}`;
  const pattern = (namePattern: string) => ({ ...deny, admissionWhitelistPatterns: [{ namePattern }] });
  const DENIES: Reason = {
    code: 'POLICY_DENIES_ALL',
    message: 'defaultAdmissionRule denies every image',
    hint: 'exempt the image with a pattern in admissionWhitelistPatterns, or change the rule',
  };
  const deniesAnd = (hint: string): readonly Reason[] => [{ ...DENIES, hint: `${DENIES.hint ?? ''}; ${hint}` }];
  const unread = (why: string): Reason => ({
    code: 'EVIDENCE_MISSING',
    message: `Google’s system policy, which may exempt the image, could not be read: ${why}`,
    hint: 'run again; or have the image attested or exempted, which settles it',
  });
  const unpinned = (write: string): Reason => ({
    code: 'IMAGE_NOT_PINNED',
    message: 'Expected digest with sha256 scheme, but got tag or malformed digest',
    hint: `deploy the image by its digest, because GKE does not resolve tags: write ${write}`,
  });
  const unresolved: Reason = {
    code: 'IMAGE_NOT_RESOLVED',
    message: 'the digest that Cloud Run would evaluate is not known: no answer',
    hint: 'deploy the digest of a linux/amd64 image that exists, and let this run read it (roles/artifactregistry.reader)',
  };

  it.each<[source: string, document: Record<string, unknown>, setting: Setting, rule: string, reasons: readonly Reason[]]>([
    [
      '5.2 step 3: the system policy',
      { ...deny, globalPolicyEvaluationMode: 'ENABLE' },
      { system: ['gcr.io/q/**', 'gcr.io/p/**'] },
      'systemPolicy',
      [{ code: 'EXEMPT_BY_SYSTEM_POLICY', message: `the pattern gcr.io/p/** of Google’s system policy exempts ${image}` }],
    ],
    [
      '5.2 step 4: the allowlist',
      pattern('gcr.io/p/*'),
      {},
      'admissionWhitelistPatterns',
      [{ code: 'EXEMPT_BY_PATTERN', message: `the pattern gcr.io/p/* exempts ${image}` }],
    ],
    [
      '5.2: two kinds of rules',
      { ...deny, ...two },
      {},
      '',
      [
        {
          code: 'RULE_MAPS_CONFLICT',
          message:
            'the policy has clusterAdmissionRules and kubernetesNamespaceAdmissionRules: only one kind may hold rules, and what the enforcer does with more is not published',
          hint: 'keep the rules of one kind, and import the policy again',
        },
      ],
    ],
    ['5.1: ALWAYS_DENY', deny, {}, 'defaultAdmissionRule', [DENIES]],
    [
      '5.1: ALWAYS_ALLOW',
      { defaultAdmissionRule: ALLOW },
      {},
      'defaultAdmissionRule',
      [{ code: 'POLICY_ALLOWS_ALL', message: 'defaultAdmissionRule admits every image' }],
    ],
    [
      '5.1: never set',
      { defaultAdmissionRule: ALLOW, updateTime: undefined },
      {},
      'defaultAdmissionRule',
      [{ code: 'POLICY_ALLOWS_ALL', message: 'defaultAdmissionRule admits every image: no policy was ever set' }],
    ],
    [
      '5.9: the system policy could not be read',
      { ...deny, globalPolicyEvaluationMode: 'ENABLE' },
      { system: 'unreadable' },
      'defaultAdmissionRule',
      [DENIES, unread('no answer')],
    ],
    [
      '5.9: the system policy was never read',
      { ...deny, globalPolicyEvaluationMode: 'ENABLE' },
      {},
      'defaultAdmissionRule',
      [DENIES, unread('it was not asked for')],
    ],
    [
      '5.6: a pattern for a digest that is not known',
      { ...deny, admissionWhitelistPatterns: [{ namePattern: 'gcr.io/q@*' }, { namePattern: image }] },
      { image: 'gcr.io/p/app:1', use: run, resolved: failed },
      'defaultAdmissionRule',
      [DENIES, { code: 'IMAGE_NOT_RESOLVED', message: `the pattern ${image} may exempt the image, whose digest is not known: no answer` }],
    ],
    ['5.6: not resolved', require, { image: 'gcr.io/p/app:1', use: run, resolved: failed }, 'defaultAdmissionRule', [unresolved]],
    [
      'T4: the digest to write',
      require,
      { image: 'gcr.io/p/app:1', resolved: { digest: D } },
      'defaultAdmissionRule',
      [unpinned(`gcr.io/p/app@${D}`)],
    ],
    [
      'T4: the digest to write is not known',
      require,
      { image: 'gcr.io/p/app:1', resolved: failed },
      'defaultAdmissionRule',
      [unpinned('gcr.io/p/app@sha256:…')],
    ],
    ['T4: the digest to write was not looked up', require, { image: 'nginx' }, 'defaultAdmissionRule', [unpinned('nginx@sha256:…')]],
    [
      'T4: the nearest pattern',
      pattern('gcr.io/p/app'),
      {},
      'defaultAdmissionRule',
      deniesAnd('the nearest pattern gcr.io/p/app does not match: it matches that exact text only, and the image goes on with a digest'),
    ],
    [
      'T1: the system policy is off',
      deny,
      { system: ['gcr.io/p/**'] },
      'defaultAdmissionRule',
      deniesAnd('Google’s system policy exempts it: set globalPolicyEvaluationMode to ENABLE'),
    ],
    ['T1: the system policy is off, and has no such pattern', deny, { system: ['gcr.io/q/**'] }, 'defaultAdmissionRule', [DENIES]],
    ['T1: the system policy is off and not readable', deny, { system: 'unreadable' }, 'defaultAdmissionRule', [DENIES]],
    [
      '5.6: the system policy is not for Cloud Run',
      deny,
      { system: ['gcr.io/p/**'], use: run, resolved: { digest: D } },
      'defaultAdmissionRule',
      [DENIES],
    ],
    ...['cloud-run-source-deploy', 'gcf-artifacts'].map(
      (repository): [string, Record<string, unknown>, Setting, string, readonly Reason[]] => [
        `T5: built by Cloud Run into ${repository}`,
        deny,
        { image: `us-docker.pkg.dev/p-1/${repository}/team/app`, use: run, resolved: { digest: D } },
        'defaultAdmissionRule',
        deniesAnd(`Cloud Run built it: exempt its repository with the pattern us-docker.pkg.dev/p-1/${repository}/**`),
      ],
    ),
    ...[
      'us-docker.pkg.dev/p/other/app',
      'us-docker.pkg.dev/p/cloud-run-source-deploy',
      'x.example/us-docker.pkg.dev/p/gcf-artifacts/app',
      'us-docker.pkg.dev/p/q/gcf-artifacts/app',
    ].map((name): [string, Record<string, unknown>, Setting, string, readonly Reason[]] => [
      `T5: not built by Cloud Run: ${name}`,
      deny,
      { image: name, use: run, resolved: { digest: D } },
      'defaultAdmissionRule',
      [DENIES],
    ]),
    ['T5: built by Cloud Run, deployed on GKE', deny, { image: 'us-docker.pkg.dev/p/gcf-artifacts/app' }, 'defaultAdmissionRule', [DENIES]],
    [
      'C: name the cluster',
      { defaultAdmissionRule: ALLOW, clusterAdmissionRules: { 'a.b': DENY, 'a.c': ALLOW } },
      {},
      '',
      [
        {
          code: 'CLUSTER_UNKNOWN',
          message:
            'the verdict depends on the cluster: defaultAdmissionRule: ALLOWED, clusterAdmissionRules[a.b]: DENIED, clusterAdmissionRules[a.c]: ALLOWED',
          hint: 'name the cluster: --cluster LOCATION.NAME',
        },
      ],
    ],
    [
      'break-glass that does not act',
      deny,
      { use: { breakGlass: { by: 'label', value: 'yes', isEffective: true } } },
      'defaultAdmissionRule',
      [DENIES, expect.objectContaining({ code: 'BREAK_GLASS_INEFFECTIVE' }) as Reason],
    ],
  ])('%s', (_source, document, setting, rule, reasons) => {
    expect(explain(document, setting)).toMatchObject({ rule, reasons });
    expect(explain(document, setting).reasons).toEqual(reasons);
  });

  it.each([
    [9, ', clusterAdmissionRules[a.8]: DENIED'],
    [10, ', clusterAdmissionRules[a.8]: DENIED, …'],
  ])('names ten rules of clusters, of %i and the default', (count, end) => {
    const rules = Object.fromEntries(Array.from({ length: count }, (_, index) => [`a.${index}`, DENY]));
    const [reason] = explain({ defaultAdmissionRule: ALLOW, clusterAdmissionRules: rules }).reasons;
    expect(reason?.message.slice(-end.length)).toBe(end);
  });

  it('adds what a pattern would need to the first of several reasons', () => {
    const { reasons } = explain({ ...require, admissionWhitelistPatterns: [{ namePattern: 'gcr.io/p/app' }] }, { evidence: bothMissing });
    expect(reasons.map(({ hint }) => /; the nearest pattern gcr\.io\/p\/app/.test(hint ?? ''))).toEqual([true, false]);
  });

  it('gives a hint to a reason that has none of its own, and otherwise leaves it without', () => {
    const evidence = [found(A, 'no-answer'), found(B, 'none')];
    const hint = 'the nearest pattern gcr.io/p/app does not match: it matches that exact text only, and the image goes on with a digest';
    expect(explain({ ...require, admissionWhitelistPatterns: [{ namePattern: 'gcr.io/p/app' }] }, { evidence }).reasons[0]?.hint).toBe(
      hint,
    );
    expect(explain(require, { evidence }).reasons[0]).not.toHaveProperty('hint');
  });
});

describe('what is needed for a verdict', () => {
  const cluster = { 'a.b': { ...REQUIRE, requireAttestationsBy: [B, A] }, 'a.c': { ...REQUIRE, requireAttestationsBy: [C] }, 'a.d': DENY };
  const policy = { defaultAdmissionRule: { ...REQUIRE, requireAttestationsBy: [A] }, clusterAdmissionRules: cluster };
  const run = { use: { platform: 'cloud-run' } } as const;

  it.each<[string, Record<string, unknown>, Setting, Needs | undefined]>([
    ['the attestors of every rule that may decide, once', policy, {}, { attestors: [A, B, C], digest: D }],
    ['those of the rule that decides', policy, { cluster: 'a.c' }, { attestors: [C], digest: D }],
    ['nothing where the rule requires none', policy, { cluster: 'a.d' }, undefined],
    ['nothing where there is no digest', policy, { image: 'gcr.io/p/app:1' }, undefined],
    ['the index as well', policy, { ...run, resolved: { digest: INDEX, child: D } }, { attestors: [A], digest: D, index: INDEX }],
    ['no index where the image is none', policy, { ...run, resolved: { digest: D, child: D } }, { attestors: [A], digest: D }],
  ])('%s', (_name, document, setting, needs) => {
    expect(ask(document, setting).needs).toStrictEqual(needs);
  });
});

describe('assumptions and warnings of one image', () => {
  const named = { cluster: 'a.b' };
  const allow = { defaultAdmissionRule: ALLOW };
  const NO_CLUSTER = 'the cluster enforces the policy; none was named (--cluster)';
  const filled = (what: string, option: string): string => `the ${what} is default, which neither the manifest nor --${option} says`;
  const NAMESPACE = filled('namespace', 'namespace');
  const ACCOUNT = filled('service account', 'service-account');
  const ON_RUN = { use: { platform: 'cloud-run', cloudRun: { uses: 'project-policy' } } } as const;
  const spaces = (key: string) => ({ ...allow, kubernetesNamespaceAdmissionRules: { [key]: DENY } });
  const accounts = { ...allow, kubernetesServiceAccountAdmissionRules: { 'x:y': DENY } };

  it.each<[source: string, document: Record<string, unknown>, setting: Setting, assumptions: readonly string[]]>([
    ['C: nothing assumed', allow, named, []],
    ['C: no cluster named', allow, {}, [NO_CLUSTER]],
    [
      'C: no cluster named, all rules agree',
      { ...allow, clusterAdmissionRules: { 'a.b': ALLOW } },
      {},
      [NO_CLUSTER, 'every cluster rule of the policy gives the same verdict as the default rule, so no cluster had to be named'],
    ],
    ['C: 403', allow, { ...named, state: 'assumed-enforcing' }, ['the cluster a.b enforces the policy: so it is']],
    ['C: the namespace filled in', spaces('x'), named, [NAMESPACE]],
    ['C: the namespace filled in, and it is the rule’s', spaces('default'), named, [NAMESPACE]],
    ['C: the namespace is known', spaces('x'), { ...named, use: { namespace: 'y' } }, []],
    ['C: the account filled in', accounts, { ...named, use: { namespace: 'x' } }, [ACCOUNT]],
    ['C: the account and the namespace filled in', accounts, named, [NAMESPACE, ACCOUNT]],
    ['C: the account is known', accounts, { ...named, use: { namespace: 'x', serviceAccount: 'z' } }, []],
    [
      '5.4: mesh identities',
      { ...allow, istioServiceIdentityAdmissionRules: { 'd/ns/n/sa/s': DENY } },
      named,
      ['istioServiceIdentityAdmissionRules apply to no plain Pod, so the default rule decides; Google’s documents do not say so'],
    ],
    [
      '13: the manifest could not be read',
      allow,
      { ...ON_RUN, resolved: { failed: 'no answer' } },
      [`${D} is what Cloud Run evaluates, and not an index: its manifest could not be read (no answer)`],
    ],
    [
      '13: the manifest was not looked up',
      allow,
      ON_RUN,
      [`${D} is what Cloud Run evaluates, and not an index: its manifest could not be read (it was not looked up)`],
    ],
    ['13: it is an index, which is not what counts', allow, { ...ON_RUN, resolved: { failed: 'no linux/amd64', isIndex: true } }, []],
  ])('%s', (_source, document, setting, assumptions) => {
    expect(explain(document, setting).assumptions).toEqual(assumptions);
  });

  const DRY = 'only logs violations (DRYRUN_AUDIT_LOG_ONLY): it blocks nothing';
  const ANY = 'admits every image';
  const mistyped = (key: string, cluster: string): string =>
    `the policy has a rule for ${key}, and none for ${cluster}: keys are LOCATION.CLUSTER, or LOCATION.MEMBERSHIP for a fleet`;
  const ruled = (...keys: readonly string[]) => ({
    defaultAdmissionRule: DENY,
    clusterAdmissionRules: Object.fromEntries(keys.map((key) => [key, DENY])),
  });

  it.each<[source: string, document: Record<string, unknown>, setting: Setting, warnings: readonly string[]]>([
    ['C: everything is allowed', allow, named, [`defaultAdmissionRule ${ANY}`]],
    ['C: never set', { ...allow, updateTime: undefined }, named, [`defaultAdmissionRule ${ANY}: no policy was ever set`]],
    ['T3: dry run', { defaultAdmissionRule: dry(DENY) }, named, [`defaultAdmissionRule ${DRY}`]],
    ['T3: dry run that nothing violates', { defaultAdmissionRule: dry(ALLOW) }, named, [`defaultAdmissionRule ${ANY}`]],
    [
      'C: all rules agree, each with its warning',
      { ...allow, clusterAdmissionRules: { 'a.b': ALLOW, 'a.c': ALLOW } },
      {},
      ['defaultAdmissionRule', 'clusterAdmissionRules[a.b]', 'clusterAdmissionRules[a.c]'].map((rule) => `${rule} ${ANY}`),
    ],
    ['C: all rules agree, without any', ruled('a.b', 'a.c'), {}, []],
    [
      'T3: break-glass',
      allow,
      { ...named, use: { breakGlass: { by: 'label', value: 'true', isEffective: true } } },
      ['break-glass admits a workload whatever the policy says'],
    ],
    [
      'T3: not enforced',
      allow,
      { ...named, state: 'not-enforcing' },
      ['the cluster a.b does not ask the policy: nothing is protected there'],
    ],
    [
      'T5: Cloud Run and specific rules',
      ruled('a.b'),
      { use: { platform: 'cloud-run' } },
      ['Cloud Run knows the default rule only: the policy’s clusterAdmissionRules do not apply to it'],
    ],
    ['T4: a zone for a region', ruled('us-east1-a.b', 'us-east1-a.c'), { cluster: 'us-east1.b' }, [mistyped('us-east1-a.b', 'us-east1.b')]],
    ['T4: a membership of its name', ruled('global.b'), { cluster: 'us-east1.b' }, [mistyped('global.b', 'us-east1.b')]],
    ['T4: a key in capitals', ruled('US-east1.B'), { cluster: 'us-east1.b' }, [mistyped('US-east1.B', 'us-east1.b')]],
    ['T4: a name that differs', ruled('us-east1.c'), { cluster: 'us-east1.b' }, []],
    ['T4: its own key beside a similar one', ruled('us-east1.b', 'us-east1-a.b'), { cluster: 'us-east1.b' }, []],
    ['a plain denial', { defaultAdmissionRule: DENY }, named, []],
  ])('%s', (_source, document, setting, warnings) => {
    expect(explain(document, setting).warnings).toEqual(warnings);
  });
});

describe('standing assumptions (facts 13)', () => {
  const none = { attestors: false, systemPolicy: false, ephemeral: false };
  const WEBHOOK = 'no mutating webhook changes the images, labels or service account of a Pod before Binary Authorization sees it';
  const NOTE = 'each attestor’s own account may read its note';
  const FRESH = 'the policy and the attestations that were read have reached the enforcer; a fresh change can take minutes';
  const REGION = 'the system policy that was read is the one that the cluster’s region uses; Google rolls it out region by region';
  const REACHED = 'the enforcer is reached: GKE admits Pods, and logs it, while Binary Authorization is unavailable';
  const GLASS = 'nobody adds break-glass after this check';
  const EPHEMERAL = 'ephemeral containers are judged at admission like any other; Google’s documents say so only for continuous validation';
  const NO_SYSTEM = 'the system policy does not apply to Cloud Run; Google’s documents describe it for GKE and Distributed Cloud only';
  const INDEXES = 'an image index is judged by its linux/amd64 image, as deployments show; Google’s documents do not say so';

  it.each<[Platform, Partial<typeof none>, readonly string[]]>([
    ['gke', {}, [WEBHOOK, FRESH, REACHED, GLASS]],
    ['gke', { attestors: true }, [WEBHOOK, NOTE, FRESH, REACHED, GLASS]],
    ['gke', { systemPolicy: true }, [WEBHOOK, FRESH, REGION, REACHED, GLASS]],
    ['gke', { ephemeral: true }, [WEBHOOK, FRESH, REACHED, GLASS, EPHEMERAL]],
    ['cloud-run', {}, [FRESH, GLASS, INDEXES]],
    ['cloud-run', { attestors: true, systemPolicy: true, ephemeral: true }, [NOTE, FRESH, GLASS, NO_SYSTEM, INDEXES]],
  ])('on %s with %j', (platform, things, assumptions) => {
    expect(assumptionsFor(platform, { ...none, ...things })).toEqual(assumptions);
  });
});
