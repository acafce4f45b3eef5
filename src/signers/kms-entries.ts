// SPDX-License-Identifier: Apache-2.0
// Cloud KMS keys as attestors list them.
import type { KeyVersionName } from '../core/names.js';
import type { Pace } from '../core/retry.js';
import { kmsEntry } from '../core/rotation/new-key.js';
import type { AttestorKey } from '../core/signing/public-key.js';
import type { Signer } from '../core/signing/signer.js';
import type { KeyService } from '../ports/key-service.js';
import type { KeyEntries } from '../ports/provisioning.js';
import { openKmsKey } from './kms.js';

/** The entries of keys whose public halves arrived as Cloud KMS sent them. */
export function createKeyEntries(keys: KeyService, pace: Pace): KeyEntries {
  return {
    enabled: async (key) => {
      const [newest, ...older] = await openKmsKey(key, keys, pace);
      return [entryOf(newest), ...older.map(entryOf)];
    },
  };
}

function entryOf({ name, publicKeys: [publicKey] }: Signer): AttestorKey {
  if (publicKey.kind === 'pkix') return kmsEntry(name as KeyVersionName, publicKey);
  throw new Error('a Cloud KMS key that is no PKIX key');
}
