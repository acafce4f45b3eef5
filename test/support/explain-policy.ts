// SPDX-License-Identifier: Apache-2.0
// A policy, a target and an image as the tests of the explanations put them: short, and with what a report would show.
import type { ImageUse } from '../../src/core/deployment/image-use.js';
import { placeOf } from '../../src/core/deployment/place.js';
import { parseClusterRef } from '../../src/core/deployment/target.js';
import { parseDigest, type Digest } from '../../src/core/image/digest.js';
import type { AttestorName } from '../../src/core/names.js';
import { pose, type ClusterState, type Evaluation, type Evidence, type Question, type Resolution } from '../../src/core/policy/evaluate.js';
import { parsePolicy } from '../../src/core/policy/parse.js';

export const [A, B] = ['projects/p/attestors/a', 'projects/p/attestors/b'] as AttestorName[] as [AttestorName, AttestorName];
export const [D, INDEX] = ['d', 'e'].map((digit) => parseDigest(`sha256:${digit.repeat(64)}`)) as [Digest, Digest];
const ENFORCED = 'ENFORCED_BLOCK_AND_AUDIT_LOG';
export const ALLOW = { evaluationMode: 'ALWAYS_ALLOW', enforcementMode: ENFORCED };
export const DENY = { evaluationMode: 'ALWAYS_DENY', enforcementMode: ENFORCED };
export const REQUIRE = { evaluationMode: 'REQUIRE_ATTESTATION', enforcementMode: ENFORCED, requireAttestationsBy: [A, B] };
export const dry = (rule: typeof ALLOW): typeof ALLOW => ({ ...rule, enforcementMode: 'DRYRUN_AUDIT_LOG_ONLY' });

export interface Setting {
  readonly image?: string;
  readonly use?: Partial<ImageUse>;
  readonly cluster?: string;
  readonly state?: ClusterState['state'];
  readonly resolved?: Resolution;
  readonly system?: readonly string[] | 'unreadable';
  readonly evidence?: readonly Evidence[];
}

/** The question that an image poses under this policy document. */
export function ask(document: Record<string, unknown>, setting: Setting = {}): Question {
  const parsed = parsePolicy({ globalPolicyEvaluationMode: 'DISABLE', updateTime: '2026-01-01T00:00:00Z', ...document });
  if (!parsed.policy) throw new Error(parsed.problems.join('; '));
  const use: ImageUse = { image: setting.image ?? `gcr.io/p/app@${D}`, platform: 'gke', ...setting.use };
  const ref = setting.cluster === undefined ? undefined : parseClusterRef(setting.cluster);
  return pose(
    {
      policy: parsed.policy,
      system: systemOf(setting.system),
      ...(ref ? { cluster: { ref, state: setting.state ?? 'enforcing', because: 'so it is' } } : {}),
    },
    { use, place: placeOf(use), ...(setting.resolved ? { resolved: setting.resolved } : {}) },
  );
}

/** The evaluation of an image under this policy document. */
export function explain(document: Record<string, unknown>, setting: Setting = {}): Evaluation {
  const question = ask(document, setting);
  return question.decided ?? question.judge(setting.evidence ?? []);
}

export const found = (attestor: AttestorName, what: Evidence['found'], digest = D): Evidence => ({
  attestor,
  digest,
  found: what,
  what: 'its note holds nothing',
});

function systemOf(system: Setting['system']): Parameters<typeof pose>[0]['system'] {
  if (system === undefined) return { kind: 'off' };
  return system === 'unreadable' ? { kind: 'unreadable', why: 'no answer' } : { kind: 'read', patterns: system };
}
