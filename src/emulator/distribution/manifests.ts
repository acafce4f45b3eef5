// SPDX-License-Identifier: Apache-2.0
// Manifests, tags and referrers of the distribution API.
import {
  artifactType,
  descriptors,
  digestOf,
  imageSize,
  isIndex,
  isManifestType,
  parentsOf,
  requiredBlobs,
} from '../artifact-registry/manifest-facts.js';
import type { Image, Manifest, PushedManifest, Repository } from '../artifact-registry/state.js';
import { param, type Call, type Reply, type Route } from '../router.js';
import { isObject, isTooDeep, type JsonObject } from '../wire.js';
import { isDigest, requireDigest, requireMatch, sha256 } from './digest.js';
import { findToDelete, imagesOf, imageToRead, imageToWrite, placeToWrite, repositoryAt, type Registry } from './places.js';
import { RegistryError, registryRoute } from './registry-error.js';

const INDEX = 'application/vnd.oci.image.index.v1+json';
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;

/** The routes of manifests, tags and referrers. */
export function manifestRoutes(registry: Registry): readonly Route[] {
  const manifest = '/v2/{name=**}/manifests/{reference=any}';
  const read = (call: Call): Reply => readManifest(registry, call);
  return [
    registryRoute('GET', manifest, read),
    registryRoute('HEAD', manifest, read),
    registryRoute('PUT', manifest, (call) => pushManifest(registry, call)),
    registryRoute('DELETE', manifest, (call) => deleteManifest(registry, call)),
    registryRoute('GET', '/v2/{name=**}/tags/list', (call) => listTags(registry, call)),
    registryRoute('GET', '/v2/{name=**}/referrers/{digest=any}', (call) => listReferrers(registry, call)),
  ];
}

// Whatever Accept says: gcloud asks for an index first and takes any manifest as the answer.
function readManifest(registry: Registry, call: Call): Reply {
  const reference = param(call, 'reference');
  const manifest = imageToRead(registry, call, (image) => image.manifest(reference) !== undefined)?.manifest(reference);
  if (!manifest) throw unknownManifest(reference);
  const { mediaType, bytes, digest } = manifest;
  return {
    headers: { 'Content-Type': mediaType, 'Content-Length': String(bytes.length), 'Docker-Content-Digest': digest },
    bytes,
  };
}

function pushManifest(registry: Registry, call: Call): Reply {
  const reference = param(call, 'reference');
  const place = placeToWrite(registry, call);
  const pushed = parseManifest(call);
  if (isDigest(reference)) requireMatch(pushed.bytes, reference);
  else requireFreeTag(repositoryAt(registry.images, place), { image: place.image, tag: reference, digest: pushed.digest });
  requireReferences(pushed, imagesOf(call, registry.images));
  const image = imageToWrite(registry.images, place);
  image.put(pushed);
  if (!isDigest(reference)) image.tag(reference, pushed.digest);
  const subject = digestOf(pushed.content['subject']);
  return {
    status: 201,
    headers: {
      Location: `/v2/${param(call, 'name')}/manifests/${pushed.digest}`,
      'Docker-Content-Digest': pushed.digest,
      ...(subject === '' ? {} : { 'OCI-Subject': subject }),
    },
    json: { name: place.image, digest: pushed.digest },
  };
}

function parseManifest(call: Call): PushedManifest {
  const content = parseJson(call.body);
  const own = content['mediaType'];
  const sent = call.headers.get('content-type')?.split(';', 1)[0]?.trim() ?? '';
  const mediaType = sent === '' && typeof own === 'string' ? own : sent;
  if (!isManifestType(mediaType)) throw invalidManifest(`unsupported manifest media type "${mediaType}"`);
  if (own !== undefined && own !== mediaType)
    throw invalidManifest(`its mediaType is "${String(own)}", but its Content-Type "${mediaType}"`);
  if (content['schemaVersion'] !== 2) throw invalidManifest('schemaVersion must be 2');
  requireShape(content, mediaType);
  return { digest: sha256(call.body), mediaType, bytes: call.body, content };
}

function parseJson(body: Buffer): JsonObject {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body.toString('utf8'));
  } catch {
    throw invalidManifest('it is not JSON');
  }
  if (!isObject(parsed)) throw invalidManifest('it is not a JSON object');
  if (isTooDeep(parsed)) throw invalidManifest('it is nested too deeply');
  return parsed;
}

function requireShape(content: JsonObject, mediaType: string): void {
  const list = isIndex(mediaType) ? 'manifests' : 'layers';
  if (!Array.isArray(content[list])) throw invalidManifest(`${list} must be a list`);
  if (!isIndex(mediaType) && !isObject(content['config'])) throw invalidManifest('config must be a descriptor');
}

function requireFreeTag(
  repository: Repository | undefined,
  wish: { readonly image: string; readonly tag: string; readonly digest: string },
): void {
  if (!TAG.test(wish.tag)) throw new RegistryError(400, 'TAG_INVALID', `Invalid tag "${wish.tag}"`);
  const current = repository?.immutableTags ? repository.images.get(wish.image)?.tags.get(wish.tag) : undefined;
  if (current === undefined || current === wish.digest) return;
  throw immutableTag(wish.tag);
}

function requireReferences({ content, mediaType }: PushedManifest, images: readonly Image[]): void {
  const missing = isIndex(mediaType)
    ? descriptors(content, 'manifests')
        .map(digestOf)
        .find((digest) => !images.some((image) => image.manifests.has(digest)))
    : requiredBlobs(content).find((digest) => !images.some((image) => image.blobs.has(digest)));
  if (missing === undefined) return;
  const kind = isIndex(mediaType) ? 'manifest' : 'blob';
  throw new RegistryError(400, 'MANIFEST_BLOB_UNKNOWN', `The manifest refers to ${kind} "${missing}", which is unknown to the registry`);
}

function deleteManifest(registry: Registry, call: Call): Reply {
  const reference = param(call, 'reference');
  const { repository, image } = findToDelete(registry, call, (candidate) => candidate.manifest(reference) !== undefined);
  const manifest = image?.manifest(reference);
  if (!image || !manifest) throw unknownManifest(reference);
  if (isDigest(reference)) {
    requireUnused(image, manifest);
    image.remove(manifest.digest);
  } else {
    if (repository.immutableTags) throw immutableTag(reference);
    image.untag(reference);
  }
  return { status: 202 };
}

// Google's registries do not cascade: first the tags and parents, then the manifest.
function requireUnused(image: Image, { digest }: Manifest): void {
  const [tag] = image.tagsOf(digest);
  if (tag !== undefined) throw new RegistryError(400, 'GOOGLE_MANIFEST_DANGLING_TAG', `Manifest is still referenced by tag: ${tag}`);
  const [parent] = parentsOf(image, digest);
  if (parent === undefined) return;
  throw new RegistryError(400, 'GOOGLE_MANIFEST_DANGLING_PARENT_IMAGE', `Manifest ${digest} is referenced by image ${parent.digest}`);
}

function listTags(registry: Registry, call: Call): Reply {
  const image = imageToRead(registry, call, ({ manifests }) => manifests.size > 0);
  const name = param(call, 'name');
  if (!image || image.manifests.size === 0) throw new RegistryError(404, 'NAME_UNKNOWN', `Image "${name}" not found`);
  const last = call.query.get('last') ?? '';
  const tags = [...image.tags.keys()].sort().filter((tag) => tag > last);
  const page = tags.slice(0, pageSize(call) ?? tags.length);
  const next = page.length < tags.length ? page.at(-1) : undefined;
  return {
    ...(next === undefined ? {} : { headers: { Link: `</v2/${name}/tags/list?n=${String(page.length)}&last=${next}>; rel="next"` } }),
    json: { name, tags: page, child: [], manifest: manifestTable(image) },
  };
}

function pageSize(call: Call): number | undefined {
  const text = call.query.get('n');
  if (text === null) return undefined;
  if (!/^[1-9]\d*$/.test(text)) throw new RegistryError(400, 'PAGINATION_NUMBER_INVALID', `Invalid number of results requested: "${text}"`);
  return Number(text);
}

// Google's addition to tags/list, which `gcloud container images list-tags` reads.
function manifestTable(image: Image): JsonObject {
  const rows = [...image.manifests.values()].map((manifest) => [
    manifest.digest,
    {
      imageSizeBytes: String(imageSize(manifest)),
      layerId: '',
      mediaType: manifest.mediaType,
      tag: image.tagsOf(manifest.digest),
      timeCreatedMs: String(manifest.uploadTime),
      timeUploadedMs: String(manifest.uploadTime),
    },
  ]);
  return Object.fromEntries(rows) as JsonObject;
}

function listReferrers(registry: Registry, call: Call): Reply {
  const digest = requireDigest(param(call, 'digest'));
  const wanted = call.query.get('artifactType');
  const image = imageToRead(registry, call, ({ manifests }) => [...manifests.values()].some((manifest) => refersTo(manifest, digest)));
  const found = [...(image?.manifests.values() ?? [])].filter((manifest) => refersTo(manifest, digest)).map(referrer);
  const manifests = wanted === null ? found : found.filter((descriptor) => descriptor['artifactType'] === wanted);
  return {
    headers: { 'Content-Type': INDEX, ...(wanted === null ? {} : { 'OCI-Filters-Applied': 'artifactType' }) },
    bytes: Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests })),
  };
}

function refersTo({ content }: Manifest, digest: string): boolean {
  return digestOf(content['subject']) === digest;
}

function referrer({ digest, mediaType, bytes, content }: Manifest): JsonObject {
  const type = artifactType(content);
  return {
    mediaType,
    digest,
    size: bytes.length,
    ...(type === undefined ? {} : { artifactType: type }),
    ...(isObject(content['annotations']) ? { annotations: content['annotations'] } : {}),
  };
}

function unknownManifest(reference: string): RegistryError {
  return new RegistryError(404, 'MANIFEST_UNKNOWN', `Failed to fetch "${reference}"`);
}

function immutableTag(tag: string): RegistryError {
  return new RegistryError(400, 'DENIED', `cannot update tag ${tag}. The repository has enabled tag immutability`);
}

function invalidManifest(reason: string): RegistryError {
  return new RegistryError(400, 'MANIFEST_INVALID', `Invalid manifest: ${reason}`);
}
