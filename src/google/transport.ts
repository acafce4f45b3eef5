// SPDX-License-Identifier: Apache-2.0
// The one way out to Google: the client libraries and rest.ts both send through here, so that credentials, endpoints,
// time limits, cancellation and Retry-After are the same for all of them.
import type { AuthClient } from 'google-auth-library';
import type { Pace } from '../core/retry.js';
import type { Reporter } from '../ports/reporter.js';
import type { Timer } from '../ports/timer.js';
import { isLoopback } from './endpoints.js';
import { CredentialFailure, HttpFailure } from './failures.js';
import { withinLimit } from './time-limit.js';

/** A request, its URL already that of the endpoint in use. */
export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly body?: string;
  /** Ends this request alone. */
  readonly signal?: AbortSignal;
}

/** An answer with a success status. */
export interface HttpReply {
  readonly status: number;
  readonly body: ArrayBuffer;
}

/** What every request of a run has in common. */
export interface TransportOptions {
  readonly pace: Pace;
  readonly timer: Timer;
  readonly reporter: Reporter;
  /** Ends the run. */
  readonly signal?: AbortSignal;
  /** How long one attempt may take, credentials included. */
  readonly timeoutMs: number;
}

/** Sends one request, once. */
export interface Transport {
  send(request: HttpRequest): Promise<HttpReply>;
}

// Far above any page of a listing; an endless answer must not exhaust memory.
const LARGEST_BODY_BYTES = 64 * 1024 * 1024;

/** A transport that authenticates every request with the same client, loaded at the first one. */
export function createTransport(options: TransportOptions, credentials: () => Promise<AuthClient>): Transport {
  return {
    send(request) {
      const ends = [options.signal, request.signal].filter((signal) => signal !== undefined);
      return withinLimit({ limitMs: options.timeoutMs, ends, timer: options.timer }, async (signal) => {
        const client = await authenticate(credentials, request);
        return exchange(client, request, signal, options);
      });
    },
  };
}

async function authenticate(credentials: () => Promise<AuthClient>, request: HttpRequest): Promise<AuthClient> {
  try {
    const client = await credentials();
    const headers = await client.getRequestHeaders(request.url);
    for (const [name, value] of headers) request.headers.set(name, value);
    return client;
  } catch (error) {
    throw new CredentialFailure(error);
  }
}

async function exchange(client: AuthClient, request: HttpRequest, signal: AbortSignal, options: TransportOptions): Promise<HttpReply> {
  // Checked where it would be sent, whatever was checked before: a token in clear text is a token given away.
  if (!request.url.startsWith('https://') && !isLoopback(request.url))
    throw new Error('refusing to send to a host that is neither https nor loopback');
  const response = await client.transporter.request<ArrayBuffer>({
    method: request.method as 'GET',
    url: request.url,
    headers: request.headers,
    ...(request.body === undefined ? {} : { data: request.body }),
    signal,
    // A request with a body that is begun after its end was told would throw where nobody can catch it.
    adapter: (prepared, sendIt) => {
      signal.throwIfAborted();
      return sendIt(prepared);
    },
    responseType: 'arraybuffer',
    validateStatus: () => true,
    maxContentLength: LARGEST_BODY_BYTES,
    // Google's APIs never redirect, and a credential follows nobody.
    redirect: 'manual',
  });
  options.reporter.debug(`${request.method} ${request.url.replace(/\?.*$/, '')} ${response.status}`);
  if (response.status < 200 || response.status > 299) {
    const retryAfterMs = parseRetryAfter(response.headers.get('retry-after'), options.pace.now());
    throw new HttpFailure(response.status, withoutToken(new TextDecoder().decode(response.data), request), retryAfterMs);
  }
  // For an answer without a body, 204, the library gives an empty text.
  return { status: response.status, body: response.data instanceof ArrayBuffer ? response.data : new ArrayBuffer(0) };
}

// A server may quote the request that it refuses; its answer goes into messages.
function withoutToken(body: string, request: HttpRequest): string {
  const token = request.headers.get('authorization')?.replace(/^\w+ /, '') ?? '';
  return token === '' ? body : body.replaceAll(token, '[redacted]');
}

function parseRetryAfter(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  if (/^\d+$/.test(header.trim())) return Number(header) * 1000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}
