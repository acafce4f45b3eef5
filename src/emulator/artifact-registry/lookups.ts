// SPDX-License-Identifier: Apache-2.0
// From a call's path to the stored thing it names, past the permission check.
import { param, type Call } from '../router.js';
import { ApiError } from '../wire.js';
import type { World } from '../world.js';
import { repositoryName, type RepositoryAddress } from './registry-hosts.js';
import type { Operations } from './operations.js';
import type { Image, ImageStore, Manifest, Repository } from './state.js';

/** What the handlers of Artifact Registry share. */
export interface Api {
  readonly world: World;
  readonly images: ImageStore;
  readonly operations: Operations;
}

/** `projects/P/locations/L` of a call. */
export function parentOf(call: Call): string {
  return `projects/${param(call, 'project')}/locations/${param(call, 'location')}`;
}

/** The address of the repository that a call names. */
export function addressOf(call: Call): RepositoryAddress {
  return { project: param(call, 'project'), location: param(call, 'location'), repository: param(call, 'repository') };
}

/** The repository of a call, once its caller has the permission on it; NOT_FOUND otherwise. */
export function repositoryOf({ world, images }: Api, call: Call, permission: string): Repository {
  const address = addressOf(call);
  world.iam.require(call, permission, repositoryName(address));
  return existing(images.find(address));
}

/** The package of a call, under the same conditions. */
export function packageOf(api: Api, call: Call, permission: string): { readonly repository: Repository; readonly image: Image } {
  const repository = repositoryOf(api, call, permission);
  return { repository, image: packageNamed(repository, param(call, 'package')) };
}

/** The package of an id, escaped or not; NOT_FOUND where nothing was pushed to it. */
export function packageNamed(repository: Repository, id: string): Image {
  const image = repository.images.get(unescaped(id));
  return existing(image !== undefined && image.manifests.size > 0 ? image : undefined);
}

/** The manifest of a package; NOT_FOUND where there is none. */
export function versionNamed(image: Image, digest: string): Manifest {
  return existing(image.manifests.get(digest));
}

/** The thing itself, or Google's NOT_FOUND. */
export function existing<T>(found: T | undefined): T {
  if (found === undefined) throw new ApiError('NOT_FOUND', 'Requested entity was not found.');
  return found;
}

/** A package id without its escapes. Clients escape `team/app` once or twice, and no image name holds a `%`. */
export function unescaped(id: string): string {
  try {
    return id.includes('%') ? unescaped(decodeURIComponent(id)) : id;
  } catch {
    throw new ApiError('INVALID_ARGUMENT', `Malformed percent-encoding in ${id}`);
  }
}

/** A package's resource name; slashes in its id are escaped. */
export function packageName(repository: Repository, image: Image): string {
  return `${repository.name}/packages/${escaped(image)}`;
}

/** An image name as one path segment. */
export function escaped({ name }: Image): string {
  return name.replaceAll('/', '%2F');
}
