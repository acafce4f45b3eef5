// SPDX-License-Identifier: Apache-2.0
// Calls to a registry as somebody. The first call goes out with what is known to work, mostly in one round trip: the
// Google token, or nothing. Only a 401 makes us log in, once per repository and run.
import type { Pace } from '../core/retry.js';
import { basicHeader, fetchBearerToken } from './bearer-token.js';
import { parseChallenges } from './challenge.js';
import { GOOGLE_USER, type Credentials, type Identity } from './credentials.js';
import type { RegistryHost } from './hosts.js';
import type { HttpClient, HttpRequest, HttpResponse } from './http.js';
import { loginHint } from './refusal.js';

/** The repository that a call is about. */
export interface Target {
  readonly registry: RegistryHost;
  readonly repository: string;
}

/** An answer, and who we were when we got it; nobody yet where the registry did not ask. */
export interface SessionResponse {
  readonly response: HttpResponse;
  readonly identity: Identity | undefined;
}

/** Sends requests with the right credentials. */
export interface Session {
  send(target: Target, request: HttpRequest): Promise<SessionResponse>;
}

interface Authorization {
  /** Undefined: call without credentials. */
  readonly header: string | undefined;
  readonly identity: Identity;
}

/** A login that is under way or done; shared by all calls for a repository. */
interface Login {
  readonly done: Promise<Authorization & { readonly expiresAt: number }>;
}

/** What a session needs. */
export interface SessionDeps {
  readonly http: HttpClient;
  readonly credentials: Credentials;
  readonly pace: Pace;
}

// A token about to expire may do so on the way.
const EXPIRY_MARGIN_MS = 5_000;

/** A session that remembers tokens per registry and repository. */
export function createSession(deps: SessionDeps): Session {
  const logins = new Map<string, Login>();

  const current = async (target: Target): Promise<Login | undefined> => {
    const login = logins.get(keyOf(target));
    if (login === undefined || (await login.done).expiresAt > deps.pace.now()) return login;
    forget(target, login);
    return undefined;
  };

  const forget = (target: Target, login: Login): void => {
    if (logins.get(keyOf(target)) === login) logins.delete(keyOf(target));
  };

  /** A new login, or that of another call where one has begun since ours was refused. */
  const renew = (target: Target, refused: Login | undefined, start: () => Login['done']): Login => {
    const other = logins.get(keyOf(target));
    if (other !== undefined && other !== refused) return other;
    const login = { done: start() };
    logins.set(keyOf(target), login);
    login.done.catch(() => forget(target, login));
    return login;
  };

  return {
    async send(target, request) {
      const login = await current(target);
      const first = login === undefined ? await unasked(deps.credentials, target.registry) : await login.done;
      const response = await deps.http.send({ ...request, authorization: first?.header });
      // Another server that we were redirected to has no business with our credentials, whatever it asks for.
      if (response.status !== 401 || response.isElsewhere) return { response, identity: first?.identity };
      const next = await renew(target, login, () => logIn(deps, target, { request, response })).done;
      if (next.header === undefined) return { response, identity: next.identity };
      return { response: await deps.http.send({ ...request, authorization: next.header }), identity: next.identity };
    },
  };
}

/** Answers the challenge of a 401. */
async function logIn(
  deps: SessionDeps,
  target: Target,
  refused: { readonly request: HttpRequest; readonly response: HttpResponse },
): Login['done'] {
  const challenges = parseChallenges(refused.response.headers['www-authenticate']);
  const identity = await deps.credentials.of(target.registry);
  const { credential } = identity;
  const challenge = challenges.find(({ scheme, parameters }) => scheme === 'bearer' && parameters.has('realm'));
  if (challenge === undefined) {
    const isBasic = credential.kind === 'password' && challenges.some(({ scheme }) => scheme === 'basic');
    return { header: isBasic ? basicHeader(credential.username, credential.password.reveal()) : undefined, identity, expiresAt: Infinity };
  }
  const now = deps.pace.now();
  const { resource } = refused.request;
  const wish = {
    registry: target.registry,
    challenge,
    credential,
    scope: `repository:${target.repository}:pull`,
    resource,
    now,
    hint: loginHint(target.registry, identity),
  };
  const { header, lifetimeMs } = await fetchBearerToken(deps.http, wish);
  return { header, identity, expiresAt: now + lifetimeMs - EXPIRY_MARGIN_MS };
}

/** What a registry of Google's takes without being asked: the token itself, or a user and password. */
async function unasked(credentials: Credentials, registry: RegistryHost): Promise<Authorization | undefined> {
  if (!registry.isGoogle) return undefined;
  const identity = await credentials.of(registry);
  const { credential } = identity;
  if (credential.kind !== 'password') return { header: undefined, identity };
  const secret = credential.password.reveal();
  return { header: credential.username === GOOGLE_USER ? `Bearer ${secret}` : basicHeader(credential.username, secret), identity };
}

function keyOf({ registry, repository }: Target): string {
  return `${registry.base.host} ${repository}`;
}
