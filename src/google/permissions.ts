// SPDX-License-Identifier: Apache-2.0
// testIamPermissions (google.iam.v1), which every API serves for its own resources in the same JSON, through REST.
import { BinauthzError } from '../core/errors.js';
import type { Permissions } from '../ports/permissions.js';
import type { ApiName, Google } from './clients.js';
import { NOT_GOOGLE, type Call } from './errors.js';
import { pathOf } from './rest.js';

const APIS: readonly (readonly [RegExp, ApiName])[] = [
  [/^projects\/[^/]+$/, 'cloudresourcemanager'],
  [/^projects\/[^/]+\/(?:attestors\/[^/]+|policy)$/, 'binaryauthorization'],
  [/^projects\/[^/]+\/notes\/[^/]+$/, 'containeranalysis'],
  [/^projects\/[^/]+\/locations\/.+\/cryptoKeys\/[^/]+$/, 'cloudkms'],
];

/** Permissions through REST. */
export function createPermissions(google: Google): Permissions {
  return { missing: (resource, permissions) => missing(google, resource, permissions) };
}

async function missing(google: Google, resource: string, permissions: readonly string[]): Promise<readonly string[]> {
  const api = APIS.find(([name]) => name.test(resource))?.[1];
  if (api === undefined) throw new Error(`no permissions are known for ${resource}`);
  const call: Call = { what: 'cannot test the permissions on', resource, needs: [], notFound: 'NOT_FOUND' };
  const path = `v1/${pathOf(resource)}:testIamPermissions`;
  const reply = await google.call.repeat(call, () => google.rest(api).request('POST', path, { permissions }));
  const held = heldOf(reply, resource);
  return permissions.filter((permission) => !held.has(permission));
}

// None at all are left out of the JSON; anything else than a list of texts is no answer, and no permission either.
function heldOf(reply: unknown, resource: string): ReadonlySet<unknown> {
  const held = typeof reply === 'object' && reply !== null ? ((reply as Record<string, unknown>)['permissions'] ?? []) : undefined;
  if (Array.isArray(held)) return new Set<unknown>(held);
  throw new BinauthzError('RESPONSE_INVALID', `cannot test the permissions on ${resource}: expected a list, got something else`, {
    resource,
    hint: NOT_GOOGLE,
  });
}
