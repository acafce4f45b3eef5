// SPDX-License-Identifier: Apache-2.0
// Services, jobs and worker pools as stored. Nothing runs: a resource is what was sent, and always ready.
import { randomUUID } from 'node:crypto';
import {
  ApiError,
  booleanMember,
  etagOf,
  isObject,
  listMember,
  objectMember,
  refuseUnknown,
  requireEtag,
  stringMember,
  timestamp,
  type JsonObject,
} from '../wire.js';
import type { World } from '../world.js';
import { OUTPUT_MEMBERS, type Kind } from './kinds.js';

/** A service, job or worker pool. */
export interface Resource {
  readonly name: string;
  readonly uid: string;
  readonly content: JsonObject;
  readonly generation: number;
  readonly createTime: number;
  readonly updateTime: number;
  readonly etag: string;
}

const POLICY = /^projects\/[^/]+\/platforms\/cloudRun\/[^/]+$/;

/** Reads what was sent; INVALID_ARGUMENT names what the API would refuse. */
export function parseResource(body: JsonObject, kind: Kind): JsonObject {
  refuseUnknown(body, ['binaryAuthorization', ...kind.kept, ...OUTPUT_MEMBERS], '');
  const content = Object.fromEntries(
    Object.entries(body).filter(([member, value]) => kind.kept.includes(member) && value !== undefined && value !== null),
  );
  requireContainers(content, kind);
  const setting = parseBinaryAuthorization(body['binaryAuthorization'], kind);
  return { ...content, ...(setting ? { binaryAuthorization: setting } : {}) };
}

function requireContainers(content: JsonObject, kind: Kind): void {
  const path = kind.containersIn.join('.');
  const template = kind.containersIn.reduce(objectMember, content);
  const containers = listMember(template, 'containers');
  if (containers.length === 0) throw new ApiError('INVALID_ARGUMENT', `${path}.containers: at least one container is required.`);
  for (const [index, container] of containers.entries()) {
    if (!isObject(container) || stringMember(container, 'image') === '')
      throw new ApiError('INVALID_ARGUMENT', `${path}.containers[${index}].image: must be provided.`);
  }
}

/** proto google.cloud.run.v2.BinaryAuthorization. */
function parseBinaryAuthorization(value: unknown, { type }: Kind): JsonObject | undefined {
  if (value === undefined || value === null) return undefined;
  const at = `${type}.binary_authorization`;
  if (!isObject(value)) throw new ApiError('INVALID_ARGUMENT', `Invalid value at '${at}' (message expected)`);
  refuseUnknown(value, ['useDefault', 'policy', 'breakglassJustification'], at);
  const useDefault = booleanMember(value, 'useDefault');
  const breakglassJustification = stringMember(value, 'breakglassJustification');
  if (breakglassJustification !== '' && !useDefault)
    throw new ApiError('INVALID_ARGUMENT', `${at}.breakglass_justification must be empty where use_default is false.`);
  return {
    ...(useDefault ? { useDefault } : {}),
    ...parsePolicyName(value, at),
    ...(breakglassJustification === '' ? {} : { breakglassJustification }),
  };
}

function parsePolicyName(setting: JsonObject, at: string): JsonObject {
  const policy = stringMember(setting, 'policy');
  if (policy === '') return {};
  if (setting['useDefault'] !== undefined) throw new ApiError('INVALID_ARGUMENT', `${at}: only one of use_default and policy may be set.`);
  if (!POLICY.test(policy))
    throw new ApiError('INVALID_ARGUMENT', `${at}.policy must be projects/PROJECT/platforms/cloudRun/POLICY, not "${policy}".`);
  return { policy };
}

/** A resource as Google's JSON. */
export function renderResource(resource: Resource): JsonObject {
  const { name, uid, content, generation, createTime, updateTime, etag } = resource;
  const ready = { type: 'Ready', state: 'CONDITION_SUCCEEDED', lastTransitionTime: timestamp(updateTime) };
  return {
    name,
    uid,
    generation: String(generation),
    ...content,
    createTime: timestamp(createTime),
    updateTime: timestamp(updateTime),
    observedGeneration: String(generation),
    terminalCondition: ready,
    etag,
  };
}

/** Keeps the resources of one kind by name. */
export class Resources {
  private readonly byName = new Map<string, Resource>();
  private revision = 0;

  constructor(private readonly world: World) {}

  /** Whether there is one of that name. */
  has(name: string): boolean {
    return this.byName.has(name);
  }

  /** The resource, or NOT_FOUND. */
  get(name: string): Resource {
    const resource = this.byName.get(name);
    if (!resource) throw new ApiError('NOT_FOUND', `Resource '${name}' was not found.`);
    return resource;
  }

  /** The resources below a parent, `projects/P/locations/L`, by name. */
  list(parent: string): Resource[] {
    const own = [...this.byName.values()].filter(({ name }) => name.startsWith(`${parent}/`));
    return own.sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  /** What a create would store; ALREADY_EXISTS where the name is taken. */
  draft(name: string, content: JsonObject): Resource {
    if (this.byName.has(name)) throw new ApiError('ALREADY_EXISTS', `Resource '${name.slice(name.lastIndexOf('/') + 1)}' already exists.`);
    const now = this.world.clock.now();
    return this.stamped({ name, uid: randomUUID(), content, generation: 1, createTime: now, updateTime: now });
  }

  /** What an update would store; the etag is compared where one is sent. */
  redraft(name: string, content: JsonObject, etag: unknown): Resource {
    const current = this.get(name);
    requireEtag(etag, current.etag);
    return this.stamped({ ...current, content, generation: current.generation + 1, updateTime: this.world.clock.now() });
  }

  /** Stores a draft. */
  put(resource: Resource): void {
    this.byName.set(resource.name, resource);
  }

  /** Removes a resource; the etag is compared where one is sent. */
  delete(name: string, etag: string | null): Resource {
    const current = this.get(name);
    requireEtag(etag, current.etag);
    this.byName.delete(name);
    return current;
  }

  /** Forgets everything. */
  reset(): void {
    this.byName.clear();
  }

  private stamped(resource: Omit<Resource, 'etag'>): Resource {
    this.revision += 1;
    return { ...resource, etag: `"${etagOf(resource.content, this.revision)}"` };
  }
}
