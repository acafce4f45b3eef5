// SPDX-License-Identifier: Apache-2.0
// A project's policy as it is written, through Binary Authorization's REST API; binary-authorization.ts reads it for checks.
import { BinauthzError } from '../core/errors.js';
import type { ProjectId } from '../core/names.js';
import type { PolicyDocument } from '../core/provisioning/desired.js';
import { isUnchanged } from '../core/provisioning/policy-change.js';
import type { PolicyStore } from '../ports/provisioning.js';
import type { Google } from './clients.js';
import type { Call } from './errors.js';
import { pathOf } from './rest.js';

/** Policies through REST. */
export function createPolicyStore(google: Google): PolicyStore {
  return {
    read: (project) => read(google, project),
    write: (project, document) => write(google, project, document),
  };
}

async function read(google: Google, project: ProjectId): Promise<PolicyDocument> {
  const resource = `projects/${project}/policy`;
  const need = { permission: 'binaryauthorization.policy.get', role: 'roles/binaryauthorization.policyViewer', on: `projects/${project}` };
  const call: Call = { what: 'cannot read the policy', resource, needs: [need], notFound: 'PROJECT_NOT_FOUND' };
  const reply = await google.call.repeat(call, () => google.rest('binaryauthorization').request('GET', `v1/${pathOf(resource)}`));
  if (isDocument(reply)) return reply;
  throw new BinauthzError('RESPONSE_INVALID', `cannot read the policy ${resource}: expected an object, got ${JSON.stringify(reply)}`, {
    resource,
  });
}

async function write(google: Google, project: ProjectId, document: PolicyDocument): Promise<void> {
  const resource = `projects/${project}/policy`;
  const call: Call = {
    what: 'cannot replace the policy',
    resource,
    needs: [
      { permission: 'binaryauthorization.policy.update', role: 'roles/binaryauthorization.policyEditor', on: `projects/${project}` },
      { permission: 'binaryauthorization.attestors.get', role: 'roles/binaryauthorization.attestorsViewer', on: `projects/${project}` },
    ],
    notFound: 'PROJECT_NOT_FOUND',
    refused: 'CHANGE_REFUSED',
    conflict: 'CHANGED_MEANWHILE',
    hint: (code) =>
      code === 'CHANGED_MEANWHILE' ? 'nothing was overwritten: run again, and the plan starts from what is there now' : undefined,
  };
  try {
    await google.call.repeat(call, () => google.rest('binaryauthorization').request('PUT', `v1/${pathOf(resource)}`, document));
  } catch (error) {
    // An attempt whose answer was lost has changed the etag itself.
    if (error instanceof BinauthzError && error.code === 'CHANGED_MEANWHILE' && (await isWritten(google, project, document))) return;
    throw error;
  }
}

async function isWritten(google: Google, project: ProjectId, document: PolicyDocument): Promise<boolean> {
  const { etag, updateTime, ...content } = await read(google, project);
  return isUnchanged({ ...document, etag, updateTime }, { ...content, etag, updateTime });
}

function isDocument(value: unknown): value is PolicyDocument {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
