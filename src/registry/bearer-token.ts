// SPDX-License-Identifier: Apache-2.0
// Registry tokens: https://distribution.github.io/distribution/spec/auth/token/ and .../oauth/.
import { BinauthzError } from '../core/errors.js';
import type { Challenge } from './challenge.js';
import type { Credential } from './docker-config.js';
import { isGoogle, isLoopback, type RegistryHost } from './hosts.js';
import type { HttpClient, HttpRequest, HttpResponse } from './http.js';
import { registryMessage, transientRefusal } from './refusal.js';

/** A registry token and how long it lives. */
export interface BearerToken {
  readonly header: string;
  readonly lifetimeMs: number;
}

/** What a token is wanted for. */
export interface TokenWish {
  /** Who asks for it. */
  readonly registry: RegistryHost;
  readonly challenge: Challenge;
  readonly credential: Credential;
  /** Asked for where the challenge names none. */
  readonly scope: string;
  readonly resource: string;
  readonly now: number;
  /** How to log in to this registry, for whoever could not. */
  readonly hint: string;
}

const MOST_TOKEN_BYTES = 1024 * 1024;
// What the specification assumes where the answer does not say.
const DEFAULT_LIFETIME_S = 60;

/** Fetches the token that a bearer challenge asks for. UNAUTHENTICATED, PERMISSION_DENIED, RESPONSE_INVALID, UNAVAILABLE. */
export async function fetchBearerToken(http: HttpClient, wish: TokenWish): Promise<BearerToken> {
  const realm = realmOf(wish);
  const response = await http.send(
    wish.credential.kind === 'refresh-token' ? exchange(realm, wish, wish.credential.token.reveal()) : ask(realm, wish),
  );
  if (response.status !== 200) throw refused(realm, wish, response);
  return read(realm, wish, response);
}

/** The Authorization header of a user with a password. */
export function basicHeader(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

function realmOf({ challenge, registry, resource }: TokenWish): URL {
  const text = challenge.parameters.get('realm') ?? '';
  const realm = URL.canParse(text) ? new URL(text) : undefined;
  // Whether a credential may go there (https or loopback) is the HTTP client's rule for every call. A Google token
  // opens far more than a registry, so it leaves Google's registries for nobody but the emulator.
  const isKept = realm !== undefined && (!registry.isGoogle || isGoogle(realm) || isLoopback(realm));
  if (isKept) return realm;
  const problem =
    realm === undefined ? 'names no token service that is a URL' : `names a token service that is not Google’s: ${realm.host}`;
  throw new BinauthzError('RESPONSE_INVALID', `cannot log in for ${resource}: the registry ${problem}`, {
    resource,
    hint: 'check the address of the registry, and what stands between it and this machine',
  });
}

function ask(realm: URL, { challenge, credential, registry, scope, resource }: TokenWish): HttpRequest {
  const url = new URL(realm);
  const service = challenge.parameters.get('service');
  if (service !== undefined) url.searchParams.set('service', service);
  url.searchParams.set('scope', challenge.parameters.get('scope') ?? scope);
  const authorization = credential.kind === 'password' ? basicHeader(credential.username, credential.password.reveal()) : undefined;
  return {
    method: 'GET',
    url,
    namedBy: registry.base,
    resource,
    authorization,
    headers: { accept: 'application/json' },
    maxBytes: MOST_TOKEN_BYTES,
  };
}

function exchange(url: URL, { challenge, registry, scope, resource }: TokenWish, refreshToken: string): HttpRequest {
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    service: challenge.parameters.get('service') ?? '',
    scope: challenge.parameters.get('scope') ?? scope,
    client_id: 'binauthz',
    refresh_token: refreshToken,
  });
  const headers = { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' };
  return { method: 'POST', url, namedBy: registry.base, resource, headers, body: form.toString(), maxBytes: MOST_TOKEN_BYTES };
}

function read(realm: URL, { resource }: TokenWish, { body }: HttpResponse): BearerToken {
  const answer = parse(body);
  const value = answer?.token ?? answer?.access_token;
  // A token goes into a header, so anything that a header cannot hold is refused here rather than thrown by it.
  if (typeof value !== 'string' || !/^[\x21-\x7e]+$/.test(value)) {
    throw new BinauthzError('RESPONSE_INVALID', `cannot log in for ${resource}: the token service ${realm.host} answered without a token`, {
      resource,
      hint: 'check the address of the registry, and what stands between it and this machine',
    });
  }
  const seconds = typeof answer?.expires_in === 'number' ? answer.expires_in : DEFAULT_LIFETIME_S;
  return { header: `Bearer ${value}`, lifetimeMs: seconds * 1000 };
}

function parse(
  body: Uint8Array | undefined,
): { readonly token?: unknown; readonly access_token?: unknown; readonly expires_in?: unknown } | undefined {
  try {
    const parsed: unknown = JSON.parse(new TextDecoder().decode(body));
    return typeof parsed === 'object' && parsed !== null ? parsed : undefined;
  } catch {
    // The parse error quotes the text, which may hold a token.
    return undefined;
  }
}

function refused(realm: URL, { credential, resource, now, hint }: TokenWish, response: HttpResponse): BinauthzError {
  const what = `cannot log in for ${resource}: the token service ${realm.host} answered HTTP ${String(response.status)}${registryMessage(response, credential)}`;
  const transient = transientRefusal(what, { resource, response, now });
  if (transient !== undefined) return transient;
  if (response.status === 403 && credential.kind !== 'none')
    return new BinauthzError('PERMISSION_DENIED', `${what}; expected the right to pull`, { resource, hint });
  if (response.status === 401 || response.status === 403) {
    const sent = credential.kind === 'none' ? 'no credentials were sent' : 'the credentials were not accepted';
    return new BinauthzError('UNAUTHENTICATED', `${what}; ${sent}`, { resource, hint });
  }
  return new BinauthzError('RESPONSE_INVALID', what, {
    resource,
    hint: 'check the address of the registry, and what stands between it and this machine',
  });
}
