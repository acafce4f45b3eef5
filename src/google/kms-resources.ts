// SPDX-License-Identifier: Apache-2.0
// Cloud KMS's key rings and keys through its REST API: the client library would be loaded for four plain calls.
import { idOf, projectOf, type KeyName } from '../core/names.js';
import { ringOf, type KeyRingName, type NewKey } from '../core/provisioning/desired.js';
import type { Provisioner } from '../ports/provisioning.js';
import type { Google } from './clients.js';
import type { Call } from './errors.js';
import { foundOrNot, madeOrThere } from './made.js';
import { pathOf } from './rest.js';

/** Key rings through REST. */
export function createKeyRings(google: Google): Provisioner<KeyRingName, object, object> {
  return {
    read: (ring) =>
      read(google, ring, { what: 'cannot read the key ring', permission: 'cloudkms.keyRings.get', project: projectOfRing(ring) }),
    write: (ring) => createRing(google, ring),
  };
}

/** Keys through REST. */
export function createKeys(google: Google): Provisioner<KeyName, object, NewKey> {
  return {
    read: (key) => read(google, key, { what: 'cannot read the key', permission: 'cloudkms.cryptoKeys.get', project: projectOf(key) }),
    write: (key, content) => createKey(google, key, content),
  };
}

async function read(
  google: Google,
  name: string,
  { what, permission, project }: { readonly what: string; readonly permission: string; readonly project: string },
): Promise<object | undefined> {
  const need = { permission, role: 'roles/cloudkms.viewer', on: `projects/${project}` };
  const call: Call = { what, resource: name, needs: [need], notFound: 'KEY_NOT_FOUND' };
  const request = (): Promise<unknown> => google.rest('cloudkms').request('GET', `v1/${pathOf(name)}`);
  const reply = await foundOrNot('KEY_NOT_FOUND', google.call.repeat(call, request));
  return reply === undefined ? undefined : {};
}

function createRing(google: Google, ring: KeyRingName): Promise<void> {
  const parent = ring.replace(/\/keyRings\/[^/]+$/, '');
  const need = { permission: 'cloudkms.keyRings.create', role: 'roles/cloudkms.admin', on: `projects/${projectOfRing(ring)}` };
  const call: Call = {
    what: 'cannot make the key ring',
    resource: ring,
    needs: [need],
    notFound: 'PROJECT_NOT_FOUND',
    refused: 'CHANGE_REFUSED',
    conflict: 'RESOURCE_MISMATCH',
  };
  const path = `v1/${pathOf(parent)}/keyRings?${new URLSearchParams({ keyRingId: idOf(ring) })}`;
  return madeOrThere(google.call.repeat(call, () => google.rest('cloudkms').request('POST', path, {})));
}

function createKey(google: Google, key: KeyName, { algorithm }: NewKey): Promise<void> {
  const ring = ringOf(key);
  const need = { permission: 'cloudkms.cryptoKeys.create', role: 'roles/cloudkms.admin', on: `projects/${projectOf(key)}` };
  const call: Call = {
    what: 'cannot make the key',
    resource: key,
    needs: [need],
    notFound: 'KEY_NOT_FOUND',
    refused: 'CHANGE_REFUSED',
    conflict: 'RESOURCE_MISMATCH',
  };
  const path = `v1/${pathOf(ring)}/cryptoKeys?${new URLSearchParams({ cryptoKeyId: idOf(key) })}`;
  const body = { purpose: 'ASYMMETRIC_SIGN', versionTemplate: { algorithm, protectionLevel: 'SOFTWARE' } };
  return madeOrThere(google.call.repeat(call, () => google.rest('cloudkms').request('POST', path, body)));
}

function projectOfRing(ring: KeyRingName): string {
  return ring.split('/')[1] ?? '';
}
