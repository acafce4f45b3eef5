// SPDX-License-Identifier: Apache-2.0
// Docker images of Artifact Registry v1: every manifest of a repository, seen as an image.
import { param, route, type Call, type Reply, type Route } from '../router.js';
import { isObject, timestamp, type JsonObject } from '../wire.js';
import { listReply } from './listing.js';
import { escaped, existing, packageNamed, repositoryOf, unescaped, type Api } from './lookups.js';
import { artifactType, descriptors, digestOf, imageConfig, imageSize } from './manifest-facts.js';
import { registryUri } from './registry-hosts.js';
import type { Image, Manifest, Repository } from './state.js';

const COLLECTION = '/v1/projects/{project}/locations/{location}/repositories/{repository}/dockerImages';

/** The routes of Docker images. */
export function dockerImageRoutes(api: Api): readonly Route[] {
  return [
    route('GET', COLLECTION, (call) => listDockerImages(api, call)),
    route('GET', `${COLLECTION}/{image=any}`, (call) => getDockerImage(api, call)),
  ];
}

/** The resource name of a manifest as a Docker image: `…/dockerImages/app@sha256:D`. */
export function dockerImageName(repository: Repository, image: Image, { digest }: Manifest): string {
  return `${repository.name}/dockerImages/${escaped(image)}@${digest}`;
}

/** What Artifact Registry reads out of a manifest and its configuration. */
export function imageMetadata(image: Image, manifest: Manifest): JsonObject {
  const built = buildTime(image, manifest);
  return {
    imageSizeBytes: String(imageSize(manifest)),
    mediaType: manifest.mediaType,
    ...(built === undefined ? {} : { buildTime: built }),
  };
}

function listDockerImages(api: Api, call: Call): Reply {
  const repository = repositoryOf(api, call, 'artifactregistry.dockerimages.list');
  const images = repository
    .packages()
    .flatMap((image) => [...image.manifests.values()].map((manifest) => dockerImageJson(repository, image, manifest)));
  return listReply(images, call.query, 'dockerImages');
}

function getDockerImage(api: Api, call: Call): Reply {
  const repository = repositoryOf(api, call, 'artifactregistry.dockerimages.get');
  // By digest as documented; `app:tag` is tolerated.
  const [, name = '', reference = ''] = /^([^@:]+)[@:](.+)$/.exec(unescaped(param(call, 'image'))) ?? [];
  const image = packageNamed(repository, name);
  return { json: dockerImageJson(repository, image, existing(image.manifest(reference))) };
}

function dockerImageJson(repository: Repository, image: Image, manifest: Manifest): JsonObject {
  const tags = image.tagsOf(manifest.digest);
  const type = shownArtifactType(manifest.content);
  const children = descriptors(manifest.content, 'manifests').map(childJson);
  return {
    name: dockerImageName(repository, image, manifest),
    uri: `${registryUri(repository.address)}/${image.name}@${manifest.digest}`,
    ...(tags.length > 0 ? { tags } : {}),
    uploadTime: timestamp(manifest.uploadTime),
    updateTime: timestamp(manifest.updateTime),
    ...imageMetadata(image, manifest),
    ...(type === undefined ? {} : { artifactType: type }),
    ...(children.length > 0 ? { imageManifests: children } : {}),
  };
}

// A configuration's media type stands in only for things attached to an image; an image itself shows none.
function shownArtifactType(content: JsonObject): string | undefined {
  return 'artifactType' in content || 'subject' in content ? artifactType(content) : undefined;
}

function childJson(descriptor: JsonObject): JsonObject {
  const platform = isObject(descriptor['platform']) ? descriptor['platform'] : {};
  return {
    ...(typeof platform['architecture'] === 'string' ? { architecture: platform['architecture'] } : {}),
    ...(typeof platform['os'] === 'string' ? { os: platform['os'] } : {}),
    digest: digestOf(descriptor),
    mediaType: descriptor['mediaType'],
    ...(typeof platform['variant'] === 'string' ? { variant: platform['variant'] } : {}),
  };
}

function buildTime(image: Image, manifest: Manifest): string | undefined {
  const created = imageConfig(image, manifest)?.['created'];
  const time = typeof created === 'string' ? Date.parse(created) : Number.NaN;
  return Number.isNaN(time) ? undefined : timestamp(time);
}
