// SPDX-License-Identifier: Apache-2.0
// The OCI distribution API under /v2/: what a container registry serves, over the store that Artifact Registry shows.
import type { ImageStore } from '../artifact-registry/state.js';
import type { Call, Reply, Route } from '../router.js';
import type { World } from '../world.js';
import { blobRoutes } from './blobs.js';
import { manifestRoutes } from './manifests.js';
import { registryRoute } from './registry-error.js';
import { Uploads } from './uploads.js';

/** The registry API over a store of images. `reset` forgets unfinished uploads; the images have their own. */
export function createDistribution(world: World, images: ImageStore): { readonly routes: readonly Route[]; reset(): void } {
  const registry = { world, images };
  const uploads = new Uploads(registry);
  // No challenge: gcloud with credentials disabled takes a 401 as final, and a call without a token acts as owner.
  const version = (): Reply => ({ json: {} });
  const routes = [
    registryRoute('GET', '/v2', version),
    registryRoute('HEAD', '/v2', version),
    registryRoute('GET', '/v2/token', issueToken),
    ...uploads.routes(),
    ...manifestRoutes(registry),
    ...blobRoutes(registry),
  ];
  return { routes, reset: () => uploads.reset() };
}

// The token only carries the caller's identity on, which arrived as the password of a basic credential or as a token.
function issueToken(call: Call): Reply {
  const token = call.caller === 'owner' ? 'emulator-registry-token' : `as:${call.caller}`;
  return { json: { token, access_token: token, expires_in: 3600 } };
}
