// SPDX-License-Identifier: Apache-2.0
import type { KeyVersionName } from '../core/names.js';

/** Why a Cloud KMS key version cannot be used; who may use a key may not always know. */
export interface KeyStates {
  /** Cloud KMS enum name, e.g. `DESTROY_SCHEDULED`. KEY_NOT_FOUND, PERMISSION_DENIED, UNAVAILABLE. */
  state(version: KeyVersionName): Promise<string>;
}
