// SPDX-License-Identifier: Apache-2.0
// The state of a Cloud KMS key version, through REST: the client library would be loaded for one plain call.
import { BinauthzError } from '../core/errors.js';
import { keyOf, type KeyVersionName } from '../core/names.js';
import type { KeyStates } from '../ports/key-states.js';
import type { Google } from './clients.js';
import { NOT_GOOGLE, type Call } from './errors.js';
import { pathOf } from './rest.js';

/** States of key versions through REST. */
export function createKeyStates(google: Google): KeyStates {
  return { state: (version) => readState(google, version) };
}

async function readState(google: Google, version: KeyVersionName): Promise<string> {
  const need = { permission: 'cloudkms.cryptoKeyVersions.get', role: 'roles/cloudkms.viewer', on: keyOf(version) };
  const call: Call = { what: 'cannot read the state of', resource: version, needs: [need], notFound: 'KEY_NOT_FOUND' };
  const reply = await google.call.repeat(call, () => google.rest('cloudkms').request('GET', `v1/${pathOf(version)}`));
  const state = typeof reply === 'object' && reply !== null ? (reply as Record<string, unknown>)['state'] : undefined;
  if (typeof state === 'string' && state !== '') return state;
  throw new BinauthzError('RESPONSE_INVALID', `cannot read the state of ${version}: expected a state, got none`, {
    resource: version,
    hint: NOT_GOOGLE,
  });
}
