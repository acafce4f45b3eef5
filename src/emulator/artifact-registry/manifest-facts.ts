// SPDX-License-Identifier: Apache-2.0
// What a manifest says about itself: the things it refers to, its size, its artifact type.
import { isObject, type JsonObject } from '../wire.js';
import type { Image, Manifest } from './state.js';

const INDEX_TYPES: ReadonlySet<string> = new Set([
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
]);

const IMAGE_TYPES: ReadonlySet<string> = new Set([
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
]);

/** Whether a media type is an index (a manifest list). */
export function isIndex(mediaType: string): boolean {
  return INDEX_TYPES.has(mediaType);
}

/** Whether a media type is one that Artifact Registry takes as a manifest. */
export function isManifestType(mediaType: string): boolean {
  return INDEX_TYPES.has(mediaType) || IMAGE_TYPES.has(mediaType);
}

/** The descriptors in a list member of a manifest, such as `layers` or `manifests`. */
export function descriptors(content: JsonObject, member: string): readonly JsonObject[] {
  const list = content[member];
  return Array.isArray(list) ? list.filter(isObject) : [];
}

/** The digest that a descriptor carries, or '' where it has none. */
export function digestOf(descriptor: unknown): string {
  const digest = isObject(descriptor) ? descriptor['digest'] : undefined;
  return typeof digest === 'string' ? digest : '';
}

/** The blobs that an image manifest cannot be pulled without: its configuration and layers. */
export function requiredBlobs(content: JsonObject): readonly string[] {
  // A layer with `urls` is fetched from there and need not be in the registry.
  const own = descriptors(content, 'layers').filter((layer) => !Array.isArray(layer['urls']));
  return [content['config'], ...own].map(digestOf);
}

/** The size that Artifact Registry shows: of the layers, or of an index's manifests. */
export function imageSize({ content, mediaType }: Manifest): number {
  const parts = descriptors(content, isIndex(mediaType) ? 'manifests' : 'layers');
  return parts.reduce((sum, part) => sum + (typeof part['size'] === 'number' ? part['size'] : 0), 0);
}

/** The artifact type by OCI's rule: the manifest's own, else its configuration's media type. */
export function artifactType(content: JsonObject): string | undefined {
  const config = content['config'];
  for (const candidate of [content['artifactType'], isObject(config) ? config['mediaType'] : undefined]) {
    if (typeof candidate === 'string' && candidate !== '') return candidate;
  }
  return undefined;
}

/** The configuration of an image manifest as JSON, where it is stored and is an object. */
export function imageConfig(image: Image, { content }: Manifest): JsonObject | undefined {
  const blob = image.blobs.get(digestOf(content['config']));
  if (!blob) return undefined;
  try {
    const parsed: unknown = JSON.parse(blob.toString('utf8'));
    return isObject(parsed) ? parsed : undefined;
  } catch {
    // A configuration may be anything (cosign, ORAS); only an image's is JSON.
    return undefined;
  }
}

/** The indexes that list a manifest. */
export function parentsOf(image: Image, digest: string): readonly Manifest[] {
  return [...image.manifests.values()].filter(
    ({ content, mediaType }) => isIndex(mediaType) && descriptors(content, 'manifests').some((child) => digestOf(child) === digest),
  );
}
