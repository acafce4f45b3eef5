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
  const found = /^([a-z][a-z0-9-]*)\.([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)$/.exec(text);
  return found?.[1] !== undefined && found[2] !== undefined ? { key: text, location: found[1], name: found[2] } : undefined;
}

/** The region of a location, which the system policy is published for: `us-central1` for the zone `us-central1-a`. */
export function regionOf(location: string): string {
  return location.replace(/-[a-z]$/, '');
}
