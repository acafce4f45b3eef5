// SPDX-License-Identifier: Apache-2.0
// Which images depend on which key: the enforcer admits a digest by any one attestation under any one trusted key.
import type { Attestation } from '../attestation/attestation.js';
import { parseDigest, type Digest } from '../image/digest.js';
import { nameOf, parseImageReference, pin, pinnedName, type PinnedReference } from '../image/reference.js';
import type { OccurrenceName } from '../names.js';
import { decodePayload } from '../payload/payload.js';

/** A trusted key that an attestation of a digest verifies under. */
export interface CoveringKey {
  readonly id: string;
  readonly occurrence: OccurrenceName;
  /** Why the enforcer may see it otherwise, where that is in doubt. */
  readonly doubt?: string;
}

/** A digest, and every trusted key that one of its attestations verifies under; at least one, doubtful or not. */
export interface Coverage {
  readonly digest: Digest;
  /** Named as its attestation was signed; undefined where that name is none. */
  readonly image?: PinnedReference;
  readonly keys: readonly CoveringKey[];
}

/** Whether an attestation verifies beyond doubt: under this key, or under any. */
export function isCovered(coverage: Coverage | undefined, keyId?: string): boolean {
  return coverage?.keys.some(({ id, doubt }) => doubt === undefined && (keyId === undefined || id === keyId)) === true;
}

/**
 * The digests that would lose their last attestation with this key. What is in doubt counts against the removal either way: as
 * an attestation under the key it makes a digest depend, as one under another key it does not free it.
 */
export function dependentsOn(keyId: string, coverages: readonly Coverage[]): readonly Coverage[] {
  return coverages.filter(({ keys }) => keys.some(({ id }) => id === keyId) && !keys.some((key) => key.id !== keyId && !key.doubt));
}

/** The digests that verify, but not beyond doubt under this key: those that a rotation to it has still to do. */
export function behind(keyId: string, coverages: readonly Coverage[]): readonly Coverage[] {
  return coverages.filter((coverage) => !isCovered(coverage, keyId));
}

/** The digest that the enforcer would find this attestation for: the end of its resource. */
export function digestAttested({ resourceUri }: Attestation): Digest | undefined {
  return parseDigest(resourceUri.slice(resourceUri.lastIndexOf('@') + 1));
}

/** The image that a verified attestation is about: by the name that was signed, or else by the one of its resource. */
export function imageAttested(attestation: Attestation, digest: Digest): PinnedReference | undefined {
  return named(decodePayload(attestation.payload)?.dockerReference ?? '', digest) ?? named(attestation.resourceUri, digest);
}

/** A covered digest as results name it. */
export function nameOfCoverage({ image, digest }: Coverage): string {
  return image ? pinnedName(image) : digest;
}

// Only name and digest: a tag in what somebody signed years ago says nothing now.
function named(text: string, digest: Digest): PinnedReference | undefined {
  const parsed = parseImageReference(text);
  if (!parsed.ok) return undefined;
  const { registry, repository } = parsed.reference;
  return pin({ original: `${nameOf(parsed.reference)}@${digest}`, registry, repository }, digest);
}
