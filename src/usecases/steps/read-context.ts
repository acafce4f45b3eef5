// SPDX-License-Identifier: Apache-2.0
import { enforcementOf } from '../../core/deployment/enforcement.js';
import { regionOf, type ClusterRef } from '../../core/deployment/target.js';
import { asError } from '../../core/errors.js';
import type { ProjectId } from '../../core/names.js';
import type { ClusterState, PolicyContext, SystemPolicy } from '../../core/policy/context.js';
import { parsePolicy, parseSystemPolicy } from '../../core/policy/parse.js';
import type { Policy } from '../../core/policy/policy.js';
import type { Reason } from '../../core/policy/verdict.js';
import type { DeployTargets } from '../../ports/deploy-targets.js';
import type { PolicyService } from '../../ports/policy-service.js';
import type { Reporter } from '../../ports/reporter.js';
import type { CheckRequest } from '../requests.js';

export interface ContextPorts {
  readonly policies: PolicyService;
  readonly targets: DeployTargets;
  readonly reporter: Reporter;
}

/** What every image of a run is judged by, or why there is none. */
export type ReadContext =
  { readonly context: PolicyContext; readonly unreadable?: undefined } | { readonly context?: undefined; readonly unreadable: Reason };

/** Reads the policy, the system policy for the cluster's region, and whether the cluster enforces; side by side. */
export async function readContext(request: CheckRequest, ports: ContextPorts): Promise<ReadContext> {
  const onGke = request.uses.some(({ platform }) => platform === 'gke');
  const clusterRead = onGke && request.cluster ? readCluster(request.project, request.cluster, ports) : Promise.resolve(undefined);
  const [policy, cluster] = await Promise.all([readPolicy(request, ports), clusterRead]);
  if ('code' in policy) return { unreadable: policy };
  const system: SystemPolicy = onGke && policy.usesSystemPolicy ? await readSystem(request.cluster, ports) : { kind: 'off' };
  return { context: { policy, system, ...(cluster === undefined ? {} : { cluster }) } };
}

async function readPolicy(request: CheckRequest, { policies }: ContextPorts): Promise<Policy | Reason> {
  if (request.policy) return request.policy.policy;
  try {
    const parsed = parsePolicy(await policies.project(request.project));
    if (parsed.policy) return parsed.policy;
    const message = `the policy of ${request.project} is not understood: ${parsed.problems.join('; ')}`;
    const hint = `look at it: gcloud container binauthz policy export --project=${request.project}`;
    return { code: 'POLICY_NOT_READABLE', message, hint };
  } catch (thrown) {
    return reasonOf(thrown);
  }
}

// The system policy reaches regions one after the other, and `global` last (facts 5.8).
async function readSystem(cluster: ClusterRef | undefined, { policies, reporter }: ContextPorts): Promise<SystemPolicy> {
  const region = cluster === undefined ? 'global' : regionOf(cluster.location);
  try {
    return systemOf(await policies.system(region));
  } catch (thrown) {
    const why = notCancelled(thrown).message;
    if (region === 'global') return { kind: 'unreadable', why };
    reporter.info(`the system policy of ${region} could not be read (${why}); using that of "global", which may exempt less`);
    return readSystem(undefined, { policies, reporter } as ContextPorts);
  }
}

function systemOf(document: unknown): SystemPolicy {
  const parsed = parseSystemPolicy(document);
  return parsed.patterns ? { kind: 'read', patterns: parsed.patterns } : { kind: 'unreadable', why: parsed.problems.join('; ') };
}

async function readCluster(project: ProjectId, ref: ClusterRef, { targets }: ContextPorts): Promise<ClusterState> {
  try {
    const { isEnforced, because } = enforcementOf(await targets.cluster(project, ref));
    if (isEnforced === undefined) return { ref, state: 'unknown', because };
    return { ref, state: isEnforced ? 'enforcing' : 'not-enforcing', because };
  } catch (thrown) {
    const error = notCancelled(thrown);
    if (error.code === 'NOT_FOUND' || error.code === 'PROJECT_NOT_FOUND') return { ref, state: 'not-found', because: error.message };
    // Whether it enforces cannot be told; taking it for enforcing can only deny more.
    return { ref, state: 'assumed-enforcing', because: error.message };
  }
}

function reasonOf(thrown: unknown): Reason {
  const { message, hint } = notCancelled(thrown);
  return { code: 'POLICY_NOT_READABLE', message, ...(hint === undefined ? {} : { hint }) };
}

/** The error as data, unless the run was cancelled: that ends everything. */
function notCancelled(thrown: unknown): ReturnType<typeof asError> {
  const error = asError(thrown);
  if (error.code === 'CANCELLED') throw error;
  return error;
}
