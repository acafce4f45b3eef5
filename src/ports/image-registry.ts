// SPDX-License-Identifier: Apache-2.0
import type { ResolvedImage } from '../core/image/platform.js';
import type { ImageReference } from '../core/image/reference.js';

/** Any container registry. */
export interface ImageRegistry {
  /**
   * What a reference names now: the digest proven from the manifest's bytes, the media type, an index's children.
   * IMAGE_NOT_FOUND, IMAGE_ID_NOT_DIGEST, DIGEST_MISMATCH, MANIFEST_INVALID, PERMISSION_DENIED, UNAUTHENTICATED, UNAVAILABLE.
   */
  resolve(reference: ImageReference): Promise<ResolvedImage>;
}
