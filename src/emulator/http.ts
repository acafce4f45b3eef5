// SPDX-License-Identifier: Apache-2.0
// Between node:http's messages and what handlers see: targets taken apart, bodies read, replies written.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Reply } from './router.js';
import { ApiError, camelCase } from './wire.js';

/** The largest request body that is read: a registry takes a whole layer in one. */
const BODY_LIMITS = { api: 64 * 1024 * 1024, registry: 2 * 1024 * 1024 * 1024 };

/** A request target without its origin. */
export interface Target {
  /** As sent: what the request log shows. */
  readonly sent: string;
  /** Without trailing slashes: what routes see. */
  readonly path: string;
  /** As sent, without the question mark. */
  readonly query: string;
}

/** A request target in origin form (`/v1/…?…`), or in the absolute form that clients send to a proxy. */
export function parseTarget(target: string): Target {
  const relative = target.replace(/^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/?#]*/, '');
  const mark = relative.indexOf('?');
  const sent = (mark < 0 ? relative : relative.slice(0, mark)) || '/';
  return { sent, path: sent.replace(/\/+$/, '') || '/', query: mark < 0 ? '' : relative.slice(mark + 1) };
}

/** The parameters of a query. Google's APIs take their names in snake_case too. */
export function parametersOf(query: string): URLSearchParams {
  return new URLSearchParams([...new URLSearchParams(query)].map(([name, value]): [string, string] => [camelCase(name), value]));
}

/** The headers of a request, repeated ones joined. */
export function headersOf(request: IncomingMessage): Headers {
  const headers = new Headers();
  for (let index = 0; index + 1 < request.rawHeaders.length; index += 2) {
    headers.append(request.rawHeaders[index] ?? '', request.rawHeaders[index + 1] ?? '');
  }
  return headers;
}

/** The whole body of a request; INVALID_ARGUMENT beyond the limit. */
export async function readBody(request: IncomingMessage, { path }: Target): Promise<Buffer> {
  const limit = path.startsWith('/v2/') ? BODY_LIMITS.registry : BODY_LIMITS.api;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    // The rest is read and dropped: breaking off here would cut the connection before the client sees the answer.
    if (size <= limit) chunks.push(chunk);
  }
  if (size > limit) throw new ApiError('INVALID_ARGUMENT', `Request payload size exceeds the limit: ${limit} bytes.`);
  return Buffer.concat(chunks);
}

/** How a reply is sent: `headOnly` for HEAD, `truncateTo` for a connection that breaks after so many bytes. */
export interface SendOptions {
  readonly headOnly: boolean;
  readonly truncateTo?: number;
}

/** Writes a reply with its exact length; JSON is typed as Google types it. */
export function send(response: ServerResponse, reply: Reply, options: SendOptions): void {
  const body = bodyOf(reply);
  const status = reply.status ?? 200;
  const headers: Record<string, string | number> = {};
  if (reply.json !== undefined) headers['content-type'] = 'application/json; charset=UTF-8';
  if (status !== 204 && status !== 304) headers['content-length'] = body.length;
  for (const [name, value] of Object.entries(reply.headers ?? {})) headers[name.toLowerCase()] = value;
  response.writeHead(status, headers);
  if (options.truncateTo !== undefined) {
    response.flushHeaders();
    response.write(body.subarray(0, options.truncateTo), () => response.destroy());
    return;
  }
  response.end(options.headOnly ? undefined : body);
}

function bodyOf(reply: Reply): Buffer {
  if (reply.bytes !== undefined) return Buffer.from(reply.bytes.buffer, reply.bytes.byteOffset, reply.bytes.byteLength);
  return reply.json === undefined ? Buffer.alloc(0) : Buffer.from(`${JSON.stringify(reply.json, null, 2)}\n`);
}
