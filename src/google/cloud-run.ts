// SPDX-License-Identifier: Apache-2.0
// Like GKE's, the library for Cloud Run is far larger than the two calls that are needed; its REST API is used as documented.
import type { CloudRunState } from '../core/deployment/enforcement.js';
import type { CloudRunSetting } from '../core/deployment/image-use.js';
import type { CloudRunRef } from '../core/deployment/target.js';
import { BinauthzError } from '../core/errors.js';
import type { ProjectId } from '../core/names.js';
import type { CloudRunTargets } from '../ports/deploy-targets.js';
import type { Google } from './clients.js';
import { NOT_GOOGLE, type Call } from './errors.js';
import { member } from './json.js';
import { pathOf } from './rest.js';

/** Cloud Run's services and jobs through REST. */
export function createCloudRunTargets(google: Google): CloudRunTargets {
  return { state: (project, ref) => readState(google, project, ref) };
}

async function readState(google: Google, project: ProjectId, { kind, location, name }: CloudRunRef): Promise<CloudRunState> {
  const resource = `projects/${project}/locations/${location}/${kind}s/${name}`;
  const call: Call = {
    what: `cannot read the Cloud Run ${kind}`,
    resource,
    needs: [{ permission: `run.${kind}s.get`, role: 'roles/run.viewer', on: `projects/${project}` }],
    notFound: 'NOT_FOUND',
    hint: (code) => (code === 'NOT_FOUND' ? `list what is there: gcloud run ${kind}s list --project=${project}` : undefined),
  };
  const reply = await google.call.repeat(call, () => google.rest('run').request('GET', `v2/${pathOf(resource)}`));
  // What is no service must not read as one that opted out. Google may answer with the project's number in the name.
  if (!isNamed(member(reply, 'name'), resource)) {
    throw new BinauthzError(
      'RESPONSE_INVALID',
      `cannot read the Cloud Run ${kind} ${resource}: expected that ${kind}, got ${JSON.stringify(member(reply, 'name') ?? null)}`,
      { resource, hint: NOT_GOOGLE },
    );
  }
  return stateOf(member(reply, 'binaryAuthorization'));
}

function isNamed(name: unknown, resource: string): boolean {
  const below = (full: string): string => full.split('/').slice(2).join('/');
  return typeof name === 'string' && below(name) === below(resource);
}

// proto google/cloud/run/v2/vendor_settings.proto
function stateOf(binaryAuthorization: unknown): CloudRunState {
  const breakGlass = text(member(binaryAuthorization, 'breakglassJustification'));
  return { setting: settingOf(binaryAuthorization), ...(breakGlass === '' ? {} : { breakGlass }) };
}

function settingOf(binaryAuthorization: unknown): CloudRunSetting {
  if (member(binaryAuthorization, 'useDefault') === true) return { uses: 'project-policy' };
  const policy = text(member(binaryAuthorization, 'policy'));
  return policy === '' ? { uses: 'nothing' } : { uses: 'platform-policy', policy };
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
