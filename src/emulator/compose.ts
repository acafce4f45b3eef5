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
import { createLogging } from './logging/handlers.js';
import { locationRoutes } from './locations.js';
import { createMonitoring } from './monitoring/handlers.js';
import { Projects } from './projects.js';
import { createResourceManager } from './resource-manager/handlers.js';
import { Router, type Handler, type Route } from './router.js';
import { createServiceUsage } from './service-usage/handlers.js';
import { gated, Switches } from './service-usage/switches.js';
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
  const switches = new Switches({ clock, settings: faults.settings, projectNumber: (project) => projects.numberOf(project) });
  const world: World = {
    clock,
    iam,
    settings: faults.settings,
    requireService: (service, project) => switches.require(projects.idOf(project), service),
    projectNumber: (project) => projects.numberOf(project),
    projectId: (project) => projects.idOf(project),
  };
  const { apis, setSystemPolicy } = createApis(world, switches);
  const reset = () => {
    for (const part of [...apis, switches, iam, faults]) part.reset();
    dispatcher.forget();
  };
  const admin = adminRoutes({
    faults,
    reset,
    requests: () => dispatcher.log,
    setSystemPolicy,
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

interface Api {
  readonly routes: readonly Route[];
  reset(): void;
}

function createApis(world: World, switches: Switches): { readonly apis: readonly Api[]; readonly setSystemPolicy: Handler } {
  const artifactRegistry = createArtifactRegistry(world);
  const containerAnalysis = createContainerAnalysis(world);
  const binaryAuthorization = createBinaryAuthorization({
    world,
    occurrencesIn: (project) => containerAnalysis.occurrencesIn(project),
    images: artifactRegistry.images,
  });
  const logging = createLogging(world);
  // The registry comes first: under /v2/ the OCI shape decides, whatever other API has a version 2.
  const apis = [
    createDistribution(world, artifactRegistry.images),
    on('binaryauthorization', world, binaryAuthorization),
    on('containeranalysis', world, containerAnalysis),
    on('cloudkms', world, createKms(world)),
    on('artifactregistry', world, artifactRegistry),
    // Never switched off: nobody could switch it on again.
    createServiceUsage(world, switches),
    on('cloudresourcemanager', world, createResourceManager(world)),
    on('container', world, createGke(world)),
    on('run', world, createCloudRun(world)),
    on('logging', world, logging),
    on(
      'monitoring',
      world,
      createMonitoring(world, (project) => logging.metricsIn(project)),
    ),
    { routes: locationRoutes(world), reset: () => undefined },
  ];
  return { apis, setSystemPolicy: (call) => binaryAuthorization.setSystemPolicy(call) };
}

/** An API that answers for a project only while its service is on there. */
function on(service: string, world: World, api: Api): Api {
  return {
    routes: gated(api.routes, (project) => world.requireService(`${service}.googleapis.com`, project)),
    reset: () => api.reset(),
  };
}
