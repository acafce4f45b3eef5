// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { RegistryError } from './registry-error.js';

/** The digest of bytes, `sha256:` and 64 hex digits. */
export function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** Whether a reference is a digest; a tag never holds a colon. */
export function isDigest(reference: string): boolean {
  return reference.includes(':');
}

/** Refuses anything but a well-formed sha256 digest, the only kind that Artifact Registry takes. */
export function requireDigest(text: string): string {
  if (/^sha256:[0-9a-f]{64}$/.test(text)) return text;
  throw new RegistryError(400, 'DIGEST_INVALID', `Invalid digest "${text}": expected sha256: and 64 lowercase hex digits`);
}

/** Refuses bytes that do not have the digest which their sender claims. */
export function requireMatch(bytes: Uint8Array, claimed: string): void {
  const actual = sha256(bytes);
  if (actual !== requireDigest(claimed)) {
    throw new RegistryError(400, 'DIGEST_INVALID', `The content has digest ${actual}, not the provided ${claimed}`);
  }
}
