// SPDX-License-Identifier: Apache-2.0
// IAM policies by resource name, the checks against them, and the three IAM methods that every API offers.
import { roleAllows } from './iam-roles.js';
import { jsonBody, route, type Call, type Handler, type Route } from './router.js';
import {
  ApiError,
  camelCase,
  decodeBytes,
  encodeBytes,
  enumMember,
  etagOf,
  isObject,
  listMember,
  objectMember,
  refuseUnknown,
  requireEtag,
  stringMember,
  stringsMember,
  type JsonObject,
} from './wire.js';
import type { Iam } from './world.js';

interface Binding {
  readonly role: string;
  readonly members: readonly string[];
  readonly condition?: JsonObject;
}

interface Policy {
  readonly bindings: readonly Binding[];
  readonly auditConfigs: readonly JsonObject[];
  readonly etag: string;
  readonly version: number;
}

/** The etag of a resource whose IAM policy was never set, as Google answers it. */
const EMPTY_ETAG = 'ACAB';
/** "If no mask is provided, the following default mask is used": audit configurations stay as they are. */
const DEFAULT_MASK: readonly string[] = ['bindings', 'etag'];
const LOG_TYPES = new Map(['LOG_TYPE_UNSPECIFIED', 'ADMIN_READ', 'DATA_WRITE', 'DATA_READ'].map((name, index) => [name, index]));
const MEMBER =
  /^(allUsers|allAuthenticatedUsers|(user|serviceAccount|group|domain|deleted|principal|principalSet|projectOwner|projectEditor|projectViewer):.+)$/;
const ROLE = /^(roles|projects\/[^/]+\/roles|organizations\/[^/]+\/roles)\/[A-Za-z0-9_.]+$/;

/** The stored IAM policies, and who may do what under them. */
export class IamStore implements Iam {
  private readonly policies = new Map<string, Policy>();
  private revision = 0;

  require(call: Call, permission: string, resource: string): void {
    if (call.caller === 'owner' || this.allows(call.caller, permission, resource)) return;
    throw permissionDenied(permission, resource);
  }

  allows(identity: string, permission: string, resource: string): boolean {
    if (identity === 'owner') return true;
    return withParents(resource).some((name) => this.policies.get(name)?.bindings.some((binding) => grants(binding, identity, permission)));
  }

  forget(resource: string): void {
    this.policies.delete(resource);
  }

  read(resource: string): JsonObject {
    const policy = this.policies.get(resource);
    if (!policy) return { etag: EMPTY_ETAG };
    const { bindings, auditConfigs, etag, version } = policy;
    return {
      ...(bindings.length > 0 ? { bindings } : {}),
      ...(auditConfigs.length > 0 ? { auditConfigs } : {}),
      etag,
      ...(version > 0 ? { version } : {}),
    };
  }

  write(resource: string, policy: JsonObject, mask: readonly string[] = DEFAULT_MASK): JsonObject {
    refuseUnknown(policy, ['version', 'bindings', 'auditConfigs', 'etag'], 'policy');
    const current = this.policies.get(resource);
    // Bytes, unlike the etags of other resources: gcloud sends them back in the URL-safe alphabet.
    requireEtag(encodeBytes(decodeBytes(policy['etag'], 'policy.etag')), current?.etag ?? EMPTY_ETAG);
    const sentBindings = mergeBindings(listMember(policy, 'bindings').map(parseBinding));
    const sentConfigs = parseAuditConfigs(policy);
    const bindings = mask.includes('bindings') ? sentBindings : (current?.bindings ?? []);
    const auditConfigs = mask.includes('auditConfigs') ? sentConfigs : (current?.auditConfigs ?? []);
    const version = parseVersion(policy['version'], bindings);
    this.revision += 1;
    this.policies.set(resource, { bindings, auditConfigs, version, etag: etagOf({ resource, bindings, auditConfigs }, this.revision) });
    return this.read(resource);
  }

  /** Forgets every policy. */
  reset(): void {
    this.policies.clear();
  }
}

/**
 * The IAM methods of one kind of resource: getIamPolicy (GET and POST), setIamPolicy and testIamPermissions at
 * `template`. `exists` throws NOT_FOUND where the resource is missing; it is asked after the permission, as Google
 * tells nobody what he may not see.
 */
export function iamRoutes(
  iam: Iam,
  spec: {
    readonly template: string;
    readonly resource: (call: Call) => string;
    readonly exists: (call: Call) => void;
    readonly permissions: { readonly get: string; readonly set: string };
  },
): Route[] {
  const get: Handler = (call) => {
    iam.require(call, spec.permissions.get, spec.resource(call));
    spec.exists(call);
    return { json: iam.read(spec.resource(call)) };
  };
  const set: Handler = (call) => {
    iam.require(call, spec.permissions.set, spec.resource(call));
    spec.exists(call);
    const body = jsonBody(call);
    refuseUnknown(body, ['resource', 'policy', 'updateMask'], '');
    if (!isObject(body['policy'])) throw new ApiError('INVALID_ARGUMENT', 'The policy to set is missing.');
    return { json: iam.write(spec.resource(call), body['policy'], updateMask(body)) };
  };
  const test: Handler = (call) => {
    const body = jsonBody(call);
    refuseUnknown(body, ['resource', 'permissions'], '');
    const asked = stringsMember(body, 'permissions');
    const wild = asked.find((permission) => permission.includes('*'));
    if (wild !== undefined) throw new ApiError('INVALID_ARGUMENT', `Permission ${wild} is not valid: wildcards are not allowed.`);
    // google.iam.v1.IAMPolicy: a resource that does not exist answers with an empty set, not with NOT_FOUND.
    const held = isThere(() => spec.exists(call))
      ? asked.filter((permission) => iam.allows(call.caller, permission, spec.resource(call)))
      : [];
    return { json: held.length > 0 ? { permissions: held } : {} };
  };
  return [
    route('GET', `${spec.template}:getIamPolicy`, get),
    route('POST', `${spec.template}:getIamPolicy`, get),
    route('POST', `${spec.template}:setIamPolicy`, set),
    route('POST', `${spec.template}:testIamPermissions`, test),
  ];
}

function updateMask(body: JsonObject): readonly string[] {
  const mask = stringMember(body, 'updateMask');
  return mask === '' ? DEFAULT_MASK : mask.split(',').map((path) => camelCase(path.trim()));
}

/** Google's 403 for a missing permission, with both spellings that clients read: the sentence and the ErrorInfo. */
export function permissionDenied(permission: string, resource: string): ApiError {
  const service = permission.split('.', 1)[0] ?? '';
  const host = service === 'resourcemanager' ? 'cloudresourcemanager' : service;
  const full = `//${host}.googleapis.com/${resource}`;
  return new ApiError('PERMISSION_DENIED', `Permission '${permission}' denied on resource '${full}' (or it may not exist).`, [
    {
      '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
      reason: 'IAM_PERMISSION_DENIED',
      domain: 'iam.googleapis.com',
      metadata: { permission, resource },
    },
  ]);
}

/** `projects/p/keyRings/r/cryptoKeys/k` → itself and each name above it, most specific first. */
function withParents(resource: string): string[] {
  const segments = resource.split('/');
  const names = [resource];
  for (let length = segments.length - 1; length >= 2; length -= 1) {
    if (length % 2 === 0) names.push(segments.slice(0, length).join('/'));
  }
  return names;
}

function grants(binding: Binding, identity: string, permission: string): boolean {
  // Conditions are stored but not evaluated: granting on an unread condition would hide a missing permission.
  if (binding.condition) return false;
  return roleAllows(binding.role, permission) && binding.members.some((member) => matches(member, identity));
}

function matches(member: string, identity: string): boolean {
  if (member === 'allUsers' || member === 'allAuthenticatedUsers') return true;
  const colon = member.indexOf(':');
  const kind = member.slice(0, colon);
  const value = member.slice(colon + 1).toLowerCase();
  if (kind === 'user' || kind === 'serviceAccount') return value === identity.toLowerCase();
  return kind === 'domain' && identity.toLowerCase().endsWith(`@${value}`);
}

function parseBinding(value: unknown): Binding {
  if (!isObject(value)) throw new ApiError('INVALID_ARGUMENT', "Invalid value at 'policy.bindings' (message expected)");
  refuseUnknown(value, ['role', 'members', 'condition'], 'policy.bindings');
  const role = stringMember(value, 'role');
  if (!ROLE.test(role)) throw new ApiError('INVALID_ARGUMENT', `Role ${role} is not supported for this resource.`);
  const members = stringsMember(value, 'members');
  const wrong = members.find((member) => !MEMBER.test(member));
  if (wrong !== undefined)
    throw new ApiError('INVALID_ARGUMENT', `The member ${wrong} is of an unknown type. Please set a valid type prefix for the member.`);
  const condition = objectMember(value, 'condition');
  return { role, members, ...(Object.keys(condition).length > 0 ? { condition } : {}) };
}

/** Which data-access logs are written, by service. They are kept; nothing here writes logs by itself. */
function parseAuditConfigs(policy: JsonObject): JsonObject[] {
  return listMember(policy, 'auditConfigs').map((value) => {
    if (!isObject(value)) throw new ApiError('INVALID_ARGUMENT', "Invalid value at 'policy.audit_configs' (message expected)");
    refuseUnknown(value, ['service', 'auditLogConfigs'], 'policy.audit_configs');
    const service = stringMember(value, 'service');
    if (service === '') throw new ApiError('INVALID_ARGUMENT', 'An audit configuration must name a service, or allServices.');
    return { service, auditLogConfigs: listMember(value, 'auditLogConfigs').map(parseAuditLogConfig) };
  });
}

function parseAuditLogConfig(value: unknown): JsonObject {
  const at = 'policy.audit_configs.audit_log_configs';
  if (!isObject(value)) throw new ApiError('INVALID_ARGUMENT', `Invalid value at '${at}' (message expected)`);
  refuseUnknown(value, ['logType', 'exemptedMembers'], at);
  const logType = enumMember(value['logType'], LOG_TYPES, `${at}.log_type`, 'LOG_TYPE_UNSPECIFIED');
  if (logType === 'LOG_TYPE_UNSPECIFIED') throw new ApiError('INVALID_ARGUMENT', `${at}.log_type must be specified.`);
  const exemptedMembers = stringsMember(value, 'exemptedMembers');
  return { logType, ...(exemptedMembers.length > 0 ? { exemptedMembers } : {}) };
}

/** One binding per role and condition, each member once, none without members: the form in which Google stores them. */
function mergeBindings(bindings: readonly Binding[]): Binding[] {
  const merged = new Map<string, Binding>();
  for (const binding of bindings) {
    const key = JSON.stringify([binding.role, binding.condition ?? null]);
    const members = [...(merged.get(key)?.members ?? []), ...binding.members];
    merged.set(key, { ...binding, members: [...new Set(members)].sort() });
  }
  return [...merged.values()].filter((binding) => binding.members.length > 0);
}

function parseVersion(value: unknown, bindings: readonly Binding[]): number {
  const version = value ?? 0;
  if (version !== 0 && version !== 1 && version !== 3) throw new ApiError('INVALID_ARGUMENT', `Invalid policy version: ${String(value)}.`);
  if (version !== 3 && bindings.some((binding) => binding.condition)) {
    throw new ApiError('INVALID_ARGUMENT', 'A policy with conditions must have version 3.');
  }
  return version;
}

function isThere(exists: () => void): boolean {
  try {
    exists();
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.status === 'NOT_FOUND') return false;
    throw error;
  }
}
