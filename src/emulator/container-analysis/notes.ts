// SPDX-License-Identifier: Apache-2.0
// notes: create, get, list, patch, delete, IAM.
import { iamRoutes } from '../iam.js';
import { jsonBody, route, type Call, type Reply, type Route } from '../router.js';
import { ApiError } from '../wire.js';
import type { World } from '../world.js';
import { MAP_MEMBERS } from './kinds.js';
import { notesReply } from './listing.js';
import { newNote, noteJson, noteName, projectName, updateMask, updateNote } from './resources.js';
import type { ContainerAnalysisState } from './state.js';

const NOTES = '/v1/projects/{project}/notes';
const NOTE = `${NOTES}/{note}`;

/** The routes of notes. */
export function noteRoutes(world: World, state: ContainerAnalysisState): Route[] {
  return [
    ...iamRoutes(world.iam, {
      template: NOTE,
      resource: (call) => noteName(call, world),
      exists: (call) => {
        state.note(noteName(call, world));
      },
      permissions: { get: 'containeranalysis.notes.getIamPolicy', set: 'containeranalysis.notes.setIamPolicy' },
    }),
    route('POST', NOTES, (call) => create(world, state, call)),
    route('GET', NOTES, (call) => {
      world.iam.require(call, 'containeranalysis.notes.list', projectName(call, world));
      return notesReply(call, state.notesIn(projectName(call, world)), noteJson);
    }),
    route('GET', NOTE, (call) => {
      world.iam.require(call, 'containeranalysis.notes.get', noteName(call, world));
      return { json: noteJson(state.note(noteName(call, world))) };
    }),
    route('PATCH', NOTE, (call) => {
      world.iam.require(call, 'containeranalysis.notes.update', noteName(call, world));
      const note = state.note(noteName(call, world));
      updateNote(note, jsonBody(call, MAP_MEMBERS), updateMask(call), world);
      return { json: noteJson(note) };
    }),
    route('DELETE', NOTE, (call) => {
      world.iam.require(call, 'containeranalysis.notes.delete', noteName(call, world));
      state.deleteNote(noteName(call, world));
      world.iam.forget(noteName(call, world));
      return { json: {} };
    }),
  ];
}

function create(world: World, state: ContainerAnalysisState, call: Call): Reply {
  const project = projectName(call, world);
  world.iam.require(call, 'containeranalysis.notes.create', project);
  const id = call.query.get('noteId') ?? '';
  if (!/^[^/:\s]+$/.test(id))
    throw new ApiError('INVALID_ARGUMENT', `note_id "${id}" must not be empty, and must not hold a slash, a colon or a space.`);
  const note = newNote(`${project}/notes/${id}`, jsonBody(call, MAP_MEMBERS), world);
  state.addNote(note);
  return { json: noteJson(note) };
}
