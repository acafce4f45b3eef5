// SPDX-License-Identifier: Apache-2.0
// The library for GKE is far larger than the one call that is needed; its REST API is used as documented.
import type { ClusterSetting } from '../core/deployment/enforcement.js';
import type { ClusterRef } from '../core/deployment/target.js';
import { BinauthzError } from '../core/errors.js';
import type { ProjectId } from '../core/names.js';
import type { DeployTargets } from '../ports/deploy-targets.js';
import type { Google } from './clients.js';
import { NOT_GOOGLE, type Call } from './errors.js';
import { member } from './json.js';
import { pathOf } from './rest.js';

/** GKE's clusters through REST. */
export function createDeployTargets(google: Google): DeployTargets {
  return { cluster: (project, cluster) => readCluster(google, project, cluster) };
}

async function readCluster(google: Google, project: ProjectId, { location, name }: ClusterRef): Promise<ClusterSetting> {
  const resource = `projects/${project}/locations/${location}/clusters/${name}`;
  const need = { permission: 'container.clusters.get', role: 'roles/container.clusterViewer', on: `projects/${project}` };
  const call: Call = {
    what: 'cannot read the cluster',
    resource,
    needs: [need],
    notFound: 'NOT_FOUND',
    // A location that does not exist is an invalid argument to GKE.
    refused: 'NOT_FOUND',
    hint: (code) => (code === 'NOT_FOUND' ? `list what is there: gcloud container clusters list --project=${project}` : undefined),
  };
  // Never v1: its modes lack those of continuous validation, and what it says about such a cluster is not settled.
  const reply = await google.call.repeat(call, () => google.rest('container').request('GET', `v1beta1/${pathOf(resource)}`));
  // What is no cluster must not read as one without Binary Authorization.
  if (member(reply, 'name') !== name) {
    throw new BinauthzError(
      'RESPONSE_INVALID',
      `cannot read the cluster ${resource}: expected that cluster, got ${JSON.stringify(member(reply, 'name') ?? null)}`,
      { resource, hint: NOT_GOOGLE },
    );
  }
  return settingOf(member(reply, 'binaryAuthorization'));
}

// A mode newer than the API's own names comes as a number: it is passed on, and not known.
function settingOf(setting: unknown): ClusterSetting {
  const mode = member(setting, 'evaluationMode');
  const evaluationMode = typeof mode === 'string' || typeof mode === 'number' ? String(mode) : '';
  return { evaluationMode, enabled: member(setting, 'enabled') === true };
}
