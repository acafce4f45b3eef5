// SPDX-License-Identifier: Apache-2.0
// cryptoKeys: create, get, list, patch, IAM.
import { iamRoutes } from '../iam.js';
import { jsonBody, route, type Call, type Reply, type Route } from '../router.js';
import { ApiError, camelCase, enumMember, objectMember, refuseUnknown, stringMapMember, stringMember, type JsonObject } from '../wire.js';
import type { World } from '../world.js';
import { ALGORITHMS, ALGORITHM_NUMBERS, PROTECTION_LEVELS, PURPOSES, type Algorithm } from './algorithms.js';
import { listReply } from './listing.js';
import { KEY, RING, keyName, newId, ringName } from './names.js';
import { keyJson, type CryptoKey, type KmsState } from './state.js';
import { addGeneratedVersion } from './versions.js';

/** How long a version stays restorable, where its key does not say. */
const DEFAULT_DESTROY_SECONDS = 30 * 24 * 60 * 60;

const KEY_MEMBERS = [
  ...['name', 'primary', 'purpose', 'createTime', 'nextRotationTime', 'rotationPeriod', 'versionTemplate', 'labels'],
  ...['importOnly', 'destroyScheduledDuration', 'cryptoKeyBackend', 'keyAccessJustificationsPolicy'],
];

/** The routes of keys. */
export function cryptoKeyRoutes(world: World, state: KmsState): Route[] {
  return [
    route('POST', `${RING}/cryptoKeys`, (call) => create(world, state, call)),
    route('GET', `${RING}/cryptoKeys`, (call) => {
      world.iam.require(call, 'cloudkms.cryptoKeys.list', ringName(call));
      state.ring(ringName(call));
      return listReply(call, 'cryptoKeys', state.keysIn(ringName(call)).map(keyJson));
    }),
    route('GET', KEY, (call) => {
      world.iam.require(call, 'cloudkms.cryptoKeys.get', keyName(call));
      return { json: keyJson(state.key(keyName(call))) };
    }),
    route('PATCH', KEY, (call) => patch(world, state, call)),
    ...iamRoutes(world.iam, {
      template: KEY,
      resource: keyName,
      exists: (call) => {
        state.key(keyName(call));
      },
      permissions: { get: 'cloudkms.cryptoKeys.getIamPolicy', set: 'cloudkms.cryptoKeys.setIamPolicy' },
    }),
  ];
}

async function create(world: World, state: KmsState, call: Call): Promise<Reply> {
  world.iam.require(call, 'cloudkms.cryptoKeys.create', ringName(call));
  const key = parseKey(keyBody(call), {
    name: `${ringName(call)}/cryptoKeys/${newId(call, 'cryptoKeyId')}`,
    ring: ringName(call),
    createTime: world.clock.now(),
  });
  state.addKey(key);
  if (call.query.get('skipInitialVersionCreation') !== 'true') await addGeneratedVersion(world, state, key);
  return { json: keyJson(key) };
}

function patch(world: World, state: KmsState, call: Call): Reply {
  world.iam.require(call, 'cloudkms.cryptoKeys.update', keyName(call));
  const key = state.key(keyName(call));
  const body = keyBody(call);
  const paths = (call.query.get('updateMask') ?? '').split(',').filter((path) => path !== '');
  if (paths.length === 0) throw new ApiError('INVALID_ARGUMENT', 'update_mask is required.');
  for (const path of paths) update(key, body, path);
  return { json: keyJson(key) };
}

function keyBody(call: Call): JsonObject {
  const body = jsonBody(call, ['labels']);
  refuseUnknown(body, KEY_MEMBERS, 'crypto_key');
  refuseUnknown(objectMember(body, 'versionTemplate'), ['protectionLevel', 'algorithm'], 'crypto_key.version_template');
  return body;
}

function update(key: CryptoKey, body: JsonObject, path: string): void {
  if (path === 'labels') key.labels = stringMapMember(body, 'labels');
  else if (camelCase(path) === 'versionTemplate.algorithm') key.algorithm = parseAlgorithm(body, key.purpose);
  else throw new ApiError('INVALID_ARGUMENT', `Field "${path}" of a CryptoKey cannot be updated.`);
}

function parseKey(body: JsonObject, fixed: Pick<CryptoKey, 'name' | 'ring' | 'createTime'>): CryptoKey {
  const purpose = enumMember(body['purpose'], PURPOSES, 'crypto_key.purpose');
  if (purpose === '') throw new ApiError('INVALID_ARGUMENT', 'crypto_key.purpose is required.');
  const level = objectMember(body, 'versionTemplate')['protectionLevel'];
  return {
    ...fixed,
    purpose,
    algorithm: parseAlgorithm(body, purpose),
    protectionLevel: enumMember(
      level === 0 ? undefined : level,
      PROTECTION_LEVELS,
      'crypto_key.version_template.protection_level',
      'SOFTWARE',
    ),
    destroyAfterSeconds: parseSeconds(stringMember(body, 'destroyScheduledDuration')),
    labels: stringMapMember(body, 'labels'),
    versions: [],
  };
}

function parseAlgorithm(body: JsonObject, purpose: string): Algorithm {
  const field = 'crypto_key.version_template.algorithm';
  const name = enumMember(objectMember(body, 'versionTemplate')['algorithm'], ALGORITHM_NUMBERS, field);
  // Only symmetric encryption has a default.
  const chosen = name === '' && purpose === 'ENCRYPT_DECRYPT' ? 'GOOGLE_SYMMETRIC_ENCRYPTION' : name;
  const algorithm = ALGORITHMS.find((candidate) => candidate.name === chosen);
  if (!algorithm) throw new ApiError('INVALID_ARGUMENT', `${field} is required for purpose ${purpose}.`);
  if (algorithm.purpose !== purpose)
    throw new ApiError('INVALID_ARGUMENT', `Algorithm ${algorithm.name} is not supported for purpose ${purpose}.`);
  return algorithm;
}

function parseSeconds(duration: string): number {
  if (duration === '') return DEFAULT_DESTROY_SECONDS;
  if (!/^\d{1,9}s$/.test(duration)) throw new ApiError('INVALID_ARGUMENT', `Invalid destroy_scheduled_duration: ${duration}`);
  return Number(duration.slice(0, -1));
}
