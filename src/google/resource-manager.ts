// SPDX-License-Identifier: Apache-2.0
// Cloud Resource Manager's REST API.
import { BinauthzError } from '../core/errors.js';
import type { ProjectId } from '../core/names.js';
import type { ProjectNumbers } from '../ports/provisioning.js';
import type { Google } from './clients.js';
import type { Call } from './errors.js';
import { pathOf } from './rest.js';

/** Projects' numbers through REST. */
export function createProjectNumbers(google: Google): ProjectNumbers {
  return { numberOf: (project) => numberOf(google, project) };
}

async function numberOf(google: Google, project: ProjectId): Promise<string> {
  const resource = `projects/${project}`;
  const need = { permission: 'resourcemanager.projects.get', role: 'roles/browser', on: resource };
  const call: Call = { what: 'cannot read the number of', resource, needs: [need], notFound: 'PROJECT_NOT_FOUND' };
  const reply = await google.call.repeat(call, () => google.rest('cloudresourcemanager').request('GET', `v1/${pathOf(resource)}`));
  const number = typeof reply === 'object' && reply !== null ? (reply as Record<string, unknown>)['projectNumber'] : undefined;
  // An int64, which JSON carries as a text.
  if (typeof number === 'string' && /^\d+$/.test(number)) return number;
  throw new BinauthzError(
    'RESPONSE_INVALID',
    `cannot read the number of ${resource}: expected digits, got ${JSON.stringify(number ?? null)}`,
    {
      resource,
    },
  );
}
