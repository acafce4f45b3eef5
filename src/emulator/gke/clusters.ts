// SPDX-License-Identifier: Apache-2.0
// The clusters of all projects. Only Binary Authorization means anything here; the rest is kept as it was sent.
import { ApiError, etagOf, isObject, objectMember, refuseUnknown, requireEtag, stringMember, timestamp, type JsonObject } from '../wire.js';
import type { World } from '../world.js';
import { parseBinaryAuthorization, renderBinaryAuthorization, type GkeVersion } from './binary-authorization.js';

/** Where a cluster is; together the three are its resource name. */
export interface ClusterAddress {
  readonly project: string;
  readonly location: string;
  readonly id: string;
}

/** A cluster as stored. */
export interface Cluster extends ClusterAddress {
  readonly content: JsonObject;
  /** Undefined where it was never set. */
  readonly binaryAuthorization: JsonObject | undefined;
  readonly createTime: number;
  readonly etag: string;
}

/** Members that the service fills; what is sent for them is ignored, as for every output-only field. */
const OUTPUT = [
  ...['id', 'location', 'zone', 'selfLink', 'status', 'statusMessage', 'createTime', 'expireTime', 'endpoint', 'etag', 'conditions'],
  ...['currentMasterVersion', 'currentNodeVersion', 'currentNodeCount', 'instanceGroupUrls', 'satisfiesPzs', 'satisfiesPzi'],
];
/** gcloud 528's message Cluster (v1beta1), without those and what is read here. */
const KEPT = [
  ...['addonsConfig', 'alphaClusterFeatureGates', 'anonymousAuthenticationConfig', 'authenticatorGroupsConfig', 'autogke', 'autopilot'],
  ...['autoscaling', 'clusterIpv4Cidr', 'clusterTelemetry', 'compliancePostureConfig', 'concurrentOpsConfig', 'confidentialNodes'],
  ...['controlPlaneEndpointsConfig', 'costManagementConfig', 'databaseEncryption', 'defaultMaxPodsConstraint', 'description'],
  ...['enableGvnic', 'enableK8sBetaApis', 'enableKubernetesAlpha', 'enableTpu', 'enterpriseConfig', 'fleet', 'gkeAutoUpgradeConfig'],
  ...['gkeOidcConfig', 'identityServiceConfig', 'initialClusterVersion', 'initialNodeCount', 'ipAllocationPolicy'],
  ...['kubernetesObjectsExportConfig', 'labelFingerprint', 'legacyAbac', 'locations', 'loggingConfig', 'loggingService'],
  ...['maintenancePolicy', 'managedConfig', 'master', 'masterAuth', 'masterAuthorizedNetworksConfig', 'masterIpv4CidrBlock'],
  ...['meshCertificates', 'monitoringConfig', 'monitoringService', 'network', 'networkConfig', 'networkPolicy', 'nodeConfig'],
  ...['nodeIpv4CidrSize', 'nodePoolAutoConfig', 'nodePoolDefaults', 'nodePools', 'notificationConfig', 'parentProductConfig'],
  ...['podAutoscaling', 'podSecurityPolicyConfig', 'privateCluster', 'privateClusterConfig', 'protectConfig', 'rbacBindingConfig'],
  ...['releaseChannel', 'resourceLabels', 'resourceUsageExportConfig', 'runtimeVulnerabilityInsightConfig', 'secretManagerConfig'],
  ...['securityPostureConfig', 'servicesIpv4Cidr', 'shieldedNodes', 'subnetwork', 'tags', 'tpuConfig', 'tpuIpv4CidrBlock'],
  ...['userManagedKeysConfig', 'verticalPodAutoscaling', 'workloadAltsConfig', 'workloadCertificates', 'workloadConfig'],
  ...['workloadIdentityConfig', 'workloadMonitoringEnabledEap'],
];

/** `projects/P/locations/L/clusters/C` */
export function clusterName({ project, location, id }: ClusterAddress): string {
  return `projects/${project}/locations/${location}/clusters/${id}`;
}

/** A cluster in the JSON of a version. */
export function renderCluster(cluster: Cluster, version: GkeVersion, number: string): JsonObject {
  const { location, id, content, binaryAuthorization, createTime, etag } = cluster;
  const place = `projects/${number}/${/-[a-z]$/.test(location) ? 'zones' : 'locations'}/${location}`;
  return {
    ...content,
    name: id,
    location,
    zone: location,
    ...(binaryAuthorization ? { binaryAuthorization: renderBinaryAuthorization(binaryAuthorization, version) } : {}),
    status: 'RUNNING',
    selfLink: `https://container.googleapis.com/${version}/${place}/clusters/${id}`,
    createTime: timestamp(createTime),
    etag,
  };
}

/** Keeps clusters by name. */
export class Clusters {
  private readonly byName = new Map<string, Cluster>();
  private revision = 0;

  constructor(private readonly world: World) {}

  /** The cluster, or NOT_FOUND. */
  get(address: ClusterAddress): Cluster {
    const cluster = this.byName.get(clusterName(address));
    if (!cluster) throw new ApiError('NOT_FOUND', `Not found: ${clusterName(address)}.`);
    return cluster;
  }

  /** The clusters of a location, or of all for `-`, by name. */
  list(project: string, location: string): Cluster[] {
    const own = [...this.byName.values()].filter(
      (cluster) => cluster.project === project && (location === '-' || cluster.location === location),
    );
    return own.sort((one, other) => (clusterName(one) < clusterName(other) ? -1 : 1));
  }

  /** Stores the `cluster` of a create; ALREADY_EXISTS where the name is taken. */
  create(place: Omit<ClusterAddress, 'id'>, body: JsonObject, version: GkeVersion): Cluster {
    if (!isObject(body['cluster'])) throw new ApiError('INVALID_ARGUMENT', 'Cluster is required.');
    const sent = body['cluster'];
    refuseUnknown(sent, ['name', 'binaryAuthorization', ...OUTPUT, ...KEPT], 'cluster');
    const id = stringMember(sent, 'name');
    if (!/^[a-z](?:[a-z0-9-]{0,38}[a-z0-9])?$/.test(id))
      throw new ApiError('INVALID_ARGUMENT', `Invalid value for field "cluster.name": "${id}".`);
    const address = { ...place, id };
    if (this.byName.has(clusterName(address))) throw new ApiError('ALREADY_EXISTS', `Already exists: ${clusterName(address)}.`);
    const setting = sent['binaryAuthorization'] ?? undefined;
    return this.store({
      ...address,
      content: Object.fromEntries(Object.entries(sent).filter(([member]) => KEPT.includes(member))),
      binaryAuthorization: setting === undefined ? undefined : parseBinaryAuthorization(setting, version, 'cluster.binary_authorization'),
      createTime: this.world.clock.now(),
    });
  }

  /** Carries out the `update` of an update: Binary Authorization is replaced as a whole, as gcloud sends it. */
  update(address: ClusterAddress, body: JsonObject, version: GkeVersion): Cluster {
    const current = this.get(address);
    const update = objectMember(body, 'update');
    const setting = update['desiredBinaryAuthorization'] ?? undefined;
    if (setting === undefined || Object.keys(update).some((member) => !['desiredBinaryAuthorization', 'etag'].includes(member)))
      throw new ApiError('INVALID_ARGUMENT', 'Must specify a field to update; this emulator knows desired_binary_authorization alone.');
    requireEtag(update['etag'], current.etag);
    const binaryAuthorization = parseBinaryAuthorization(setting, version, 'update.desired_binary_authorization');
    return this.store({ ...current, binaryAuthorization });
  }

  /** Removes a cluster; NOT_FOUND where it is missing. */
  delete(address: ClusterAddress): void {
    this.get(address);
    this.byName.delete(clusterName(address));
  }

  /** Forgets everything. */
  reset(): void {
    this.byName.clear();
  }

  private store(content: Omit<Cluster, 'etag'>): Cluster {
    this.revision += 1;
    const cluster = { ...content, etag: etagOf([content.content, content.binaryAuthorization], this.revision) };
    this.byName.set(clusterName(cluster), cluster);
    return cluster;
  }
}
