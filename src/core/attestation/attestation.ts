// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../image/digest.js';
import type { NoteName, OccurrenceName } from '../names.js';

/** One signature of an attestation, with the id of the key that it claims. */
export interface AttestationSignature {
  readonly publicKeyId: string;
  readonly bytes: Uint8Array;
}

/** A claim that somebody signed a payload. Unauthenticated: nothing of it may be believed before it is verified. */
export interface Attestation {
  readonly note: NoteName;
  readonly resourceUri: string;
  readonly payload: Uint8Array;
  readonly signatures: readonly AttestationSignature[];
}

/** An attestation that Container Analysis stores. */
export interface StoredAttestation extends Attestation {
  readonly occurrence: OccurrenceName;
  /** RFC 3339; absent where the service did not say. */
  readonly createTime?: string;
}

declare const verifiedBrand: unique symbol;

/** An attestation that binds a trusted key to a digest. Only verify.ts makes one. */
export interface VerifiedAttestation<A extends Attestation = StoredAttestation> {
  readonly attestation: A;
  readonly digest: Digest;
  readonly publicKeyId: string;
  /** What is doubtful about it although it verifies, e.g. an unusual payload type. */
  readonly warnings: readonly string[];
  readonly [verifiedBrand]: true;
}
