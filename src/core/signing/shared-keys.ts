// SPDX-License-Identifier: Apache-2.0
// Two attestors are two checks only while nobody can sign for both with one key.
import type { AttestorName } from '../names.js';
import { canonicalKeyId, normalizeFingerprint, type AttestorKey } from './public-key.js';

/** An attestor as far as this question goes. */
export interface Trusting {
  readonly name: AttestorName;
  readonly keys: readonly AttestorKey[];
}

/** A public key that several attestors trust. */
export interface SharedKey {
  /** `PGP FINGERPRINT`, or the RFC 6920 id of a PKIX key, whatever ids the attestors list it under. */
  readonly key: string;
  readonly attestors: readonly AttestorName[];
}

/** The keys that two or more of these attestors trust, found by the keys themselves: ids and algorithms may differ. */
export function sharedKeys(attestors: readonly Trusting[]): readonly SharedKey[] {
  const trusting = new Map<string, Set<AttestorName>>();
  for (const { name, keys } of attestors)
    for (const key of keys.flatMap(identityOf)) trusting.set(key, (trusting.get(key) ?? new Set()).add(name));
  return [...trusting].filter(([, names]) => names.size > 1).map(([key, names]) => ({ key, attestors: [...names].toSorted() }));
}

/** One warning for each such key. */
export function sharedKeyWarnings(attestors: readonly Trusting[]): readonly string[] {
  return sharedKeys(attestors).map(
    ({ key, attestors: names }) =>
      `${names.join(' and ')} trust the same key ${key}: whoever holds it satisfies ${names.length === 2 ? 'both' : 'all of them'}, so they are not independent checks`,
  );
}

// An entry that is no key at all is nobody's key, and shared with nobody.
function identityOf(listed: AttestorKey): readonly string[] {
  if (listed.kind === 'pgp') return [`PGP ${normalizeFingerprint(listed.id)}`];
  const id = canonicalKeyId(listed.pem);
  return id === undefined ? [] : [id];
}
