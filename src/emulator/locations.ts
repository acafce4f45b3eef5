// SPDX-License-Identifier: Apache-2.0
// The locations of a project. Every Google API lists its own at the same path of another host; here, where one port
// serves them all, there is one list.
import { LOCATIONS as REGIONAL } from './artifact-registry/locations.js';
import { pageOf } from './paging.js';
import { param, route, type Call, type Route } from './router.js';
import { ApiError, type JsonObject } from './wire.js';
import type { World } from './world.js';

/** Cloud KMS alone has `global`; it has the others too. */
const LOCATIONS: readonly string[] = ['global', ...REGIONAL];
/** gcloud lists those of Artifact Registry in v1beta2. */
const COLLECTION = '/{version=v1|v1beta2}/projects/{project}/locations';

/** The routes of locations. */
export function locationRoutes(world: World): Route[] {
  return [
    route('GET', COLLECTION, (call) => {
      permitted(world, call, 'list');
      return { json: pageOf(LOCATIONS, call.query, { member: 'locations', show: (id) => locationJson(call, id) }) };
    }),
    route('GET', `${COLLECTION}/{location}`, (call) => {
      permitted(world, call, 'get');
      const id = param(call, 'location');
      if (!LOCATIONS.includes(id)) throw new ApiError('NOT_FOUND', `Location ${id} is not found or access is unauthorized.`);
      return { json: locationJson(call, id) };
    }),
  ];
}

/** The right to see the locations of one of the APIs is enough. */
function permitted({ iam }: World, call: Call, verb: 'get' | 'list'): void {
  const project = `projects/${param(call, 'project')}`;
  if (iam.allows(call.caller, `artifactregistry.locations.${verb}`, project)) return;
  iam.require(call, `cloudkms.locations.${verb}`, project);
}

function locationJson(call: Call, id: string): JsonObject {
  return { name: `projects/${param(call, 'project')}/locations/${id}`, locationId: id };
}
