// SPDX-License-Identifier: Apache-2.0
// IAM policies (google.iam.v1), which every API serves for its own resources in the same JSON, through REST.
import { BinauthzError } from '../core/errors.js';
import type { IamBinding, IamPolicy } from '../core/provisioning/grants.js';
import type { IamPolicies } from '../ports/provisioning.js';
import type { ApiName, Google } from './clients.js';
import type { Call } from './errors.js';
import { pathOf } from './rest.js';

/** Where the IAM policies of a kind of resource are, and what may be done with them. */
interface Kind {
  readonly name: RegExp;
  readonly api: ApiName;
  /** How the API wants to be asked for a policy. */
  readonly reads: 'GET' | 'POST';
  /** Of the permissions. */
  readonly prefix: string;
  readonly role: string;
}

const KINDS: readonly Kind[] = [
  {
    name: /^projects\/[^/]+$/,
    api: 'cloudresourcemanager',
    reads: 'POST',
    prefix: 'resourcemanager.projects',
    role: 'roles/resourcemanager.projectIamAdmin',
  },
  {
    name: /^projects\/[^/]+\/notes\/[^/]+$/,
    api: 'containeranalysis',
    reads: 'POST',
    prefix: 'containeranalysis.notes',
    role: 'roles/containeranalysis.admin',
  },
  {
    name: /^projects\/[^/]+\/attestors\/[^/]+$/,
    api: 'binaryauthorization',
    reads: 'GET',
    prefix: 'binaryauthorization.attestors',
    role: 'roles/binaryauthorization.attestorsAdmin',
  },
  {
    name: /^projects\/[^/]+\/policy$/,
    api: 'binaryauthorization',
    reads: 'GET',
    prefix: 'binaryauthorization.policy',
    role: 'roles/binaryauthorization.policyAdmin',
  },
  {
    name: /^projects\/[^/]+\/locations\/.+\/cryptoKeys\/[^/]+$/,
    api: 'cloudkms',
    reads: 'GET',
    prefix: 'cloudkms.cryptoKeys',
    role: 'roles/cloudkms.admin',
  },
];

// Version 3 shows conditions; a policy that is written back without having seen them would lose them.
const VERSION = 3;

/** IAM policies through REST. */
export function createIamPolicies(google: Google): IamPolicies {
  return {
    read: (resource) => readPolicy(google, resource),
    write: (resource, policy) => writePolicy(google, resource, policy),
  };
}

async function readPolicy(google: Google, resource: string): Promise<IamPolicy | undefined> {
  const kind = kindOf(resource);
  const call: Call = {
    what: 'cannot read the IAM policy of',
    resource,
    // It may not exist yet, and then nothing can be granted on it.
    needs: [needOf(kind, 'getIamPolicy', resource.split('/').slice(0, 2).join('/'))],
    notFound: 'NOT_FOUND',
  };
  const path = `v1/${pathOf(resource)}:getIamPolicy`;
  try {
    const reply = await google.call.repeat(call, () =>
      kind.reads === 'GET'
        ? google.rest(kind.api).request('GET', `${path}?options.requestedPolicyVersion=${VERSION}`)
        : google.rest(kind.api).request('POST', path, { options: { requestedPolicyVersion: VERSION } }),
    );
    return policyOf(resource, reply);
  } catch (error) {
    if (error instanceof BinauthzError && error.code === 'NOT_FOUND') return undefined;
    throw error;
  }
}

async function writePolicy(google: Google, resource: string, { bindings, etag, rest }: IamPolicy): Promise<void> {
  const kind = kindOf(resource);
  const call: Call = {
    what: 'cannot change the IAM policy of',
    resource,
    needs: [needOf(kind, 'setIamPolicy', resource)],
    notFound: 'NOT_FOUND',
    conflict: 'CHANGED_MEANWHILE',
    refused: 'PRINCIPAL_NOT_FOUND',
    hint: (code) => (code === 'CHANGED_MEANWHILE' ? 'run again: somebody else changes the same policy over and over' : undefined),
  };
  const body = { policy: { ...rest, version: VERSION, bindings, etag } };
  try {
    await google.call.repeat(call, () => google.rest(kind.api).request('POST', `v1/${pathOf(resource)}:setIamPolicy`, body));
  } catch (error) {
    throw refusalOf(error) ?? error;
  }
}

/** What IAM refuses with the same 400 as a principal that it does not know, by its words. */
const REFUSALS: readonly (readonly [RegExp, string])[] = [
  [
    /permitted customer|organization policy|constraints\/iam\./i,
    'the organization’s policy (constraint iam.allowedPolicyMemberDomains, or one like it) forbids this principal here: give another --signer, or have whoever administers it allow this one',
  ],
  [
    /maximum|exceed|too (?:large|many)|limit/i,
    'the policy is as large as IAM allows: take bindings out that nobody needs, or grant to a group',
  ],
];

// Waiting for the principal to be known would help neither.
function refusalOf(error: unknown): BinauthzError | undefined {
  if (!(error instanceof BinauthzError) || error.code !== 'PRINCIPAL_NOT_FOUND') return undefined;
  const hint = REFUSALS.find(([words]) => words.test(error.message))?.[1];
  if (hint === undefined) return undefined;
  return new BinauthzError('CHANGE_REFUSED', error.message, { resource: error.resource ?? '', hint, cause: error });
}

// Without an etag a write would replace whatever somebody else wrote meanwhile.
function policyOf(resource: string, json: unknown): IamPolicy {
  const { bindings, etag, ...rest } = (typeof json === 'object' && json !== null ? json : {}) as Record<string, unknown>;
  if (typeof etag === 'string' && etag !== '') return { bindings: Array.isArray(bindings) ? bindings.map(bindingOf) : [], etag, rest };
  throw new BinauthzError('RESPONSE_INVALID', `cannot read the IAM policy of ${resource}: expected an etag, got none`, { resource });
}

function bindingOf(json: unknown): IamBinding {
  const { role, members, ...others } = (typeof json === 'object' && json !== null ? json : {}) as Record<string, unknown>;
  const named = Array.isArray(members) ? members.filter((member): member is string => typeof member === 'string') : [];
  return { ...others, role: typeof role === 'string' ? role : '', members: named };
}

function needOf({ prefix, role }: Kind, method: string, on: string): Call['needs'][number] {
  return { permission: `${prefix}.${method}`, role, on };
}

function kindOf(resource: string): Kind {
  const kind = KINDS.find(({ name }) => name.test(resource));
  if (!kind) throw new Error(`no IAM policy is known for ${resource}`);
  return kind;
}
