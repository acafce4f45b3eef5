// SPDX-License-Identifier: Apache-2.0
import type { PublicKey } from './public-key.js';

/** Makes signatures with one key. Implemented for Cloud KMS, local PKIX keys and PGP. */
export interface Signer {
  /** How messages name the key: the key version's name, or its fingerprint. Never secret. */
  readonly name: string;
  /** The public halves that its signatures verify under: one, or one per algorithm that a local RSA key serves. */
  readonly publicKeys: readonly [PublicKey, ...PublicKey[]];
  /**
   * The signature over these payload bytes in the form that an attestation stores: raw RSA, DER ECDSA, or an armored
   * attached PGP message. `publicKey` is one of `publicKeys`.
   */
  sign(payload: Uint8Array, publicKey: PublicKey): Promise<Uint8Array>;
}
