// SPDX-License-Identifier: Apache-2.0
// A LogEntry as it is written: what Google takes, what it fills in, and what it refuses.
import { randomBytes } from 'node:crypto';
import {
  ApiError,
  camelCase,
  enumMember,
  isObject,
  objectMember,
  refuseUnknown,
  stringMapMember,
  stringMember,
  type JsonObject,
} from '../wire.js';
import { LOG_ENTRY, SEVERITIES } from './query/fields.js';
import { instantOf, shown } from './query/times.js';

/** What the request says for every entry that does not say it itself. */
export interface Defaults {
  readonly logName: string;
  readonly resource: JsonObject;
  readonly labels: JsonObject;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly projectId: (project: string) => string;
}

/** An entry ready to be kept. */
export interface WrittenEntry {
  readonly project: string;
  /** The timestamp with all nine digits: texts in this form sort as times do. */
  readonly instant: string;
  readonly insertId: string;
  readonly json: JsonObject;
}

const LOG_NAME = /^\/?projects\/([^/]+)\/logs\/([A-Za-z0-9_.\-]|%2[Ff]){1,511}$/;
/** "User-defined types are not supported" (proto LogEntry.proto_payload). */
const PAYLOAD_TYPES: readonly string[] = [
  'type.googleapis.com/google.cloud.audit.AuditLog',
  'type.googleapis.com/google.appengine.logging.v1.RequestLog',
];
const PAYLOADS = ['textPayload', 'jsonPayload', 'protoPayload'] as const;
/** Members that are messages: their own members come in either spelling. Everything else below an entry is data. */
const MESSAGES = new Set(['resource', 'httpRequest', 'operation', 'sourceLocation', 'split']);
/** Members that are read one by one, or are Google's to fill in. */
const SETTLED = new Set([
  'insertId',
  'logName',
  'resource',
  'labels',
  'severity',
  'timestamp',
  'receiveTimestamp',
  'metadata',
  'errorGroups',
]);
const DAY = 86_400_000;

/** Reads one entry of a request; INVALID_ARGUMENT names what Google would refuse. */
export function parseEntry(value: unknown, defaults: Defaults): WrittenEntry {
  if (!isObject(value)) throw new ApiError('INVALID_ARGUMENT', "Invalid value at 'entries' (message expected)");
  const sent = respelt(value);
  refuseUnknown(sent, Object.keys(LOG_ENTRY.members), 'entries');
  const { logName, project } = parseLogName(stringMember(sent, 'logName') || defaults.logName, defaults);
  const instant = parseTime(sent, defaults);
  const insertId = stringMember(sent, 'insertId') || randomBytes(9).toString('base64url').replace(/[-_]/g, 'x').toLowerCase();
  const severity = enumMember(sent['severity'], SEVERITIES, 'entries.severity', 'DEFAULT');
  const labels = { ...defaults.labels, ...stringMapMember(sent, 'labels') };
  return {
    project,
    instant,
    insertId,
    json: {
      ...rest(sent),
      insertId,
      logName,
      resource: parseResource(Object.keys(objectMember(sent, 'resource')).length > 0 ? objectMember(sent, 'resource') : defaults.resource),
      timestamp: shown(instant),
      receiveTimestamp: new Date(defaults.now).toISOString(),
      ...(severity === 'DEFAULT' ? {} : { severity }),
      ...(Object.keys(labels).length > 0 ? { labels } : {}),
    },
  };
}

/** `projects/P/logs/ID`, with the id of the project where its number was given, and its id URL-encoded. */
function parseLogName(name: string, { projectId }: Defaults): { readonly logName: string; readonly project: string } {
  if (name === '') throw new ApiError('INVALID_ARGUMENT', 'Log entry is missing a required field: log_name');
  const [, project] = LOG_NAME.exec(name) ?? [];
  if (project === undefined)
    throw new ApiError(
      'INVALID_ARGUMENT',
      `Log name '${name}' is not valid: expected projects/[PROJECT_ID]/logs/[LOG_ID] with [LOG_ID] URL-encoded`,
    );
  const id = projectId(project);
  return { logName: `projects/${id}/logs/${name.slice(name.indexOf('/logs/') + '/logs/'.length)}`, project: id };
}

function parseResource(value: JsonObject): JsonObject {
  refuseUnknown(value, ['type', 'labels'], 'entries.resource');
  const type = stringMember(value, 'type');
  if (type === '') throw new ApiError('INVALID_ARGUMENT', 'Log entry is missing a required field: resource.type');
  return { type, labels: stringMapMember(value, 'labels') };
}

function parseTime(sent: JsonObject, { now }: Defaults): string {
  const written = stringMember(sent, 'timestamp');
  const instant = instantOf(written === '' ? new Date(now).toISOString() : written);
  // A date alone is a time in a filter, not in a message.
  if (instant === undefined || (written !== '' && !/[Tt]/.test(written)))
    throw new ApiError(
      'INVALID_ARGUMENT',
      `Invalid value at 'entries.timestamp' (type.googleapis.com/google.protobuf.Timestamp), "${written}"`,
    );
  if (Date.parse(shown(instant)) > now + DAY)
    throw new ApiError('INVALID_ARGUMENT', `Log entry with timestamp ${written} is more than 24 hours in the future.`);
  return instant;
}

/** The payload and the members that are kept as they came. */
function rest(sent: JsonObject): JsonObject {
  const payloads = PAYLOADS.filter((member) => sent[member] !== undefined && sent[member] !== null);
  if (payloads.length > 1)
    throw new ApiError(
      'INVALID_ARGUMENT',
      `Invalid value at 'entries' (oneof), oneof field 'payload' is already set: ${payloads.join(', ')}`,
    );
  const type = objectMember(sent, 'protoPayload')['@type'];
  if (payloads[0] === 'protoPayload' && !PAYLOAD_TYPES.some((known) => known === type))
    throw new ApiError('INVALID_ARGUMENT', `Invalid value at 'entries.proto_payload': @type must be one of ${PAYLOAD_TYPES.join(', ')}`);
  objectMember(sent, 'jsonPayload');
  stringMember(sent, 'textPayload');
  for (const [member, schema] of Object.entries(LOG_ENTRY.members))
    if (typeof schema === 'object') refuseUnknown(objectMember(sent, member), Object.keys(schema.members), `entries.${member}`);
  return Object.fromEntries(Object.entries(sent).filter(([member, value]) => value !== null && !SETTLED.has(member)));
}

function respelt(entry: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(entry).map(([key, value]) => {
      const name = camelCase(key);
      return [name, MESSAGES.has(name) && isObject(value) ? oneLevel(value) : value];
    }),
  );
}

function oneLevel(message: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(message).map(([key, value]) => [camelCase(key), value]));
}
