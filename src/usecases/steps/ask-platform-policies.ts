// SPDX-License-Identifier: Apache-2.0
import { asError } from '../../core/errors.js';
import type { PlatformPolicyResult } from '../../core/results.js';
import type { PlatformEvaluation, PolicyService } from '../../ports/policy-service.js';
import type { CheckRequest, Workload } from '../requests.js';
import { concurrently, valuesOf } from './concurrently.js';

type PlatformVerdict = PlatformEvaluation['verdict'];

// At every level a violation outweighs an error (facts 6.1); what was not answered is worse than an answer.
const ORDER: readonly PlatformVerdict[] = ['CONFORMANT', 'UNKNOWN', 'ERROR', 'NON_CONFORMANT'];

/** What GKE platform policies say about the workloads: advisory, because they monitor and never block. */
export async function askPlatformPolicies(request: CheckRequest, policies: PolicyService): Promise<readonly PlatformPolicyResult[]> {
  const workloads = request.workloads.length > 0 ? request.workloads : [podOf(request)];
  const settled = await concurrently(request.platformPolicies, async (policy): Promise<PlatformPolicyResult> => {
    const answers = valuesOf(
      await concurrently(workloads, async (workload) => ({ workload, evaluation: await ask(policies, policy, workload) })),
    );
    const verdicts = answers.map(({ evaluation }) => evaluation.verdict);
    const results = answers.flatMap(({ workload, evaluation }) =>
      evaluation.images.map((image) => ({ workload: workload.name, ...image })),
    );
    return { policy, verdict: ORDER.findLast((verdict) => verdicts.includes(verdict)) ?? 'UNKNOWN', results };
  });
  return valuesOf(settled);
}

async function ask(policies: PolicyService, policy: string, { name, resource }: Workload): Promise<PlatformEvaluation> {
  try {
    return await policies.evaluatePlatform(policy, resource);
  } catch (thrown) {
    // Also where the run was cancelled: a workload that was not asked about must not leave the others to decide.
    return { verdict: 'UNKNOWN', images: [{ image: name, verdict: 'UNKNOWN', explanation: asError(thrown).message }] };
  }
}

/** Images without a manifest as gcloud asks about them: one Pod with a container each. */
function podOf({ uses }: CheckRequest): Workload {
  const images = [...new Set(uses.map(({ image }) => image))];
  const containers = images.map((image, index) => ({ name: `image-${index + 1}`, image }));
  return { name: 'Pod', resource: { apiVersion: 'v1', kind: 'Pod', metadata: { name: '' }, spec: { containers } } };
}
