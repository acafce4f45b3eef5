// SPDX-License-Identifier: Apache-2.0
// Which stored image a name under /v2/ means. The path does not say the location, and for gcr.io not the repository
// either: the registry's host does. A client that was rerouted here may say the original host in x-binauthz-registry.
//
// * Header or Host known (`L-docker.pkg.dev`, `[us.|eu.|asia.]gcr.io`): exactly one place.
// * Host unknown (127.0.0.1): PROJECT/REPOSITORY/IMAGE in whatever locations that repository exists, `us` first; else
//   an image PROJECT/IMAGE of a gcr.io repository that already holds it; else, for the first push, the repository in
//   `us` (two segments: the repository gcr.io), until somebody names another location for it. Reads take the first
//   place that holds what is asked for, writes the first place.
import {
  GCR_REPOSITORIES,
  gcrLocation,
  parseRegistryHost,
  repositoryName,
  type RepositoryAddress,
} from '../artifact-registry/registry-hosts.js';
import type { Image, ImageStore, Repository } from '../artifact-registry/state.js';
import { param, type Call } from '../router.js';
import { ApiError } from '../wire.js';
import type { World } from '../world.js';
import { RegistryError } from './registry-error.js';

/** What a registry call needs beyond the call itself. */
export interface Registry {
  readonly world: World;
  readonly images: ImageStore;
}

/** One image of one repository, whether it exists or not. */
export interface Place {
  readonly address: RepositoryAddress;
  readonly image: string;
  /** Whether the caller said where, or the location is a guess. */
  readonly namesLocation: boolean;
}

/** The permissions that the registry checks. */
export type RegistryPermission =
  | 'artifactregistry.repositories.downloadArtifacts'
  | 'artifactregistry.repositories.uploadArtifacts'
  | 'artifactregistry.repositories.deleteArtifacts';

const SEGMENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;

/** The places that the call's image name may mean, best first; never empty. */
export function placesOf(call: Call, images: ImageStore): readonly [Place, ...Place[]] {
  return placesOfName(call, param(call, 'name'), images);
}

/** The same for a name that is not the call's own, such as the source of a mount. */
export function placesOfName(call: Call, name: string, images: ImageStore): readonly [Place, ...Place[]] {
  const [project, ...rest] = splitName(name);
  const host = parseRegistryHost(call.headers.get('x-binauthz-registry') ?? call.headers.get('host') ?? '');
  if (host?.repository !== undefined)
    return [placeAt({ project, location: host.location, repository: host.repository }, rest), ...guessed(project, rest, images)];
  const [repository, ...image] = rest;
  if (host === undefined) return guess(project, rest, images);
  if (repository === undefined || image.length === 0) throw invalidName(name);
  return [placeAt({ project, location: host.location, repository }, image)];
}

function splitName(name: string): [string, ...string[]] {
  const segments = name.split('/');
  if (!segments.every((segment) => SEGMENT.test(segment))) throw invalidName(name);
  const [first = '', second, ...rest] = segments;
  if (second === undefined) throw invalidName(name);
  // A project id has no dots, so a domain in front is a domain-scoped project: example.com/proj is example.com:proj.
  return first.includes('.') && rest.length > 0 ? [`${first}:${second}`, ...rest] : [first, second, ...rest];
}

function guess(project: string, rest: readonly string[], images: ImageStore): readonly [Place, ...Place[]] {
  const [repository = '', ...image] = rest;
  const exact = image.length === 0 ? [] : images.findAnywhere(project, repository).map(({ address }) => placeAt(address, image, false));
  const [first, ...more] = [...exact, ...gcrPlaces(project, rest, images)];
  if (first !== undefined) return [first, ...more];
  if (image.length === 0) return [placeAt({ project, location: 'us', repository: 'gcr.io' }, rest, false)];
  return [placeAt({ project, location: gcrLocation(repository) ?? 'us', repository }, image, false)];
}

function gcrPlaces(project: string, rest: readonly string[], images: ImageStore): readonly Place[] {
  const repositories = GCR_REPOSITORIES.flatMap((repository) => images.findAnywhere(project, repository));
  return repositories.filter((repository) => repository.images.has(rest.join('/'))).map(({ address }) => placeAt(address, rest, false));
}

function placeAt(address: RepositoryAddress, segments: readonly string[], namesLocation = true): Place {
  return { address, image: segments.join('/'), namesLocation };
}

// What was pushed without a host, as Container Registry's hosts would read it: their paths name no repository.
function guessed(project: string, rest: readonly string[], images: ImageStore): readonly Place[] {
  return guess(project, rest, images).filter((place) => images.isUnplaced(place.address));
}

function invalidName(name: string): RegistryError {
  return new RegistryError(400, 'NAME_INVALID', `Invalid image name "${name}": expected PROJECT/REPOSITORY/IMAGE`);
}

/** Refuses a caller without the permission, and anybody where the API is off, in the registry's words. */
export function authorize(world: World, call: Call, permission: RegistryPermission, { address }: Place): void {
  const resource = repositoryName(address);
  denied(() => world.requireService('artifactregistry.googleapis.com', address.project));
  denied(
    () => world.iam.require(call, permission, resource),
    `Permission "${permission}" denied on resource "${resource}" (or it may not exist)`,
  );
}

function denied(check: () => void, message?: string): void {
  try {
    check();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    throw new RegistryError(error.httpStatus, 'DENIED', message ?? error.message);
  }
}

/** Where something was looked for: a repository, and the image in it if there is one. */
export interface Found {
  readonly repository: Repository;
  readonly image: Image | undefined;
}

/** The image to read from, after the permission check: the first of the call's places that `holds` what is wanted. */
export function imageToRead(registry: Registry, call: Call, holds: (image: Image) => boolean): Image | undefined {
  return find(registry, call, { permission: 'artifactregistry.repositories.downloadArtifacts', holds }).image;
}

/** The repository and image to delete from, found like one to read. */
export function findToDelete(registry: Registry, call: Call, holds: (image: Image) => boolean): Found {
  return find(registry, call, { permission: 'artifactregistry.repositories.deleteArtifacts', holds });
}

function find({ world, images }: Registry, call: Call, wish: { permission: RegistryPermission; holds: (image: Image) => boolean }): Found {
  const places = placesOf(call, images);
  const chosen = places.find((place) => {
    const image = repositoryAt(images, place)?.images.get(place.image);
    return image !== undefined && wish.holds(image);
  });
  const place = chosen ?? places[0];
  // Before existence: a caller without rights must not learn which repositories there are.
  authorize(world, call, wish.permission, place);
  const repository = dockerRepository(images, place);
  return { repository, image: repository.images.get(place.image) };
}

/** The repository at a place, if there is one. */
export function repositoryAt(images: ImageStore, { address, namesLocation }: Place): Repository | undefined {
  return images.find(address, namesLocation);
}

function dockerRepository(images: ImageStore, place: Place): Repository {
  const repository = repositoryAt(images, place);
  if (repository?.format === 'DOCKER') return repository;
  throw new RegistryError(404, 'NAME_UNKNOWN', `Repository "${place.address.repository}" not found`);
}

/** The place that a push goes to, after the permission check. Nothing is made yet: a push may still be refused. */
export function placeToWrite({ world, images }: Registry, call: Call): Place {
  const [place] = placesOf(call, images);
  authorize(world, call, 'artifactregistry.repositories.uploadArtifacts', place);
  if (repositoryAt(images, place)) dockerRepository(images, place);
  return place;
}

/** The image at a place, made with its repository where they are missing. */
export function imageToWrite(images: ImageStore, place: Place): Image {
  return images.ensure(place.address, place.namesLocation).ensureImage(place.image);
}

/** The images that exist at any of the call's places. */
export function imagesOf(call: Call, images: ImageStore): readonly Image[] {
  return placesOf(call, images).flatMap((place) => repositoryAt(images, place)?.images.get(place.image) ?? []);
}
