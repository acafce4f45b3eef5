// SPDX-License-Identifier: Apache-2.0
import type { ArtifactRegistryClient } from '@google-cloud/artifact-registry/build/src/v1/artifact_registry_client.js';
import { asError, BinauthzError, type ErrorCode } from '../core/errors.js';
import { parseDigest, type Digest } from '../core/image/digest.js';
import type { ChildManifest } from '../core/image/platform.js';
import { nameOf, type ImageReference } from '../core/image/reference.js';
import type { ArtifactCatalog, ArtifactMetadata } from '../ports/artifact-metadata.js';
import type { RepositoryImage, RepositoryImages } from '../ports/repository-images.js';
import { imagesPlaceOf, placeOf, repositoryName, type ImagePlace, type RepositoryPlace } from './artifact-places.js';
import type { Google } from './clients.js';
import type { Call } from './errors.js';
import { grantHint } from './grants.js';
import { allPages } from './pages.js';

/** An image that a repository holds. */
export interface ListedImage {
  /** `HOST/PROJECT/REPOSITORY/IMAGE@sha256:…`, as Artifact Registry writes it. */
  readonly uri: string;
  readonly digest: Digest;
  readonly tags: readonly string[];
  /** What an index points to. */
  readonly children: readonly ChildManifest[];
  /** RFC 3339. */
  readonly uploadTime?: string;
}

/** Artifact Registry: what is known about an image, and what a repository holds. */
export interface ArtifactRegistry extends ArtifactCatalog, RepositoryImages {
  /** Every image of a repository. NOT_FOUND, PERMISSION_DENIED, UNAVAILABLE. */
  listImages(repository: RepositoryPlace): Promise<readonly ListedImage[]>;
}

const PAGE_SIZE = 1000;
const MOST_NAMES = 5;
const READER = 'roles/artifactregistry.reader';
/** The codes that mean "may not ask" or "does not know"; everything else is a failure. */
const SILENT: ReadonlySet<ErrorCode> = new Set(['PERMISSION_DENIED', 'UNAUTHENTICATED', 'NOT_FOUND']);

/** Artifact Registry through its client library. */
export function createArtifactCatalog(google: Google): ArtifactRegistry {
  const client = google.lazyClient(
    'artifactregistry',
    async () => (await import('@google-cloud/artifact-registry/build/src/v1/artifact_registry_client.js')).ArtifactRegistryClient,
  );
  const api: Api = { call: google.call, client };
  return {
    covers: (reference) => placeOf(reference) !== undefined,
    describe: (reference) => describe(api, reference),
    explain: (reference, answer) => explain(api, reference, answer),
    listImages: (repository) => listImages(api, repository),
    imagesIn: (name) => imagesIn(api, name),
  };
}

interface Api extends Pick<Google, 'call'> {
  readonly client: () => Promise<ArtifactRegistryClient>;
}

async function describe(api: Api, reference: ImageReference): Promise<ArtifactMetadata | undefined> {
  const place = placeOf(reference);
  if (place === undefined || reference.tag === undefined) return undefined;
  const tag = `${repositoryName(place)}/packages/${place.packageId}/tags/${reference.tag}`;
  const version = await unlessUnknown(() => tagVersion(api, place, tag));
  const digest = parseDigest(version?.split('/').at(-1) ?? '');
  if (digest === undefined) return undefined;
  const uploadTime = await unlessUnknown(() => uploadTimeOf(api, place, digest));
  return { digest, ...(uploadTime === undefined ? {} : { uploadTime }) };
}

function tagVersion(api: Api, place: ImagePlace, tag: string): Promise<string> {
  return api.call.once(callOn(place, 'cannot read the tag', tag, 'artifactregistry.tags.get'), async (options) => {
    const [found] = await (await api.client()).getTag({ name: tag }, options);
    return found.version ?? '';
  });
}

function uploadTimeOf(api: Api, place: ImagePlace, digest: Digest): Promise<string | undefined> {
  const name = `${repositoryName(place)}/dockerImages/${place.packageId}@${digest}`;
  return api.call.once(callOn(place, 'cannot read the image', name, 'artifactregistry.dockerimages.get'), async (options) => {
    const [image] = await (await api.client()).getDockerImage({ name }, options);
    return image.uploadTime ? timeOf(image.uploadTime) : undefined;
  });
}

/** Why the registry may have said no: the repository, the permission to see it, or the image in it. */
async function explain(api: Api, reference: ImageReference, answer: 'missing' | 'refused'): Promise<string | undefined> {
  const place = placeOf(reference);
  if (place === undefined) return undefined;
  const { project, location, repository } = place;
  const where = `in ${location} of project ${project}`;
  try {
    const format = await formatOf(api, place);
    if (format !== 'DOCKER') return `repository ${repository} ${where} holds ${format} packages, expected DOCKER`;
    return await explainImage(api, place, { reference, answer });
  } catch (thrown) {
    const error = asError(thrown);
    if (error.code === 'NOT_FOUND') return `repository ${repository} does not exist ${where}${await otherRepositories(api, place)}`;
    if (error.code === 'PERMISSION_DENIED') return error.hint ?? grantHint({ permission: '', role: READER, on: repositoryName(place) });
    return undefined;
  }
}

function formatOf(api: Api, place: RepositoryPlace): Promise<string> {
  const name = repositoryName(place);
  return api.call.repeat(callOn(place, 'cannot read the repository', name, 'artifactregistry.repositories.get'), async (options) => {
    const [repository] = await (await api.client()).getRepository({ name }, options);
    return String(repository.format ?? '');
  });
}

async function explainImage(
  api: Api,
  place: ImagePlace,
  { reference, answer }: { readonly reference: ImageReference; readonly answer: 'missing' | 'refused' },
): Promise<string | undefined> {
  const parent = `${repositoryName(place)}/packages/${place.packageId}`;
  const call = callOn(place, 'cannot list the tags of', parent, 'artifactregistry.tags.list');
  const tags = await unlessUnknown(() =>
    api.call.repeat(call, async (options) => (await api.client()).listTags({ parent, pageSize: PAGE_SIZE }, options)),
  );
  const names = (tags?.[0] ?? []).map((tag) => decode(tag.name));
  const image = decode(place.packageId);
  if (names.length === 0)
    return `repository ${place.repository} in ${place.location} of project ${place.project} has no image ${image}, or none with a tag`;
  // Who was refused does not know whether the digest is there.
  if (reference.tag === undefined) return answer === 'missing' ? `the repository holds image ${image}, but not this digest` : undefined;
  if (names.includes(reference.tag)) return undefined;
  return `image ${image} has no tag ${reference.tag}; it has ${nearest(names, reference.tag)}`;
}

// One more question, where the answer to the first was that a name is wrong. A failure here must not hide that.
async function otherRepositories(api: Api, place: RepositoryPlace): Promise<string> {
  const parent = `projects/${place.project}/locations/${place.location}`;
  const call = callOn(place, 'cannot list the repositories of', parent, 'artifactregistry.repositories.list');
  try {
    const [found] = await api.call.once(call, async (options) =>
      (await api.client()).listRepositories({ parent, pageSize: PAGE_SIZE }, options),
    );
    const names = found.map((repository) => decode(repository.name));
    return names.length === 0 ? '' : `; there are ${nearest(names, place.repository)}`;
  } catch {
    return '';
  }
}

async function listImages(api: Api, place: RepositoryPlace): Promise<readonly ListedImage[]> {
  const parent = repositoryName(place);
  const call = callOn(place, 'cannot list the images of', parent, 'artifactregistry.dockerimages.list');
  const images = await allPages(parent, async (pageToken) => {
    const [items, , reply] = await api.call.repeat(call, async (options) =>
      (await api.client()).listDockerImages({ parent, pageSize: PAGE_SIZE, pageToken }, options),
    );
    return { items, nextPageToken: reply.nextPageToken };
  });
  return images.flatMap(({ uri, tags, uploadTime, imageManifests }) => {
    const digest = parseDigest(uri?.split('@')[1] ?? '');
    const time = uploadTime ? timeOf(uploadTime) : undefined;
    const children = (imageManifests ?? []).flatMap(childOf);
    return digest ? [{ uri: uri ?? '', digest, tags: tags ?? [], children, ...(time === undefined ? {} : { uploadTime: time }) }] : [];
  });
}

interface ChildFacts {
  readonly digest?: string | null;
  readonly os?: string | null;
  readonly architecture?: string | null;
  readonly variant?: string | null;
}

function childOf({ digest, os, architecture, variant }: ChildFacts): readonly ChildManifest[] {
  const parsed = parseDigest(digest ?? '');
  const platform = [os, architecture, variant].filter((part) => part !== undefined && part !== null && part !== '').join('/');
  return parsed ? [{ digest: parsed, platform: platform === '' ? 'any' : platform }] : [];
}

async function imagesIn(api: Api, name: ImageReference): Promise<readonly RepositoryImage[]> {
  const place = imagesPlaceOf(name);
  if (!place) {
    throw new BinauthzError('INVALID_INPUT', `cannot list the images of ${nameOf(name)}: Artifact Registry stores none under this name`, {
      resource: nameOf(name),
      hint: 'write LOCATION-docker.pkg.dev/PROJECT/REPOSITORY, or gcr.io/PROJECT, and an image behind it where only one is meant',
    });
  }
  const listed = await listImages(api, place.repository);
  return listed
    .filter(({ uri }) => place.image === undefined || uri.startsWith(`${nameOf(name)}@`))
    .map(({ uri, digest, children }) => ({ name: uri, digest, children }));
}

function callOn(place: RepositoryPlace, what: string, resource: string, permission: string): Call {
  return { what, resource, needs: [{ permission, role: READER, on: repositoryName(place) }], notFound: 'NOT_FOUND', refused: 'NOT_FOUND' };
}

async function unlessUnknown<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (thrown) {
    if (SILENT.has(asError(thrown).code)) return undefined;
    throw thrown;
  }
}

// Names that begin like the one that was asked for come first: a mistyped tag is usually a version.
function nearest(names: readonly string[], wanted: string): string {
  const likeness = (name: string): number => [...name].findIndex((letter, at) => letter !== wanted[at]) >>> 0;
  const sorted = [...names].sort((one, other) => likeness(other) - likeness(one) || one.localeCompare(other));
  return sorted.slice(0, MOST_NAMES).join(', ') + (names.length > MOST_NAMES ? `, and ${names.length - MOST_NAMES} more` : '');
}

function decode(name: string | null | undefined): string {
  const id = name?.split('/').at(-1) ?? '';
  return id.replaceAll('%2F', '/');
}

// protobuf's Timestamp as RFC 3339.
function timeOf(timestamp: { seconds?: unknown; nanos?: number | null }): string | undefined {
  const seconds = Number(String(timestamp.seconds ?? ''));
  if (!Number.isSafeInteger(seconds) || seconds === 0) return undefined;
  return new Date(seconds * 1000 + Math.floor((timestamp.nanos ?? 0) / 1e6)).toISOString();
}
