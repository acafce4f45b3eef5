// SPDX-License-Identifier: Apache-2.0
// Notes and occurrences between Google's JSON and the store.
import { randomUUID } from 'node:crypto';
import { param, type Call } from '../router.js';
import { ApiError, camelCase, listMember, objectMember, refuseUnknown, stringMember, timestamp, type JsonObject } from '../wire.js';
import type { World } from '../world.js';
import { NOTE_KINDS, detailsMember, kindOf, noteDetails, occurrenceDetails } from './kinds.js';
import type { Note, Occurrence } from './state.js';

/** Members of a note that its owner may change. */
const NOTE_MEMBERS = ['shortDescription', 'longDescription', 'relatedUrl', 'expirationTime', 'relatedNoteNames'];
/** Members that the service fills; what is sent for them is ignored, as for every output-only field. */
const OUTPUT_MEMBERS = ['name', 'kind', 'createTime', 'updateTime'];
const DETAILS_MEMBERS = [...NOTE_KINDS.keys()].map(detailsMember);
const NOTE_FIELDS = [...OUTPUT_MEMBERS, ...NOTE_MEMBERS, ...DETAILS_MEMBERS];
const OCCURRENCE_FIELDS = [...OUTPUT_MEMBERS, 'resourceUri', 'noteName', 'remediation', 'envelope', ...DETAILS_MEMBERS];

/** The project that a call names, by its id. */
export function projectName(call: Call, world: World): string {
  return `projects/${world.projectId(param(call, 'project'))}`;
}

/** The note that a call names. */
export function noteName(call: Call, world: World): string {
  return `${projectName(call, world)}/notes/${param(call, 'note')}`;
}

/** The occurrence that a call names. */
export function occurrenceName(call: Call, world: World): string {
  return `${projectName(call, world)}/occurrences/${param(call, 'occurrence')}`;
}

/** A new note from what was sent. */
export function newNote(name: string, body: JsonObject, world: World): Note {
  refuseUnknown(body, NOTE_FIELDS, '');
  const kind = kindOf(body, 'note');
  const now = world.clock.now();
  return { name, kind, content: noteContent(kind, body), createTime: now, updateTime: now };
}

/** Changes the members of a note that the mask names; without a mask, those that were sent. */
export function updateNote(note: Note, body: JsonObject, mask: readonly string[], world: World): void {
  const own = detailsMember(note.kind);
  const allowed = [...NOTE_MEMBERS, own];
  refuseUnknown(body, NOTE_FIELDS, '');
  const paths = mask.length > 0 ? mask : Object.keys(body).filter((member) => !OUTPUT_MEMBERS.includes(member));
  const wrong = paths.find((path) => !allowed.includes(path));
  if (wrong !== undefined) throw new ApiError('INVALID_ARGUMENT', `Field "${wrong}" of note "${note.name}" cannot be updated.`);
  const changed = Object.fromEntries(paths.map((path) => [path, body[path]]));
  note.content = noteContent(note.kind, { ...note.content, ...changed });
  note.updateTime = world.clock.now();
}

function noteContent(kind: string, body: JsonObject): JsonObject {
  const member = detailsMember(kind);
  for (const text of ['shortDescription', 'longDescription', 'expirationTime']) stringMember(body, text);
  for (const list of ['relatedUrl', 'relatedNoteNames']) listMember(body, list);
  return { ...pick(body, NOTE_MEMBERS), [member]: noteDetails(kind, objectMember(body, member)) };
}

/** A note as Google's JSON. */
export function noteJson(note: Note): JsonObject {
  return {
    name: note.name,
    ...note.content,
    kind: note.kind,
    createTime: timestamp(note.createTime),
    updateTime: timestamp(note.updateTime),
  };
}

/** The full name of the note that an occurrence is attached to. */
function attachedNote(body: JsonObject, world: World): string {
  const name = stringMember(body, 'noteName');
  const [, project, id] = /^projects\/([^/]+)\/notes\/([^/]+)$/.exec(name) ?? [];
  if (project === undefined || id === undefined) {
    throw new ApiError(
      'INVALID_ARGUMENT',
      `occurrence is invalid: note_name "${name}" must be of the form projects/[PROVIDER_ID]/notes/[NOTE_ID].`,
    );
  }
  return `projects/${world.projectId(project)}/notes/${id}`;
}

/** A new occurrence from what was sent. */
export function newOccurrence(project: string, body: JsonObject, world: World): Occurrence {
  refuseUnknown(body, OCCURRENCE_FIELDS, '');
  const resourceUri = stringMember(body, 'resourceUri');
  if (resourceUri === '') throw new ApiError('INVALID_ARGUMENT', 'occurrence is invalid: resource_uri is required.');
  const kind = kindOf(body, 'occurrence');
  const now = world.clock.now();
  return {
    name: `${project}/occurrences/${randomUUID()}`,
    kind,
    noteName: attachedNote(body, world),
    resourceUri,
    details: occurrenceDetails(kind, objectMember(body, detailsMember(kind))),
    content: occurrenceContent(body),
    createTime: now,
    updateTime: now,
    visibleFrom: now + world.settings.propagationDelayMs,
  };
}

function occurrenceContent(body: JsonObject): JsonObject {
  stringMember(body, 'remediation');
  objectMember(body, 'envelope');
  return pick(body, ['remediation', 'envelope']);
}

/** Kinds whose details change over time: a scan goes on, and new facts about a vulnerability come up. An attestation stays. */
const CHANGING_KINDS: readonly string[] = ['DISCOVERY', 'VULNERABILITY'];

/**
 * Changes an occurrence's remediation, and the details of a scan or a vulnerability; resourceUri, noteName and the details
 * of other kinds are immutable. Answers the new details, where they change.
 */
export function updateOccurrence(occurrence: Occurrence, body: JsonObject, mask: readonly string[], world: World): JsonObject | undefined {
  refuseUnknown(body, OCCURRENCE_FIELDS, '');
  const { kind } = occurrence;
  const member = detailsMember(kind);
  const paths = mask.length > 0 ? mask : changedMembers(occurrence, body);
  const inside = paths.filter((path) => CHANGING_KINDS.includes(kind) && (path === member || path.startsWith(`${member}.`)));
  const wrong = paths.find((path) => path !== 'remediation' && !inside.includes(path));
  if (wrong !== undefined) throw new ApiError('INVALID_ARGUMENT', `Field "${wrong}" of occurrence "${occurrence.name}" is immutable.`);
  const details = inside.length === 0 ? undefined : changedDetails(occurrence, objectMember(body, member), inside);
  if (paths.includes('remediation')) occurrence.content = occurrenceContent({ ...occurrence.content, remediation: body['remediation'] });
  occurrence.updateTime = world.clock.now();
  return details;
}

// A path below the details, such as discovery.analysisStatus, changes that member alone.
function changedDetails({ kind, details }: Occurrence, sent: JsonObject, paths: readonly string[]): JsonObject {
  const member = detailsMember(kind);
  if (paths.includes(member)) return occurrenceDetails(kind, sent);
  const names = paths.map((path) => path.split('.')[1] ?? '');
  const kept = Object.entries(details).filter(([name]) => !names.includes(name));
  return occurrenceDetails(kind, { ...Object.fromEntries(kept), ...pick(sent, names) });
}

/** Without a mask the whole occurrence is sent back: what did not change is no change. */
function changedMembers(occurrence: Occurrence, body: JsonObject): string[] {
  const member = detailsMember(occurrence.kind);
  const sent = isSent(body[member]) ? { ...body, [member]: occurrenceDetails(occurrence.kind, objectMember(body, member)) } : body;
  const shown = occurrenceJson(occurrence);
  return Object.entries(sent)
    .filter(([name, value]) => !OUTPUT_MEMBERS.includes(name) && isSent(value) && JSON.stringify(value) !== JSON.stringify(shown[name]))
    .map(([name]) => name);
}

/** An occurrence as Google's JSON. */
export function occurrenceJson(occurrence: Occurrence): JsonObject {
  const { name, resourceUri, noteName: note, kind, createTime, updateTime } = occurrence;
  const times = { createTime: timestamp(createTime), updateTime: timestamp(updateTime) };
  return { name, resourceUri, noteName: note, kind, ...times, ...occurrence.content, [detailsMember(kind)]: occurrence.details };
}

/** The paths of `updateMask`, in camelCase. */
export function updateMask(call: Call): string[] {
  const text = call.query.get('updateMask') ?? '';
  const paths = text
    .split(',')
    .map((path) => path.trim())
    .filter((path) => path !== '');
  return paths.map(camelCase);
}

function pick(object: JsonObject, members: readonly string[]): JsonObject {
  return Object.fromEntries(members.filter((member) => isSent(object[member])).map((member) => [member, object[member]]));
}

/** Absent and null are one in Google's JSON, and so is an empty string. */
function isSent(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '';
}
