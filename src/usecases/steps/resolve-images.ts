// SPDX-License-Identifier: Apache-2.0
import type { ResolvedImage } from '../../core/image/platform.js';
import type { ImageReference } from '../../core/image/reference.js';
import type { ImageRegistry } from '../../ports/image-registry.js';
import type { Reporter } from '../../ports/reporter.js';
import { concurrently, type Settled } from './concurrently.js';

export interface ResolvePorts {
  readonly registry: ImageRegistry;
  readonly reporter: Reporter;
}

/** Resolves each reference once. What is attested from here on is the digest; a tag is never looked at again. */
export function resolveImages(references: readonly ImageReference[], ports: ResolvePorts): Promise<readonly Settled<ResolvedImage>[]> {
  return concurrently(references, (reference) => {
    if (reference.digest === undefined) {
      ports.reporter.warn(
        `${reference.original} is a tag: it is resolved once, now; give the digest that the build step printed to be sure which image is attested`,
      );
    }
    return ports.registry.resolve(reference);
  });
}
