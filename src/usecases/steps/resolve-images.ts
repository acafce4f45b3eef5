// SPDX-License-Identifier: Apache-2.0
import { BinauthzError } from '../../core/errors.js';
import type { ResolvedImage } from '../../core/image/platform.js';
import { nameOf, type ImageReference } from '../../core/image/reference.js';
import type { ArtifactCatalog, ArtifactMetadata } from '../../ports/artifact-metadata.js';
import type { Clock } from '../../ports/clock.js';
import type { ImageRegistry } from '../../ports/image-registry.js';
import type { Reporter } from '../../ports/reporter.js';
import { concurrently, type Settled } from './concurrently.js';

/** A resolved image, with its upload time where Google's registry was asked for it. */
export interface ResolvedUpload extends ResolvedImage {
  readonly uploadTime?: string;
}

export interface ResolvePorts {
  readonly registry: ImageRegistry;
  readonly catalog: ArtifactCatalog;
  readonly clock: Clock;
  readonly reporter: Reporter;
}

// A GitHub job lives six hours at most: an image older than that was not pushed by the run that attests it.
const LONGEST_RUN_MS = 6 * 3_600_000;

/** Resolves each reference once. What is attested from here on is the digest; a tag is never looked at again. */
export function resolveImages(references: readonly ImageReference[], ports: ResolvePorts): Promise<readonly Settled<ResolvedUpload>[]> {
  return concurrently(references, (reference) => resolveImage(reference, ports));
}

async function resolveImage(reference: ImageReference, ports: ResolvePorts): Promise<ResolvedUpload> {
  const isByTag = reference.digest === undefined;
  if (isByTag) ports.reporter.warn(`${reference.original} is a tag: it is resolved once, now; give the digest that the build step printed to be sure which image is attested`);
  const witness = isByTag && ports.catalog.covers(reference) ? ports.catalog.describe(reference) : Promise.resolve(undefined);
  const [image, metadata] = await Promise.all([ports.registry.resolve(reference), witness]);
  if (!metadata) return image;
  requireSameDigest(image, metadata);
  warnOfAge(image, metadata, ports);
  return metadata.uploadTime === undefined ? image : { ...image, uploadTime: metadata.uploadTime };
}

function requireSameDigest(image: ResolvedImage, metadata: ArtifactMetadata): void {
  const reference = image.reference;
  if (metadata.digest === reference.digest) return;
  throw new BinauthzError('TAG_MOVED', `cannot tell what ${reference.original} is: the registry serves ${reference.digest}, Artifact Registry says ${metadata.digest}`, {
    resource: reference.original,
    hint: `the tag moved during this run: attest the digest that the build step printed, ${nameOf(reference)}@sha256:…`,
  });
}

function warnOfAge(image: ResolvedImage, metadata: ArtifactMetadata, ports: ResolvePorts): void {
  const uploadedAt = Date.parse(metadata.uploadTime ?? '');
  if (Number.isNaN(uploadedAt)) return;
  ports.reporter.info(`${image.reference.original} was uploaded at ${metadata.uploadTime ?? ''}`);
  const ageMs = ports.clock.now() - uploadedAt;
  if (ageMs <= LONGEST_RUN_MS) return;
  ports.reporter.warn(`${image.reference.original} was uploaded ${Math.round(ageMs / 3_600_000)} hours ago, longer than this run would explain: is it the image that was just pushed?`);
}
