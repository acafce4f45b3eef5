// SPDX-License-Identifier: Apache-2.0
import type { AttestorKey } from './public-key.js';

/** Why a signature does not verify under a key, in words for a person; or that it does, with what is doubtful. */
export type Verification = { readonly verified: true; readonly warning?: string } | { readonly verified: false; readonly reason: string };

/** Checks a signature over payload bytes with a key that an attestor lists, the way the enforcer would. */
export interface Verifier {
  verify(payload: Uint8Array, signature: Uint8Array, key: AttestorKey): Promise<Verification>;
}

/** Tells of a key that an attestor lists whether it can be of use at all. */
export interface KeyJudge {
  /** Why nothing counts now that this key signed or will sign; undefined where it may. A PKIX key has no such state. */
  whyDead(key: AttestorKey): Promise<string | undefined>;
}
