// SPDX-License-Identifier: Apache-2.0
// Cloud Run v1, which `gcloud run` speaks: services and jobs below a namespace, which is a project. Where they are is in the
// host, REGION-run.googleapis.com; the host without a region only lists.
import { jsonObject, param, route, type Call, type Reply, type Route } from '../router.js';
import { isRegion } from '../regions.js';
import { ApiError } from '../wire.js';
import type { World } from '../world.js';
import type { Kind } from './kinds.js';
import { KNATIVE, renderKnative, replacedBy, type KnativeKind } from './knative-view.js';
import { parseResource, type Resource, type Resources } from './resources.js';

interface Api {
  readonly world: World;
  readonly kind: Kind;
  readonly view: KnativeKind;
  readonly resources: Resources;
}

/** The v1 routes of a kind, over the resources that v2 has; none where v1 does not have the kind. */
export function knativeRoutes(world: World, kind: Kind, resources: Resources): Route[] {
  const view = KNATIVE[kind.collection];
  if (!view) return [];
  const api: Api = { world, kind, view, resources };
  const collection = `/apis/${view.apiVersion}/namespaces/{project}/${kind.collection}`;
  return [
    route('GET', collection, (call) => list(api, call, regionOf(call) ?? '-')),
    route('GET', `/v1/projects/{project}/locations/{location}/${kind.collection}`, (call) => list(api, call, param(call, 'location'))),
    route('GET', `${collection}/{resource}`, (call) => {
      const name = nameOf(api, call);
      world.iam.require(call, `run.${kind.collection}.get`, name);
      return { json: show(api, resources.get(name)) };
    }),
    route('PUT', `${collection}/{resource}`, (call) => replace(api, call)),
  ];
}

function list(api: Api, call: Call, location: string): Reply {
  const { world, kind, view, resources } = api;
  const project = `projects/${world.projectId(param(call, 'project'))}`;
  world.iam.require(call, `run.${kind.collection}.list`, project);
  const found = resources.list(location === '-' ? `${project}/locations` : `${project}/locations/${location}`);
  return { json: { apiVersion: view.apiVersion, kind: `${view.type}List`, metadata: {}, items: found.map((one) => show(api, one)) } };
}

/** Replaces all that the view holds. `dryRun=all` answers as if it had been done. */
function replace(api: Api, call: Call): Reply {
  const { world, kind, view, resources } = api;
  const name = nameOf(api, call);
  world.iam.require(call, `run.${kind.collection}.update`, name);
  const content = parseResource(replacedBy(jsonObject(call), resources.get(name), kind, view), kind);
  const draft = resources.redraft(name, content, undefined);
  if (call.query.get('dryRun') !== 'all') resources.put(draft);
  return { json: show(api, draft) };
}

function show({ world, kind, view }: Api, resource: Resource): ReturnType<typeof renderKnative> {
  return renderKnative(resource, kind, view, world.projectNumber(resource.name.split('/')[1] ?? ''));
}

function nameOf({ world, kind }: Api, call: Call): string {
  const region = regionOf(call);
  if (region === undefined)
    throw new ApiError('NOT_FOUND', `The host ${call.headers.get('host') ?? ''} names no region: use REGION-run.googleapis.com.`);
  return `projects/${world.projectId(param(call, 'project'))}/locations/${region}/${kind.collection}/${param(call, 'resource')}`;
}

function regionOf(call: Call): string | undefined {
  const [, region] = /^([a-z]+-[a-z]+\d+)-/.exec(call.headers.get('host') ?? '') ?? [];
  return region !== undefined && isRegion(region) ? region : undefined;
}
