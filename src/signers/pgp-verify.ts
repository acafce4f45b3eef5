// SPDX-License-Identifier: Apache-2.0
import { readKeys, readMessage, verify, type Key, type Message } from 'openpgp';
import { normalizeFingerprint, type AttestorKey } from '../core/signing/public-key.js';
import type { Verification } from '../core/signing/verifier.js';
import { dearmor, labelsIn } from './key-text.js';
import { fingerprintOf, reasonOf, whyTooNew } from './pgp-signing-key.js';

/** Payloads are a few hundred bytes; a stored signature that unpacks to more than this is an attack. */
const MOST_BYTES = 1024 * 1024;

/** How far a signer's clock may be ahead of ours: CI machines differ by seconds. */
const CLOCK_SKEW_MS = 5 * 60_000;

type PgpKey = Extract<AttestorKey, { kind: 'pgp' }>;
type Reason = { readonly reason: string };

/**
 * Whether an armored attached PGP message holds exactly these payload bytes and a good signature by an attestor's key.
 * A key that is revoked or has expired by now does not count, whenever it signed: what Google does then is not published.
 */
export async function verifyPgp(payload: Uint8Array, signature: Uint8Array, attestorKey: PgpKey, nowMs: number): Promise<Verification> {
  const key = await readAttestorKey(attestorKey, new Date(nowMs));
  if ('reason' in key) return { verified: false, ...key };
  const message = await readAttached(signature);
  if ('reason' in message) return { verified: false, ...message };
  const wrapped = message.getLiteralData();
  if (!wrapped || Buffer.compare(wrapped, payload) !== 0) {
    return { verified: false, reason: "the PGP message wraps other bytes than the attestation's payload" };
  }
  const reason = await whyUnsigned(message, key, nowMs);
  if (reason !== undefined) return { verified: false, reason };
  const doubt = whyTooNew(key);
  return doubt === undefined
    ? { verified: true }
    : { verified: true, warning: `whether Google verifies this PGP key is not published: ${doubt}` };
}

/** Why nothing verifies under an attestor's key, whatever it signed; undefined where something may. */
export async function whyPgpKeyDead(attestorKey: PgpKey, nowMs: number): Promise<string | undefined> {
  const key = await readAttestorKey(attestorKey, new Date(nowMs));
  return 'reason' in key ? key.reason : undefined;
}

async function readAttestorKey(listed: PgpKey, now: Date): Promise<Key | Reason> {
  const binary = dearmor(listed.armored);
  const keys = binary ? await readKeys({ binaryKeys: binary }).catch(() => []) : [];
  if (keys.length === 0) return { reason: 'the attestor holds no readable armored PGP public key for it' };
  // The armored text may be the whole output of `gpg --export`; the id says which key of it is meant.
  const key = keys.find((candidate) => fingerprintOf(candidate) === normalizeFingerprint(listed.id));
  if (!key)
    return {
      reason: `the attestor's id ${listed.id} is not the fingerprint of the PGP key that it holds (${keys.map(fingerprintOf).join(', ')})`,
    };
  const reason = await whyDead(key, now);
  return reason === undefined ? key : { reason: `the attestor's PGP key ${fingerprintOf(key)} ${reason}` };
}

// Where no part of it signs today, no signature of it counts today: that needs no signature to be known.
async function whyDead(key: Key, now: Date): Promise<string | undefined> {
  try {
    await key.verifyPrimaryKey(now);
  } catch (error) {
    return `is not valid now: ${reasonOf(error)}`;
  }
  try {
    await key.getSigningKey(undefined, now);
    return undefined;
  } catch (error) {
    return `cannot sign now: ${reasonOf(error)}`;
  }
}

async function readAttached(signature: Uint8Array): Promise<Message<string> | Reason> {
  if (signature.length > MOST_BYTES) return { reason: `it has ${signature.length} bytes, expected a PGP message of a few thousand` };
  const text = Buffer.from(signature).toString('latin1');
  const form = labelsIn(text)[0];
  if (form === 'PGP SIGNED MESSAGE') return { reason: 'it is clear-signed, expected an attached signature (gpg --armor --sign)' };
  if (form === 'PGP SIGNATURE') return { reason: 'it is a detached signature, expected an attached one (gpg --armor --sign)' };
  if (form !== 'PGP MESSAGE') return { reason: `it is ${form ?? 'no armored text'}, expected an armored PGP message (gpg --armor --sign)` };
  return readMessage({ armoredMessage: text, config: { maxDecompressedMessageSize: MOST_BYTES } }).catch((error: unknown) => ({
    reason: `the PGP message cannot be read: ${reasonOf(error)}`,
  }));
}

async function whyUnsigned(message: Message<string>, key: Key, nowMs: number): Promise<string | undefined> {
  const reasons: string[] = [];
  try {
    const { signatures } = await verify({ message, verificationKeys: key, format: 'binary', date: new Date(nowMs + CLOCK_SKEW_MS) });
    for (const signature of signatures) {
      const reason = await whyNotNow(signature, key, new Date(nowMs));
      if (reason === undefined) return undefined;
      reasons.push(reason);
    }
  } catch (error) {
    return `the PGP message cannot be verified: ${reasonOf(error)}`;
  }
  return reasons.length === 0 ? 'the PGP message holds no signature' : reasons.join('; ');
}

async function whyNotNow(
  signature: Awaited<ReturnType<typeof verify>>['signatures'][number],
  key: Key,
  now: Date,
): Promise<string | undefined> {
  try {
    await signature.verified;
    // openpgp asks whether the key was valid when it signed; a subkey must also be valid today.
    await key.getSigningKey(signature.keyID, now);
    return undefined;
  } catch (error) {
    return reasonOf(error);
  }
}
