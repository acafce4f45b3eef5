// SPDX-License-Identifier: Apache-2.0
// entries:write and entries:list. Audit logs may be written here, which Google reserves to its services: that is how
// events are planted.
import { createHash } from 'node:crypto';
import { jsonObject, route, type Call, type Reply, type Route } from '../router.js';
import {
  ApiError,
  booleanMember,
  camelCase,
  isObject,
  listMember,
  objectMember,
  refuseUnknown,
  stringMapMember,
  stringMember,
  stringsMember,
  type JsonObject,
} from '../wire.js';
import type { World } from '../world.js';
import { parseEntry, type Defaults, type WrittenEntry } from './entry.js';
import { compileFilter } from './query/compile.js';
import type { EntryStore, StoredEntry } from './state.js';

/**
 * How many entries one call looks at. Google gives up after some time and answers with what it has found, which may be
 * nothing, and a token that continues; here it is a number, so that it happens in every run.
 */
const SCANNED_AT_ONCE = 4000;
const PAGE = { fallback: 50, most: 1000 };
/** Logs that the permission to list entries does not cover (docs audit/configure-data-access). */
const PRIVATE = /^projects\/[^/]+\/logs\/cloudaudit\.googleapis\.com%2F(data_access|access_transparency)$/i;

/** The routes of entries. */
export function entryRoutes(world: World, store: EntryStore): Route[] {
  return [
    route('POST', '/v2/entries:write', (call) => writeEntries(world, store, call)),
    route('POST', '/v2/entries:list', (call) => listEntries(world, store, call)),
  ];
}

function writeEntries(world: World, store: EntryStore, call: Call): Reply {
  const body = shallow(jsonObject(call));
  refuseUnknown(body, ['logName', 'resource', 'labels', 'entries', 'partialSuccess', 'dryRun'], '');
  const defaults: Defaults = {
    logName: stringMember(body, 'logName'),
    resource: shallow(objectMember(body, 'resource')),
    labels: stringMapMember(body, 'labels'),
    now: world.clock.now(),
    projectId: (project) => world.projectId(project),
  };
  const outcomes = listMember(body, 'entries').map((entry) => attempt(() => permitted(world, call, parseEntry(entry, defaults))));
  const failures = outcomes.flatMap((outcome, index) => (outcome instanceof ApiError ? [[index, outcome] as const] : []));
  const entries = outcomes.filter((outcome): outcome is WrittenEntry => !(outcome instanceof ApiError));
  const [first] = failures;
  if (first && (!booleanMember(body, 'partialSuccess') || entries.length === 0)) throw first[1];
  if (!booleanMember(body, 'dryRun')) for (const entry of entries) store.add(entry);
  if (first) throw partialFailure(first[1], failures);
  return { json: {} };
}

function permitted(world: World, call: Call, entry: WrittenEntry): WrittenEntry {
  world.requireService('logging.googleapis.com', entry.project);
  world.iam.require(call, 'logging.logEntries.create', `projects/${entry.project}`);
  return entry;
}

function attempt<T>(read: () => T): T | ApiError {
  try {
    return read();
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
}

/** "The response status is the response status of one of the failed entries", with each failure under its index. */
function partialFailure(first: ApiError, failures: readonly (readonly [number, ApiError])[]): ApiError {
  const logEntryErrors = Object.fromEntries(
    failures.map(([index, { status, message }]) => [String(index), { code: status === 'PERMISSION_DENIED' ? 7 : 3, message }]),
  );
  return new ApiError(first.status, first.message, [
    { '@type': 'type.googleapis.com/google.logging.v2.WriteLogEntriesPartialErrors', logEntryErrors },
  ]);
}

function listEntries(world: World, store: EntryStore, call: Call): Reply {
  const body = shallow(jsonObject(call));
  refuseUnknown(body, ['resourceNames', 'projectIds', 'filter', 'orderBy', 'pageSize', 'pageToken'], '');
  const projects = projectsOf(world, body);
  const isVisible = visibility(world, call, projects);
  const filter = stringMember(body, 'filter');
  const test = compileFilter(filter);
  const isDescending = parseOrder(stringMember(body, 'orderBy'));
  const all = store.of(projects);
  const ordered = isDescending ? all.toReversed() : all;
  const fingerprint = digestOf([projects, filter, isDescending]);
  const start = startOf(
    stringMember(body, 'pageToken'),
    fingerprint,
    ({ key }, after) => (isDescending ? key < after : key > after),
    ordered,
  );
  const { page, next } = scan(ordered, start, pageSize(body['pageSize']), (entry) => isVisible(entry) && test(entry.searchable));
  const last = ordered[next - 1];
  return {
    json: {
      ...(page.length > 0 ? { entries: page } : {}),
      ...(next < ordered.length && last ? { nextPageToken: tokenOf(fingerprint, last) } : {}),
    },
  };
}

/** Looks at entries until the page is full, or the call has looked at enough of them. */
function scan(ordered: readonly StoredEntry[], start: number, size: number, matches: (entry: StoredEntry) => boolean) {
  const page: JsonObject[] = [];
  let next = start;
  for (const entry of ordered.slice(start, start + SCANNED_AT_ONCE)) {
    if (page.length === size) break;
    next += 1;
    if (matches(entry)) page.push(entry.searchable.entry);
  }
  return { page, next };
}

function digestOf(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 16);
}

function projectsOf(world: World, body: JsonObject): string[] {
  const names = [...stringsMember(body, 'resourceNames'), ...stringsMember(body, 'projectIds').map((id) => `projects/${id}`)];
  if (names.length === 0) throw new ApiError('INVALID_ARGUMENT', 'resource_names must name at least one resource');
  if (names.length > 100) throw new ApiError('INVALID_ARGUMENT', 'resource_names must name at most 100 resources');
  const projects = names.map((name) => {
    const [, project] = /^projects\/([^/]+)$/.exec(name) ?? [];
    if (project === undefined)
      throw new ApiError('INVALID_ARGUMENT', `Resource name '${name}' is not supported: this emulator has projects/P only.`);
    return world.projectId(project);
  });
  return [...new Set(projects)];
}

/** Without the right to private entries they are left out, and nobody is told. */
function visibility({ iam, requireService }: World, call: Call, projects: readonly string[]): (entry: StoredEntry) => boolean {
  const seesAll = new Set<string>();
  for (const project of projects) {
    requireService('logging.googleapis.com', project);
    if (iam.allows(call.caller, 'logging.privateLogEntries.list', `projects/${project}`)) seesAll.add(project);
    else iam.require(call, 'logging.logEntries.list', `projects/${project}`);
  }
  if (seesAll.size === projects.length) return () => true;
  return ({ logName }) => !PRIVATE.test(logName) || seesAll.has(logName.split('/')[1] ?? '');
}

function parseOrder(orderBy: string): boolean {
  if (orderBy === '' || /^timestamp( asc)?$/.test(orderBy)) return false;
  if (orderBy === 'timestamp desc') return true;
  throw new ApiError('INVALID_ARGUMENT', `order_by must be "timestamp asc" or "timestamp desc", not "${orderBy}"`);
}

function pageSize(value: unknown): number {
  const size = value ?? 0;
  if (typeof size !== 'number' || !Number.isInteger(size) || size < 0)
    throw new ApiError('INVALID_ARGUMENT', `page_size must not be negative: ${JSON.stringify(value)}`);
  return Math.min(size || PAGE.fallback, PAGE.most);
}

/** A token holds the entry after which the next page begins, so that new entries neither repeat nor hide others. */
function tokenOf(fingerprint: string, { key }: StoredEntry): string {
  return Buffer.from(JSON.stringify([fingerprint, key])).toString('base64url');
}

function startOf(
  token: string,
  fingerprint: string,
  isAfter: (entry: StoredEntry, key: string) => boolean,
  ordered: readonly StoredEntry[],
): number {
  if (token === '') return 0;
  const [found, key] = parseToken(token);
  if (found !== fingerprint) throw new ApiError('INVALID_ARGUMENT', "page_token doesn't match arguments from the request");
  const start = ordered.findIndex((entry) => isAfter(entry, key));
  return start < 0 ? ordered.length : start;
}

function parseToken(token: string): readonly [string, string] {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(token, 'base64url').toString());
    if (Array.isArray(parsed) && parsed.length === 2) return [String(parsed[0]), String(parsed[1])];
  } catch {
    // Falls through to the refusal of every other text.
  }
  throw new ApiError('INVALID_ARGUMENT', 'page_token is invalid');
}

/** The members of the request itself in camelCase; what is below them is data. */
function shallow(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [camelCase(key), isObject(value) ? { ...value } : value]));
}
