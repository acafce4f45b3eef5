// SPDX-License-Identifier: Apache-2.0
// Does a signature come from an attestor's key, and does it sign this payload? Real cryptography, no shortcuts.
import { constants, createPublicKey, verify } from 'node:crypto';
import { ALGORITHMS, derOfPem, type AttestorKey, type PkixKey } from './public-keys.js';

/** Undefined where the signature is good, else one sentence saying why it is not. */
export type Flaw = string | undefined;

/** Checks one signature over a payload with the key that its id selected. */
export async function flawOf(key: AttestorKey, payload: Buffer, signature: Buffer, now: number): Promise<Flaw> {
  if (key.pkix) return pkixFlaw(key.pkix, payload, signature);
  return pgpFlaw(key.pgp ?? '', payload, signature, now);
}

function pkixFlaw(key: PkixKey, payload: Buffer, signature: Buffer): Flaw {
  const algorithm = ALGORITHMS[key.signatureAlgorithm];
  const der = derOfPem(key.publicKeyPem);
  if (!algorithm || !der) return 'the key is not usable';
  if (algorithm.kind === 'ml-dsa') return `signatures of ${key.signatureAlgorithm} cannot be verified here`;
  const publicKey = createPublicKey({ key: der, format: 'der', type: 'spki' });
  const options = {
    pss: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST },
    pkcs1: { padding: constants.RSA_PKCS1_PADDING },
    ecdsa: { dsaEncoding: 'der' as const },
  }[algorithm.kind];
  return verify(algorithm.hash, payload, { key: publicKey, ...options }, signature)
    ? undefined
    : `the ${key.signatureAlgorithm} signature does not match the payload`;
}

async function pgpFlaw(armoredKey: string, payload: Buffer, signature: Buffer, now: number): Promise<Flaw> {
  const openpgp = await import('openpgp');
  try {
    const key = await openpgp.readKey({ armoredKey });
    const message = await openpgp.readMessage({ armoredMessage: signature.toString('utf8') });
    const date = new Date(now);
    const { data, signatures } = await openpgp.verify({ message, verificationKeys: key, format: 'binary', date });
    if (!Buffer.from(data).equals(payload)) return 'the signed message is not the payload';
    const [first] = signatures;
    if (!first) return 'the message carries no signature';
    await first.verified;
    // openpgp asks whether the key was good when it signed; the enforcer's question is whether it is good now.
    await key.getSigningKey(first.keyID, date);
    return undefined;
  } catch (error) {
    return `the PGP signature is not valid: ${error instanceof Error ? error.message : String(error)}`;
  }
}
