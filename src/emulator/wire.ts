// SPDX-License-Identifier: Apache-2.0
// How Google's REST APIs speak: errors, bytes, field spelling, enums, pages. Written from Google's documentation,
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
  if (typeof value !== 'string' || !/^[A-Za-z0-9+/_-]*={0,2}$/.test(value)) {
    throw new ApiError('INVALID_ARGUMENT', `Invalid value at '${field}' (TYPE_BYTES), Base64 decoding failed`);
  }
  return Buffer.from(value.replaceAll('-', '+').replaceAll('_', '/'), 'base64');
}

/** Bytes as Google's JSON writes them: standard base64 with padding. */
export function encodeBytes(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

/** Members of any depth respelt from snake_case to camelCase, as Google's JSON input accepts both. Map keys under
 * the members named in `maps` are data and stay as they are. */
export function toCamelCase(value: unknown, maps: ReadonlySet<string> = new Set()): unknown {
  if (Array.isArray(value)) return value.map((item) => toCamelCase(item, maps));
  if (!isObject(value)) return value;
  const result: JsonObject = {};
  for (const [key, item] of Object.entries(value)) {
    const name = key.replace(/_([a-z0-9])/g, (_match, letter: string) => letter.toUpperCase());
    result[name] = maps.has(name) && isObject(item) ? mapValues(item, (entry) => toCamelCase(entry, maps)) : toCamelCase(item, maps);
  }
  return result;
}

function mapValues(object: JsonObject, change: (value: unknown) => unknown): JsonObject {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));
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
  const number = typeof value === 'number' ? value : names.get(String(value));
  const name = [...names].find(([, candidate]) => candidate === number)?.[0];
  if (name === undefined) throw new ApiError('INVALID_ARGUMENT', `Invalid value at '${field}' (TYPE_ENUM), "${String(value)}"`);
  return name;
}

/** One page of a list, as AIP-158 describes: `pageSize` bounds it, `pageToken` continues it. */
export function paginate<T>(items: readonly T[], query: URLSearchParams, limits = { fallback: 100, most: 1000 }): { items: readonly T[]; nextPageToken?: string } {
  const size = Number(query.get('pageSize') ?? 0);
  if (!Number.isInteger(size) || size < 0) throw new ApiError('INVALID_ARGUMENT', `Invalid page size: ${query.get('pageSize') ?? ''}`);
  const token = query.get('pageToken') ?? '';
  const start = token === '' ? 0 : Number(Buffer.from(token, 'base64url').toString());
  if (!Number.isInteger(start) || start < 0) throw new ApiError('INVALID_ARGUMENT', 'Invalid page token.');
  const end = start + Math.min(size === 0 ? limits.fallback : size, limits.most);
  const page = items.slice(start, end);
  return end < items.length ? { items: page, nextPageToken: Buffer.from(String(end)).toString('base64url') } : { items: page };
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
