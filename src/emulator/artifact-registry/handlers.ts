// SPDX-License-Identifier: Apache-2.0
// Artifact Registry v1: the images that were pushed, as Google's API shows them.
import type { Route } from '../router.js';
import type { World } from '../world.js';
import { dockerImageRoutes } from './docker-images.js';
import { Operations } from './operations.js';
import { packageRoutes, tagRoutes } from './packages.js';
import { repositoryRoutes } from './repositories.js';
import { ImageStore } from './state.js';

/** Artifact Registry over a new store of images, which the registry API shares. */
export function createArtifactRegistry(world: World): { readonly routes: readonly Route[]; reset(): void; readonly images: ImageStore } {
  const images = new ImageStore(world.clock);
  const operations = new Operations();
  const api = { world, images, operations };
  const routes = [...repositoryRoutes(api), ...packageRoutes(api), ...tagRoutes(api), ...dockerImageRoutes(api), ...operations.routes()];
  const reset = (): void => {
    images.clear();
    operations.reset();
  };
  return { routes, reset, images };
}
