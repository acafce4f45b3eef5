// SPDX-License-Identifier: Apache-2.0
import type { KeyName, KeyVersionName } from '../names.js';
import type { Secret } from '../secret.js';
import type { Signer } from './signer.js';

/** A key as the user gave it. */
export type KeySource =
  | { readonly kind: 'kms-key-version'; readonly version: KeyVersionName }
  | { readonly kind: 'kms-key'; readonly key: KeyName }
  | { readonly kind: 'pgp'; readonly key: Secret; readonly passphrase?: Secret }
  | { readonly kind: 'pkix'; readonly key: Secret };

/** A key that an attestor can be rotated to: one that is named for good, or whose public half can be given. */
export type NewKeySource = Extract<KeySource, { kind: 'kms-key-version' | 'pgp' }>;

/** A given key, opened: the signers that it stands for, the preferred one first. Several only for a Cloud KMS key
 * without a version, which stands for each of its enabled versions, the newest first. */
export interface GivenKey {
  /** How messages name it; never secret. */
  readonly name: string;
  readonly signers: readonly [Signer, ...Signer[]];
}
