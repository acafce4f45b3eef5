// SPDX-License-Identifier: Apache-2.0
// Services and jobs as the v1 API shows them, in the form of Knative: the same state with what v2 has as members in annotations.
// The view holds what Binary Authorization and its images need; a change of anything else is refused, never dropped.
import { ApiError, isObject, objectMember, refuseUnknown, stringMapMember, stringMember, timestamp, type JsonObject } from '../wire.js';
import type { Kind } from './kinds.js';
import type { Resource } from './resources.js';

/** How v1 names a kind, and the members that lead to its containers. */
export interface KnativeKind {
  readonly apiVersion: string;
  readonly type: string;
  readonly containersIn: readonly string[];
}

/** The kinds that v1 has, by v2's collection. */
export const KNATIVE: Readonly<Record<string, KnativeKind>> = {
  services: { apiVersion: 'serving.knative.dev/v1', type: 'Service', containersIn: ['template', 'spec'] },
  jobs: { apiVersion: 'run.googleapis.com/v1', type: 'Job', containersIn: ['template', 'spec', 'template', 'spec'] },
};

const BINAUTHZ = 'run.googleapis.com/binary-authorization';
const BREAK_GLASS = 'run.googleapis.com/binary-authorization-breakglass';
/** Annotations that are members in v2. */
const MEMBERS: Readonly<Record<string, string>> = {
  'run.googleapis.com/client-name': 'client',
  'run.googleapis.com/client-version': 'clientVersion',
  'run.googleapis.com/description': 'description',
  'run.googleapis.com/launch-stage': 'launchStage',
};
/** Written by the service; what is sent for them is ignored. */
const OWN = ['serving.knative.dev/', 'cloud.googleapis.com/'];
/** Members of a container that are spelt alike in both. */
const ALIKE = ['name', 'image', 'command', 'args', 'workingDir', 'ports'];

/** A resource in v1's form. */
export function renderKnative(resource: Resource, kind: Kind, view: KnativeKind, projectNumber: string): JsonObject {
  const { name, uid, content, generation, createTime } = resource;
  const labels = { ...objectMember(content, 'labels'), 'cloud.googleapis.com/location': name.split('/')[3] };
  const spec = [...view.containersIn].reverse().reduce<JsonObject>((inner, member) => ({ [member]: inner }), {
    containers: containersOf(content, kind).map(alike),
  });
  return {
    apiVersion: view.apiVersion,
    kind: view.type,
    metadata: {
      name: idOf(resource),
      namespace: projectNumber,
      uid,
      resourceVersion: versionOf(resource),
      generation,
      creationTimestamp: timestamp(createTime),
      labels,
      annotations: annotationsOf(content),
    },
    spec,
    status: statusOf(resource),
  };
}

/** What a resource becomes by what was sent; INVALID_ARGUMENT, and ABORTED where somebody else changed it meanwhile. */
export function replacedBy(body: JsonObject, current: Resource, kind: Kind, view: KnativeKind): JsonObject {
  refuseUnknown(body, ['apiVersion', 'kind', 'metadata', 'spec', 'status'], '');
  if (body['apiVersion'] !== view.apiVersion || body['kind'] !== view.type)
    throw new ApiError('INVALID_ARGUMENT', `Expected ${view.apiVersion} ${view.type} in apiVersion and kind.`);
  const metadata = objectMember(body, 'metadata');
  requireVersion(metadata, current);
  const shown = ['annotations', 'labels', 'binaryAuthorization', ...Object.values(MEMBERS)];
  const kept = Object.fromEntries(Object.entries(current.content).filter(([member]) => !shown.includes(member)));
  const labels = Object.fromEntries(Object.entries(stringMapMember(metadata, 'labels')).filter(([key]) => !isOwn(key)));
  const sent = containersSent(objectMember(body, 'spec'), view);
  return {
    ...withContainers(kept, kind.containersIn, sent, containersOf(current.content, kind)),
    ...(Object.keys(labels).length > 0 ? { labels } : {}),
    ...membersOf(stringMapMember(metadata, 'annotations')),
  };
}

function annotationsOf(content: JsonObject): JsonObject {
  const setting = objectMember(content, 'binaryAuthorization');
  const policy = setting['useDefault'] === true ? 'default' : setting['policy'];
  const members = Object.entries(MEMBERS).map(([annotation, member]) => [annotation, content[member]] as const);
  const all = [[BINAUTHZ, policy], [BREAK_GLASS, setting['breakglassJustification']], ...members] as const;
  return { ...objectMember(content, 'annotations'), ...Object.fromEntries(all.filter(([, value]) => value !== undefined)) };
}

function membersOf(annotations: JsonObject): JsonObject {
  const plain: [string, unknown][] = [];
  const members: [string, unknown][] = [];
  for (const [key, value] of Object.entries(annotations)) {
    const member = MEMBERS[key];
    if (member !== undefined) members.push([member, value]);
    else if (key.startsWith('run.googleapis.com/') && key !== BINAUTHZ && key !== BREAK_GLASS) throw notInView(`the annotation ${key}`);
    else if (!isOwn(key) && !key.startsWith('run.googleapis.com/')) plain.push([key, value]);
  }
  return {
    ...Object.fromEntries(members),
    ...(plain.length > 0 ? { annotations: Object.fromEntries(plain) } : {}),
    ...settingOf(stringMember(annotations, BINAUTHZ), stringMember(annotations, BREAK_GLASS)),
  };
}

function settingOf(policy: string, breakglassJustification: string): JsonObject {
  const chosen = policy === 'default' ? { useDefault: true } : policy === '' ? {} : { policy };
  const binaryAuthorization = { ...chosen, ...(breakglassJustification === '' ? {} : { breakglassJustification }) };
  return Object.keys(binaryAuthorization).length > 0 ? { binaryAuthorization } : {};
}

function requireVersion(metadata: JsonObject, current: Resource): void {
  const id = idOf(current);
  if (stringMember(metadata, 'name') !== id) throw new ApiError('INVALID_ARGUMENT', `metadata.name must be "${id}".`);
  const sent = stringMember(metadata, 'resourceVersion');
  if (sent !== '' && sent !== versionOf(current)) {
    const message = `Conflict for resource '${id}': version '${sent}' was specified but current version is '${versionOf(current)}'.`;
    throw new ApiError('ABORTED', message);
  }
}

/** The containers of what was sent; every other member on the way to them is outside the view. */
function containersSent(spec: JsonObject, { containersIn }: KnativeKind): readonly JsonObject[] {
  let at = spec;
  for (const member of [...containersIn, 'containers']) {
    const other = Object.entries(at).find(([name, value]) => name !== member && !isEmpty(value));
    if (other) throw notInView(`spec member "${other[0]}"`);
    if (member !== 'containers') at = objectMember(at, member);
  }
  const containers = at['containers'];
  if (!Array.isArray(containers) || !containers.every(isObject))
    throw new ApiError('INVALID_ARGUMENT', `spec.${containersIn.join('.')}.containers: a list of containers is expected.`);
  for (const container of containers) {
    const other = Object.keys(container).find((name) => !ALIKE.includes(name));
    if (other !== undefined) throw notInView(`container member "${other}"`);
  }
  return containers as JsonObject[];
}

function withContainers(
  content: JsonObject,
  [first, ...rest]: readonly string[],
  sent: readonly JsonObject[],
  stored: readonly JsonObject[],
): JsonObject {
  if (first === undefined) return { ...content, containers: sent.map((container, at) => ({ ...unlike(stored[at] ?? {}), ...container })) };
  return { ...content, [first]: withContainers(objectMember(content, first), rest, sent, stored) };
}

// parseResource has seen to it that there are containers.
function containersOf(content: JsonObject, { containersIn }: Kind): readonly JsonObject[] {
  return containersIn.reduce(objectMember, content)['containers'] as JsonObject[];
}

function alike(container: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(container).filter(([name]) => ALIKE.includes(name)));
}

function unlike(container: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(container).filter(([name]) => !ALIKE.includes(name)));
}

function statusOf({ generation, updateTime }: Resource): JsonObject {
  return {
    observedGeneration: generation,
    conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: timestamp(updateTime) }],
  };
}

function isOwn(key: string): boolean {
  return OWN.some((prefix) => key.startsWith(prefix));
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || (isObject(value) && Object.values(value).every(isEmpty));
}

function idOf({ name }: Resource): string {
  return name.slice(name.lastIndexOf('/') + 1);
}

function versionOf({ etag }: Resource): string {
  return etag.replaceAll('"', '');
}

function notInView(what: string): ApiError {
  return new ApiError('UNIMPLEMENTED', `The emulator’s v1 view of Cloud Run does not hold ${what}; use v2.`);
}
