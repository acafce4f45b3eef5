// SPDX-License-Identifier: Apache-2.0
import { asErrors, BinauthzErrors } from '../core/errors.js';
import type { Pace } from '../core/retry.js';
import type { Secret } from '../core/secret.js';
import type { GivenKey, KeySource } from '../core/signing/given-key.js';
import type { KeyService } from '../ports/key-service.js';
import { describeKeyForm } from './key-text.js';
import { openKmsKey, openKmsKeyVersion } from './kms.js';
import { openPkixKey } from './pkix.js';

/** What opening keys needs. */
export interface KeyDeps {
  readonly keys: KeyService;
  readonly pace: Pace;
  /** Told in which form a local key was found; never a piece of it. */
  readonly debug?: (message: string) => void;
}

/** Opens all given keys side by side; throws all that is wrong with any of them. */
export async function openKeys(sources: readonly KeySource[], deps: KeyDeps): Promise<readonly GivenKey[]> {
  const opened = await Promise.allSettled(sources.map((source) => openKey(source, deps)));
  const [first, ...others] = opened.flatMap((result) => (result.status === 'rejected' ? asErrors(result.reason) : []));
  if (first) throw new BinauthzErrors([first, ...others]);
  return opened.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
}

/** Opens one given key. */
export async function openKey(source: KeySource, deps: KeyDeps): Promise<GivenKey> {
  switch (source.kind) {
    case 'kms-key-version':
      return { name: source.version, signers: [await openKmsKeyVersion(source.version, deps.keys, deps.pace)] };
    case 'kms-key':
      return { name: source.key, signers: await openKmsKey(source.key, deps.keys, deps.pace) };
    case 'pkix':
      reportForm('private key', source.key, deps);
      return { name: source.key.source, signers: [openPkixKey(source.key)] };
    case 'pgp': {
      reportForm('PGP private key', source.key, deps);
      const { openPgpKey } = await import('./pgp.js');
      return { name: source.key.source, signers: [await openPgpKey(source.key, source.passphrase, deps.pace, deps.debug)] };
    }
  }
}

function reportForm(what: string, secret: Secret, deps: KeyDeps): void {
  deps.debug?.(`${what} in ${secret.source}: ${describeKeyForm(secret.reveal())}`);
}
