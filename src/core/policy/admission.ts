// SPDX-License-Identifier: Apache-2.0
// Before any policy: is it asked at all, and does break-glass go past it (facts 5.2, steps 0 and 2).
import type { BreakGlass, ImageUse } from '../deployment/image-use.js';
import type { ClusterState, PolicyContext } from './context.js';
import { ruleOf, type Policy } from './policy.js';
import type { Reason, Verdict } from './verdict.js';

/** Whether the policy is asked: a verdict where it is not, or where nobody can say. */
export interface Admission {
  readonly stopped?: { readonly verdict: Verdict; readonly reason: Reason };
  readonly assumptions: readonly string[];
  readonly warnings: readonly string[];
}

/** Break-glass on a workload, and whether it acts. */
export interface Glass {
  readonly isEffective: boolean;
  readonly reason: Reason;
}

/** Whether the target asks the policy about this image. */
export function admissionOf(context: PolicyContext, use: ImageUse): Admission {
  return use.platform === 'gke' ? onGke(context) : onCloudRun(use);
}

function onGke({ policy, cluster }: PolicyContext): Admission {
  if (!cluster) return asked(['the cluster enforces the policy; none was named (--cluster)']);
  const { state, because, ref } = cluster;
  switch (state) {
    case 'enforcing':
      return asked([]);
    case 'assumed-enforcing':
      return asked([`the cluster ${ref.key} enforces the policy: ${because}`]);
    case 'not-enforcing':
      return {
        ...asked([]),
        stopped: {
          verdict: 'NOT_ENFORCED',
          reason: {
            code: 'CLUSTER_NOT_ENFORCING',
            message: `the cluster ${ref.key} does not ask the policy: ${because}`,
            hint: `turn enforcement on: gcloud container clusters update ${ref.name} --location=${ref.location} --binauthz-evaluation-mode=PROJECT_SINGLETON_POLICY_ENFORCE`,
          },
        },
        warnings: [`the cluster ${ref.key} does not ask the policy: nothing is protected there`],
      };
    case 'unknown':
      return stopped({ code: 'EVIDENCE_MISSING', message: `whether the cluster ${ref.key} enforces the policy is not known: ${because}` });
    case 'not-found':
      return notFound(policy, cluster);
  }
}

// Fleet and attached clusters are no GKE clusters, and have rules all the same (facts 5.4); a mistyped name has none.
function notFound(policy: Policy, { ref, because }: ClusterState): Admission {
  if (ref.location === 'global' || ruleOf(policy, 'clusterAdmissionRules', ref.key))
    return asked([`${ref.key} is a fleet membership or an attached cluster that enforces the policy: no GKE cluster of that name exists`]);
  const keys = Object.keys(policy.rules.clusterAdmissionRules).slice(0, 5);
  return stopped({
    code: 'CLUSTER_NOT_FOUND',
    message: `there is no cluster ${ref.key}: ${because}`,
    hint: `write LOCATION.CLUSTER with the cluster’s own zone or region, or LOCATION.MEMBERSHIP for a fleet${keys.length > 0 ? `; the policy has rules for ${keys.join(', ')}` : ''}`,
  });
}

function onCloudRun({ cloudRun, isJob }: ImageUse): Admission {
  const assumptions = [
    ...(cloudRun ? [] : ['the Cloud Run resource has Binary Authorization on, with the project’s policy']),
    ...(isJob
      ? [
          'Cloud Run checks a job when it is executed, not when it is deployed: the policy and the attestations are taken to be the same then',
        ]
      : []),
  ];
  if (cloudRun?.uses === 'nothing') {
    return {
      assumptions,
      warnings: ['the Cloud Run resource has Binary Authorization off: the policy is not asked'],
      stopped: {
        verdict: 'NOT_ENFORCED',
        reason: {
          code: 'SERVICE_NOT_OPTED_IN',
          message: 'the Cloud Run resource has Binary Authorization off',
          hint: 'opt in: the annotation run.googleapis.com/binary-authorization: default on the Service or Job, or gcloud run … --binary-authorization=default; for Knative on a cluster give --platform gke',
        },
      },
    };
  }
  if (cloudRun?.uses === 'platform-policy') {
    return stopped({
      code: 'CLOUD_RUN_PLATFORM_POLICY',
      message: `the Cloud Run resource names the platform policy ${cloudRun.policy}, which no public method evaluates`,
      hint: 'use the project’s policy (default), which can be checked',
    });
  }
  return asked(assumptions);
}

/** Break-glass of this image's workload, where there is anything that looks like it. */
export function glassOf({ platform, breakGlass, cloudRun }: ImageUse): Glass | undefined {
  if (!breakGlass) return undefined;
  const isOptedIn = cloudRun === undefined || cloudRun.uses === 'project-policy';
  // On a Pod the value must be "true" (others are not settled, facts 5.7); on Cloud Run it is a justification, which
  // means nothing without the project's policy (facts 5.6).
  const acts =
    platform === 'gke' ? breakGlass.by !== 'cloud-run' && breakGlass.value === 'true' : breakGlass.by === 'cloud-run' && isOptedIn;
  if (breakGlass.isEffective && acts && breakGlass.value !== '') {
    const hint =
      platform === 'gke'
        ? 'take it out when the emergency is over'
        : 'the next deployment clears the justification, and is then judged by the policy';
    return {
      isEffective: true,
      reason: { code: 'BREAK_GLASS', message: `${actingGlass(breakGlass)} admits the workload and is logged`, hint },
    };
  }
  const by = breakGlass.by === 'cloud-run' ? 'justification' : breakGlass.by;
  const message = `a break-glass ${by} with the value "${breakGlass.value}" does not act: it is in the wrong place, or is no value that acts`;
  const hint =
    platform === 'gke'
      ? 'break-glass is the label image-policy.k8s.io/break-glass: "true" on the Pod itself or in the Pod template'
      : 'break-glass is a justification on a Service or Job that has Binary Authorization on';
  return { isEffective: false, reason: { code: 'BREAK_GLASS_INEFFECTIVE', message, hint } };
}

function actingGlass({ by, value }: BreakGlass): string {
  if (by === 'cloud-run') return `the break-glass justification "${value}"`;
  return `the Pod’s ${by} ${by === 'label' ? '' : 'alpha.'}image-policy.k8s.io/break-glass: "${value}"`;
}

function asked(assumptions: readonly string[]): Admission {
  return { assumptions, warnings: [] };
}

function stopped(reason: Reason): Admission {
  return { ...asked([]), stopped: { verdict: 'UNKNOWN', reason } };
}
