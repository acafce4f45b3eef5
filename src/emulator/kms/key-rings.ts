// SPDX-License-Identifier: Apache-2.0
// keyRings: create, get, list, IAM.
import { iamRoutes } from '../iam.js';
import { route, type Route } from '../router.js';
import type { World } from '../world.js';
import { listReply } from './listing.js';
import { LOCATION, RING, locationName, newId, ringName } from './names.js';
import { ringJson, type KmsState } from './state.js';

/** The routes of key rings. */
export function keyRingRoutes(world: World, state: KmsState): Route[] {
  return [
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
      exists: (call) => {
        state.ring(ringName(call));
      },
      permissions: { get: 'cloudkms.keyRings.getIamPolicy', set: 'cloudkms.keyRings.setIamPolicy' },
    }),
  ];
}
