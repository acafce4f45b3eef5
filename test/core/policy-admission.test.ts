// SPDX-License-Identifier: Apache-2.0
// Whether a target asks the policy, and whether break-glass goes past it, word for word. Sources: facts 5.2 (steps 0 and
// 2), 5.6, 5.7, 5.9; the contract on --cluster. What follows for the verdict is in policy.test.ts.
import { describe, expect, it } from 'vitest';
import type { BreakGlass, ImageUse } from '../../src/core/deployment/image-use.js';
import { parseClusterRef } from '../../src/core/deployment/target.js';
import { admissionOf, glassOf, type Admission, type Glass } from '../../src/core/policy/admission.js';
import type { ClusterState, PolicyContext } from '../../src/core/policy/context.js';
import { parsePolicy } from '../../src/core/policy/parse.js';
import type { Reason, Verdict } from '../../src/core/policy/verdict.js';

const ALLOW = { evaluationMode: 'ALWAYS_ALLOW', enforcementMode: 'ENFORCED_BLOCK_AND_AUDIT_LOG' };
const NO_CLUSTER = 'write LOCATION.CLUSTER with the cluster’s own zone or region, or LOCATION.MEMBERSHIP for a fleet';

function contextOf(key?: string, state: ClusterState['state'] = 'enforcing', ...rules: readonly string[]): PolicyContext {
  const { policy } = parsePolicy({
    defaultAdmissionRule: ALLOW,
    clusterAdmissionRules: Object.fromEntries(rules.map((name) => [name, ALLOW])),
  });
  const ref = key === undefined ? undefined : parseClusterRef(key);
  return { policy: policy!, system: { kind: 'off' }, ...(ref ? { cluster: { ref, state, because: 'so it is' } } : {}) };
}

const asked = (...assumptions: readonly string[]): Admission => ({ assumptions, warnings: [] });
const stopped = (reason: Reason, verdict: Verdict = 'UNKNOWN', warnings: readonly string[] = []): Admission => ({
  assumptions: [],
  warnings,
  stopped: { verdict, reason },
});

describe('on GKE (facts 5.9)', () => {
  const attached = 'is a fleet membership or an attached cluster that enforces the policy: no GKE cluster of that name exists';
  const missing = (hint: string): Admission =>
    stopped({ code: 'CLUSTER_NOT_FOUND', message: 'there is no cluster us-east1.prod: so it is', hint });

  it.each<[string, PolicyContext, Admission]>([
    ['no cluster named', contextOf(), asked('the cluster enforces the policy; none was named (--cluster)')],
    ['enforcing', contextOf('us-east1.prod'), asked()],
    [
      'taken as enforcing',
      contextOf('us-east1.prod', 'assumed-enforcing'),
      asked('the cluster us-east1.prod enforces the policy: so it is'),
    ],
    [
      'not enforcing',
      contextOf('us-east1.prod', 'not-enforcing'),
      stopped(
        {
          code: 'CLUSTER_NOT_ENFORCING',
          message: 'the cluster us-east1.prod does not ask the policy: so it is',
          hint: 'turn enforcement on: gcloud container clusters update prod --location=us-east1 --binauthz-evaluation-mode=PROJECT_SINGLETON_POLICY_ENFORCE',
        },
        'NOT_ENFORCED',
        ['the cluster us-east1.prod does not ask the policy: nothing is protected there'],
      ),
    ],
    [
      'a mode that is not known',
      contextOf('us-east1.prod', 'unknown'),
      stopped({ code: 'EVIDENCE_MISSING', message: 'whether the cluster us-east1.prod enforces the policy is not known: so it is' }),
    ],
    ['not found in global', contextOf('global.prod', 'not-found'), asked(`global.prod ${attached}`)],
    ['not found, with a rule', contextOf('us-east1.prod', 'not-found', 'a.b', 'us-east1.prod'), asked(`us-east1.prod ${attached}`)],
    ['not found, without rules', contextOf('us-east1.prod', 'not-found'), missing(NO_CLUSTER)],
    [
      'not found, with rules of others',
      contextOf('us-east1.prod', 'not-found', 'a.1', 'a.2', 'a.3', 'a.4', 'a.5', 'a.6'),
      missing(`${NO_CLUSTER}; the policy has rules for a.1, a.2, a.3, a.4, a.5`),
    ],
  ])('%s', (_name, context, admission) => {
    expect(admissionOf(context, { image: 'x', platform: 'gke' })).toEqual(admission);
  });
});

describe('on Cloud Run (facts 5.6)', () => {
  const ON = 'the Cloud Run resource has Binary Authorization on, with the project’s policy';
  const JOB =
    'Cloud Run checks a job when it is executed, not when it is deployed: the policy and the attestations are taken to be the same then';
  const off = stopped(
    {
      code: 'SERVICE_NOT_OPTED_IN',
      message: 'the Cloud Run resource has Binary Authorization off',
      hint: 'opt in: the annotation run.googleapis.com/binary-authorization: default on the Service or Job, or gcloud run … --binary-authorization=default; for Knative on a cluster give --platform gke',
    },
    'NOT_ENFORCED',
    ['the Cloud Run resource has Binary Authorization off: the policy is not asked'],
  );

  it.each<[string, Partial<ImageUse>, Admission]>([
    ['without a manifest', {}, asked(ON)],
    ['a job without a manifest', { isJob: true }, asked(ON, JOB)],
    ['opted in', { cloudRun: { uses: 'project-policy' }, isJob: false }, asked()],
    ['a job that is opted in', { cloudRun: { uses: 'project-policy' }, isJob: true }, asked(JOB)],
    ['not opted in', { cloudRun: { uses: 'nothing' } }, off],
    ['a job that is not opted in', { cloudRun: { uses: 'nothing' }, isJob: true }, { ...off, assumptions: [JOB] }],
    [
      'a platform policy',
      { cloudRun: { uses: 'platform-policy', policy: 'my-policy' } },
      stopped({
        code: 'CLOUD_RUN_PLATFORM_POLICY',
        message: 'the Cloud Run resource names the platform policy my-policy, which no public method evaluates',
        hint: 'use the project’s policy (default), which can be checked',
      }),
    ],
  ])('%s', (_name, use, admission) => {
    // A cluster means nothing here.
    expect(admissionOf(contextOf('us-east1.prod', 'not-enforcing'), { image: 'x', platform: 'cloud-run', ...use })).toEqual(admission);
  });
});

describe('break-glass (facts 5.6, 5.7)', () => {
  const glass = (by: BreakGlass['by'], value: string, isEffective = true): BreakGlass => ({ by, value, isEffective });
  const acts = (what: string, hint: string): Glass => ({
    isEffective: true,
    reason: { code: 'BREAK_GLASS', message: `${what} admits the workload and is logged`, hint },
  });
  const fails = (what: string, hint: string): Glass => ({
    isEffective: false,
    reason: {
      code: 'BREAK_GLASS_INEFFECTIVE',
      message: `a break-glass ${what} does not act: it is in the wrong place, or is no value that acts`,
      hint,
    },
  });
  const POD = 'break-glass is the label image-policy.k8s.io/break-glass: "true" on the Pod itself or in the Pod template';
  const RUN = 'break-glass is a justification on a Service or Job that has Binary Authorization on';
  const LATER = 'the next deployment clears the justification, and is then judged by the policy';
  const OVER = 'take it out when the emergency is over';

  it.each<[Pick<ImageUse, 'platform' | 'breakGlass' | 'cloudRun'>, Glass | undefined]>([
    [{ platform: 'gke' }, undefined],
    [{ platform: 'gke', breakGlass: glass('label', 'true') }, acts('the Pod’s label image-policy.k8s.io/break-glass: "true"', OVER)],
    [
      { platform: 'gke', breakGlass: glass('annotation', 'true') },
      acts('the Pod’s annotation alpha.image-policy.k8s.io/break-glass: "true"', OVER),
    ],
    [{ platform: 'gke', breakGlass: glass('label', 'yes') }, fails('label with the value "yes"', POD)],
    [{ platform: 'gke', breakGlass: glass('label', '') }, fails('label with the value ""', POD)],
    [{ platform: 'gke', breakGlass: glass('annotation', 'true', false) }, fails('annotation with the value "true"', POD)],
    [{ platform: 'gke', breakGlass: glass('cloud-run', 'true') }, fails('justification with the value "true"', POD)],
    [{ platform: 'cloud-run', breakGlass: glass('cloud-run', 'fire') }, acts('the break-glass justification "fire"', LATER)],
    [
      { platform: 'cloud-run', cloudRun: { uses: 'project-policy' }, breakGlass: glass('cloud-run', 'true') },
      acts('the break-glass justification "true"', LATER),
    ],
    [
      { platform: 'cloud-run', cloudRun: { uses: 'nothing' }, breakGlass: glass('cloud-run', 'fire') },
      fails('justification with the value "fire"', RUN),
    ],
    [
      { platform: 'cloud-run', cloudRun: { uses: 'platform-policy', policy: 'p' }, breakGlass: glass('cloud-run', 'fire') },
      fails('justification with the value "fire"', RUN),
    ],
    [{ platform: 'cloud-run', breakGlass: glass('cloud-run', '') }, fails('justification with the value ""', RUN)],
    [{ platform: 'cloud-run', breakGlass: glass('cloud-run', 'fire', false) }, fails('justification with the value "fire"', RUN)],
    [{ platform: 'cloud-run', breakGlass: glass('label', 'true') }, fails('label with the value "true"', RUN)],
  ])('%j', (use, expected) => {
    expect(glassOf({ image: 'x', ...use })).toEqual(expected);
  });
});
