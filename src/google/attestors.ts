// SPDX-License-Identifier: Apache-2.0
// Attestors as they are made, through Binary Authorization's REST API; their keys are changed in attestor-keys.ts.
import type { Attestor } from '../core/attestation/attestor.js';
import { idOf, projectOf, type AttestorName } from '../core/names.js';
import type { NewAttestor } from '../core/provisioning/desired.js';
import type { Provisioner } from '../ports/provisioning.js';
import { attestorOf, keyJson } from './attestor-json.js';
import type { Google } from './clients.js';
import type { Call } from './errors.js';
import { foundOrNot, madeOrThere } from './made.js';
import { pathOf } from './rest.js';

/** Attestors through REST. */
export function createAttestors(google: Google): Provisioner<AttestorName, Attestor, NewAttestor> {
  return { read: (name) => readAttestor(google, name), write: (name, content) => createAttestor(google, name, content) };
}

async function readAttestor(google: Google, name: AttestorName): Promise<Attestor | undefined> {
  // Whether there is an attestor to be granted on is what this call would tell.
  const on = `projects/${projectOf(name)}`;
  const need = { permission: 'binaryauthorization.attestors.get', role: 'roles/binaryauthorization.attestorsViewer', on };
  const call: Call = { what: 'cannot read the attestor', resource: name, needs: [need], notFound: 'ATTESTOR_NOT_FOUND' };
  const request = (): Promise<unknown> => google.rest('binaryauthorization').request('GET', `v1/${pathOf(name)}`);
  const reply = await foundOrNot('ATTESTOR_NOT_FOUND', google.call.repeat(call, request));
  return reply === undefined ? undefined : attestorOf(name, reply);
}

function createAttestor(google: Google, name: AttestorName, { note, key }: NewAttestor): Promise<void> {
  const project = `projects/${projectOf(name)}`;
  const call: Call = {
    what: 'cannot make the attestor',
    resource: name,
    needs: [
      { permission: 'binaryauthorization.attestors.create', role: 'roles/binaryauthorization.attestorsEditor', on: project },
      { permission: 'containeranalysis.notes.list', role: 'roles/containeranalysis.notes.viewer', on: `projects/${projectOf(note)}` },
    ],
    notFound: 'PROJECT_NOT_FOUND',
    refused: 'CHANGE_REFUSED',
    conflict: 'RESOURCE_MISMATCH',
  };
  const path = `v1/${pathOf(project)}/attestors?${new URLSearchParams({ attestorId: idOf(name) })}`;
  const body = { name, userOwnedGrafeasNote: { noteReference: note, publicKeys: [keyJson(key)] } };
  return madeOrThere(google.call.repeat(call, () => google.rest('binaryauthorization').request('POST', path, body)));
}
