// SPDX-License-Identifier: Apache-2.0
// How Google's REST APIs speak: errors, bytes, times, field spelling, enums, etags. Written from Google's documentation,
// on purpose without a look at the product's own adapters: a mistake there must not be repeated by its judge.
import { createHash } from 'node:crypto';

/** A JSON object as it came over the wire. */
export type JsonObject = { [member: string]: unknown };

/** google.rpc.Code names with the HTTP status that carries each (https://cloud.google.com/apis/design/errors). */
const HTTP_STATUS = {
  INVALID_ARGUMENT: 400,
  FAILED_PRECONDITION: 400,
  OUT_OF_RANGE: 400,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  NOT_FOUND: 404,
  ALREADY_EXISTS: 409,
  ABORTED: 409,
  RESOURCE_EXHAUSTED: 429,
  INTERNAL: 500,
  UNIMPLEMENTED: 501,
  UNAVAILABLE: 503,
} as const;

export type ApiStatus = keyof typeof HTTP_STATUS;

/** A refusal in Google's form: `{"error": {"code", "message", "status", "details"}}`. */
export class ApiError extends Error {
  readonly httpStatus: number;

  constructor(
    readonly status: ApiStatus,
    message: string,
    readonly details: readonly JsonObject[] = [],
  ) {
    super(message);
    this.httpStatus = HTTP_STATUS[status];
  }

  /** The body that Google sends for this refusal. */
  toJson(): JsonObject {
    const details = this.details.length > 0 ? { details: this.details } : {};
    return { error: { code: this.httpStatus, message: this.message, status: this.status, ...details } };
  }
}

/** Bytes from base64 in the standard or the URL-safe alphabet, padded or not; INVALID_ARGUMENT for anything else. */
export function decodeBytes(value: unknown, field: string): Buffer {
  if (value === undefined || value === null) return Buffer.alloc(0);
  if (typeof value !== 'string' || !isBase64(value)) {
    throw new ApiError('INVALID_ARGUMENT', `Invalid value at '${field}' (TYPE_BYTES), Base64 decoding failed`);
  }
  return Buffer.from(value.replaceAll('-', '+').replaceAll('_', '/'), 'base64');
}

/** Padding is either left out or complete, and no byte is cut in the middle. */
function isBase64(text: string): boolean {
  const [, digits = '', padding = ''] = /^([A-Za-z0-9+/_-]*)(={0,2})$/.exec(text) ?? [];
  return digits.length + padding.length === text.length && digits.length % 4 !== 1 && (padding === '' || text.length % 4 === 0);
}

/** Bytes as Google's JSON writes them: standard base64 with padding. */
export function encodeBytes(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

/** A name in camelCase, however it was spelt. */
export function camelCase(name: string): string {
  return name.replace(/(?<=[A-Za-z0-9])_([a-z0-9])/g, (_match, letter: string) => letter.toUpperCase());
}

/** The nesting at which Google's JSON parser gives up. */
const DEEPEST = 100;

/** Whether a value is nested more deeply than Google's JSON parser goes. */
export function isTooDeep(value: unknown, levels = DEEPEST): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((item) => isTooDeep(item, levels - 1));
}

/** Members respelt from snake_case to camelCase, as Google's JSON input accepts both. Map keys under the members
 * named in `maps` are data and stay as they are. */
export function toCamelCase(value: unknown, maps: ReadonlySet<string> = new Set()): unknown {
  if (Array.isArray(value)) return value.map((item) => toCamelCase(item, maps));
  if (!isObject(value)) return value;
  return respell(value, camelCase, (item, name) =>
    maps.has(name) && isObject(item)
      ? respell(
          item,
          (key) => key,
          (entry) => toCamelCase(entry, maps),
        )
      : toCamelCase(item, maps),
  );
}

/** Never by assignment: to a member called `__proto__` that would be no member. */
function respell(object: JsonObject, nameOf: (key: string) => string, change: (value: unknown, name: string) => unknown): JsonObject {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [nameOf(key), change(value, nameOf(key))]));
}

/** Whether a value is a JSON object (not null, not an array). */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A string member, or '' where it is absent; INVALID_ARGUMENT where it is something else. */
export function stringMember(object: JsonObject, member: string): string {
  const value = object[member];
  if (value === undefined || value === null) return '';
  if (typeof value !== 'string') throw new ApiError('INVALID_ARGUMENT', `Invalid value at '${member}' (TYPE_STRING)`);
  return value;
}

/** A boolean member, or false where it is absent; INVALID_ARGUMENT where it is something else. */
export function booleanMember(object: JsonObject, member: string): boolean {
  const value = object[member];
  if (value === undefined || value === null) return false;
  if (typeof value !== 'boolean') throw new ApiError('INVALID_ARGUMENT', `Invalid value at '${member}' (TYPE_BOOL)`);
  return value;
}

/** An object member, or {} where it is absent; INVALID_ARGUMENT where it is something else. */
export function objectMember(object: JsonObject, member: string): JsonObject {
  const value = object[member];
  if (value === undefined || value === null) return {};
  if (!isObject(value)) throw new ApiError('INVALID_ARGUMENT', `Invalid value at '${member}' (message expected)`);
  return value;
}

/** A list member, or [] where it is absent; INVALID_ARGUMENT where it is something else. */
export function listMember(object: JsonObject, member: string): readonly unknown[] {
  const value = object[member];
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new ApiError('INVALID_ARGUMENT', `Invalid value at '${member}' (list expected)`);
  return value;
}

/** A list of strings, or [] where it is absent; INVALID_ARGUMENT where anything in it is something else. */
export function stringsMember(object: JsonObject, member: string): string[] {
  return listMember(object, member).map((value, index) => stringMember({ [`${member}[${index}]`]: value }, `${member}[${index}]`));
}

/** A map of strings, such as labels, or {} where it is absent; INVALID_ARGUMENT where anything in it is something else. */
export function stringMapMember(object: JsonObject, member: string): JsonObject {
  const map = objectMember(object, member);
  for (const key of Object.keys(map)) stringMember(map, key);
  return map;
}

/** Members outside `known` are refused, as Google's JSON parser does; `at` is the path of the object, '' for the body. */
export function refuseUnknown(object: JsonObject, known: readonly string[], at: string): void {
  const stranger = Object.keys(object).find((member) => !known.includes(member));
  if (stranger === undefined) return;
  const where = at === '' ? '' : ` at '${at}'`;
  throw new ApiError('INVALID_ARGUMENT', `Invalid JSON payload received. Unknown name "${stranger}"${where}: Cannot find field.`);
}

/** An enum member by name or number. `names` maps every accepted name to its number; aliases share one. The answer
 * is the first name of that number, or `absent` where the member is missing. */
export function enumMember(value: unknown, names: ReadonlyMap<string, number>, field: string, absent = ''): string {
  if (value === undefined || value === null) return absent;
  const number = typeof value === 'string' ? names.get(value) : value;
  const name = [...names].find(([, candidate]) => candidate === number)?.[0];
  if (name === undefined) throw new ApiError('INVALID_ARGUMENT', `Invalid value at '${field}' (TYPE_ENUM), ${JSON.stringify(value)}`);
  return name;
}

/** A time as Google's JSON writes it. */
export function timestamp(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

/** An etag that changes with the content and the revision. */
export function etagOf(content: unknown, revision: number): string {
  return createHash('sha256').update(JSON.stringify(content)).update(String(revision)).digest('base64').slice(0, 12);
}

/** The current etag travels with a write: where one is sent and differs, the write is refused (AIP-154). */
export function requireEtag(sent: unknown, current: string): void {
  if (sent === undefined || sent === null || sent === '' || sent === current) return;
  throw new ApiError('ABORTED', 'There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff.');
}
