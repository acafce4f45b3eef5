// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../core/image/digest.js';
import type { ImageReference } from '../core/image/reference.js';

/** What Artifact Registry says about an image. */
export interface ArtifactMetadata {
  readonly digest: Digest;
  /** RFC 3339. */
  readonly uploadTime?: string;
}

/** Artifact Registry as a second witness beside the registry protocol, for images on Google's registries. */
export interface ArtifactCatalog {
  /** Whether Artifact Registry stores images under this registry host. */
  covers(reference: ImageReference): boolean;
  /** What a tagged reference names; undefined where it may not be asked or does not know. */
  describe(reference: ImageReference): Promise<ArtifactMetadata | undefined>;
  /** Why the registry answered 403 or 404, as a hint; undefined where Artifact Registry knows no reason. */
  explain(reference: ImageReference, answer: 'missing' | 'refused'): Promise<string | undefined>;
}
