// SPDX-License-Identifier: Apache-2.0
// How Artifact Registry's locations and repositories show up as registry host names, and back.

/** Where a repository lives; together the three are its resource name. */
export interface RepositoryAddress {
  readonly project: string;
  readonly location: string;
  readonly repository: string;
}

/** What a registry host says about an image: a location, and for gcr.io hosts the repository as well. */
export interface RegistryHost {
  readonly location: string;
  readonly repository?: string;
}

// Container Registry's hosts live on as repositories with the host's name in one fixed multi-region.
const GCR_LOCATIONS: ReadonlyMap<string, string> = new Map([
  ['gcr.io', 'us'],
  ['us.gcr.io', 'us'],
  ['eu.gcr.io', 'europe'],
  ['asia.gcr.io', 'asia'],
]);

/** The names of the repositories that stand for gcr.io hosts, the bare one first. */
export const GCR_REPOSITORIES: readonly string[] = [...GCR_LOCATIONS.keys()];

/** The location that a gcr.io repository must have; undefined for any other repository name. */
export function gcrLocation(repository: string): string | undefined {
  return GCR_LOCATIONS.get(repository);
}

/** What a host (with or without a port) tells; undefined where it is not one of Google's registries. */
export function parseRegistryHost(host: string): RegistryHost | undefined {
  const name = host.trim().toLowerCase().replace(/:\d+$/, '');
  const gcr = gcrLocation(name);
  if (gcr !== undefined) return { location: gcr, repository: name };
  const location = /^([a-z0-9-]+)-docker\.pkg\.dev$/.exec(name)?.[1];
  return location === undefined ? undefined : { location };
}

/** The prefix of an image's pull reference in a repository, such as `us-docker.pkg.dev/p/r` or `gcr.io/p`. */
export function registryUri(address: RepositoryAddress): string {
  // Domain-scoped project ids carry a colon, which a reference spells as a slash.
  const project = address.project.replace(':', '/');
  if (gcrLocation(address.repository) === address.location) return `${address.repository}/${project}`;
  return `${address.location}-docker.pkg.dev/${project}/${address.repository}`;
}

/** The resource name `projects/P/locations/L/repositories/R`. */
export function repositoryName(address: RepositoryAddress): string {
  return `projects/${address.project}/locations/${address.location}/repositories/${address.repository}`;
}
