// SPDX-License-Identifier: Apache-2.0

/** Where images run: GKE and what enforces like it (attached and fleet clusters), or Cloud Run. */
export type Platform = 'gke' | 'cloud-run';

/** `LOCATION.NAME`, the key of a cluster rule: zone or region and cluster, or `global` and a fleet membership. */
export interface ClusterRef {
  readonly key: string;
  readonly location: string;
  readonly name: string;
}

/** A cluster in `LOCATION.NAME`, or undefined where the text is none. Only the first dot separates: locations hold none. */
export function parseClusterRef(text: string): ClusterRef | undefined {
  if (!/^[a-z][a-z0-9-]*\.[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/.test(text)) return undefined;
  const dot = text.indexOf('.');
  return { key: text, location: text.slice(0, dot), name: text.slice(dot + 1) };
}

/** A Cloud Run service or job; `key` is `REGION.NAME`. */
export interface CloudRunRef {
  readonly kind: 'service' | 'job';
  readonly key: string;
  readonly location: string;
  readonly name: string;
}

/** A place that images are deployed to, and that either asks the policy or does not. */
export type TargetRef = (ClusterRef & { readonly kind: 'cluster' }) | CloudRunRef;

/** A service or job in `REGION.NAME`, or undefined where the text is none: a DNS label of fewer than 50 characters. */
export function parseCloudRunRef(kind: CloudRunRef['kind'], text: string): CloudRunRef | undefined {
  const [, location, name] = /^([a-z]+-[a-z]+\d+)\.([a-z](?:[a-z0-9-]{0,47}[a-z0-9])?)$/.exec(text) ?? [];
  return location === undefined || name === undefined ? undefined : { kind, key: text, location, name };
}

/** The region of a location, which the system policy is published for: `us-central1` for the zone `us-central1-a`. */
export function regionOf(location: string): string {
  return location.replace(/-[a-z]$/, '');
}
