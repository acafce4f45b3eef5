// SPDX-License-Identifier: Apache-2.0
// From a request to the one handler that answers it. Each API contributes a list of routes; nothing here knows any API.
import { ApiError, isObject, isTooDeep, toCamelCase, type JsonObject } from './wire.js';

/** The identity that a call acts as: `owner` may do everything, anything else is an email checked against IAM. */
export type Caller = 'owner' | (string & {});

/** One request, taken apart. */
export interface Call {
  readonly method: string;
  /** Without query and trailing slash; percent-encoding kept. */
  readonly path: string;
  /** The template's parameters, percent-decoded once. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly headers: Headers;
  readonly body: Buffer;
  readonly caller: Caller;
}

/** An answer: JSON, or raw bytes. Status 200 unless given. */
export interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly bytes?: Uint8Array;
}

export type Handler = (call: Call) => Reply | Promise<Reply>;

/**
 * A route: method, path template, handler. In a template `{name}` is one segment without a slash, escaped or not;
 * where the path ends with it, also without a colon, which would begin a custom verb. `{name=any}` is one segment that
 * may hold both, `{name=**}` one or more segments, `{name=a|b}` one of the alternatives. A custom verb is written as in
 * Google's own templates: `/v1/projects/{project}/attestors/{attestor}:getIamPolicy`.
 */
export interface Route {
  readonly method: string;
  readonly template: string;
  readonly handle: Handler;
}

/** `route('GET', '/v1/…', handler)`, the way an API lists what it serves. */
export function route(method: string, template: string, handle: Handler): Route {
  return { method, template, handle };
}

/** The parameter of a call that its template promises. */
export function param(call: Call, name: string): string {
  const value = call.params[name];
  if (value === undefined) throw new Error(`the template of ${call.path} has no parameter ${name}`);
  return value;
}

/** The call's body as a JSON object in camelCase; {} for an empty body; INVALID_ARGUMENT for anything else.
 * Keys below the members named in `maps` are data (cluster names, labels) and keep their spelling. */
export function jsonBody(call: Call, maps: readonly string[] = []): JsonObject {
  return toCamelCase(jsonObject(call), new Set(maps)) as JsonObject;
}

/** The same with every name as it was sent. */
export function jsonObject(call: Call): JsonObject {
  if (call.body.length === 0) return {};
  let parsed: unknown;
  try {
    parsed = JSON.parse(call.body.toString('utf8'));
  } catch {
    throw new ApiError('INVALID_ARGUMENT', 'Invalid JSON payload received.');
  }
  if (!isObject(parsed)) throw new ApiError('INVALID_ARGUMENT', 'Invalid JSON payload received. An object was expected.');
  if (isTooDeep(parsed)) throw new ApiError('INVALID_ARGUMENT', 'Invalid JSON payload received. Message too deep.');
  return parsed;
}

type Matcher = (path: string) => Record<string, string> | undefined;

/** Finds the handler of a request; the first route whose method and template match wins. */
export class Router {
  private readonly entries: readonly { route: Route; match: Matcher }[];

  constructor(routes: readonly Route[]) {
    this.entries = routes.map((entry) => ({ route: entry, match: compile(entry.template) }));
  }

  /** The handler with its parameters, or undefined where nothing is served at this path and method. */
  find(method: string, path: string): { handle: Handler; params: Readonly<Record<string, string>> } | undefined {
    for (const { route: candidate, match } of this.entries) {
      if (candidate.method !== method) continue;
      const params = match(path);
      if (params) return { handle: candidate.handle, params };
    }
    return undefined;
  }
}

function compile(template: string): Matcher {
  const names: string[] = [];
  const source = template.replace(/\{(\w+)(?:=([^}]+))?\}(?=(\/?))|[^{]+/g, (literal, name?: string, kind?: string, slash?: string) => {
    if (name === undefined) return literal.replace(/[.*+?^$()|[\]\\]/g, '\\$&');
    names.push(name);
    return `(${segmentPattern(kind, slash === '/')})`;
  });
  const pattern = new RegExp(`^${source}$`);
  return (path) => {
    const found = pattern.exec(path);
    if (!found) return undefined;
    return Object.fromEntries(names.map((name, index) => [name, decode(found[index + 1] ?? '')]));
  };
}

function segmentPattern(kind: string | undefined, isInner: boolean): string {
  if (kind === undefined) return isInner ? '(?:[^/%]|%(?!2[Ff]))+' : '(?:[^/:%]|%(?!2[Ff]|3[Aa]))+';
  if (kind === 'any') return '[^/]+';
  if (kind === '**') return '.+';
  return kind;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new ApiError('INVALID_ARGUMENT', `Malformed percent-encoding in ${text}`);
  }
}
