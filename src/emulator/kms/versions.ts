// SPDX-License-Identifier: Apache-2.0
// cryptoKeyVersions: create, get, list, enable, disable, destroy, restore.
import { jsonBody, route, type Call, type Reply, type Route } from '../router.js';
import { ApiError, enumMember, refuseUnknown } from '../wire.js';
import type { World } from '../world.js';
import { STATES } from './algorithms.js';
import { generateMaterial } from './key-material.js';
import { listReply } from './listing.js';
import { KEY, VERSION, keyName, versionName } from './names.js';
import { versionJson, type CryptoKey, type KeyVersion, type KmsState } from './state.js';

const VERSION_MEMBERS = [
  ...['name', 'state', 'protectionLevel', 'algorithm', 'attestation', 'createTime', 'generateTime', 'destroyTime', 'destroyEventTime'],
  ...['importJob', 'importTime', 'importFailureReason', 'generationFailureReason', 'externalDestructionFailureReason'],
  ...['externalProtectionLevelOptions', 'reimportEligible'],
];

/** The routes of key versions, without those that use the key. */
export function versionRoutes(world: World, state: KmsState): Route[] {
  return [
    route('POST', `${KEY}/cryptoKeyVersions`, async (call) => {
      world.iam.require(call, 'cloudkms.cryptoKeyVersions.create', keyName(call));
      return { json: versionJson(await addGeneratedVersion(world, state, state.key(keyName(call)))) };
    }),
    route('GET', `${KEY}/cryptoKeyVersions`, (call) => {
      world.iam.require(call, 'cloudkms.cryptoKeyVersions.list', keyName(call));
      return listReply(call, 'cryptoKeyVersions', state.key(keyName(call)).versions.map(versionJson));
    }),
    route('GET', VERSION, (call) => {
      world.iam.require(call, 'cloudkms.cryptoKeyVersions.get', versionName(call));
      return { json: versionJson(state.version(versionName(call))) };
    }),
    route('PATCH', VERSION, (call) => patch(world, state, call)),
    route('POST', `${VERSION}:destroy`, (call) => destroy(world, state, call)),
    route('POST', `${VERSION}:restore`, (call) => restore(world, state, call)),
  ];
}

/** Adds a version to a key and waits for its key pair: it answers ENABLED, never PENDING_GENERATION. */
export async function addGeneratedVersion(world: World, state: KmsState, key: CryptoKey): Promise<KeyVersion> {
  const version = state.addVersion(key);
  version.material = await generateMaterial(version.algorithm);
  version.generateTime = world.clock.now();
  version.state = 'ENABLED';
  return version;
}

function patch(world: World, state: KmsState, call: Call): Reply {
  world.iam.require(call, 'cloudkms.cryptoKeyVersions.update', versionName(call));
  const version = state.version(versionName(call));
  if (call.query.get('updateMask') !== 'state')
    throw new ApiError('INVALID_ARGUMENT', 'update_mask must be "state": nothing else of a CryptoKeyVersion can be updated.');
  const body = jsonBody(call);
  refuseUnknown(body, VERSION_MEMBERS, 'crypto_key_version');
  const wanted = enumMember(body['state'], STATES, 'crypto_key_version.state');
  if (!isUsual(wanted)) throw new ApiError('INVALID_ARGUMENT', 'crypto_key_version.state must be ENABLED or DISABLED.');
  if (!isUsual(version.state)) throw wrongState(version, 'ENABLED or DISABLED');
  version.state = wanted;
  return { json: versionJson(version) };
}

function destroy(world: World, state: KmsState, call: Call): Reply {
  world.iam.require(call, 'cloudkms.cryptoKeyVersions.destroy', versionName(call));
  const version = state.version(versionName(call));
  if (!isUsual(version.state)) throw wrongState(version, 'ENABLED or DISABLED');
  version.state = 'DESTROY_SCHEDULED';
  version.destroyTime = world.clock.now() + version.key.destroyAfterSeconds * 1000;
  return { json: versionJson(version) };
}

function restore(world: World, state: KmsState, call: Call): Reply {
  world.iam.require(call, 'cloudkms.cryptoKeyVersions.restore', versionName(call));
  const version = state.version(versionName(call));
  if (version.state !== 'DESTROY_SCHEDULED') throw wrongState(version, 'DESTROY_SCHEDULED');
  version.state = 'DISABLED';
  delete version.destroyTime;
  return { json: versionJson(version) };
}

function isUsual(state: string): boolean {
  return state === 'ENABLED' || state === 'DISABLED';
}

function wrongState(version: KeyVersion, wanted: string): ApiError {
  return new ApiError('FAILED_PRECONDITION', `${version.name} must be ${wanted}, current state is: ${version.state}.`);
}
