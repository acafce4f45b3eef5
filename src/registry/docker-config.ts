// SPDX-License-Identifier: Apache-2.0
// What Docker's config.json says about a registry (docker/cli, cli/config/configfile).
import { BinauthzError } from '../core/errors.js';
import { Secret } from '../core/secret.js';
import { isDockerHub } from './hosts.js';

/** Who we are to a registry: nobody, a user with a password, or the bearer of a refresh token. */
export type Credential =
  | { readonly kind: 'none' }
  | { readonly kind: 'password'; readonly username: string; readonly password: Secret }
  | { readonly kind: 'refresh-token'; readonly token: Secret };

/** Where the config sends us for a registry: a credential, or a credential program and the key to ask it for. */
export type DockerEntry = { readonly credential: Credential } | { readonly helper: string; readonly serverUrl: string };

type JsonObject = { readonly [member: string]: unknown };

const DOCKER_HUB_KEY = 'https://index.docker.io/v1/';
const SOURCE = 'the Docker config';

/** What the config says about a registry host: its own program, then its entry, then the store of all. */
export function dockerEntry(config: unknown, registry: string): DockerEntry {
  if (config === undefined) return { credential: { kind: 'none' } };
  if (!isObject(config)) throw unusable(registry, 'the file is not a JSON object');
  const serverUrl = isDockerHub(registry) ? DOCKER_HUB_KEY : registry;
  const helper = find(config['credHelpers'], registry);
  if (helper !== undefined) return { helper: programOf(helper, registry), serverUrl };
  const entry = credentialIn(find(config['auths'], registry), registry);
  if (entry !== undefined) return { credential: entry };
  const store = config['credsStore'];
  if (store === undefined || store === '') return { credential: { kind: 'none' } };
  return { helper: programOf(store, registry), serverUrl };
}

/** A name and a secret as Docker means them: the name `<token>` marks a refresh token. */
export function credentialOf(username: string, secret: string): Credential {
  if (secret === '') return { kind: 'none' };
  if (username === '<token>') return { kind: 'refresh-token', token: new Secret(secret, SOURCE) };
  return { kind: 'password', username, password: new Secret(secret, SOURCE) };
}

function find(section: unknown, registry: string): unknown {
  if (!isObject(section)) return undefined;
  const names = isDockerHub(registry) ? [DOCKER_HUB_KEY, 'index.docker.io', 'docker.io', 'registry-1.docker.io'] : [registry];
  const exact = names.find((name) => Object.hasOwn(section, name));
  const key = exact ?? Object.keys(section).find((candidate) => names.includes(hostOf(candidate)));
  return key === undefined ? undefined : section[key];
}

// Old tools wrote `https://HOST/v1/`. An entry for a path below the host is for that path only, so it is left out.
function hostOf(key: string): string {
  return key.replace(/^https?:\/\//, '').replace(/\/(?:v[12]\/?)?$/, '');
}

function programOf(name: unknown, registry: string): string {
  // The name becomes part of a program's name, so it must not be able to name another one.
  if (typeof name !== 'string' || !/^[A-Za-z0-9._-]+$/.test(name))
    throw unusable(registry, 'the name of its credential program is not made of letters, digits, ".", "_" and "-"');
  return `docker-credential-${name}`;
}

/** The credential that an entry holds; undefined where there is no entry, or an empty one, which points to the store. */
function credentialIn(entry: unknown, registry: string): Credential | undefined {
  if (entry === undefined) return undefined;
  if (!isObject(entry)) throw unusable(registry, 'its entry in "auths" is not an object');
  const { identitytoken, auth, username, password } = entry as {
    readonly [member in 'identitytoken' | 'auth' | 'username' | 'password']?: unknown;
  };
  if (isText(identitytoken)) return credentialOf('<token>', identitytoken);
  if (isText(auth)) return decode(auth, registry);
  return isText(username) && isText(password) ? credentialOf(username, password) : undefined;
}

function decode(auth: string, registry: string): Credential {
  const text = Buffer.from(auth, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 1) throw unusable(registry, 'its "auth" is not the base64 of USER:PASSWORD');
  // Docker pads short passwords with NUL.
  return credentialOf(text.slice(0, colon), text.slice(colon + 1).replace(/\0+$/, ''));
}

function unusable(registry: string, problem: string): BinauthzError {
  return new BinauthzError('UNAUTHENTICATED', `cannot take the credentials of ${registry} from the Docker config: ${problem}`, {
    resource: registry,
    hint: `log in again: docker login ${registry}`,
  });
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
