// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../../core/image/digest.js';
import { nameOf, type PinnedReference } from '../../core/image/reference.js';
import type { Coverage } from '../../core/rotation/coverage.js';
import { concurrently, valuesOf } from './concurrently.js';
import type { ResolvePorts } from './resolve-images.js';

/** Manifests that are read for the sake of names; a note may hold a hundred times as many. */
const MOST_READ = 100;

/**
 * Which platform of an index a digest is, for those of `digests` whose index is among the attested images. Only names for
 * people hang on it, so a registry that says nothing is no failure.
 */
export async function namePlatforms(
  digests: readonly Coverage[],
  attested: readonly Coverage[],
  { registry }: ResolvePorts,
): Promise<ReadonlyMap<Digest, string>> {
  const repositories = new Set(digests.flatMap(({ image }) => (image ? [nameOf(image)] : [])));
  const candidates = attested.flatMap(({ image }) => (image && repositories.has(nameOf(image)) ? [image] : []));
  const resolved = await concurrently<PinnedReference, Awaited<ReturnType<typeof registry.resolve>>>(
    candidates.slice(0, MOST_READ),
    (image) => registry.resolve(image),
  );
  return new Map(valuesOf(resolved).flatMap(({ children }) => children.map(({ digest, platform }) => [digest, platform])));
}
