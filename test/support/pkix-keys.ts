// SPDX-License-Identifier: Apache-2.0
import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { ALGORITHMS, type Algorithm, type AlgorithmName } from '../../src/core/signing/algorithm.js';

export interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

const made = new Map<string, KeyPair>();

/** A key pair for an algorithm; `which` tells several apart. Made once per test file, for RSA is slow. */
export function keyPairFor(algorithm: Algorithm, which = 0): KeyPair {
  const { scheme } = algorithm;
  const size = scheme.kind === 'ecdsa' ? scheme.curve : scheme.bits;
  const id = `${size}/${which}`;
  const pair =
    made.get(id) ??
    (scheme.kind === 'ecdsa'
      ? generateKeyPairSync('ec', { namedCurve: scheme.curve })
      : generateKeyPairSync('rsa', { modulusLength: scheme.bits }));
  made.set(id, pair);
  return pair;
}

/** An RSA public key of this size that has no private half: it is there at once, where a real one of 4096 bits takes seconds. */
export function rsaPublicKey(bits: number): KeyObject {
  return createPublicKey({ key: { kty: 'RSA', n: Buffer.alloc(bits / 8, 0xff).toString('base64url'), e: 'AQAB' }, format: 'jwk' });
}

/** The algorithm of this name. */
export function algorithmNamed(name: AlgorithmName): Algorithm {
  const found = ALGORITHMS.find((algorithm) => algorithm.name === name);
  if (!found) throw new Error(`no algorithm ${name}`);
  return found;
}

/** A public key as attestors hold it. */
export function publicPem(key: KeyObject): string {
  return key.export({ type: 'spki', format: 'pem' }).toString();
}

/** A private key as PKCS#8 PEM. */
export function privatePem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}
