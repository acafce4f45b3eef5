// SPDX-License-Identifier: Apache-2.0
// Key rings, keys and versions as stored, and the forms in which Cloud KMS shows them.
import { ApiError, timestamp, type JsonObject } from '../wire.js';
import type { Algorithm } from './algorithms.js';
import type { KeyMaterial } from './key-material.js';

/** A key ring. Google never deletes one, nor a key. */
export interface KeyRing {
  readonly name: string;
  readonly createTime: number;
}

/** A key with its versions, oldest first. */
export interface CryptoKey {
  readonly name: string;
  readonly ring: string;
  readonly purpose: string;
  readonly protectionLevel: string;
  readonly createTime: number;
  readonly destroyAfterSeconds: number;
  readonly versions: KeyVersion[];
  algorithm: Algorithm;
  labels: JsonObject;
}

/** A version of a key; `material` stays undefined for symmetric keys, and until generation ends. */
export interface KeyVersion {
  readonly name: string;
  readonly number: number;
  readonly key: CryptoKey;
  readonly algorithm: Algorithm;
  readonly createTime: number;
  state: string;
  material?: KeyMaterial | undefined;
  generateTime?: number;
  destroyTime?: number;
  destroyEventTime?: number;
}

/** Everything that this Cloud KMS holds. */
export class KmsState {
  private readonly rings = new Map<string, KeyRing>();
  private readonly keys = new Map<string, CryptoKey>();

  constructor(private readonly now: () => number) {}

  ring(name: string): KeyRing {
    return this.rings.get(name) ?? missing('KeyRing', name);
  }

  key(name: string): CryptoKey {
    const key = this.keys.get(name) ?? missing('CryptoKey', name);
    this.destroyDue(key);
    return key;
  }

  version(name: string): KeyVersion {
    const parent = name.slice(0, name.lastIndexOf('/cryptoKeyVersions/'));
    const key = this.keys.get(parent);
    if (key) this.destroyDue(key);
    return key?.versions.find((version) => version.name === name) ?? missing('CryptoKeyVersion', name);
  }

  addRing(name: string): KeyRing {
    if (this.rings.has(name)) throw new ApiError('ALREADY_EXISTS', `KeyRing ${name} already exists.`);
    const ring = { name, createTime: this.now() };
    this.rings.set(name, ring);
    return ring;
  }

  addKey(key: CryptoKey): void {
    this.ring(key.ring);
    if (this.keys.has(key.name)) throw new ApiError('ALREADY_EXISTS', `CryptoKey ${key.name} already exists.`);
    this.keys.set(key.name, key);
  }

  /** A version with the next number, still without a key: the number must be taken before generation begins. */
  addVersion(key: CryptoKey): KeyVersion {
    const number = key.versions.length + 1;
    const name = `${key.name}/cryptoKeyVersions/${String(number)}`;
    const version: KeyVersion = { name, number, key, algorithm: key.algorithm, createTime: this.now(), state: 'PENDING_GENERATION' };
    key.versions.push(version);
    return version;
  }

  ringsIn(location: string): KeyRing[] {
    return [...this.rings.values()].filter(({ name }) => name.startsWith(`${location}/keyRings/`));
  }

  keysIn(ring: string): CryptoKey[] {
    const keys = [...this.keys.values()].filter((key) => key.ring === ring);
    keys.forEach((key) => {
      this.destroyDue(key);
    });
    return keys;
  }

  reset(): void {
    this.rings.clear();
    this.keys.clear();
  }

  /** Time itself destroys a scheduled version; nobody calls for it, so it is caught up with on each look. */
  private destroyDue(key: CryptoKey): void {
    for (const version of key.versions) {
      if (version.state !== 'DESTROY_SCHEDULED' || version.destroyTime === undefined || version.destroyTime > this.now()) continue;
      version.destroyEventTime = version.destroyTime;
      version.state = 'DESTROYED';
      delete version.destroyTime;
      delete version.material;
    }
  }
}

function missing(kind: string, name: string): never {
  throw new ApiError('NOT_FOUND', `${kind} ${name} not found.`);
}

/** A key ring as Google's JSON. */
export function ringJson(ring: KeyRing): JsonObject {
  return { name: ring.name, createTime: timestamp(ring.createTime) };
}

/** A key as Google's JSON; only symmetric keys have a primary version. */
export function keyJson(key: CryptoKey): JsonObject {
  const primary = key.purpose === 'ENCRYPT_DECRYPT' ? key.versions[0] : undefined;
  return {
    name: key.name,
    ...(primary ? { primary: versionJson(primary) } : {}),
    purpose: key.purpose,
    createTime: timestamp(key.createTime),
    versionTemplate: { protectionLevel: key.protectionLevel, algorithm: key.algorithm.name },
    destroyScheduledDuration: `${String(key.destroyAfterSeconds)}s`,
    ...(Object.keys(key.labels).length > 0 ? { labels: key.labels } : {}),
  };
}

/** A key version as Google's JSON. */
export function versionJson(version: KeyVersion): JsonObject {
  const { generateTime, destroyTime, destroyEventTime } = version;
  return {
    name: version.name,
    state: version.state,
    protectionLevel: version.key.protectionLevel,
    algorithm: version.algorithm.name,
    createTime: timestamp(version.createTime),
    ...(generateTime === undefined ? {} : { generateTime: timestamp(generateTime) }),
    ...(destroyTime === undefined ? {} : { destroyTime: timestamp(destroyTime) }),
    ...(destroyEventTime === undefined ? {} : { destroyEventTime: timestamp(destroyEventTime) }),
  };
}
