// SPDX-License-Identifier: Apache-2.0
// Makes key pairs and signs with them.
import { createHash, generateKeyPair, sign, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import type { Algorithm, HashName } from './algorithms.js';
import { signEcdsaDigest } from './ecdsa.js';
import { signPkcs1Digest, signPssDigest } from './rsa.js';

/** A key pair; a symmetric key has none. */
export interface KeyMaterial {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

const generate = promisify(generateKeyPair);

/** A fresh key pair for an algorithm, made off the main thread so that the server keeps answering. */
export async function generateMaterial({ key }: Algorithm): Promise<KeyMaterial | undefined> {
  switch (key.type) {
    case 'rsa':
      return generate('rsa', { modulusLength: key.bits });
    case 'ec':
      return generate('ec', { namedCurve: key.curve });
    case 'ed25519':
      return generate('ed25519', {});
    case 'none':
      return undefined;
  }
}

/** Signs a digest of the algorithm's own hash. */
export function signDigest(algorithm: Algorithm, { privateKey }: KeyMaterial, digest: Buffer): Buffer {
  const { sign: scheme, key } = algorithm;
  if (scheme === undefined || scheme.kind === 'eddsa') throw new Error(`${algorithm.name} does not sign digests`);
  if (scheme.kind === 'pkcs1') return signPkcs1Digest(privateKey, scheme.hash, digest);
  if (scheme.kind === 'pss') return signPssDigest(privateKey, scheme.hash, digest);
  if (key.type !== 'ec') throw new Error(`${algorithm.name} has no curve`);
  return signEcdsaDigest(privateKey, key.curve, digest);
}

/** Signs data: Ed25519 takes it as it is, every other algorithm hashes it first. */
export function signData(algorithm: Algorithm, material: KeyMaterial, data: Buffer): Buffer {
  const { sign: scheme } = algorithm;
  if (scheme?.kind === 'eddsa') return sign(null, data, material.privateKey);
  return signDigest(algorithm, material, hashOf(scheme?.hash ?? 'sha256', data));
}

function hashOf(hash: HashName, data: Buffer): Buffer {
  return createHash(hash).update(data).digest();
}
