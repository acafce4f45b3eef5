// SPDX-License-Identifier: Apache-2.0
// Everything that the adapters of this folder share: one identity, one transport, and how a client library is loaded.
import type { ClientOptions } from 'google-gax';
import type { Pace } from '../core/retry.js';
import type { AccessToken } from '../ports/access-token.js';
import type { Reporter } from '../ports/reporter.js';
import type { Timer } from '../ports/timer.js';
import { loadCredentials, type CredentialOptions } from './credentials.js';
import { endpointsOf, type ApiName, type EndpointOptions } from './endpoints.js';
import { translateCredentials } from './errors.js';
import { createRest, type Rest } from './rest.js';
import { createCaller, type Caller } from './retry.js';
import { createTransport, type Transport } from './transport.js';

export type { ApiName } from './endpoints.js';

/** How Google is reached in a run. */
export interface GoogleOptions extends EndpointOptions, CredentialOptions {
  readonly pace: Pace;
  readonly timer: Timer;
  readonly reporter: Reporter;
  /** Ends every call with CANCELLED. */
  readonly signal?: AbortSignal;
  /** How long one attempt of a call may take; 20 seconds unless given. */
  readonly timeoutMs?: number;
}

/** Google's APIs with the identity and endpoints of a run. */
export interface Google {
  /** The caller's token, for registries. */
  readonly accessToken: AccessToken;
  /** Every call goes through it. */
  readonly call: Caller;
  /** A client library of an adapter: `load` imports its class when the client is first asked for, and only then. */
  lazyClient<Client>(api: ApiName, load: () => Promise<ClientClass<Client>>): () => Promise<Client>;
  /** An API without a client library. */
  rest(api: ApiName): Rest;
}

type Gax = typeof import('google-gax').fallback;
/** A client class of Google's libraries, with the transport's half of gax as its second argument. */
export type ClientClass<Client> = new (options: ClientOptions, gax: Gax) => Client;

const TIMEOUT_MS = 20_000;

/** Google as this run reaches it. INVALID_INPUT where an endpoint is none or would get a credential in clear text; nothing is loaded or sent yet. */
export function createGoogle(options: GoogleOptions): Google {
  const endpoint = endpointsOf(options);
  const common = { ...options, timeoutMs: options.timeoutMs ?? TIMEOUT_MS };
  const credentials = once(() => loadCredentials(options));
  const transport = createTransport(common, credentials);
  return {
    accessToken: { token: () => tokenOf(credentials) },
    call: createCaller(common),
    rest: (api) => createRest(endpoint(api), transport),
    lazyClient: (api, load) => once(async () => newClient(await load(), endpoint(api), transport)),
  };
}

// Given as the second argument, the REST half of gax keeps clients that do not ask for gRPC themselves from loading it.
async function newClient<Client>(Class: ClientClass<Client>, base: string, transport: Transport): Promise<Client> {
  const { fallback } = await import('google-gax/fallback');
  const auth = gaxAuth(base, transport) as unknown as NonNullable<ClientOptions['auth']>;
  return new Class({ fallback: true, auth }, fallback as unknown as Gax);
}

// What gax uses of an identity on its REST path: `fetch` for requests, and the presence of `getRequestHeaders`. Its own
// idea of the endpoint knows no path prefix, so the URL's origin is replaced here.
function gaxAuth(base: string, transport: Transport): object {
  return {
    getRequestHeaders: () => Promise.resolve(new Headers()),
    async fetch(url: string, init: { method: string; headers: Headers; body?: string; signal: AbortSignal }): Promise<object> {
      const reply = await transport.send({ ...init, url: url.replace(/^https?:\/\/[^/]+\//, base) });
      return { ok: true, status: reply.status, arrayBuffer: () => Promise.resolve(nonEmpty(reply.body)) };
    },
  };
}

// gax tells an empty answer by a text alone; JSON's own complaint says the same and is understood in one place.
function nonEmpty(body: ArrayBuffer): ArrayBuffer {
  if (body.byteLength === 0) throw new SyntaxError('Unexpected end of JSON input');
  return body;
}

async function tokenOf(credentials: () => ReturnType<typeof loadCredentials>): Promise<string | undefined> {
  try {
    const { token } = await (await credentials()).getAccessToken();
    return token ?? undefined;
  } catch (error) {
    throw translateCredentials(error);
  }
}

// A failed load is tried again at the next use: credentials can appear, and their services recover.
function once<T>(load: () => Promise<T>): () => Promise<T> {
  let loading: Promise<T> | undefined;
  return () => {
    loading ??= load().catch((error: unknown) => {
      loading = undefined;
      throw error;
    });
    return loading;
  };
}
