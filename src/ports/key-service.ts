// SPDX-License-Identifier: Apache-2.0
import type { KeyName, KeyVersionName } from '../core/names.js';
import type { HashName } from '../core/signing/algorithm.js';

/** A key version's public half as Cloud KMS sent it, checksums included and not yet checked. */
export interface KmsPublicKey {
  readonly name: string;
  readonly pem: string;
  /** Cloud KMS enum name, e.g. `EC_SIGN_P256_SHA256`. */
  readonly algorithm: string;
  /** CRC32C of the PEM's bytes; undefined where the service sent none. */
  readonly pemCrc32c: number | undefined;
}

/** A signature as Cloud KMS sent it, checksums included and not yet checked. */
export interface KmsSignature {
  readonly name: string;
  readonly signature: Uint8Array;
  readonly signatureCrc32c: number | undefined;
  readonly verifiedDigestCrc32c: boolean;
}

/** Cloud KMS asymmetric signing keys. */
export interface KeyService {
  /** The public key of a version. KEY_NOT_FOUND, KEY_UNUSABLE (disabled, destroyed, wrong purpose), PERMISSION_DENIED, UNAVAILABLE. */
  publicKey(version: KeyVersionName): Promise<KmsPublicKey>;
  /** A signature over a digest, sent with its CRC32C. The same errors. */
  sign(
    version: KeyVersionName,
    digest: { readonly hash: HashName; readonly bytes: Uint8Array; readonly crc32c: number },
  ): Promise<KmsSignature>;
  /** The enabled versions of a key, the newest first. */
  enabledVersions(key: KeyName): Promise<readonly KeyVersionName[]>;
}
