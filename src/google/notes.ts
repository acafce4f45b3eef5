// SPDX-License-Identifier: Apache-2.0
// Container Analysis's notes through its REST API.
import { idOf, projectOf, type NoteName } from '../core/names.js';
import type { NewNote } from '../core/provisioning/desired.js';
import type { Provisioner } from '../ports/provisioning.js';
import type { Google } from './clients.js';
import type { Call } from './errors.js';
import { foundOrNot, madeOrThere } from './made.js';
import { pathOf } from './rest.js';

/** Notes through REST. */
export function createNotes(google: Google): Provisioner<NoteName, { readonly isAttestation: boolean }, NewNote> {
  return { read: (note) => readNote(google, note), write: (note, content) => createNote(google, note, content) };
}

async function readNote(google: Google, note: NoteName): Promise<{ readonly isAttestation: boolean } | undefined> {
  // Whether there is a note to be granted on is what this call would tell.
  const need = {
    permission: 'containeranalysis.notes.get',
    role: 'roles/containeranalysis.notes.viewer',
    on: `projects/${projectOf(note)}`,
  };
  const call: Call = { what: 'cannot read the note', resource: note, needs: [need], notFound: 'NOTE_NOT_FOUND' };
  const request = (): Promise<unknown> => google.rest('containeranalysis').request('GET', `v1/${pathOf(note)}`);
  const reply = await foundOrNot('NOTE_NOT_FOUND', google.call.repeat(call, request));
  // Its details say what kind it is; `kind` itself may be left out.
  return reply === undefined ? undefined : { isAttestation: typeof reply === 'object' && reply !== null && 'attestation' in reply };
}

function createNote(google: Google, note: NoteName, { humanReadableName }: NewNote): Promise<void> {
  const project = `projects/${projectOf(note)}`;
  const need = { permission: 'containeranalysis.notes.create', role: 'roles/containeranalysis.notes.editor', on: project };
  const call: Call = {
    what: 'cannot make the note',
    resource: note,
    needs: [need],
    notFound: 'PROJECT_NOT_FOUND',
    refused: 'CHANGE_REFUSED',
    conflict: 'RESOURCE_MISMATCH',
  };
  const path = `v1/${pathOf(project)}/notes?${new URLSearchParams({ noteId: idOf(note) })}`;
  const body = { attestation: { hint: { humanReadableName } } };
  return madeOrThere(google.call.repeat(call, () => google.rest('containeranalysis').request('POST', path, body)));
}
