// SPDX-License-Identifier: Apache-2.0
// Cloud KMS v1, as far as signing keys go. Written from google/cloud/kms/v1/service.proto.
import type { Route } from '../router.js';
import type { World } from '../world.js';
import { cryptoKeyRoutes } from './crypto-keys.js';
import { keyRingRoutes } from './key-rings.js';
import { signingRoutes } from './signing.js';
import { KmsState } from './state.js';
import { versionRoutes } from './versions.js';

/** A Cloud KMS without any key: its routes, and the way back to that state. */
export function createKms(world: World): { readonly routes: readonly Route[]; reset(): void } {
  const state = new KmsState(() => world.clock.now());
  return {
    routes: [keyRingRoutes, cryptoKeyRoutes, versionRoutes, signingRoutes].flatMap((routesOf) => routesOf(world, state)),
    reset: () => {
      state.reset();
    },
  };
}
