// SPDX-License-Identifier: Apache-2.0
// Which part of a PGP key signs, and why none may.
import { enums, type Key, type PrivateKey, type Subkey } from 'openpgp';
import { BinauthzError } from '../core/errors.js';

/** A private key, and its part that signs: the primary, which is the key itself, or a subkey. */
export interface SigningKey {
  readonly key: PrivateKey;
  readonly part: Key | Subkey;
}

/** What the secret came from, and the time at which it must be valid. */
export interface SigningContext {
  readonly source: string;
  readonly now: Date;
}

/** The algorithms of RFC 9580 that GnuPG 2.2 and Go's OpenPGP, which Google's software uses, do not know. */
const TOO_NEW: ReadonlySet<enums.publicKey> = new Set([enums.publicKey.ed25519, enums.publicKey.ed448]);

const LEAST_RSA_BITS = 2048;

/** The primary fingerprint as attestors write it. */
export function fingerprintOf(key: Key): string {
  return key.getFingerprint().toUpperCase();
}

/** What openpgp says about a failure, on one line; only for failures that cannot quote a secret. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/^Error (?:signing message|decrypting private key|verifying signed message): /, '').replace(/\s+/g, ' ');
}

/** Why a key of this version and algorithm is not verified everywhere; undefined for the ordinary ones. */
export function whyTooNew(key: Key | Subkey): string | undefined {
  const { version, algorithm } = key.keyPacket;
  if (version !== 4) return `it is a version ${version} key, expected version 4`;
  if (TOO_NEW.has(algorithm))
    return `it has the algorithm ${key.getAlgorithmInfo().algorithm} of RFC 9580 (number ${algorithm}), which GnuPG 2.2 cannot verify`;
  return undefined;
}

/**
 * The part of a key that signs: the primary, since attestors name keys by its fingerprint, else the newest subkey that
 * may. Revoked, expired, weak and too new ones are refused.
 */
export async function chooseSigningKey(key: PrivateKey, { source, now }: SigningContext): Promise<SigningKey> {
  const found = await signingPartOf(key, now);
  if ('reason' in found) throw unusable(key, source, found.reason);
  return { key, part: found.part };
}

/** Why nothing can be signed with a key now, judged by its public half; undefined where something can. */
export async function whyNoSigning(key: Key, now: Date): Promise<string | undefined> {
  const found = await signingPartOf(key, now);
  return 'reason' in found ? found.reason : undefined;
}

async function signingPartOf(key: Key, now: Date): Promise<{ readonly part: Key | Subkey } | { readonly reason: string }> {
  const ofPrimary = whyTooNew(key) ?? (await whyInvalid(key, now));
  if (ofPrimary !== undefined) return { reason: ofPrimary };
  const subkeys = [...key.subkeys].sort((a, b) => b.getCreationTime().getTime() - a.getCreationTime().getTime());
  const reasons: string[] = [];
  for (const part of [key, ...subkeys]) {
    const reason = await whyItCannotSign(key, part, now);
    if (reason === undefined) return { part };
    reasons.push(`${part.getKeyID().toHex().toUpperCase()}: ${reason}`);
  }
  return { reason: `no part of it can sign now (${reasons.join('; ')})` };
}

async function whyInvalid(key: Key, now: Date): Promise<string | undefined> {
  try {
    await key.verifyPrimaryKey(now);
    return undefined;
  } catch (error) {
    const reason = reasonOf(error);
    if (key.getCreationTime() > now)
      return `it is not valid before its creation at ${key.getCreationTime().toISOString()}, and this machine's clock says ${now.toISOString()}`;
    return /expired/.test(reason) ? `${reason} since ${await expiryOf(key)}` : reason;
  }
}

async function whyItCannotSign(key: Key, part: Key | Subkey, now: Date): Promise<string | undefined> {
  const tooNew = whyTooNew(part);
  if (tooNew !== undefined) return tooNew;
  const { bits } = part.getAlgorithmInfo();
  if (bits !== undefined && bits < LEAST_RSA_BITS) return `it has ${bits} bits, expected at least ${LEAST_RSA_BITS}`;
  try {
    // Looks at flags, binding, revocation and expiry of the one part; never at secrets.
    await key.getSigningKey(part.getKeyID(), now);
  } catch (error) {
    return reasonOf(error).replace(/^Could not find valid signing key packet in key [0-9a-f]+(?:: )?/, '') || 'it is not for signing';
  }
  if (!key.isPrivate()) return undefined;
  const packet = part.keyPacket;
  if (!('isMissingSecretKeyMaterial' in packet) || packet.isMissingSecretKeyMaterial()) return 'its secret part is not there';
  return undefined;
}

async function expiryOf(key: Key): Promise<string> {
  const expiry = await key.getExpirationTime();
  return expiry instanceof Date ? expiry.toISOString() : 'a time that it does not say';
}

function unusable(key: Key, source: string, reason: string): BinauthzError {
  const fingerprint = fingerprintOf(key);
  return new BinauthzError('KEY_UNUSABLE', `cannot sign with PGP key ${fingerprint} in ${source}: ${reason}`, {
    resource: fingerprint,
    hint: 'give a valid version 4 key that signs, such as gpg --quick-gen-key NAME rsa4096 sign makes; after extending or renewing a key, export it again and update the attestor (gcloud container binauthz attestors public-keys)',
  });
}
