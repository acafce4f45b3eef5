// SPDX-License-Identifier: Apache-2.0
// Where images would run: whether the policy is asked there at all.
import { enforcementOf } from '../deployment/enforcement.js';
import { ruleOf } from '../policy/policy.js';
import { shellLine } from '../provisioning/gcloud.js';
import { advised, refused } from './access.js';
import { enforce } from './commands.js';
import type { DoctorFacts } from './facts.js';
import type { Finding } from './findings.js';

/** What is wrong with the cluster that was named. */
export function judgeCluster({ question, cluster, policy, tested }: DoctorFacts): readonly Finding[] {
  const { cluster: ref, project } = question;
  if (!ref || !cluster) return [];
  const resource = `projects/${project}/locations/${ref.location}/clusters/${ref.name}`;
  if (cluster.ok) {
    const { isEnforced, because } = enforcementOf(cluster.value);
    if (isEnforced) return [];
    const message =
      isEnforced === false
        ? `the cluster ${ref.key} does not ask the policy (${because}): every image runs there`
        : `whether the cluster ${ref.key} asks the policy is not known: ${because}`;
    return [
      {
        code: isEnforced === false ? 'CLUSTER_NOT_ENFORCING' : 'NOT_CHECKED',
        resource,
        message,
        fix: enforce(project, ref),
        ...(isEnforced === false ? {} : { error: 'UNDECIDED' as const }),
      },
    ];
  }
  const { error } = cluster;
  if (error.code === 'NOT_FOUND' || error.code === 'PROJECT_NOT_FOUND') {
    // Fleet and attached clusters are no GKE clusters, and have rules all the same.
    const isFleet = ref.location === 'global' || (policy.ok && ruleOf(policy.value.policy, 'clusterAdmissionRules', ref.key) !== undefined);
    const message = `there is no cluster ${ref.key} in ${project}, and the policy has no rule of that key: write LOCATION.NAME with the cluster’s own zone or region, which the command lists`;
    const fix = shellLine(['gcloud', 'container', 'clusters', 'list', `--project=${project}`]);
    return isFleet ? [] : [{ code: 'CLUSTER_MISSING', resource, message, fix }];
  }
  // Check takes a cluster that it cannot read for an enforcing one.
  return refused(error, `the cluster ${ref.key}`, tested).map(advised);
}
