// SPDX-License-Identifier: Apache-2.0
import { parseDigest, type Digest } from '../image/digest.js';
import { nameOf, type PinnedReference } from '../image/reference.js';
import { parseJsonStrictly } from '../strict-json.js';

/** The `type` that gcloud writes; the one that this product writes. */
export const PAYLOAD_TYPE = 'Google cloud binauthz container signature';

/** The spellings of `type` in Google's own documentation; whether the enforcer looks at it is not published. */
const GOOGLE_TYPES: ReadonlySet<string> = new Set([PAYLOAD_TYPE, 'Google Cloud BinAuthz container signature']);

/** What an attestor signs: this image name had this digest. Only the digest is compared at enforcement. */
export interface Payload {
  readonly dockerReference: string;
  readonly digest: Digest;
  readonly type: string;
}

/** The payload for an image; only a pinned reference has one. */
export function payloadFor(reference: PinnedReference): Payload {
  return { dockerReference: nameOf(reference), digest: reference.digest, type: PAYLOAD_TYPE };
}

/** Whether `type` is one of the spellings that Google publishes. */
export function hasGoogleType(payload: Payload): boolean {
  return GOOGLE_TYPES.has(payload.type);
}

/** The exact bytes to sign and to store: JSON indented by two, gcloud's member order, one line feed at the end. */
export function encodePayload(payload: Payload): Uint8Array {
  const text = JSON.stringify(
    {
      critical: {
        identity: { 'docker-reference': payload.dockerReference },
        image: { 'docker-manifest-digest': payload.digest },
        type: payload.type,
      },
    },
    null,
    2,
  );
  // References are ASCII by their grammar, so no \u escape of gcloud's can differ from these bytes.
  return new TextEncoder().encode(`${text}\n`);
}

/** The payload in stored bytes, whatever their formatting; undefined where they are no payload. */
export function decodePayload(bytes: Uint8Array): Payload | undefined {
  const critical = member(parseJson(bytes), 'critical');
  const digest = member(member(critical, 'image'), 'docker-manifest-digest');
  const reference = member(member(critical, 'identity'), 'docker-reference');
  const type = member(critical, 'type');
  const parsed = typeof digest === 'string' ? parseDigest(digest) : undefined;
  if (!parsed) return undefined;
  return { digest: parsed, dockerReference: typeof reference === 'string' ? reference : '', type: typeof type === 'string' ? type : '' };
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return parseJsonStrictly(bytes);
  } catch {
    return undefined;
  }
}

function member(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Record<string, unknown>)[name];
}
