// SPDX-License-Identifier: Apache-2.0
import { BinauthzError } from '../core/errors.js';
import { kmsEntry, type NewKey } from '../core/rotation/new-key.js';
import type { NewKeySource } from '../core/signing/given-key.js';
import type { AttestorKey, PublicKey } from '../core/signing/public-key.js';
import { openKeys, type KeyDeps } from './given-keys.js';

/** Opens the key that an attestor is rotated to, with the entry under which the attestor will list it. Errors as openKeys. */
export async function openNewKey(source: NewKeySource, deps: KeyDeps): Promise<NewKey> {
  const [given] = await openKeys([source], deps);
  if (!given) throw new BinauthzError('INTERNAL', 'a key that was opened is missing');
  const [signer] = given.signers;
  const [publicKey] = signer.publicKeys;
  return { signer, publicKey, entry: await entryOf(source, publicKey) };
}

async function entryOf(source: NewKeySource, publicKey: PublicKey): Promise<AttestorKey> {
  if (source.kind === 'kms-key-version' && publicKey.kind === 'pkix') return kmsEntry(source.version, publicKey);
  if (source.kind === 'pgp' && publicKey.kind === 'pgp') {
    const { armoredPublicKey } = await import('./pgp.js');
    return { kind: 'pgp', id: publicKey.fingerprint, armored: await armoredPublicKey(source.key) };
  }
  throw new BinauthzError('INTERNAL', `a ${source.kind} key with a ${publicKey.kind} public key`);
}
