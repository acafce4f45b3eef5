// SPDX-License-Identifier: Apache-2.0
// ECDSA over a digest that is already there. node:crypto always hashes what it is given, so the signature equation is
// computed here; the point multiplication is OpenSSL's. Nothing is constant-time: these keys guard nothing.
import { createECDH, type KeyObject } from 'node:crypto';
import type { CurveName } from './algorithms.js';

/** The order of each curve's base point (SEC 2). */
const ORDERS: Readonly<Record<CurveName, bigint>> = {
  prime256v1: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  secp256k1: 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n,
  secp384r1: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
};

/** The ASN.1 DER signature `SEQUENCE{r, s}` of a digest that is as long as the curve's order. */
export function signEcdsaDigest(key: KeyObject, curve: CurveName, digest: Buffer): Buffer {
  const order = ORDERS[curve];
  const secret = toBigInt(Buffer.from(key.export({ format: 'jwk' }).d ?? '', 'base64url'));
  for (;;) {
    const { nonce, x } = randomPoint(curve);
    const r = x % order;
    const s = (inverse(nonce, order) * (toBigInt(digest) + r * secret)) % order;
    if (r !== 0n && s !== 0n) return derSequence([r, s]);
  }
}

function randomPoint(curve: CurveName): { nonce: bigint; x: bigint } {
  const pair = createECDH(curve);
  const point = pair.generateKeys(); // 0x04, x, y
  return { nonce: toBigInt(pair.getPrivateKey()), x: toBigInt(point.subarray(1, 1 + (point.length - 1) / 2)) };
}

/** The inverse modulo a prime, by the extended Euclidean algorithm. */
function inverse(value: bigint, modulus: bigint): bigint {
  let [previous, current] = [value % modulus, modulus];
  let [factor, nextFactor] = [1n, 0n];
  while (current !== 0n) {
    const quotient = previous / current;
    [previous, current] = [current, previous - quotient * current];
    [factor, nextFactor] = [nextFactor, factor - quotient * nextFactor];
  }
  return ((factor % modulus) + modulus) % modulus;
}

function derSequence(numbers: readonly bigint[]): Buffer {
  const members = Buffer.concat(numbers.map(derInteger));
  return Buffer.concat([Buffer.from([0x30, members.length]), members]);
}

function derInteger(value: bigint): Buffer {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
  // A leading 1 bit would make the number negative.
  const body = (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes;
  return Buffer.concat([Buffer.from([0x02, body.length]), body]);
}

function toBigInt(bytes: Buffer): bigint {
  return BigInt(`0x${bytes.toString('hex')}`);
}
