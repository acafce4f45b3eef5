// SPDX-License-Identifier: Apache-2.0
// What a host asks of a use case: parsed values only, nothing left to check.
import type { ImageReference } from '../core/image/reference.js';
import type { MultiPlatform } from '../core/image/platform.js';
import type { AttestorName, ProjectId } from '../core/names.js';

/** `binauthz attest`, the keys apart: those reach the use case opened, as given keys. */
export interface AttestRequest {
  readonly images: readonly [ImageReference, ...ImageReference[]];
  readonly attestors: readonly [AttestorName, ...AttestorName[]];
  /** Where attestations are stored; each attestor's own project unless given. */
  readonly project?: ProjectId;
  readonly multiPlatform: MultiPlatform;
  /** How long visibility is awaited in all, from the first post; undefined for --no-wait. */
  readonly waitTimeoutMs: number | undefined;
  readonly dryRun: boolean;
}

/** `binauthz list`: attestations of images, of attestors, or of a whole project. */
export interface ListRequest {
  readonly images: readonly ImageReference[];
  readonly attestors: readonly AttestorName[];
  /** Given when no attestor is: the project whose stored attestations are listed. */
  readonly project?: ProjectId;
}
