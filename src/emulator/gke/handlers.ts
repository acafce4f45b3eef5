// SPDX-License-Identifier: Apache-2.0
// Kubernetes Engine v1 and v1beta1 over one store: the clusters, as far as Binary Authorization is concerned.
import { jsonBody, param, route, type Call, type Reply, type Route } from '../router.js';
import { isRegionOrZone } from '../regions.js';
import { ApiError, refuseUnknown, type JsonObject } from '../wire.js';
import type { World } from '../world.js';
import type { GkeVersion } from './binary-authorization.js';
import { clusterName, Clusters, renderCluster, type Cluster, type ClusterAddress } from './clusters.js';
import { Operations, type OperationType } from './operations.js';

// A zone may still be spelt as in the API's first form, …/zones/Z.
const PLACE = '/{version=v1|v1beta1}/projects/{project}/{form=locations|zones}/{location}';
const CLUSTERS = `${PLACE}/clusters`;
const CLUSTER = `${CLUSTERS}/{cluster}`;
/** Labels and the like: keys under these are data. */
const MAPS = ['resourceLabels', 'labels', 'metadata', 'nodeLabels', 'tags'];

/** The GKE API with an empty store. */
export function createGke(world: World): { readonly routes: readonly Route[]; reset(): void } {
  const clusters = new Clusters(world);
  const operations = new Operations(world);
  return {
    routes: [...readRoutes(world, clusters), ...writeRoutes(world, clusters, operations), operationRoute(world, operations)],
    reset: () => {
      clusters.reset();
      operations.reset();
    },
  };
}

function readRoutes(world: World, clusters: Clusters): Route[] {
  const show = (call: Call, cluster: Cluster): JsonObject => renderCluster(cluster, versionOf(call), world.projectNumber(cluster.project));
  return [
    route('GET', CLUSTERS, (call) => {
      const { project, location } = placeOf(world, call);
      world.iam.require(call, 'container.clusters.list', `projects/${project}`);
      if (location !== '-') requireLocation(location);
      const found = clusters.list(project, location).map((cluster) => show(call, cluster));
      return { json: found.length > 0 ? { clusters: found } : {} };
    }),
    route('GET', CLUSTER, (call) => {
      const address = addressOf(world, call);
      world.iam.require(call, 'container.clusters.get', clusterName(address));
      requireLocation(address.location);
      return { json: show(call, clusters.get(address)) };
    }),
  ];
}

function writeRoutes(world: World, clusters: Clusters, operations: Operations): Route[] {
  const done = (type: OperationType, address: ClusterAddress): Reply => ({ json: operations.done(type, clusterName(address)) });
  return [
    route('POST', CLUSTERS, (call) => {
      const place = placeOf(world, call);
      world.iam.require(call, 'container.clusters.create', `projects/${place.project}`);
      requireLocation(place.location);
      const body = jsonBody(call, MAPS);
      refuseUnknown(body, ['cluster', 'parent', 'projectId', 'zone'], '');
      return done('CREATE_CLUSTER', clusters.create(place, body, versionOf(call)));
    }),
    route('PUT', CLUSTER, (call) => {
      const address = addressOf(world, call);
      world.iam.require(call, 'container.clusters.update', clusterName(address));
      const body = jsonBody(call, MAPS);
      refuseUnknown(body, ['update', 'name', 'projectId', 'zone', 'clusterId'], '');
      return done('UPDATE_CLUSTER', clusters.update(address, body, versionOf(call)));
    }),
    route('DELETE', CLUSTER, (call) => {
      const address = addressOf(world, call);
      world.iam.require(call, 'container.clusters.delete', clusterName(address));
      clusters.delete(address);
      return done('DELETE_CLUSTER', address);
    }),
  ];
}

// Only names made here match: other APIs have operations at the same path.
function operationRoute(world: World, operations: Operations): Route {
  return route('GET', `${PLACE}/operations/{operation=operation-[0-9-]+}`, (call) => {
    const { project, location } = placeOf(world, call);
    world.iam.require(call, 'container.operations.get', `projects/${project}`);
    return { json: operations.get(`projects/${project}/locations/${location}/operations/${param(call, 'operation')}`) };
  });
}

function placeOf(world: World, call: Call): Omit<ClusterAddress, 'id'> {
  return { project: world.projectId(param(call, 'project')), location: param(call, 'location') };
}

function addressOf(world: World, call: Call): ClusterAddress {
  return { ...placeOf(world, call), id: param(call, 'cluster') };
}

function versionOf(call: Call): GkeVersion {
  return param(call, 'version') === 'v1' ? 'v1' : 'v1beta1';
}

/** A location that does not exist is an invalid argument, not a missing cluster. */
function requireLocation(location: string): void {
  if (!isRegionOrZone(location)) throw new ApiError('INVALID_ARGUMENT', `Location "${location}" does not exist.`);
}
