// SPDX-License-Identifier: Apache-2.0
// What a key version is used for: publicKey and asymmetricSign, with the CRC32C protocol of Google's
// data integrity guidelines (https://cloud.google.com/kms/docs/data-integrity-guidelines).
import { jsonBody, route, type Call, type Reply, type Route } from '../router.js';
import { ApiError, decodeBytes, encodeBytes, enumMember, objectMember, refuseUnknown, type JsonObject } from '../wire.js';
import type { World } from '../world.js';
import { PUBLIC_KEY_FORMATS, type Algorithm, type HashName } from './algorithms.js';
import { crc32c, crc32cText } from './crc32c.js';
import { signData, signDigest, type KeyMaterial } from './key-material.js';
import { VERSION, versionName } from './names.js';
import type { KeyVersion, KmsState } from './state.js';

/** The most data that KMS hashes, or signs, itself. */
const MOST_DATA = 64 * 1024;
const DIGEST_BYTES: Readonly<Record<HashName, number>> = { sha256: 32, sha384: 48, sha512: 64 };

/** The routes that use a key version. */
export function signingRoutes(world: World, state: KmsState): Route[] {
  return [
    route('GET', `${VERSION}/publicKey`, (call) => {
      world.iam.require(call, 'cloudkms.cryptoKeyVersions.viewPublicKey', versionName(call));
      return publicKey(call, state.version(versionName(call)));
    }),
    route('POST', `${VERSION}:asymmetricSign`, (call) => {
      world.iam.require(call, 'cloudkms.cryptoKeyVersions.useToSign', versionName(call));
      return asymmetricSign(call, state.version(versionName(call)));
    }),
  ];
}

function publicKey(call: Call, version: KeyVersion): Reply {
  const format = enumMember(formatParameter(call), PUBLIC_KEY_FORMATS, 'public_key_format', 'PUBLIC_KEY_FORMAT_UNSPECIFIED');
  const key = usable(version, ['ASYMMETRIC_SIGN', 'ASYMMETRIC_DECRYPT']).publicKey;
  const pem = key.export({ type: 'spki', format: 'pem' }).toString();
  const common = { algorithm: version.algorithm.name, name: version.name, protectionLevel: version.key.protectionLevel };
  const plain = { ...common, pem, pemCrc32c: crc32cText(Buffer.from(pem)) };
  if (format === 'PUBLIC_KEY_FORMAT_UNSPECIFIED') return { json: plain };
  const data = format === 'DER' ? key.export({ type: 'spki', format: 'der' }) : Buffer.from(pem);
  const formatted = { publicKeyFormat: format, publicKey: { data: encodeBytes(data), crc32cChecksum: crc32cText(data) } };
  return { json: { ...(format === 'PEM' ? plain : common), ...formatted } };
}

/** A query carries enums as text, numbers included. */
function formatParameter(call: Call): string | number | undefined {
  const text = call.query.get('publicKeyFormat') ?? call.query.get('public_key_format');
  if (text === null || text === '') return undefined;
  return /^\d+$/.test(text) ? Number(text) : text;
}

function asymmetricSign(call: Call, version: KeyVersion): Reply {
  const body = jsonBody(call);
  refuseUnknown(body, ['name', 'digest', 'digestCrc32c', 'data', 'dataCrc32c'], '');
  const digest = readDigest(objectMember(body, 'digest'));
  const data = decodeBytes(body['data'], 'data');
  const verified = {
    ...verifyChecksum(body['digestCrc32c'], 'digest', digest?.bytes),
    ...verifyChecksum(body['dataCrc32c'], 'data', data),
  };
  const material = usable(version, ['ASYMMETRIC_SIGN']);
  if (digest && data.length > 0) throw new ApiError('INVALID_ARGUMENT', 'Only one of digest and data may be set.');
  const signature = digest ? overDigest(version.algorithm, material, digest) : overData(version.algorithm, material, data);
  const { protectionLevel } = version.key;
  return {
    json: { signature: encodeBytes(signature), signatureCrc32c: crc32cText(signature), ...verified, name: version.name, protectionLevel },
  };
}

interface Digest {
  readonly hash: HashName;
  readonly bytes: Buffer;
}

function readDigest(message: JsonObject): Digest | undefined {
  const set = Object.entries(message).filter(([, value]) => value !== undefined && value !== null);
  const [first, ...others] = set;
  if (!first) return undefined;
  const [name, value] = first;
  if (others.length > 0) throw new ApiError('INVALID_ARGUMENT', "Invalid value at 'digest' (oneof), only one field may be set");
  if (!isHash(name)) throw new ApiError('INVALID_ARGUMENT', `Digest field "${name}" is not supported.`);
  return { hash: name, bytes: decodeBytes(value, `digest.${name}`) };
}

function isHash(name: string): name is HashName {
  return Object.hasOwn(DIGEST_BYTES, name);
}

function overDigest(algorithm: Algorithm, material: KeyMaterial, { hash, bytes }: Digest): Buffer {
  const wanted = algorithm.sign?.kind === 'eddsa' ? undefined : algorithm.sign?.hash;
  if (wanted === undefined) throw new ApiError('INVALID_ARGUMENT', `Algorithm ${algorithm.name} signs data, not a digest.`);
  if (hash !== wanted) throw new ApiError('INVALID_ARGUMENT', `Algorithm ${algorithm.name} needs a ${wanted} digest, got ${hash}.`);
  const length = DIGEST_BYTES[hash];
  if (bytes.length !== length)
    throw new ApiError('INVALID_ARGUMENT', `Digest ${hash} must be ${String(length)} bytes long, got ${String(bytes.length)}.`);
  return signDigest(algorithm, material, bytes);
}

function overData(algorithm: Algorithm, material: KeyMaterial, data: Buffer): Buffer {
  if (data.length === 0) throw new ApiError('INVALID_ARGUMENT', 'One of digest and data is required.');
  if (data.length > MOST_DATA)
    throw new ApiError('INVALID_ARGUMENT', `data must be at most ${String(MOST_DATA)} bytes long, got ${String(data.length)}.`);
  return signData(algorithm, material, data);
}

/** `{verifiedDigestCrc32c: true}` where a checksum came and fits, {} where none came. */
function verifyChecksum(sent: unknown, field: 'digest' | 'data', bytes: Buffer = Buffer.alloc(0)): JsonObject {
  if (sent === undefined || sent === null) return {};
  const number = typeof sent === 'string' && /^-?\d+$/.test(sent) ? Number(sent) : sent;
  if (typeof number !== 'number' || !Number.isInteger(number))
    throw new ApiError('INVALID_ARGUMENT', `Invalid value at '${field}_crc32c' (TYPE_INT64)`);
  if (number !== crc32c(bytes))
    throw new ApiError('INVALID_ARGUMENT', `The checksum in field ${field}_crc32c did not match the data in field ${field}.`);
  return { [field === 'digest' ? 'verifiedDigestCrc32c' : 'verifiedDataCrc32c']: true };
}

/** The key pair of a version that is enabled and of a fitting purpose. */
function usable(version: KeyVersion, purposes: readonly string[]): KeyMaterial {
  const { purpose } = version.key;
  if (!purposes.includes(purpose)) {
    throw new ApiError('FAILED_PRECONDITION', `${version.key.name} has purpose ${purpose}, this operation needs ${purposes.join(' or ')}.`);
  }
  if (version.state !== 'ENABLED') throw notEnabled(version);
  if (!version.material) throw new Error(`${version.name} is enabled without a key`);
  return version.material;
}

/** Google's own words for it (hashicorp/terraform-provider-google#5895). */
function notEnabled({ name, state }: KeyVersion): ApiError {
  return new ApiError('FAILED_PRECONDITION', `${name} is not enabled, current state is: ${state}.`, [
    { '@type': 'type.googleapis.com/google.rpc.PreconditionFailure', violations: [{ type: `KEY_${state}`, subject: name }] },
  ]);
}
