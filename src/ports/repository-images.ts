// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../core/image/digest.js';
import type { ChildManifest } from '../core/image/platform.js';
import type { ImageReference } from '../core/image/reference.js';

/** An image that a repository holds. */
export interface RepositoryImage {
  readonly digest: Digest;
  /** `HOST/PROJECT/REPOSITORY/IMAGE@sha256:…` */
  readonly name: string;
  /** What an index points to. */
  readonly children: readonly ChildManifest[];
}

/** What repositories of Artifact Registry hold. */
export interface RepositoryImages {
  /** Every image below `HOST/PROJECT/REPOSITORY[/IMAGE]`. NOT_FOUND, PERMISSION_DENIED, UNAVAILABLE. */
  imagesIn(name: ImageReference): Promise<readonly RepositoryImage[]>;
}
