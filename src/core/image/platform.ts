// SPDX-License-Identifier: Apache-2.0
import { BinauthzError } from '../errors.js';
import { parseJsonStrictly } from '../strict-json.js';
import { parseDigest, type Digest } from './digest.js';
import type { PinnedReference } from './reference.js';

/** A runnable manifest that an index points to. */
export interface ChildManifest {
  readonly digest: Digest;
  /** `os/architecture[/variant]`, e.g. `linux/amd64`, `linux/arm/v7`. */
  readonly platform: string;
  /** It is an index itself, whose own children are not read. */
  readonly isIndex?: true;
}

/** What a registry said about a reference, proven from the manifest's bytes. */
export interface ResolvedImage {
  readonly reference: PinnedReference;
  readonly mediaType: string;
  /** Runnable children of an index; none for a single image. */
  readonly children: readonly ChildManifest[];
  readonly isIndex: boolean;
}

/** Which digests of a multi-platform image are attested: the index, its runnable children, or both. */
export type MultiPlatform = 'both' | 'index' | 'children';

/** The media types of manifests and indexes, in the order in which registries are asked for them. */
export const MANIFEST_MEDIA_TYPES = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
] as const;

const INDEX_MEDIA_TYPES: ReadonlySet<unknown> = new Set(MANIFEST_MEDIA_TYPES.slice(0, 2));
const KNOWN_MEDIA_TYPES: ReadonlySet<unknown> = new Set(MANIFEST_MEDIA_TYPES);
/** The largest indexes of public images list some dozens. */
const MOST_ENTRIES = 500;

/** Reads a manifest's bytes: its media type and, for an index, its runnable children. */
export function readManifest(bytes: Uint8Array, contentType: string | undefined, reference: PinnedReference): ResolvedImage {
  const manifest = parseObject(bytes, reference.original);
  const mediaType = mediaTypeOf(manifest, contentType, reference.original);
  const isIndex = INDEX_MEDIA_TYPES.has(mediaType);
  const children = isIndex ? childrenOf(manifest, reference.original) : [];
  if (isIndex && children.length === 0)
    throw invalid(reference.original, 'the index holds no runnable image, expected at least one manifest with a platform');
  return { reference, mediaType, children, isIndex };
}

/** The digests to attest for this image, the index first. */
export function digestsToAttest(image: ResolvedImage, mode: MultiPlatform): readonly Digest[] {
  if (!image.isIndex) return [image.reference.digest];
  const children = image.children.map((child) => child.digest);
  switch (mode) {
    case 'index':
      return [image.reference.digest];
    case 'children':
      return unique(children);
    case 'both':
      return unique([image.reference.digest, ...children]);
  }
}

function unique(digests: readonly Digest[]): readonly Digest[] {
  return [...new Set(digests)];
}

type JsonObject = { readonly [member: string]: unknown };

function parseObject(bytes: Uint8Array, resource: string): JsonObject {
  try {
    const parsed = parseJsonStrictly(bytes);
    if (isObject(parsed)) return parsed;
  } catch (cause) {
    throw invalid(resource, 'it is not JSON, or says something twice', cause);
  }
  throw invalid(resource, 'it is not a JSON object');
}

// The body's own media type is part of what the digest covers; the header is not, so it only fills a gap, and may
// not contradict it (an index served as a manifest is the media-type confusion of CVE-2021-41190).
function mediaTypeOf(manifest: JsonObject, contentType: string | undefined, resource: string): string {
  const header = contentType?.replace(/;.*/s, '').trim();
  const mediaType = manifest['mediaType'] ?? header ?? 'missing';
  const problem = shapeProblem(manifest, mediaType);
  if (problem !== undefined) throw invalid(resource, problem);
  if (KNOWN_MEDIA_TYPES.has(header) && mediaType !== header)
    throw invalid(resource, `its own media type is ${quote(mediaType)}, the registry says ${quote(header)}`);
  return String(mediaType);
}

function shapeProblem(manifest: JsonObject, mediaType: unknown): string | undefined {
  if (manifest['schemaVersion'] === 1)
    return 'it is a Docker schema 1 manifest, which has no stable digest: push the image again with a current tool';
  if (!KNOWN_MEDIA_TYPES.has(mediaType)) return `its media type is ${quote(mediaType)}, expected an image manifest or an index`;
  if ('manifests' in manifest && ('layers' in manifest || 'config' in manifest)) return 'it claims to be an index and an image at once';
  if (!(INDEX_MEDIA_TYPES.has(mediaType) ? isIndexContent(manifest) : isImageContent(manifest)))
    return `its content does not fit its media type ${quote(mediaType)}`;
  return undefined;
}

function isIndexContent(manifest: JsonObject): boolean {
  return Array.isArray(manifest['manifests']);
}

function isImageContent(manifest: JsonObject): boolean {
  return isObject(manifest['config']) && Array.isArray(manifest['layers']);
}

// A registry's text may be of any length; a message is one line. What is no text may not even convert to one.
function quote(text: unknown): string {
  return typeof text === 'object' ? 'an object' : String(text).slice(0, 100);
}

function childrenOf(index: JsonObject, resource: string): readonly ChildManifest[] {
  // That it is a list has been seen by its shape.
  const entries = index['manifests'] as readonly unknown[];
  // Each child costs a signature and an occurrence for each attestor: the author of an image must not order thousands.
  if (entries.length > MOST_ENTRIES) throw invalid(resource, `the index has ${entries.length} entries, expected at most ${MOST_ENTRIES}`);
  return entries.flatMap((entry) => childOf(entry, resource) ?? []);
}

// BuildKit hangs provenance and SBOM manifests into the index, with platform unknown/unknown; they never run. The platform
// alone tells them: nodes look at nothing else, so an annotation or an artifact type would hide an image that does run.
function childOf(entry: unknown, resource: string): ChildManifest | undefined {
  if (!isObject(entry)) throw invalid(resource, 'the index has an entry that is not an object');
  const digest = typeof entry['digest'] === 'string' ? parseDigest(entry['digest']) : undefined;
  if (!digest) throw invalid(resource, 'the index has an entry without a sha256 digest');
  const platform = platformOf(entry['platform'], resource);
  if (platform === 'unknown/unknown') return undefined;
  return { digest, platform, ...(INDEX_MEDIA_TYPES.has(entry['mediaType']) ? { isIndex: true as const } : {}) };
}

function platformOf(platform: unknown, resource: string): string {
  // An entry without a platform may be run anywhere, so it is kept rather than skipped.
  if (!isObject(platform)) return 'any';
  const parts = [platform['os'], platform['architecture'], platform['variant']].filter(
    (part): part is string => typeof part === 'string' && part !== '',
  );
  // Platforms are printed into logs, where a line break could begin a command to the CI system.
  const odd = parts.find((part) => !/^[A-Za-z0-9._-]{1,100}$/.test(part));
  if (odd !== undefined)
    throw invalid(resource, `the index has an entry whose platform is not made of names: ${JSON.stringify(quote(odd))}`);
  return parts.length === 0 ? 'any' : parts.join('/');
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(resource: string, what: string, cause?: unknown): BinauthzError {
  return new BinauthzError('MANIFEST_INVALID', `cannot read the manifest of ${resource}: ${what}`, {
    resource,
    cause,
    hint: 'check that the reference names a container image (docker buildx imagetools inspect REFERENCE) and not another artifact',
  });
}
