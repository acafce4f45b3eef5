// SPDX-License-Identifier: Apache-2.0
// occurrences: create, batchCreate, get, list (in a project, of a note), patch, delete, IAM, and their note.
import { iamRoutes } from '../iam.js';
import { jsonBody, route, type Call, type Reply, type Route } from '../router.js';
import { ApiError, isObject, listMember, refuseUnknown, type JsonObject } from '../wire.js';
import type { World } from '../world.js';
import { MAP_MEMBERS } from './kinds.js';
import { occurrencesReply, summaryReply } from './listing.js';
import {
  newOccurrence,
  noteJson,
  noteName,
  occurrenceJson,
  occurrenceName,
  projectName,
  updateMask,
  updateOccurrence,
} from './resources.js';
import type { ContainerAnalysisState, Occurrence } from './state.js';

const OCCURRENCES = '/v1/projects/{project}/occurrences';
const OCCURRENCE = `${OCCURRENCES}/{occurrence}`;
/** proto BatchCreateOccurrencesRequest: "Maximum allowed page size is 1000". */
const MOST_IN_BATCH = 1000;

/** The routes of occurrences. */
export function occurrenceRoutes(world: World, state: ContainerAnalysisState): Route[] {
  return [
    route('POST', OCCURRENCES, (call) => {
      const [occurrence] = create(world, state, call, [jsonBody(call, MAP_MEMBERS)]);
      return { json: occurrence };
    }),
    route('POST', `${OCCURRENCES}:batchCreate`, (call) => {
      const body = jsonBody(call, MAP_MEMBERS);
      refuseUnknown(body, ['parent', 'occurrences'], '');
      const sent = listMember(body, 'occurrences');
      if (sent.length > MOST_IN_BATCH)
        throw new ApiError('INVALID_ARGUMENT', `At most ${String(MOST_IN_BATCH)} occurrences may be created at once.`);
      return { json: { occurrences: create(world, state, call, sent.map(asObject)) } };
    }),
    ...listingRoutes(world, state),
    route('GET', OCCURRENCE, (call) => {
      world.iam.require(call, 'containeranalysis.occurrences.get', occurrenceName(call, world));
      return { json: occurrenceJson(state.occurrence(occurrenceName(call, world))) };
    }),
    route('GET', `${OCCURRENCE}/notes`, (call) => noteOf(world, state, call)),
    route('PATCH', OCCURRENCE, (call) => {
      world.iam.require(call, 'containeranalysis.occurrences.update', occurrenceName(call, world));
      const occurrence = state.occurrence(occurrenceName(call, world));
      const details = updateOccurrence(occurrence, jsonBody(call, MAP_MEMBERS), updateMask(call), world);
      if (details) state.changeDetails(occurrence, details);
      return { json: occurrenceJson(occurrence) };
    }),
    route('DELETE', OCCURRENCE, (call) => {
      world.iam.require(call, 'containeranalysis.occurrences.delete', occurrenceName(call, world));
      state.deleteOccurrence(occurrenceName(call, world));
      world.iam.forget(occurrenceName(call, world));
      return { json: {} };
    }),
    ...iamRoutes(world.iam, {
      template: OCCURRENCE,
      resource: (call) => occurrenceName(call, world),
      exists: (call) => {
        state.occurrence(occurrenceName(call, world));
      },
      permissions: { get: 'containeranalysis.occurrences.getIamPolicy', set: 'containeranalysis.occurrences.setIamPolicy' },
    }),
  ];
}

function listingRoutes(world: World, state: ContainerAnalysisState): Route[] {
  return [
    route('GET', OCCURRENCES, (call) => {
      world.iam.require(call, 'containeranalysis.occurrences.list', projectName(call, world));
      return occurrencesReply(call, state.occurrencesIn(projectName(call, world)), occurrenceJson);
    }),
    route('GET', `${OCCURRENCES}:vulnerabilitySummary`, (call) => {
      world.iam.require(call, 'containeranalysis.occurrences.list', projectName(call, world));
      return summaryReply(call, state.occurrencesIn(projectName(call, world)));
    }),
    route('GET', '/v1/projects/{project}/notes/{note}/occurrences', (call) => {
      world.iam.require(call, 'containeranalysis.notes.listOccurrences', noteName(call, world));
      state.note(noteName(call, world));
      return occurrencesReply(call, state.occurrencesOf(noteName(call, world)), occurrenceJson);
    }),
  ];
}

/** Needs a permission on the project, and one on each note: whoever may write in a project does not thereby attest. */
function create(world: World, state: ContainerAnalysisState, call: Call, bodies: readonly JsonObject[]): JsonObject[] {
  const project = projectName(call, world);
  world.iam.require(call, 'containeranalysis.occurrences.create', project);
  const occurrences = bodies.map((body): Occurrence => {
    const occurrence = newOccurrence(project, body, world);
    world.iam.require(call, 'containeranalysis.notes.attachOccurrence', occurrence.noteName);
    state.note(occurrence.noteName);
    return occurrence;
  });
  state.addOccurrences(occurrences);
  return occurrences.map(occurrenceJson);
}

function noteOf(world: World, state: ContainerAnalysisState, call: Call): Reply {
  world.iam.require(call, 'containeranalysis.occurrences.get', occurrenceName(call, world));
  const { noteName: note } = state.occurrence(occurrenceName(call, world));
  world.iam.require(call, 'containeranalysis.notes.get', note);
  return { json: noteJson(state.note(note)) };
}

function asObject(value: unknown): JsonObject {
  if (isObject(value)) return value;
  throw new ApiError('INVALID_ARGUMENT', "Invalid value at 'occurrences' (message expected)");
}
