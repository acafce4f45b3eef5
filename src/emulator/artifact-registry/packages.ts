// SPDX-License-Identifier: Apache-2.0
// Packages (image names), versions (manifests) and tags of Artifact Registry v1.
import { jsonBody, param, route, type Call, type Reply, type Route } from '../router.js';
import { ApiError, refuseUnknown, stringMember, timestamp, type JsonObject } from '../wire.js';
import { listReply } from './listing.js';
import { existing, packageName, packageOf, parentOf, repositoryOf, versionNamed, type Api } from './lookups.js';
import { dockerImageName, imageMetadata } from './docker-images.js';
import { parentsOf } from './manifest-facts.js';
import type { Image, Manifest, Repository } from './state.js';

const PACKAGES = '/v1/projects/{project}/locations/{location}/repositories/{repository}/packages';
const PACKAGE = `${PACKAGES}/{package=any}`;
const VERSION = `${PACKAGE}/versions/{version=any}`;
const TAG = `${PACKAGE}/tags/{tag}`;
const TAG_ID = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;

/** The routes of packages and versions. */
export function packageRoutes(api: Api): readonly Route[] {
  return [
    route('GET', PACKAGES, (call) => listPackages(api, call)),
    route('GET', PACKAGE, (call) => {
      const { repository, image } = packageOf(api, call, 'artifactregistry.packages.get');
      return { json: packageJson(repository, image) };
    }),
    route('DELETE', PACKAGE, (call) => deletePackage(api, call)),
    route('GET', `${PACKAGE}/versions`, (call) => listVersions(api, call)),
    route('GET', VERSION, (call) => {
      const { repository, image } = packageOf(api, call, 'artifactregistry.versions.get');
      return { json: versionJson({ repository, image }, versionNamed(image, param(call, 'version')), call.query) };
    }),
    route('DELETE', VERSION, (call) => deleteVersion(api, call)),
  ];
}

/** The routes of tags. */
export function tagRoutes(api: Api): readonly Route[] {
  return [
    route('GET', `${PACKAGE}/tags`, (call) => listTags(api, call)),
    route('POST', `${PACKAGE}/tags`, (call) => createTag(api, call)),
    route('GET', TAG, (call) => {
      const { repository, image } = packageOf(api, call, 'artifactregistry.tags.get');
      return { json: tagJson({ repository, image }, existingTag(call, image)) };
    }),
    route('PATCH', TAG, (call) => updateTag(api, call)),
    route('DELETE', TAG, (call) => deleteTag(api, call)),
  ];
}

interface Package {
  readonly repository: Repository;
  readonly image: Image;
}

function listPackages(api: Api, call: Call): Reply {
  const repository = repositoryOf(api, call, 'artifactregistry.packages.list');
  return listReply(
    repository.packages().map((image) => packageJson(repository, image)),
    call.query,
    'packages',
  );
}

function deletePackage(api: Api, call: Call): Reply {
  const { repository, image } = packageOf(api, call, 'artifactregistry.packages.delete');
  repository.images.delete(image.name);
  return { json: api.operations.deleted(parentOf(call)) };
}

function packageJson(repository: Repository, image: Image): JsonObject {
  return { name: packageName(repository, image), createTime: timestamp(image.createTime), updateTime: timestamp(image.updateTime) };
}

function listVersions(api: Api, call: Call): Reply {
  const found = packageOf(api, call, 'artifactregistry.versions.list');
  const versions = [...found.image.manifests.values()].map((manifest) => versionJson(found, manifest, call.query));
  return listReply(versions, call.query, 'versions');
}

function deleteVersion(api: Api, call: Call): Reply {
  const { image } = packageOf(api, call, 'artifactregistry.versions.delete');
  const { digest } = versionNamed(image, param(call, 'version'));
  const [tag] = image.tagsOf(digest);
  const [parent] = parentsOf(image, digest);
  if (parent) throw new ApiError('FAILED_PRECONDITION', `Manifest ${digest} is referenced by parent manifest ${parent.digest}.`);
  if (tag !== undefined && call.query.get('force') !== 'true') {
    throw new ApiError('FAILED_PRECONDITION', `Version ${digest} is still tagged, for example ${tag}; delete its tags first or set force.`);
  }
  image.remove(digest);
  return { json: api.operations.deleted(parentOf(call)) };
}

function versionJson({ repository, image }: Package, manifest: Manifest, query: URLSearchParams): JsonObject {
  // VersionView: BASIC (also the default) leaves the tags out. Clients send enums by name or by number.
  const isFull = ['FULL', '2'].includes(query.get('view') ?? '');
  const tags = image.tagsOf(manifest.digest).map((tag) => tagJson({ repository, image }, tag));
  return {
    name: `${packageName(repository, image)}/versions/${manifest.digest}`,
    createTime: timestamp(manifest.uploadTime),
    updateTime: timestamp(manifest.updateTime),
    ...(isFull && tags.length > 0 ? { relatedTags: tags } : {}),
    metadata: { name: dockerImageName(repository, image, manifest), ...imageMetadata(image, manifest) },
  };
}

function listTags(api: Api, call: Call): Reply {
  const found = packageOf(api, call, 'artifactregistry.tags.list');
  return listReply(
    [...found.image.tags.keys()].sort().map((tag) => tagJson(found, tag)),
    call.query,
    'tags',
  );
}

function createTag(api: Api, call: Call): Reply {
  const found = packageOf(api, call, 'artifactregistry.tags.create');
  const tag = call.query.get('tagId') ?? '';
  if (!TAG_ID.test(tag)) throw new ApiError('INVALID_ARGUMENT', `Invalid tag id "${tag}".`);
  if (found.image.tags.has(tag)) throw new ApiError('ALREADY_EXISTS', `Tag ${tag} already exists.`);
  found.image.tag(tag, targetOf(call, found));
  return { json: tagJson(found, tag) };
}

function updateTag(api: Api, call: Call): Reply {
  const found = packageOf(api, call, 'artifactregistry.tags.update');
  const tag = existingTag(call, found.image);
  const digest = targetOf(call, found);
  if (digest !== found.image.tags.get(tag)) requireMutable(found.repository, tag);
  found.image.tag(tag, digest);
  return { json: tagJson(found, tag) };
}

function deleteTag(api: Api, call: Call): Reply {
  const { repository, image } = packageOf(api, call, 'artifactregistry.tags.delete');
  const tag = existingTag(call, image);
  requireMutable(repository, tag);
  image.untag(tag);
  return { json: {} };
}

function requireMutable(repository: Repository, tag: string): void {
  if (!repository.immutableTags) return;
  throw new ApiError('FAILED_PRECONDITION', `cannot update tag ${tag}. The repository has enabled tag immutability`);
}

function existingTag(call: Call, image: Image): string {
  const tag = param(call, 'tag');
  existing(image.tags.get(tag));
  return tag;
}

// A tag names its version in full; one of another package is no version that it could point to.
function targetOf(call: Call, { repository, image }: Package): string {
  const body = jsonBody(call);
  refuseUnknown(body, ['name', 'version'], 'tag');
  const version = stringMember(body, 'version');
  const prefix = `${packageName(repository, image)}/versions/`;
  if (!version.startsWith(prefix)) throw new ApiError('INVALID_ARGUMENT', `Invalid tag.version "${version}": expected ${prefix}DIGEST`);
  return versionNamed(image, version.slice(prefix.length)).digest;
}

function tagJson({ repository, image }: Package, tag: string): JsonObject {
  const name = packageName(repository, image);
  return { name: `${name}/tags/${tag}`, version: `${name}/versions/${image.tags.get(tag) ?? ''}` };
}
