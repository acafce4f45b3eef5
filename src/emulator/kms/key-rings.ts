// SPDX-License-Identifier: Apache-2.0
// keyRings: create, get, list, IAM; and the locations that hold them.
import { iamRoutes } from '../iam.js';
import { param, route, type Call, type Route } from '../router.js';
import type { World } from '../world.js';
import { listReply } from './listing.js';
import { LOCATION, RING, locationName, newId, ringName } from './names.js';
import { ringJson, type KmsState } from './state.js';

/** Some of Google's locations, to have something to list; a call may name any other. */
const LOCATIONS = ['global', 'us', 'europe', 'us-central1', 'us-east1', 'europe-west1', 'asia-east1'];

/** The routes of key rings and locations. */
export function keyRingRoutes(world: World, state: KmsState): Route[] {
  return [
    route('GET', '/v1/projects/{project}/locations', (call) => ({ json: { locations: LOCATIONS.map((id) => locationJson(call, id)) } })),
    route('GET', LOCATION, (call) => ({ json: locationJson(call, param(call, 'location')) })),
    route('POST', `${LOCATION}/keyRings`, (call) => {
      world.iam.require(call, 'cloudkms.keyRings.create', locationName(call));
      return { json: ringJson(state.addRing(`${locationName(call)}/keyRings/${newId(call, 'keyRingId')}`)) };
    }),
    route('GET', `${LOCATION}/keyRings`, (call) => {
      world.iam.require(call, 'cloudkms.keyRings.list', locationName(call));
      return listReply(call, 'keyRings', state.ringsIn(locationName(call)).map(ringJson));
    }),
    route('GET', RING, (call) => {
      world.iam.require(call, 'cloudkms.keyRings.get', ringName(call));
      return { json: ringJson(state.ring(ringName(call))) };
    }),
    ...iamRoutes(world.iam, {
      template: RING,
      resource: ringName,
      exists: (call) => { state.ring(ringName(call)); },
      permissions: { get: 'cloudkms.keyRings.getIamPolicy', set: 'cloudkms.keyRings.setIamPolicy' },
    }),
  ];
}

function locationJson(call: Call, id: string): Record<string, string> {
  return { name: `projects/${param(call, 'project')}/locations/${id}`, locationId: id };
}
