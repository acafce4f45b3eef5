// SPDX-License-Identifier: Apache-2.0
import { constants, sign, verify, type KeyObject, type SignKeyObjectInput } from 'node:crypto';
import type { Algorithm } from '../core/signing/algorithm.js';

/** A key, and the algorithm that it is used with. */
export interface AlgorithmKey {
  readonly key: KeyObject;
  readonly algorithm: Algorithm;
}

/** How strict verification is about the length of a PSS salt. */
export type PssSalt = 'digest-length' | 'any-length';

/** The signature over a payload with a local private key that fits the algorithm. */
export function makeSignature(payload: Uint8Array, { key, algorithm }: AlgorithmKey): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    sign(algorithm.hash, payload, inputFor(key, algorithm, 'digest-length'), (error, signature) => {
      if (error) reject(error);
      else resolve(new Uint8Array(signature));
    });
  });
}

/** Whether a signature over a payload is good under a public key that fits the algorithm. ECDSA must be strict DER. */
export function isGoodSignature(
  payload: Uint8Array,
  signature: Uint8Array,
  { key, algorithm }: AlgorithmKey,
  pssSalt: PssSalt = 'digest-length',
): boolean {
  return passes(payload, signature, algorithm, inputFor(key, algorithm, pssSalt));
}

/** Whether an ECDSA signature is good in the raw form r‖s, which Binary Authorization does not take. */
export function isGoodRawEcdsa(payload: Uint8Array, signature: Uint8Array, { key, algorithm }: AlgorithmKey): boolean {
  return algorithm.scheme.kind === 'ecdsa' && passes(payload, signature, algorithm, { key, dsaEncoding: 'ieee-p1363' });
}

/** A public or private key by its type and size, as messages name it. */
export function describeKeyObject(key: KeyObject): string {
  const details = key.asymmetricKeyDetails;
  const size = details?.namedCurve ?? details?.modulusLength;
  return `${(key.asymmetricKeyType ?? 'unknown').toUpperCase()}${size === undefined ? '' : ` ${size}`}`;
}

function passes(payload: Uint8Array, signature: Uint8Array, algorithm: Algorithm, input: SignKeyObjectInput): boolean {
  try {
    return verify(algorithm.hash, payload, input, signature);
  } catch {
    // OpenSSL throws on some malformed signatures where it answers false to others.
    return false;
  }
}

function inputFor(key: KeyObject, algorithm: Algorithm, pssSalt: PssSalt): SignKeyObjectInput {
  switch (algorithm.scheme.kind) {
    case 'ecdsa':
      return { key, dsaEncoding: 'der' };
    case 'rsa-pkcs1':
      return { key, padding: constants.RSA_PKCS1_PADDING };
    case 'rsa-pss': {
      const saltLength = pssSalt === 'any-length' ? constants.RSA_PSS_SALTLEN_AUTO : constants.RSA_PSS_SALTLEN_DIGEST;
      return { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength };
    }
  }
}
