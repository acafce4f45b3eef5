// SPDX-License-Identifier: Apache-2.0
// An image id is the digest of an image's configuration. Build tools print it beside the digest of the manifest, and
// it looks the same, but no cluster ever runs it and an attestation for it never matches.
import { digestOf, type Digest } from '../core/image/digest.js';

/** Configurations are a few kB; this bound keeps us from reading a layer into memory. */
export const MOST_CONFIG_BYTES = 4 * 1024 * 1024;

/** Whether these bytes are the image configuration that this digest names. */
export function isImageConfig(bytes: Uint8Array, digest: Digest): boolean {
  if (digestOf(bytes) !== digest) return false;
  try {
    const config: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    // https://github.com/opencontainers/image-spec/blob/main/config.md: these are required of every configuration.
    return typeof config === 'object' && config !== null && 'rootfs' in config && 'architecture' in config;
  } catch {
    return false;
  }
}
