// SPDX-License-Identifier: Apache-2.0
// What the transport throws. Google's client library wraps these, with the original as `cause`; errors.ts unwraps them.
// Answers with an error status are kept whole here, because the library's own errors lose the headers and the status.
import { member, text } from './json.js';

/** An answer with an error status, as it came. */
export class HttpFailure extends Error {
  constructor(
    readonly status: number,
    readonly body: string,
    /** What `Retry-After` asked for. */
    readonly retryAfterMs: number | undefined,
  ) {
    super(`HTTP status ${status}`);
  }
}

/** No credential could be had; nothing was sent to the API. */
export class CredentialFailure extends Error {
  constructor(cause: unknown) {
    super('no credentials', { cause });
  }
}

/** One attempt took too long. */
export class TimeoutFailure extends Error {
  constructor(readonly afterMs: number) {
    super(`no answer within ${afterMs} ms`);
  }
}

/** A permission that a call needs, and where the role that carries it is granted. */
export interface Need {
  readonly permission: string;
  readonly role: string;
  /** Full name of the attestor, note, key, repository or project (`projects/P`). */
  readonly on: string;
}

/** The error object of Google's JSON, as far as it is used. */
export interface Problem {
  readonly status: string;
  readonly message: string;
  readonly reason: string | undefined;
  readonly metadata: Readonly<Record<string, string>>;
  readonly retryDelayMs: number | undefined;
}

/** Google's error object in a body; undefined where the body holds none, as a proxy's HTML page. */
export function parseProblem(body: string): Problem | undefined {
  const error = member(parseJson(body), 'error');
  // Token services answer with an `error` too, which is a text.
  if (typeof error !== 'object' || error === null) return undefined;
  const details = member(error, 'details');
  const list: readonly unknown[] = Array.isArray(details) ? details : [];
  const info = detail(list, 'google.rpc.ErrorInfo');
  return {
    status: text(member(error, 'status')) ?? '',
    message: text(member(error, 'message')) ?? '',
    reason: text(member(info, 'reason')),
    metadata: texts(member(info, 'metadata')),
    retryDelayMs: seconds(text(member(detail(list, 'google.rpc.RetryInfo'), 'retryDelay'))),
  };
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function detail(details: readonly unknown[], type: string): unknown {
  return details.find((item) => text(member(item, '@type'))?.endsWith(`/${type}`));
}

function texts(value: unknown): Record<string, string> {
  const entries = Object.entries(typeof value === 'object' && value !== null ? value : {});
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}

// A protobuf duration: "1.5s".
function seconds(duration: string | undefined): number | undefined {
  const found = duration === undefined ? null : /^(\d+(?:\.\d+)?)s$/.exec(duration);
  return found ? Math.round(Number(found[1]) * 1000) : undefined;
}
