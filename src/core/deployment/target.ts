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

/** The region of a location, which the system policy is published for: `us-central1` for the zone `us-central1-a`. */
export function regionOf(location: string): string {
  return location.replace(/-[a-z]$/, '');
}
