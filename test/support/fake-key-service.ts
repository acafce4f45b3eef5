// SPDX-License-Identifier: Apache-2.0
import { constants, createHash, createPrivateKey, generateKeyPairSync, privateEncrypt, type KeyObject } from 'node:crypto';
import { BinauthzError } from '../../src/core/errors.js';
import { parseKeyVersionName, keyOf, type KeyName, type KeyVersionName } from '../../src/core/names.js';
import type { HashName } from '../../src/core/signing/algorithm.js';
import type { KeyService, KmsPublicKey, KmsSignature } from '../../src/ports/key-service.js';

export interface FakeVersion {
  readonly name: KeyVersionName;
  readonly algorithm: string;
  readonly privateKey: KeyObject;
  readonly pem: string;
  readonly enabled?: boolean;
}

/** Changes a reply after its checksums were computed; `times` replies only, or all. */
export interface Fault {
  readonly publicKey?: (reply: KmsPublicKey) => KmsPublicKey;
  readonly signature?: (reply: KmsSignature) => KmsSignature;
  readonly times?: number;
}

/** A key service in memory, with real keys and its own CRC32C. It signs digests, never payloads, as Cloud KMS does. */
export class FakeKeyService implements KeyService {
  readonly calls: { readonly method: 'publicKey' | 'sign' | 'enabledVersions'; readonly name: string }[] = [];
  readonly #versions: readonly FakeVersion[];
  #fault: Fault = {};
  #faultsLeft = 0;

  constructor(versions: readonly FakeVersion[]) {
    this.#versions = versions;
  }

  plant(fault: Fault): void {
    this.#fault = fault;
    this.#faultsLeft = fault.times ?? Infinity;
  }

  publicKey(version: KeyVersionName): Promise<KmsPublicKey> {
    this.calls.push({ method: 'publicKey', name: version });
    return this.#answer(version, ({ name, algorithm, pem }) => {
      const reply = { name, algorithm, pem, pemCrc32c: slowCrc32c(Buffer.from(pem)) };
      return this.#fault.publicKey && this.#faultsLeft-- > 0 ? this.#fault.publicKey(reply) : reply;
    });
  }

  sign(
    version: KeyVersionName,
    digest: { readonly hash: HashName; readonly bytes: Uint8Array; readonly crc32c: number },
  ): Promise<KmsSignature> {
    this.calls.push({ method: 'sign', name: version });
    return this.#answer(version, ({ name, algorithm, privateKey }) => {
      const signature = signDigest(digest.bytes, { hash: digest.hash, algorithm, privateKey });
      const verifiedDigestCrc32c = slowCrc32c(digest.bytes) === digest.crc32c;
      const reply = { name, signature, signatureCrc32c: slowCrc32c(signature), verifiedDigestCrc32c };
      return this.#fault.signature && this.#faultsLeft-- > 0 ? this.#fault.signature(reply) : reply;
    });
  }

  enabledVersions(key: KeyName): Promise<readonly KeyVersionName[]> {
    this.calls.push({ method: 'enabledVersions', name: key });
    const found = this.#versions.filter(({ name, enabled }) => keyOf(name) === key && enabled !== false);
    return Promise.resolve(
      found.map(({ name }) => name).sort((a, b) => Number(b.slice(b.lastIndexOf('/') + 1)) - Number(a.slice(a.lastIndexOf('/') + 1))),
    );
  }

  #answer<T>(version: KeyVersionName, reply: (found: FakeVersion) => T): Promise<T> {
    const found = this.#versions.find(({ name }) => name === version);
    if (!found) return Promise.reject(new BinauthzError('KEY_NOT_FOUND', `no ${version}`, { resource: version }));
    if (found.enabled === false) return Promise.reject(new BinauthzError('KEY_UNUSABLE', `${version} is disabled`, { resource: version }));
    return Promise.resolve(reply(found));
  }
}

/** The name of version `n` of a key called `key`. */
export function versionName(n: number, key = 'k'): KeyVersionName {
  const name = parseKeyVersionName(`projects/p-project/locations/global/keyRings/r/cryptoKeys/${key}/cryptoKeyVersions/${n}`);
  if (!name) throw new Error('not a version name');
  return name;
}

// Bit by bit and without a table: another implementation than the product's.
export function slowCrc32c(bytes: Uint8Array): number {
  let crc = 0xffffffffn;
  for (const byte of bytes) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ 0x82f63b78n : crc >> 1n;
  }
  return Number(crc ^ 0xffffffffn);
}

const DIGEST_INFO: Record<HashName, string> = {
  sha256: '3031300d060960864801650304020105000420',
  sha384: '3041300d060960864801650304020205000430',
  sha512: '3051300d060960864801650304020305000440',
};

function signDigest(
  digest: Uint8Array,
  { hash, algorithm, privateKey }: { hash: HashName; algorithm: string; privateKey: KeyObject },
): Uint8Array {
  if (algorithm.startsWith('EC_')) return new Uint8Array(signEcdsaDigest(digest, privateKey));
  if (algorithm.includes('PKCS1')) {
    const info = Buffer.concat([Buffer.from(DIGEST_INFO[hash], 'hex'), digest]);
    return new Uint8Array(privateEncrypt({ key: privateKey, padding: constants.RSA_PKCS1_PADDING }, info));
  }
  const encoded = emsaPss(digest, hash, privateKey.asymmetricKeyDetails?.modulusLength ?? 0);
  return new Uint8Array(privateEncrypt({ key: privateKey, padding: constants.RSA_NO_PADDING }, encoded));
}

// RFC 8017, 9.1.1, with a salt as long as the digest.
function emsaPss(digest: Uint8Array, hash: HashName, bits: number): Buffer {
  const salt = Buffer.alloc(digest.length, 7);
  const h = createHash(hash).update(Buffer.alloc(8)).update(digest).update(salt).digest();
  const block = Buffer.alloc(bits / 8 - h.length - 1);
  block[block.length - salt.length - 1] = 1;
  salt.copy(block, block.length - salt.length);
  for (let i = 0, counter = 0; i < block.length; counter++) {
    const count = Buffer.alloc(4);
    count.writeUInt32BE(counter);
    for (const byte of createHash(hash).update(h).update(count).digest()) {
      if (i >= block.length) break;
      block[i] = (block[i] ?? 0) ^ byte;
      i++;
    }
  }
  block[0] = (block[0] ?? 0) & 0x7f;
  return Buffer.concat([block, h, Buffer.from([0xbc])]);
}

// node:crypto signs EC digests only through a hash, so the curve's arithmetic is done here, affine and slow.
function signEcdsaDigest(digest: Uint8Array, privateKey: KeyObject): Buffer {
  const curve = CURVES[privateKey.asymmetricKeyDetails?.namedCurve ?? ''];
  const { d } = privateKey.export({ format: 'jwk' });
  if (!curve || d === undefined) throw new Error('not an EC key of a known curve');
  const toInt = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
  const z = toInt(digest) % curve.n;
  // The nonce is the private half of a fresh key, and r the x coordinate of its public half.
  const nonce = generateKeyPairSync('ec', { namedCurve: curve.name }).privateKey.export({ format: 'jwk' });
  const k = toInt(Buffer.from(nonce.d ?? '', 'base64url'));
  const r = toInt(Buffer.from(nonce.x ?? '', 'base64url')) % curve.n;
  const s = (inverse(k, curve.n) * (z + r * toInt(Buffer.from(d, 'base64url')))) % curve.n;
  const body = Buffer.concat([derInteger(r), derInteger(s)]);
  return Buffer.concat([Buffer.from([0x30, ...(body.length > 127 ? [0x81] : []), body.length]), body]);
}

const CURVES: Record<string, { readonly name: string; readonly n: bigint }> = {
  prime256v1: { name: 'P-256', n: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n },
  secp384r1: { name: 'P-384', n: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n },
};

function derInteger(value: bigint): Buffer {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.length % 2 ? `0${hex}` : hex, 'hex');
  const padded = (bytes[0] ?? 0) > 127 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes;
  return Buffer.concat([Buffer.from([2, padded.length]), padded]);
}

function inverse(value: bigint, modulus: bigint): bigint {
  let [a, b, x, y] = [value % modulus, modulus, 1n, 0n];
  while (b) [a, b, x, y] = [b, a % b, y, x - (a / b) * y];
  return ((x % modulus) + modulus) % modulus;
}

/** One signing key version, made from a private key. */
export function fakeVersion(
  name: KeyVersionName,
  algorithm: string,
  keys: { readonly privateKey: KeyObject; readonly publicKey: KeyObject },
): FakeVersion {
  return {
    name,
    algorithm,
    privateKey: createPrivateKey(keys.privateKey.export({ type: 'pkcs8', format: 'pem' })),
    pem: keys.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  };
}
