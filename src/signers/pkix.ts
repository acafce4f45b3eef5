// SPDX-License-Identifier: Apache-2.0
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { BinauthzError } from '../core/errors.js';
import type { Secret } from '../core/secret.js';
import { algorithmOfAttestor, ML_DSA_65, type Algorithm } from '../core/signing/algorithm.js';
import { algorithmsFor, defaultKeyId, fits, parsePem, type AttestorKey, type PublicKey } from '../core/signing/public-key.js';
import type { Signer } from '../core/signing/signer.js';
import type { Verification } from '../core/signing/verifier.js';
import { labelsIn, readKeyContent } from './key-text.js';
import { type AlgorithmKey, describeKeyObject, isGoodRawEcdsa, isGoodSignature, makeSignature } from './pkix-signature.js';

const EXPECTED =
  'expected one unencrypted private key: PEM (PKCS#8, SEC1 or PKCS#1), one line of it with \\n escapes, or base64 of PEM or DER';

/** The signer of a local private key; an RSA key stands for every algorithm of its size. */
export function openPkixKey(secret: Secret): Signer {
  const key = parsePrivateKey(secret);
  const publicHalf = createPublicKey(key);
  const spki = new Uint8Array(publicHalf.export({ type: 'spki', format: 'der' }));
  const [first, ...others] = algorithmsFor(publicHalf).map((algorithm): PkixKey => ({ kind: 'pkix', spki, algorithm }));
  if (!first) {
    throw new BinauthzError(
      'KEY_ALGORITHM_UNSUPPORTED',
      `cannot sign with the key in ${secret.source}: it is ${describeKeyObject(key)}, expected RSA of 2048, 3072 or 4096 bits, or an EC key on P-256, P-384 or P-521`,
      {
        resource: secret.source,
        hint: 'make a usable key (openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256) and add its public half to the attestor',
      },
    );
  }
  const publicKeys = [first, ...others] as const;
  return {
    name: defaultKeyId(spki),
    publicKeys,
    sign: async (payload, publicKey) => makeSignature(payload, { key, algorithm: algorithmAmong(publicKeys, publicKey) }),
  };
}

/** Whether a signature verifies under a PKIX key of an attestor, with the algorithm that the attestor declares. */
export function verifyPkix(payload: Uint8Array, signature: Uint8Array, key: Extract<AttestorKey, { kind: 'pkix' }>): Verification {
  const algorithm = algorithmOfAttestor(key.algorithm);
  if (!algorithm) return refuse(whyUnverifiable(key.algorithm));
  const publicKey = parsePem(key.pem);
  if (!publicKey) return refuse('the attestor holds no readable public key for it, expected one PEM block BEGIN PUBLIC KEY');
  if (!fits(publicKey, algorithm)) return refuse(`the attestor declares ${algorithm.name}, but the key is ${describeKeyObject(publicKey)}`);
  if (isGoodSignature(payload, signature, { key: publicKey, algorithm })) return { verified: true };
  if (algorithm.scheme.kind === 'rsa-pss' && isGoodSignature(payload, signature, { key: publicKey, algorithm }, 'any-length')) {
    return { verified: true, warning: 'its PSS salt is not as long as the hash; whether Google accepts other lengths is not published' };
  }
  return refuse(whyBad(payload, signature, { key: publicKey, algorithm }));
}

type PkixKey = Extract<PublicKey, { kind: 'pkix' }>;

function algorithmAmong(own: readonly PkixKey[], asked: PublicKey): Algorithm {
  const found = own.find((key) => asked.kind === 'pkix' && key.algorithm.name === asked.algorithm.name);
  if (!found) throw new BinauthzError('INTERNAL', 'a local key was asked to sign with an algorithm that is not its own');
  return found.algorithm;
}

function parsePrivateKey(secret: Secret): KeyObject {
  const content = readKeyContent(secret.reveal());
  if (!content) throw unusable(secret, 'it is neither PEM nor base64');
  const key = 'text' in content ? fromPem(content.text, secret) : fromDer(content.binary, secret);
  if (!key) throw unusable(secret, 'it cannot be read');
  return key;
}

function fromPem(text: string, secret: Secret): KeyObject | undefined {
  // `openssl ecparam -genkey` puts EC PARAMETERS first, and people keep the certificate beside its key.
  const blocks = text.match(/-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----[\s\S]*?-----END (?:[A-Z]+ )*PRIVATE KEY-----/g) ?? [];
  const [block, ...more] = blocks;
  if (block === undefined || more.length > 0)
    throw unusable(secret, `it holds ${blocks.length} private keys (found: ${labelsIn(text).join(', ')})`);
  if (/^(?:-----BEGIN ENCRYPTED |Proc-Type: 4,ENCRYPTED)/m.test(block)) throw encrypted(secret);
  return attempt(secret, () => createPrivateKey({ key: `${block}\n`, format: 'pem' }));
}

function fromDer(der: Uint8Array, secret: Secret): KeyObject | undefined {
  for (const type of ['pkcs8', 'sec1', 'pkcs1'] as const) {
    const key = attempt(secret, () => createPrivateKey({ key: Buffer.from(der), format: 'der', type }));
    if (key) return key;
  }
  return undefined;
}

function attempt(secret: Secret, parse: () => KeyObject): KeyObject | undefined {
  try {
    return parse();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_MISSING_PASSPHRASE') throw encrypted(secret);
    // The cause is dropped: what a parser says about a secret may quote it.
    return undefined;
  }
}

function encrypted(secret: Secret): BinauthzError {
  return new BinauthzError('SECRET_UNUSABLE', `cannot use the key in ${secret.source}: it is encrypted; ${EXPECTED}`, {
    resource: secret.source,
    hint: 'store the decrypted key in the secret instead (openssl pkcs8 -topk8 -nocrypt -in key.pem), or use a Cloud KMS key',
  });
}

function unusable(secret: Secret, found: string): BinauthzError {
  return new BinauthzError('SECRET_UNUSABLE', `cannot use the key in ${secret.source}: ${found}; ${EXPECTED}`, {
    resource: secret.source,
    hint: `check the value of ${secret.source}: base64 survives every CI system (base64 < key.pem | tr -d '\\n')`,
  });
}

function whyUnverifiable(name: string): string {
  if (name === ML_DSA_65) return `the attestor declares ${ML_DSA_65}, which is known, but what Google verifies for it is not published`;
  return `the attestor declares the algorithm ${name}, which binauthz does not know`;
}

// A good signature of another kind is a configuration mistake, not a forgery, and saying which one saves an afternoon.
function whyBad(payload: Uint8Array, signature: Uint8Array, { key, algorithm }: AlgorithmKey): string {
  const other = algorithmsFor(key).find((candidate) => isGoodSignature(payload, signature, { key, algorithm: candidate }));
  if (other) return `it was made as ${other.name}, but the attestor declares ${algorithm.name}`;
  if (isGoodRawEcdsa(payload, signature, { key, algorithm })) return 'it is in the raw form r‖s, expected ASN.1 DER';
  return `it is no ${algorithm.name} signature of this key over this payload`;
}

function refuse(reason: string): Verification {
  return { verified: false, reason };
}
