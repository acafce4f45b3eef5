// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { BinauthzError } from '../errors.js';

/** `sha256:` and 64 lower-case hex digits: the identity of a manifest, and what an attestation binds. */
export type Digest = string & { readonly __digest: unique symbol };

/** Length of a digest's text: `sha256:` and 64 hex digits. */
export const DIGEST_LENGTH = 71;

/** The digest in this text, or undefined where it is not exactly one (upper case, another hash, a short one). */
export function parseDigest(text: string): Digest | undefined {
  return /^sha256:[0-9a-f]{64}$/.test(text) ? (text as Digest) : undefined;
}

/** The digest of these bytes. */
export function digestOf(bytes: Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest;
}

/**
 * The digest of a manifest's bytes, which every claim about it (the reference's digest, the registry's header) must
 * equal. DIGEST_MISMATCH otherwise: a header is not proof, only the bytes are.
 */
export function proveDigest(
  bytes: Uint8Array,
  claims: readonly { readonly by: string; readonly digest: string }[],
  resource: string,
): Digest {
  const proven = digestOf(bytes);
  const wrong = claims.find((claim) => claim.digest !== proven);
  if (wrong) {
    throw new BinauthzError(
      'DIGEST_MISMATCH',
      `cannot trust the manifest of ${resource}: expected ${wrong.digest} (${wrong.by}), got bytes with digest ${proven}`,
      {
        resource,
        hint: 'the registry, or something between you and it, answered with other content than was asked for: do not deploy it, and ask the registry’s operator',
      },
    );
  }
  return proven;
}
