// SPDX-License-Identifier: Apache-2.0
import type { AttestorKey, PublicKey } from '../signing/public-key.js';
import type { KeyVersionName } from '../names.js';
import type { Signer } from '../signing/signer.js';

/** The key that an attestor is rotated to. */
export interface NewKey {
  readonly signer: Signer;
  readonly publicKey: PublicKey;
  /** How an attestor is to list it, unless it does already. */
  readonly entry: AttestorKey;
}

/** An attestor's entry for a Cloud KMS key version, under the id that gcloud gives it. */
export function kmsEntry(version: KeyVersionName, key: Extract<PublicKey, { kind: 'pkix' }>): AttestorKey {
  return { kind: 'pkix', id: kmsKeyId(version), pem: pemOf(key.spki), algorithm: key.algorithm.name };
}

/** The id under which gcloud adds a Cloud KMS key version to an attestor. */
export function kmsKeyId(version: string): string {
  return `//cloudkms.googleapis.com/v1/${version}`;
}

// RFC 7468: base64 in lines of 64.
function pemOf(spki: Uint8Array): string {
  const lines =
    Buffer.from(spki)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN PUBLIC KEY-----\n${lines.join('\n')}\n-----END PUBLIC KEY-----\n`;
}
