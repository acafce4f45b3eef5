// SPDX-License-Identifier: Apache-2.0
// Cloud Run v2: services, jobs and worker pools are kept, with their Binary Authorization setting; no revision is made
// or evaluated. Under /v2/ the registry's routes come first, so that only what is not OCI's arrives here. v1: knative.ts.
import { randomUUID } from 'node:crypto';
import { maskOf, merged } from '../field-mask.js';
import { iamRoutes } from '../iam.js';
import { pageOf } from '../paging.js';
import { jsonBody, param, route, type Call, type Reply, type Route } from '../router.js';
import { isRegion } from '../regions.js';
import { ApiError, type JsonObject } from '../wire.js';
import type { World } from '../world.js';
import { KINDS, type Kind } from './kinds.js';
import { knativeRoutes } from './knative.js';
import { parseResource, renderResource, Resources, type Resource } from './resources.js';

const PLACE = '/v2/projects/{project}/locations/{location}';
const TYPES = 'type.googleapis.com/google.cloud.run.v2';
const MAPS = ['labels', 'annotations', 'limits', 'nodeSelector'];

/** What the routes of one kind share. */
interface Api {
  readonly world: World;
  readonly kind: Kind;
  readonly resources: Resources;
  readonly operations: Map<string, JsonObject>;
}

/** The Cloud Run API with an empty store. */
export function createCloudRun(world: World): { readonly routes: readonly Route[]; reset(): void } {
  const operations = new Map<string, JsonObject>();
  const apis = KINDS.map((kind): Api => ({ world, kind, resources: new Resources(world), operations }));
  return {
    routes: [
      ...apis.flatMap(kindRoutes),
      ...apis.flatMap(({ kind, resources }) => knativeRoutes(world, kind, resources)),
      operationRoute(world, operations),
    ],
    reset: () => {
      for (const { resources } of apis) resources.reset();
      operations.clear();
    },
  };
}

function kindRoutes(api: Api): Route[] {
  const { world, kind, resources } = api;
  const collection = `${PLACE}/${kind.collection}`;
  const resource = `${collection}/{resource}`;
  return [
    route('POST', collection, (call) => create(api, call)),
    route('GET', collection, (call) => {
      world.iam.require(call, permission(kind, 'list'), parentOf(api, call));
      const found = resources.list(parentOf(api, call));
      return { json: pageOf(found, call.query, { member: kind.collection, show: renderResource }) };
    }),
    route('GET', resource, (call) => {
      world.iam.require(call, permission(kind, 'get'), nameOf(api, call));
      return { json: renderResource(resources.get(nameOf(api, call))) };
    }),
    route('PATCH', resource, (call) => update(api, call)),
    route('DELETE', resource, (call) => {
      world.iam.require(call, permission(kind, 'delete'), nameOf(api, call));
      const deleted = resources.delete(nameOf(api, call), call.query.get('etag'));
      world.iam.forget(deleted.name);
      return done(api, call, deleted);
    }),
    ...iamRoutes(world.iam, {
      template: resource,
      resource: (call) => nameOf(api, call),
      exists: (call) => void resources.get(nameOf(api, call)),
      permissions: { get: permission(kind, 'getIamPolicy'), set: permission(kind, 'setIamPolicy') },
    }),
  ];
}

function create(api: Api, call: Call): Reply {
  const { world, kind, resources } = api;
  const parent = parentOf(api, call);
  world.iam.require(call, permission(kind, 'create'), parent);
  if (!isRegion(param(call, 'location'))) throw new ApiError('INVALID_ARGUMENT', `Location ${param(call, 'location')} is not found.`);
  const id = call.query.get(kind.idParameter) ?? '';
  if (!/^[a-z](?:[a-z0-9-]{0,47}[a-z0-9])?$/.test(id))
    throw new ApiError('INVALID_ARGUMENT', `Violation in ${kind.idParameter}: "${id}" must be a DNS label of fewer than 50 characters.`);
  return write(api, call, resources.draft(`${parent}/${kind.collection}/${id}`, parseResource(jsonBody(call, MAPS), kind)));
}

function update(api: Api, call: Call): Reply {
  const { world, kind, resources } = api;
  const name = nameOf(api, call);
  world.iam.require(call, permission(kind, 'update'), name);
  const body = jsonBody(call, MAPS);
  if (!resources.has(name) && call.query.get('allowMissing') === 'true') {
    world.iam.require(call, permission(kind, 'create'), parentOf(api, call));
    return write(api, call, resources.draft(name, parseResource(body, kind)));
  }
  const content = parseResource(merged(resources.get(name).content, body, maskOf(call)), kind);
  return write(api, call, resources.redraft(name, content, body['etag']));
}

/** `validateOnly` answers as if it had been done. */
function write(api: Api, call: Call, draft: Resource): Reply {
  if (call.query.get('validateOnly') !== 'true') api.resources.put(draft);
  return done(api, call, draft);
}

function done(api: Api, call: Call, resource: Resource): Reply {
  const response = { '@type': `${TYPES}.${api.kind.type}`, ...renderResource(resource) };
  const name = `${parentOf(api, call)}/operations/${randomUUID()}`;
  const operation = { name, metadata: response, done: true, response };
  api.operations.set(name, operation);
  return { json: operation };
}

function operationRoute(world: World, operations: ReadonlyMap<string, JsonObject>): Route {
  return route('GET', `${PLACE}/operations/{operation}`, (call) => {
    const project = `projects/${world.projectId(param(call, 'project'))}`;
    world.iam.require(call, 'run.operations.get', project);
    const name = `${project}/locations/${param(call, 'location')}/operations/${param(call, 'operation')}`;
    const operation = operations.get(name);
    if (!operation) throw new ApiError('NOT_FOUND', `Operation '${name}' was not found.`);
    return { json: operation };
  });
}

function permission(kind: Kind, verb: string): string {
  return `run.${kind.collection.toLowerCase()}.${verb}`;
}

function parentOf({ world }: Api, call: Call): string {
  return `projects/${world.projectId(param(call, 'project'))}/locations/${param(call, 'location')}`;
}

function nameOf(api: Api, call: Call): string {
  return `${parentOf(api, call)}/${api.kind.collection}/${param(call, 'resource')}`;
}
