// SPDX-License-Identifier: Apache-2.0
// Google Cloud's regions, as far as the APIs here tell a real one from a mistyped one.

/** Regions that gcloud 528 offers for the system policy, and two that Artifact Registry has beyond them. */
const REGIONS: ReadonlySet<string> = new Set([
  ...['africa-south1', 'asia-east1', 'asia-east2', 'asia-northeast1', 'asia-northeast2', 'asia-northeast3', 'asia-south1', 'asia-south2'],
  ...['asia-southeast1', 'asia-southeast2', 'australia-southeast1', 'australia-southeast2', 'europe-central2', 'europe-north1'],
  ...['europe-north2', 'europe-southwest1', 'europe-west1', 'europe-west10', 'europe-west12', 'europe-west2', 'europe-west3'],
  ...['europe-west4', 'europe-west6', 'europe-west8', 'europe-west9', 'me-central1', 'me-central2', 'me-west1', 'northamerica-northeast1'],
  ...['northamerica-northeast2', 'northamerica-south1', 'southamerica-east1', 'southamerica-west1', 'us-central1', 'us-central2'],
  ...['us-east1', 'us-east4', 'us-east5', 'us-east7', 'us-south1', 'us-west1', 'us-west2', 'us-west3', 'us-west4', 'us-west8'],
]);

/** Whether a region of that name exists. */
export function isRegion(name: string): boolean {
  return REGIONS.has(name);
}

/** Whether a name is that of a region, or of a zone in one, such as `us-central1-a`. */
export function isRegionOrZone(name: string): boolean {
  return isRegion(name.replace(/-[a-f]$/, ''));
}
