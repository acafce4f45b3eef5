// SPDX-License-Identifier: Apache-2.0
// Key pairs and signatures of every kind that an attestor knows, made by node:crypto and openpgp.
import { constants, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';

/** A key pair with the way in which it signs. */
export interface SigningKey {
  readonly algorithm: string;
  readonly pem: string;
  readonly der: Buffer;
  sign(payload: Buffer): Buffer;
}

const CURVES = { '256': 'P-256', '384': 'P-384', '512': 'P-521' } as const;

/** A new key pair for an algorithm of the attestor's enum, such as `ECDSA_P256_SHA256` or `RSA_PSS_2048_SHA256`. */
export function signingKey(algorithm: string): SigningKey {
  const hash = `sha${/SHA(\d+)$/.exec(algorithm)?.[1] ?? '256'}`;
  const { publicKey, privateKey } = algorithm.startsWith('EC')
    ? generateKeyPairSync('ec', { namedCurve: CURVES[hash.slice(3) as keyof typeof CURVES] })
    : generateKeyPairSync('rsa', { modulusLength: Number(/_(\d{4})_/.exec(algorithm)?.[1]) });
  return {
    algorithm,
    pem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    der: publicKey.export({ type: 'spki', format: 'der' }),
    sign: (payload) => sign(hash, payload, signingOptions(algorithm, privateKey)),
  };
}

function signingOptions(algorithm: string, key: KeyObject) {
  if (algorithm.startsWith('EC')) return { key, dsaEncoding: 'der' as const };
  if (!algorithm.includes('PSS')) return { key, padding: constants.RSA_PKCS1_PADDING };
  return { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
}

/** The payload that gcloud makes for a repository and a digest. */
export function simpleSigningPayload(repository: string, digest: string, type = 'Google cloud binauthz container signature'): Buffer {
  const critical = { identity: { 'docker-reference': repository }, image: { 'docker-manifest-digest': digest }, type };
  return Buffer.from(`${JSON.stringify({ critical }, null, 2)}\n`);
}
