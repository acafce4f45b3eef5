// SPDX-License-Identifier: Apache-2.0
// What a reader is told: hints, the platform's own words (facts 10), assumptions (facts 13), warnings.
import { describe, expect, it } from 'vitest';
import type { ImageUse } from '../../src/core/deployment/image-use.js';
import { placeOf } from '../../src/core/deployment/place.js';
import { parseClusterRef } from '../../src/core/deployment/target.js';
import { parseDigest, type Digest } from '../../src/core/image/digest.js';
import type { AttestorName } from '../../src/core/names.js';
import { assumptionsFor } from '../../src/core/policy/assumptions.js';
import { pose, type ClusterState, type Evaluation, type Evidence, type Resolution } from '../../src/core/policy/evaluate.js';
import { parsePolicy } from '../../src/core/policy/parse.js';

const [A, B] = ['projects/p/attestors/a', 'projects/p/attestors/b'] as AttestorName[] as [AttestorName, AttestorName];
const [D, INDEX] = ['d', 'e'].map((digit) => parseDigest(`sha256:${digit.repeat(64)}`)) as [Digest, Digest];
const ENFORCED = 'ENFORCED_BLOCK_AND_AUDIT_LOG';
const ALLOW = { evaluationMode: 'ALWAYS_ALLOW', enforcementMode: ENFORCED };
const DENY = { evaluationMode: 'ALWAYS_DENY', enforcementMode: ENFORCED };
const REQUIRE = { evaluationMode: 'REQUIRE_ATTESTATION', enforcementMode: ENFORCED, requireAttestationsBy: [A, B] };
const HOOK = 'admission webhook "imagepolicywebhook.image-policy.k8s.io" denied the request: ';
const NONE = 'No attestations found that were valid and signed by a key trusted by the attestor';

interface Setting {
  readonly image?: string;
  readonly use?: Partial<ImageUse>;
  readonly cluster?: string;
  readonly state?: ClusterState['state'];
  readonly resolved?: Resolution;
  readonly system?: readonly string[];
  readonly evidence?: readonly Evidence[];
}

function explain(document: Record<string, unknown>, setting: Setting = {}): Evaluation {
  const parsed = parsePolicy({ globalPolicyEvaluationMode: 'DISABLE', updateTime: '2026-01-01T00:00:00Z', ...document });
  if (!parsed.policy) throw new Error(parsed.problems.join('; '));
  const use: ImageUse = { image: setting.image ?? `gcr.io/p/app@${D}`, platform: 'gke', ...setting.use };
  const ref = setting.cluster === undefined ? undefined : parseClusterRef(setting.cluster);
  const question = pose(
    {
      policy: parsed.policy,
      system: setting.system ? { kind: 'read', patterns: setting.system } : { kind: 'off' },
      ...(ref ? { cluster: { ref, state: setting.state ?? 'enforcing', because: 'so it is' } } : {}),
    },
    { use, place: placeOf(use), ...(setting.resolved ? { resolved: setting.resolved } : {}) },
  );
  return question.decided ?? question.judge(setting.evidence ?? []);
}

const found = (attestor: AttestorName, what: Evidence['found'], digest = D): Evidence => ({
  attestor,
  digest,
  found: what,
  what: 'its note holds nothing',
});
const oneOfTwo = [found(A, 'verified'), found(B, 'none')];
const hintsOf = ({ reasons }: Evaluation) => reasons.map(({ hint }) => hint ?? '').join('\n');

describe('denial texts (facts 10)', () => {
  const image = `gcr.io/p/app@${D}`;
  it.each<[source: string, document: Record<string, unknown>, setting: Setting, denial: string]>([
    [
      'GKE, current',
      { defaultAdmissionRule: DENY },
      {},
      `${HOOK}Image ${image} denied by Binary Authorization default admission rule. Denied by always_deny admission rule`,
    ],
    [
      'GKE, cluster rule',
      { defaultAdmissionRule: ALLOW, clusterAdmissionRules: { 'us-east1-a.prod': DENY } },
      { cluster: 'us-east1-a.prod' },
      `${HOOK}Image ${image} denied by Binary Authorization cluster admission rule for us-east1-a.prod. Denied by always_deny admission rule`,
    ],
    [
      'GKE, attestor',
      { defaultAdmissionRule: REQUIRE },
      { evidence: oneOfTwo },
      `${HOOK}Image ${image} denied by Binary Authorization default admission rule. Image ${image} denied by attestor ${B}: ${NONE}`,
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
  ])('%s', (_source, document, setting, denial) => {
    expect(explain(document, setting).denial).toBe(denial);
  });

  it('are one line, whatever a file holds', () => {
    const evaluation = explain({ defaultAdmissionRule: DENY }, { image: 'nginx\n::error::x\u0007' });
    expect([evaluation.denial, ...evaluation.reasons.map(({ message }) => message)].join('')).not.toMatch(/[\n\u0007]/);
  });
});

describe('hints', () => {
  const require = { defaultAdmissionRule: REQUIRE };
  it.each<[source: string, evaluation: Evaluation, hint: RegExp]>([
    [
      'T2: the command that attests',
      explain(require, { evidence: oneOfTwo }),
      /binauthz attest gcr\.io\/p\/app@sha256:d{64} --attestor projects\/p\/attestors\/b/,
    ],
    [
      'T4: the digest to write',
      explain(require, { image: 'gcr.io/p/app:1', resolved: { digest: D } }),
      /write gcr\.io\/p\/app@sha256:d{64}/,
    ],
    ['T4: the digest is not known', explain(require, { image: 'gcr.io/p/app:1' }), /write gcr\.io\/p\/app@sha256:…/],
    [
      'T4: the nearest pattern',
      explain({ defaultAdmissionRule: DENY, admissionWhitelistPatterns: [{ namePattern: 'gcr.io/p/app' }] }),
      /nearest pattern gcr\.io\/p\/app does not match/,
    ],
    [
      'T1: the system policy is off',
      explain({ defaultAdmissionRule: DENY }, { system: ['gcr.io/p/**'] }),
      /globalPolicyEvaluationMode to ENABLE/,
    ],
    [
      'T5: built by Cloud Run',
      explain(
        { defaultAdmissionRule: DENY },
        { image: 'us-docker.pkg.dev/p/cloud-run-source-deploy/app', use: { platform: 'cloud-run' }, resolved: { digest: D } },
      ),
      /us-docker\.pkg\.dev\/p\/cloud-run-source-deploy\/\*\*/,
    ],
    [
      'T1: the index is attested',
      explain(require, {
        use: { platform: 'cloud-run' },
        resolved: { digest: INDEX, child: D },
        evidence: [found(A, 'none'), found(B, 'none'), found(A, 'verified', INDEX)],
      }),
      /--multi-platform both/,
    ],
    [
      'T3: break-glass is cleared',
      explain(require, { use: { platform: 'cloud-run', breakGlass: { by: 'cloud-run', value: 'x', isEffective: true } } }),
      /next deployment clears/,
    ],
    ['C: name the cluster', explain({ defaultAdmissionRule: ALLOW, clusterAdmissionRules: { 'a.b': DENY } }), /--cluster LOCATION\.NAME/],
    [
      'C: mistyped',
      explain({ defaultAdmissionRule: ALLOW, clusterAdmissionRules: { 'a.prod': DENY } }, { cluster: 'a.prdo', state: 'not-found' }),
      /rules for a\.prod/,
    ],
    [
      'what the caller knows goes first',
      explain(require, { evidence: [found(A, 'verified'), { ...found(B, 'none'), hint: 'use the key K' }] }),
      /^use the key K$/,
    ],
  ])('%s', (_source, evaluation, hint) => {
    expect(hintsOf(evaluation)).toMatch(hint);
  });

  it('T4: counts the attestors: AND, not OR', () => {
    const { reasons } = explain(require, { evidence: oneOfTwo });
    expect(reasons).toHaveLength(1);
    expect(reasons[0]).toMatchObject({ attestor: B, message: expect.stringContaining(`2 of 2 attestors required, missing: ${B}`) });
  });
});

describe('assumptions and warnings of one image', () => {
  const named = { cluster: 'a.b' };
  const allow = { defaultAdmissionRule: ALLOW };
  it.each<[source: string, evaluation: Evaluation, assumption: RegExp | undefined]>([
    ['C: nothing assumed', explain(allow, named), undefined],
    ['C: no cluster named', explain(allow), /none was named/],
    ['C: no cluster named, all rules agree', explain({ ...allow, clusterAdmissionRules: { 'a.b': ALLOW } }), /every cluster rule/],
    ['C: 403', explain(allow, { ...named, state: 'assumed-enforcing' }), /a\.b enforces the policy: so it is/],
    ['C: global', explain(allow, { cluster: 'global.m', state: 'not-found' }), /fleet membership/],
    ['C: the namespace filled in', explain({ ...allow, kubernetesNamespaceAdmissionRules: { x: DENY } }, named), /namespace is default/],
    [
      'C: the namespace is known',
      explain({ ...allow, kubernetesNamespaceAdmissionRules: { x: DENY } }, { ...named, use: { namespace: 'y' } }),
      undefined,
    ],
    [
      'C: the account filled in',
      explain({ ...allow, kubernetesServiceAccountAdmissionRules: { 'x:y': DENY } }, { ...named, use: { namespace: 'x' } }),
      /service account is default/,
    ],
    ['5.4: mesh identities', explain({ ...allow, istioServiceIdentityAdmissionRules: { 'd/ns/n/sa/s': DENY } }, named), /no plain Pod/],
    [
      'C: Cloud Run without a manifest',
      explain(allow, { use: { platform: 'cloud-run' }, resolved: { digest: D } }),
      /Binary Authorization on/,
    ],
    [
      '5.6: a job',
      explain(allow, { use: { platform: 'cloud-run', cloudRun: { uses: 'project-policy' }, isJob: true }, resolved: { digest: D } }),
      /when it is executed/,
    ],
    [
      '13: the child is not known',
      explain(allow, { use: { platform: 'cloud-run', cloudRun: { uses: 'project-policy' } } }),
      /manifest could not be read/,
    ],
  ])('%s', (_source, evaluation, assumption) => {
    if (assumption) expect(evaluation.assumptions.join('\n')).toMatch(assumption);
    else expect(evaluation.assumptions).toEqual([]);
  });

  it.each<[source: string, evaluation: Evaluation, warning: RegExp | undefined]>([
    ['C: everything is allowed', explain(allow, named), /admits every image/],
    ['C: never set', explain({ ...allow, updateTime: undefined }, named), /no policy was ever set/],
    ['T3: dry run', explain({ defaultAdmissionRule: { ...DENY, enforcementMode: 'DRYRUN_AUDIT_LOG_ONLY' } }, named), /blocks nothing/],
    ['T3: not enforced', explain(allow, { ...named, state: 'not-enforcing' }), /does not ask the policy/],
    [
      'T5: Cloud Run and specific rules',
      explain({ ...allow, clusterAdmissionRules: { 'a.b': DENY } }, { use: { platform: 'cloud-run' } }),
      /default rule only/,
    ],
    [
      'T4: a key of another form',
      explain({ ...allow, clusterAdmissionRules: { 'us-east1-a.b': DENY } }, { cluster: 'us-east1.b' }),
      /rule for us-east1-a\.b, and none for us-east1\.b/,
    ],
    ['a plain denial', explain({ defaultAdmissionRule: DENY }, named), undefined],
  ])('%s', (_source, evaluation, warning) => {
    if (warning) expect(evaluation.warnings.join('\n')).toMatch(warning);
    else expect(evaluation.warnings).toEqual([]);
  });
});

describe('standing assumptions (facts 13)', () => {
  const none = { attestors: false, systemPolicy: false, ephemeral: false };
  it('name what applies to the platform', () => {
    expect(assumptionsFor('gke', none).join('\n')).toMatch(/mutating webhook[^]*fresh change[^]*admits Pods[^]*break-glass/);
    expect(assumptionsFor('cloud-run', none).join('\n')).not.toMatch(/webhook|Pods/);
    expect(assumptionsFor('cloud-run', none).join('\n')).toMatch(/linux\/amd64/);
  });

  it.each<[keyof typeof none, RegExp]>([
    ['attestors', /read its note/],
    ['systemPolicy', /region/],
    ['ephemeral', /ephemeral/],
  ])('name %s only where it matters', (thing, text) => {
    expect(assumptionsFor('gke', none).join('\n')).not.toMatch(text);
    expect(assumptionsFor('gke', { ...none, [thing]: true }).join('\n')).toMatch(text);
  });
});
