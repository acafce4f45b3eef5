// SPDX-License-Identifier: Apache-2.0
// What a rotation changes, as gcloud would be told to.
import { idOf, parseKeyVersionName, projectOf, type AttestorName } from '../names.js';
import { addKmsKey, addPgpKey } from '../provisioning/commands.js';
import { shellLine } from '../provisioning/gcloud.js';
import type { NewKey } from './new-key.js';

/** Has an attestor trust one more key; the public half of a PGP key comes out of the keyring of whoever runs it. */
export function addKeyCommand(attestor: AttestorName, { signer, entry }: NewKey): string {
  const version = parseKeyVersionName(signer.name);
  if (version !== undefined) return addKmsKey(attestor, version);
  const file = `${entry.id}.asc`;
  return [shellLine(['gpg', '--armor', '--output', file, '--export', entry.id]), addPgpKey(attestor, file)].join('\n');
}

/** Takes a key off an attestor. */
export function removeKeyCommand(attestor: AttestorName, keyId: string): string {
  const remove = ['gcloud', 'container', 'binauthz', 'attestors', 'public-keys', 'remove', keyId];
  return shellLine([...remove, `--attestor=${idOf(attestor)}`, `--project=${projectOf(attestor)}`]);
}
