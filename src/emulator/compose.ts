// SPDX-License-Identifier: Apache-2.0
// Puts the APIs together over one world: the only file that knows all of them.
import { adminRoutes } from './admin.js';
import { createArtifactRegistry } from './artifact-registry/handlers.js';
import { createBinaryAuthorization } from './binary-authorization/handlers.js';
import { createCloudRun } from './cloud-run/handlers.js';
import { createContainerAnalysis } from './container-analysis/handlers.js';
import { Dispatcher } from './dispatch.js';
import { createDistribution } from './distribution/handlers.js';
import { Faults } from './faults.js';
import { createGke } from './gke/handlers.js';
import { IamStore } from './iam.js';
import { createKms } from './kms/handlers.js';
import { Projects } from './projects.js';
import { locationRoutes } from './locations.js';
import { createResourceManager } from './resource-manager/handlers.js';
import { Router } from './router.js';
import { createServiceUsage } from './service-usage/handlers.js';
import type { EmulatorClock, World } from './world.js';

/** How an emulator behaves from its start and after each reset. */
export interface Behaviour {
  readonly clock: EmulatorClock;
  readonly latencyMs: number;
  readonly propagationDelayMs: number;
}

/** Every API over an empty world, behind one dispatcher. */
export function compose({ clock, latencyMs, propagationDelayMs }: Behaviour): { readonly dispatcher: Dispatcher; readonly faults: Faults } {
  const faults = new Faults({ propagationDelayMs, duplicates: 'identical' });
  const iam = new IamStore();
  const projects = new Projects();
  const world: World = {
    clock,
    iam,
    settings: faults.settings,
    projectNumber: (project) => projects.numberOf(project),
    projectId: (project) => projects.idOf(project),
  };
  const artifactRegistry = createArtifactRegistry(world);
  const containerAnalysis = createContainerAnalysis(world);
  const binaryAuthorization = createBinaryAuthorization({
    world,
    occurrencesIn: (project) => containerAnalysis.occurrencesIn(project),
    images: artifactRegistry.images,
  });
  // The registry comes first: under /v2/ the OCI shape decides, whatever other API has a version 2.
  const apis = [
    createDistribution(world, artifactRegistry.images),
    binaryAuthorization,
    containerAnalysis,
    createKms(world),
    artifactRegistry,
    createServiceUsage(world),
    createResourceManager(world),
    createGke(world),
    createCloudRun(world),
    { routes: locationRoutes(world), reset: () => undefined },
  ];
  const reset = () => {
    for (const part of [...apis, iam, faults]) part.reset();
    dispatcher.forget();
  };
  const admin = adminRoutes({
    faults,
    reset,
    requests: () => dispatcher.log,
    setSystemPolicy: (call) => binaryAuthorization.setSystemPolicy(call),
  });
  const dispatcher = new Dispatcher({
    apis: new Router(apis.flatMap(({ routes }) => routes)),
    admin: new Router(admin),
    faults,
    clock,
    latencyMs,
  });
  return { dispatcher, faults };
}
