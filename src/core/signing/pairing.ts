// SPDX-License-Identifier: Apache-2.0
import type { Attestor } from '../attestation/attestor.js';
import { BinauthzError } from '../errors.js';
import { describeKey, isSameKey, isTrustedAs, type AttestorKey, type PublicKey } from './public-key.js';
import type { GivenKey } from './given-key.js';
import type { Signer } from './signer.js';

/** An attestor, the given key that signs for it, and the id under which the attestor trusts that key. */
export interface Pair {
  readonly attestor: Attestor;
  readonly signer: Signer;
  readonly publicKey: PublicKey;
  readonly attestorKey: AttestorKey;
}

/**
 * Pairs each attestor with the first given key that it trusts, by comparing public keys. An attestor that trusts none
 * of them, and a given key that no attestor trusts, are errors that list both sides.
 */
export function pairKeys(
  attestors: readonly Attestor[],
  given: readonly GivenKey[],
): { readonly pairs: readonly Pair[]; readonly errors: readonly BinauthzError[] } {
  const found = attestors.map((attestor) => ({ attestor, pair: pairFor(attestor, given) }));
  const untrusting = found.filter(({ pair }) => pair === undefined).map(({ attestor }) => attestorError(attestor, given));
  const unused = given.filter((key) => !attestors.some((attestor) => pairFor(attestor, [key]) !== undefined));
  // Where every key is left over because every attestor is, saying it once from the attestors' side is enough.
  const leftOver = untrusting.length === attestors.length ? [] : unused.map((key) => keyError(key, attestors));
  return { pairs: found.flatMap(({ pair }) => pair ?? []), errors: [...untrusting, ...leftOver] };
}

function pairFor(attestor: Attestor, given: readonly GivenKey[]): Pair | undefined {
  for (const signer of given.flatMap((key) => key.signers)) {
    for (const publicKey of signer.publicKeys) {
      const attestorKey = attestor.keys.find((key) => isTrustedAs(publicKey, key));
      if (attestorKey) return { attestor, signer, publicKey, attestorKey };
    }
  }
  return undefined;
}

function attestorError(attestor: Attestor, given: readonly GivenKey[]): BinauthzError {
  if (attestor.keys.length === 0) {
    return new BinauthzError(
      'KEY_NOT_TRUSTED',
      `cannot attest for ${attestor.name}: the attestor trusts no key, so nothing would ever be admitted by it`,
      {
        resource: attestor.name,
        hint: `add a public key to it: gcloud container binauthz attestors public-keys add --attestor=${attestor.name} …`,
      },
    );
  }
  const message = `cannot attest for ${attestor.name}: it trusts none of the given keys; it trusts ${attestor.keys.map(describeListed).join(', ')}; given: ${given.map(describeGiven).join(', ')}`;
  return new BinauthzError('KEY_NOT_TRUSTED', message, { resource: attestor.name, hint: mismatchHint(attestor, given) });
}

function keyError(key: GivenKey, attestors: readonly Attestor[]): BinauthzError {
  const sides = attestors.map((attestor) => `${attestor.name} trusts ${attestor.keys.map(describeListed).join(', ')}`);
  const message = `cannot use ${describeGiven(key)}: none of the attestors trusts it; ${sides.join('; ')}`;
  return new BinauthzError('KEY_NOT_TRUSTED', message, {
    resource: key.name,
    hint: 'leave the key out, or add its public key to the attestor that should trust it (gcloud container binauthz attestors public-keys add)',
  });
}

function mismatchHint(attestor: Attestor, given: readonly GivenKey[]): string {
  const publicKeys = given.flatMap((key) => key.signers).flatMap((signer) => signer.publicKeys);
  const misdeclared = attestor.keys.find((listed) => publicKeys.some((key) => isSameKey(key, listed)));
  if (misdeclared?.kind === 'pkix') {
    return `the attestor lists this very key, but declares it as ${misdeclared.algorithm}: remove the entry ${misdeclared.id} and add the key again with the algorithm that it really has`;
  }
  return `add the key to the attestor (gcloud container binauthz attestors public-keys add --attestor=${attestor.name} …), or give a key that it trusts`;
}

function describeGiven(key: GivenKey): string {
  return `${key.name} (${key.signers
    .flatMap((signer) => signer.publicKeys)
    .map(describeKey)
    .join(' or ')})`;
}

function describeListed(key: AttestorKey): string {
  return key.kind === 'pgp' ? `PGP ${key.id}` : `${key.algorithm} ${key.id}`;
}
