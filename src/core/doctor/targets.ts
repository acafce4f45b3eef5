// SPDX-License-Identifier: Apache-2.0
// Where images would run: whether the policy is asked there at all.
import { enforcementOf, type Enforcement } from '../deployment/enforcement.js';
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
  if (cluster.ok) return judgeMode(resource, enforcementOf(cluster.value), enforce(project, ref));
  const { error } = cluster;
  // Check takes a cluster that it cannot read for an enforcing one.
  if (error.code !== 'NOT_FOUND' && error.code !== 'PROJECT_NOT_FOUND')
    return refused(error, `the cluster ${ref.key}`, tested).map(advised);
  // Fleet and attached clusters are no GKE clusters, and have rules all the same.
  if (ref.location === 'global' || (policy.ok && ruleOf(policy.value.policy, 'clusterAdmissionRules', ref.key))) return [];
  const message = `there is no cluster ${ref.key} in ${project}, and the policy has no rule of that key: write LOCATION.NAME with the cluster’s own zone or region, which the command lists`;
  const fix = shellLine(['gcloud', 'container', 'clusters', 'list', `--project=${project}`]);
  return [{ code: 'CLUSTER_MISSING', resource, message, fix }];
}

function judgeMode(resource: string, { isEnforced, because }: Enforcement, fix: string): readonly Finding[] {
  if (isEnforced) return [];
  if (isEnforced === false)
    return [
      { code: 'CLUSTER_NOT_ENFORCING', resource, message: `the cluster does not ask the policy (${because}): every image runs there`, fix },
    ];
  return [
    { code: 'NOT_CHECKED', resource, message: `whether the cluster asks the policy is not known: ${because}`, fix, error: 'UNDECIDED' },
  ];
}
