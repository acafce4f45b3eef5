// SPDX-License-Identifier: Apache-2.0
import type { Attestor } from '../core/attestation/attestor.js';
import type { AttestorName } from '../core/names.js';
import type { AttestorKey } from '../core/signing/public-key.js';

/** The keys that attestors trust, as far as they are changed. Everybody else's keys stay, also those added meanwhile. */
export interface AttestorKeys {
  /**
   * Has an attestor trust one more key; where it does already, under whatever id, nothing is written. Answers the attestor
   * as it is then. ATTESTOR_KEY_CONFLICT where the id belongs to another key, ATTESTOR_NOT_FOUND, PERMISSION_DENIED, UNAVAILABLE.
   */
  add(attestor: AttestorName, key: AttestorKey): Promise<Attestor>;
  /**
   * Takes the key with this id off an attestor, which must trust exactly the keys of `judged` until that moment: CHANGED_MEANWHILE
   * where others changed them meanwhile. Where the key is gone already, nothing is written. Otherwise as `add`.
   */
  remove(judged: Attestor, keyId: string): Promise<Attestor>;
}
