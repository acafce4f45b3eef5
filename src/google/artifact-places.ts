// SPDX-License-Identifier: Apache-2.0
import type { ImageReference } from '../core/image/reference.js';

/** A repository of Artifact Registry. */
export interface RepositoryPlace {
  readonly project: string;
  readonly location: string;
  readonly repository: string;
}

/** An image in a repository, by the id of its package: `team%2Fapp` for a nested name. */
export interface ImagePlace extends RepositoryPlace {
  readonly packageId: string;
}

/** Container Registry's hosts: repositories of these names, each in one multi-region. */
const CONTAINER_REGISTRY: ReadonlyMap<string, string> = new Map([
  ['gcr.io', 'us'],
  ['us.gcr.io', 'us'],
  ['eu.gcr.io', 'europe'],
  ['asia.gcr.io', 'asia'],
]);

/** Where Artifact Registry stores an image; undefined where the host is not one of its hosts, or the path is too short. */
export function placeOf(reference: ImageReference): ImagePlace | undefined {
  const { project, rest } = splitProject(reference.repository.split('/'));
  const legacy = CONTAINER_REGISTRY.get(reference.registry);
  if (legacy !== undefined) return image({ project, location: legacy, repository: reference.registry }, rest);
  const location = /^([a-z0-9-]+)-docker\.pkg\.dev$/.exec(reference.registry)?.[1];
  const [repository, ...name] = rest;
  return location === undefined || repository === undefined ? undefined : image({ project, location, repository }, name);
}

/** A repository, or one image of it. */
export interface ImagesPlace {
  readonly repository: RepositoryPlace;
  /** The image's name below the repository. */
  readonly image?: string;
}

/** The images below a name, `HOST/PROJECT/REPOSITORY[/IMAGE]`; undefined where Artifact Registry stores none under it. */
export function imagesPlaceOf(name: ImageReference): ImagesPlace | undefined {
  const place = placeOf(name);
  // Any image makes a place of the repository that alone is none.
  const { project, location, repository } = place ?? placeOf({ ...name, repository: `${name.repository}/image` }) ?? {};
  if (project === undefined || location === undefined || repository === undefined) return undefined;
  const whole = { repository: { project, location, repository } };
  return place === undefined ? whole : { ...whole, image: place.packageId.replaceAll('%2F', '/') };
}

/** A repository's full resource name. */
export function repositoryName(place: RepositoryPlace): string {
  return `projects/${place.project}/locations/${place.location}/repositories/${place.repository}`;
}

/** Where the repository lies that a reference's image would be in; undefined as for `placeOf`. */
export function repositoryOf(reference: ImageReference): RepositoryPlace | undefined {
  const place = placeOf(reference);
  return place && { project: place.project, location: place.location, repository: place.repository };
}

function image(place: RepositoryPlace, name: readonly string[]): ImagePlace | undefined {
  // A nested name is one package, whose id escapes the slashes; the client library escapes the id once more for the URL.
  return name.length === 0 ? undefined : { ...place, packageId: name.join('%2F') };
}

// A domain-scoped project, `example.com:proj`, takes two path segments: `example.com/proj`.
function splitProject(path: readonly string[]): { project: string; rest: readonly string[] } {
  const [first = '', second = '', ...rest] = path;
  return first.includes('.') ? { project: `${first}:${second}`, rest } : { project: first, rest: path.slice(1) };
}
