// SPDX-License-Identifier: Apache-2.0
// PGP keys. Loaded only when one appears, by `await import()`: openpgp costs start-up time that most runs need not pay.
import { createMessage, enums, readKeys, sign, type Key, type PrivateKey } from 'openpgp';
import { BinauthzError } from '../core/errors.js';
import type { Pace } from '../core/retry.js';
import type { Secret } from '../core/secret.js';
import type { Signer } from '../core/signing/signer.js';
import { dearmor, labelsIn, readKeyContent } from './key-text.js';
import { chooseSigningKey, fingerprintOf, reasonOf, whyNoSigning, type SigningKey } from './pgp-signing-key.js';

export { verifyPgp, whyPgpKeyDead } from './pgp-verify.js';

const EXPECTED = 'expected one PGP private key: armored, one line of it with \\n escapes, or base64 of the armored or binary key';

// The random notation would make each signature differ; without it a re-run signs the same bytes. SHA-512 is what
// every OpenPGP implementation verifies; keys whose preferences leave it out get SHA-256.
const SIGNING_CONFIG = {
  nonDeterministicSignaturesViaNotation: false,
  preferredHashAlgorithm: enums.hash.sha512,
  showVersion: false,
  showComment: false,
};

/**
 * The signer of a PGP private key; unlocks it with the passphrase where it is protected. `debug` is told what is odd but
 * harmless, never a piece of a secret.
 */
export async function openPgpKey(
  key: Secret,
  passphrase: Secret | undefined,
  pace: Pick<Pace, 'now'>,
  debug?: (message: string) => void,
): Promise<Signer> {
  const signingKey = await chooseSigningKey(await readPrivateKey(key), { source: key.source, now: new Date(pace.now()) });
  if (await unlock(signingKey, key, passphrase)) debug?.(`the PGP key in ${key.source} was unlocked`);
  else if (passphrase) debug?.(`the PGP key in ${key.source} is not protected: the passphrase in ${passphrase.source} is not needed`);
  const fingerprint = fingerprintOf(signingKey.key);
  return {
    name: fingerprint,
    publicKeys: [{ kind: 'pgp', fingerprint }],
    sign: (payload) => signAttached(payload, signingKey, new Date(pace.now())),
  };
}

/** A public key in an armored text. */
export interface PublicKeyText {
  /** The primary fingerprint, as attestors write it. */
  readonly fingerprint: string;
  /** Why nothing can be signed with it now, so that an attestor which trusts it alone would deny everything. */
  readonly unusable?: string;
}

/** The one public key in an armored text; undefined where there is not exactly one. */
export async function readPublicKey(armored: string, now: Date): Promise<PublicKeyText | undefined> {
  const binary = dearmor(armored);
  const keys = binary ? await readKeys({ binaryKeys: binary }).catch(() => []) : [];
  const [only, ...others] = keys;
  if (!only || others.length > 0 || only.isPrivate()) return undefined;
  const unusable = await whyNoSigning(only, now);
  return { fingerprint: fingerprintOf(only), ...(unusable === undefined ? {} : { unusable }) };
}

/** The armored public half of a PGP private key, as an attestor takes it. Its protected part stays locked: no passphrase is needed. */
export async function armoredPublicKey(key: Secret): Promise<string> {
  return (await readPrivateKey(key)).toPublic().armor();
}

async function readPrivateKey(secret: Secret): Promise<PrivateKey> {
  const content = readKeyContent(secret.reveal());
  if (!content) throw unusable(secret, 'it is neither an armored key nor base64');
  if ('text' in content) {
    const labels = labelsIn(content.text);
    if (labels.length !== 1 || labels[0] !== 'PGP PRIVATE KEY BLOCK')
      throw unusable(secret, `it holds ${labels.join(' and ') || 'no complete block'}`);
  }
  const binary = 'text' in content ? dearmor(content.text) : content.binary;
  const keys = binary ? await parseKeys(binary) : [];
  const [only, ...others] = keys;
  if (!only) throw unusable(secret, 'it cannot be read as a key');
  if (others.length > 0) throw unusable(secret, `it holds ${keys.length} keys (${keys.map(fingerprintOf).join(', ')})`);
  if (!only.isPrivate()) throw unusable(secret, `it is the public key ${fingerprintOf(only)}`);
  return only;
}

async function parseKeys(binary: Uint8Array): Promise<readonly Key[]> {
  try {
    return await readKeys({ binaryKeys: binary });
  } catch {
    // The cause is dropped: what a parser says about a secret may quote it.
    return [];
  }
}

// Only the part that signs: unlocking is slow on purpose, and an encryption subkey under another passphrase, or without
// its secret half, must not stand in the way. Answers whether there was anything to unlock.
async function unlock({ part }: SigningKey, key: Secret, passphrase: Secret | undefined): Promise<boolean> {
  const packet = part.keyPacket;
  if (!('decrypt' in packet) || packet.isDecrypted()) return false;
  if (!passphrase?.reveal()) throw passphraseMissing(key.source, passphrase?.source);
  try {
    await packet.decrypt(passphrase.reveal());
    // As openpgp's own decryptKey does: the secret half must belong to the public one.
    await packet.validate();
    return true;
  } catch (error) {
    const reason = reasonOf(error);
    if (/Incorrect key passphrase/.test(reason)) throw passphraseWrong(key.source, passphrase.source);
    throw new BinauthzError('KEY_UNUSABLE', `cannot unlock the PGP key in ${key.source}: ${reason}`, {
      resource: key.source,
      hint: 'protect the key anew with a current version of GnuPG (gpg --passwd), and export it again',
    });
  }
}

async function signAttached(payload: Uint8Array, { key, part }: SigningKey, date: Date): Promise<Uint8Array> {
  try {
    const message = await createMessage({ binary: payload, date, format: 'binary' });
    const armored = await sign({ message, signingKeys: key, signingKeyIDs: part.getKeyID(), date, config: SIGNING_CONFIG });
    return new TextEncoder().encode(armored);
  } catch (error) {
    const fingerprint = fingerprintOf(key);
    throw new BinauthzError('KEY_UNUSABLE', `cannot sign with PGP key ${fingerprint}: ${reasonOf(error)}`, {
      resource: fingerprint,
      hint: 'check the key with gpg --list-keys; it may have expired since the run began',
    });
  }
}

function unusable(secret: Secret, found: string): BinauthzError {
  return new BinauthzError('SECRET_UNUSABLE', `cannot use the PGP key in ${secret.source}: ${found}; ${EXPECTED}`, {
    resource: secret.source,
    hint: `set ${secret.source} to the output of: gpg --export-secret-keys FINGERPRINT | base64 -w0`,
  });
}

function passphraseMissing(source: string, emptySource: string | undefined): BinauthzError {
  const found = emptySource === undefined ? 'no passphrase was given' : `${emptySource} is empty`;
  return new BinauthzError('PASSPHRASE_REJECTED', `cannot unlock the PGP key in ${source}: the key is protected, and ${found}`, {
    resource: source,
    hint: 'set the passphrase: --pgp-passphrase-env VAR on the command line, pgp-passphrase in the Action, pgp_passphrase_env in the orb',
  });
}

function passphraseWrong(source: string, passphraseSource: string): BinauthzError {
  return new BinauthzError(
    'PASSPHRASE_REJECTED',
    `cannot unlock the PGP key in ${source}: the passphrase in ${passphraseSource} is not the one that protects it`,
    {
      resource: source,
      hint: `check ${passphraseSource}, also for a line break at its end`,
    },
  );
}
