// SPDX-License-Identifier: Apache-2.0
// The fields of a LogEntry: which there are, of what type, and how a path finds its values in an entry.
import { isObject, type JsonObject } from '../../wire.js';
import { invalidFilter } from './tokens.js';

/** The types that fields of LogEntry have; `dynamic` is that of a value in a payload or a map, which has its own. */
export type ScalarType = 'string' | 'bool' | 'integer' | 'severity' | 'timestamp' | 'duration' | 'dynamic';

/** `map` has texts by key, `json` anything by key, `proto` a payload in another message's form. */
type Schema = ScalarType | 'map' | 'json' | 'proto' | { readonly members: Readonly<Record<string, Schema>> };

const HTTP_REQUEST: Schema = {
  members: {
    ...members('string', ['protocol', 'referer', 'remoteIp', 'requestMethod', 'requestUrl', 'serverIp', 'userAgent']),
    ...members('integer', ['cacheFillBytes', 'requestSize', 'responseSize', 'status']),
    ...members('bool', ['cacheHit', 'cacheLookup', 'cacheValidatedWithOriginServer']),
    latency: 'duration',
  },
};

/** proto google/logging/v2/log_entry.proto. */
export const LOG_ENTRY = {
  members: {
    ...members('string', ['insertId', 'logName', 'spanId', 'textPayload', 'trace']),
    ...members('timestamp', ['timestamp', 'receiveTimestamp']),
    severity: 'severity',
    traceSampled: 'bool',
    labels: 'map',
    jsonPayload: 'json',
    protoPayload: 'proto',
    resource: { members: { type: 'string', labels: 'map' } },
    metadata: { members: { systemLabels: 'json', userLabels: 'map' } },
    httpRequest: HTTP_REQUEST,
    operation: { members: { ...members('string', ['id', 'producer']), ...members('bool', ['first', 'last']) } },
    sourceLocation: { members: { ...members('string', ['file', 'function']), line: 'integer' } },
    split: { members: { uid: 'string', ...members('integer', ['index', 'totalSplits']) } },
    errorGroups: { members: { id: 'string' } },
  },
} as const satisfies Schema;

/** The severities with their numbers. */
export const SEVERITIES: ReadonlyMap<string, number> = new Map(
  ['DEFAULT', 'DEBUG', 'INFO', 'NOTICE', 'WARNING', 'ERROR', 'CRITICAL', 'ALERT', 'EMERGENCY'].map((name, index) => [name, index * 100]),
);

/** Members of AuditLog whose content is free JSON: below them the names of members are data, and keep their case. */
export const FREE_JSON = ['request', 'response', 'metadata', 'resourceOriginalState', 'serviceData'] as const;
const FREE: ReadonlySet<string> = new Set(FREE_JSON.map(loose));

/** A field that a filter names. */
export interface Field {
  readonly path: string;
  /** Undefined where the field holds fields itself. */
  readonly type: ScalarType | undefined;
  /** Whether the keys right below the field are data. */
  readonly areKeysData: boolean;
  /** The values in an entry: none where the field is missing, several where something on the way is a list. */
  readonly read: (entry: JsonObject) => readonly unknown[];
}

type Step = (object: JsonObject) => unknown;

/** The field at a path; INVALID_ARGUMENT where LogEntry has none. */
export function fieldAt(path: readonly string[]): Field {
  const steps: Step[] = [];
  let schema: Schema = LOG_ENTRY;
  for (const [index, segment] of path.entries()) {
    const next = below(schema, segment, path.slice(0, index));
    if (next === undefined) throw invalidFilter(`Field not found: '${path.join('.')}'.`);
    schema = next.schema;
    steps.push(next.step);
  }
  const end = schema;
  return {
    path: path.join('.'),
    type: typeof end === 'object' || end === 'map' || end === 'json' || end === 'proto' ? undefined : end,
    areKeysData: end === 'map' || end === 'json' || end === 'dynamic',
    read: (entry) => steps.reduce<readonly unknown[]>((values, step) => values.flatMap((value) => taken(value, step)), [entry]),
  };
}

/** Lists stand for their members wherever they appear. */
function taken(value: unknown, step: Step): readonly unknown[] {
  if (Array.isArray(value)) return value.flatMap((item) => taken(item, step));
  if (!isObject(value)) return [];
  const found = step(value);
  if (found === undefined) return [];
  return Array.isArray(found) ? found.flat(Infinity) : [found];
}

function below(schema: Schema, segment: string, above: readonly string[]): { readonly schema: Schema; readonly step: Step } | undefined {
  if (schema === 'map' || schema === 'json') return { schema: 'dynamic', step: exactly(segment) };
  if (schema === 'proto') return { schema: 'dynamic', step: loosely(segment) };
  if (schema === 'dynamic') return belowPayload(segment, above);
  if (typeof schema === 'string') return undefined;
  const name = Object.keys(schema.members).find((member) => loose(member) === loose(segment));
  const found = name === undefined ? undefined : schema.members[name];
  return name === undefined || found === undefined ? undefined : { schema: found, step: exactly(name) };
}

/** Labels hold nothing further; messages below protoPayload are read in any spelling, free JSON below it is not. */
function belowPayload(segment: string, above: readonly string[]): { readonly schema: Schema; readonly step: Step } | undefined {
  const [root = '', first = ''] = above.map(loose);
  if (root === 'jsonpayload' || (root === 'metadata' && first === 'systemlabels')) return { schema: 'dynamic', step: exactly(segment) };
  if (root !== 'protopayload') return undefined;
  return { schema: 'dynamic', step: FREE.has(first) ? exactly(segment) : loosely(segment) };
}

function exactly(name: string): Step {
  return (object) => (Object.hasOwn(object, name) ? object[name] : undefined);
}

function loosely(name: string): Step {
  const wanted = loose(name);
  const exact = exactly(name);
  return (object) => {
    const found = exact(object);
    if (found !== undefined) return found;
    const key = Object.keys(object).find((candidate) => candidate.length >= wanted.length && loose(candidate) === wanted);
    return key === undefined ? undefined : object[key];
  };
}

/** The name of a member of a message, whose case and underscores do not count. */
function loose(name: string): string {
  return name.replaceAll('_', '').toLowerCase();
}

function members<T extends ScalarType, const N extends readonly string[]>(type: T, names: N): Record<N[number], T> {
  return Object.fromEntries(names.map((name) => [name, type])) as Record<N[number], T>;
}
