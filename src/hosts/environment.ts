// SPDX-License-Identifier: Apache-2.0
import { homedir } from 'node:os';
import { join } from 'node:path';
import { BinauthzError } from '../core/errors.js';
import type { Env } from './context.js';
import { expectedButGot, show } from './issues.js';

/** Where calls go, as the environment says it. */
export interface Environment {
  /** `127.0.0.1:PORT`, `localhost:PORT` or `[::1]:PORT`: the emulator that stands for Google and its registries. */
  readonly emulatorHost?: string;
  /** Base URL, with a slash at its end, by gcloud's name of an API. */
  readonly endpointOverrides: Readonly<Partial<Record<OverridableApi, string>>>;
  /** Docker's configuration file, which need not exist. */
  readonly dockerConfigPath: string;
  readonly quotaProject?: string;
  readonly proxy?: Proxy;
}

/** What stands between this machine and the others. */
export interface Proxy {
  /** http or https; it may hold the proxy's user and password. */
  readonly url: URL;
  /** The entries of no_proxy. */
  readonly except: readonly string[];
}

/** gcloud's names of the APIs whose endpoint may be overridden. */
export const OVERRIDABLE_APIS = [
  'artifactregistry',
  'binaryauthorization',
  'cloudkms',
  'cloudresourcemanager',
  'container',
  'containeranalysis',
  'logging',
  'monitoring',
  'run',
  'serviceusage',
] as const;

/** gcloud's name of an API, e.g. `cloudkms`. */
export type OverridableApi = (typeof OVERRIDABLE_APIS)[number];

/** The variable that sends every call to the emulator. */
export const EMULATOR_VARIABLE = 'BINAUTHZ_EMULATOR_HOST';

const OVERRIDE_PREFIX = 'CLOUDSDK_API_ENDPOINT_OVERRIDES_';

/** Reads the variables that are no options, and says what is wrong with them. An empty variable counts as unset. */
export function readEnvironment(env: Env): { readonly environment: Environment; readonly issues: readonly BinauthzError[] } {
  const issues: BinauthzError[] = [];
  const emulatorHost = readEmulatorHost(env, issues);
  const quotaProject = given(env, 'GOOGLE_CLOUD_QUOTA_PROJECT');
  const proxy = readProxy(env, issues);
  const environment: Environment = {
    ...(emulatorHost === undefined ? {} : { emulatorHost }),
    endpointOverrides: readOverrides(env, issues),
    dockerConfigPath: dockerConfigPath(env),
    ...(quotaProject === undefined ? {} : { quotaProject }),
    ...(proxy === undefined ? {} : { proxy }),
  };
  return { environment, issues };
}

/** What a run on the emulator says about itself, as loudly as its host can. */
export function emulatorWarning(host: string): string {
  return `${EMULATOR_VARIABLE} is set: every Google and registry call goes to the emulator at ${host}; nothing that this run reports exists in Google Cloud`;
}

/** What a run says about calls that the environment sends elsewhere than to Google: whoever can set a variable of a job
 * could otherwise take its token unseen. */
export function detours({ emulatorHost, endpointOverrides }: Environment): readonly string[] {
  if (emulatorHost !== undefined) return [emulatorWarning(emulatorHost)];
  return Object.entries(endpointOverrides).map(
    ([api, url]) => `${OVERRIDE_PREFIX}${api.toUpperCase()} is set: calls to ${api}, and the token that they carry, go to ${url}`,
  );
}

/** The error, with a next step that fits where the emulator should have answered in Google's place. */
export function onEmulator(error: BinauthzError, host: string): BinauthzError {
  const isService = /^(?:https:\/\/)?(?:projects\/|[^/]*\bpkg\.dev\/|(?:[a-z]+\.)?gcr\.io\/)/.test(error.resource ?? '');
  if (!isService || (error.code !== 'UNAVAILABLE' && error.code !== 'RESPONSE_INVALID')) return error;
  const port = host.slice(host.lastIndexOf(':') + 1);
  return new BinauthzError(error.code, error.message, {
    ...(error.resource === undefined ? {} : { resource: error.resource }),
    ...(error.transient === undefined ? {} : { transient: error.transient }),
    cause: error.cause,
    hint: `check that it is the emulator that answers at ${host} (binauthz emulator --port ${port} starts one), or unset ${EMULATOR_VARIABLE} to reach Google`,
  });
}

function readEmulatorHost(env: Env, issues: BinauthzError[]): string | undefined {
  const text = given(env, EMULATOR_VARIABLE);
  if (text === undefined) return undefined;
  const port = /^(?:127\.0\.0\.1|localhost|\[::1\]):(\d{1,5})$/.exec(text)?.[1];
  if (port !== undefined && Number(port) > 0 && Number(port) <= 65_535) return text;
  const hint = /^https?:\/\//i.test(text)
    ? `leave out the http:// and what follows the port`
    : 'binauthz emulator prints the line that sets it';
  issues.push(
    expectedButGot(EMULATOR_VARIABLE, '127.0.0.1:PORT, localhost:PORT or [::1]:PORT (the emulator is never elsewhere)', show(text), hint),
  );
  return undefined;
}

function readOverrides(env: Env, issues: BinauthzError[]): Environment['endpointOverrides'] {
  const overrides: Partial<Record<OverridableApi, string>> = {};
  for (const api of OVERRIDABLE_APIS) {
    const variable = `${OVERRIDE_PREFIX}${api.toUpperCase()}`;
    const text = given(env, variable);
    if (text === undefined) continue;
    const url = readEndpoint(text);
    if (url === undefined) {
      issues.push(
        expectedButGot(
          variable,
          'an absolute https URL, or http on loopback, without credentials or a query',
          show(text),
          'a credential is never sent to a host that is neither https nor loopback',
        ),
      );
    } else {
      overrides[api] = url;
    }
  }
  return overrides;
}

function readEndpoint(text: string): string | undefined {
  if (!URL.canParse(text) || !/^https?:\/\//i.test(text)) return undefined;
  const url = new URL(text);
  const isLoopback = ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname);
  if (url.protocol !== 'https:' && !isLoopback) return undefined;
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') return undefined;
  return url.href.endsWith('/') ? url.href : `${url.href}/`;
}

// As curl reads them: the small letters first, and http where no scheme is given.
function readProxy(env: Env, issues: BinauthzError[]): Proxy | undefined {
  const variable = given(env, 'https_proxy') === undefined ? 'HTTPS_PROXY' : 'https_proxy';
  const text = given(env, variable);
  if (text === undefined) return undefined;
  const address = text.includes('://') ? text : `http://${text}`;
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url && /^https?:$/.test(url.protocol) && url.hostname !== '' && isDecodable(`${url.username}${url.password}`))
    return { url, except: (given(env, 'no_proxy') ?? given(env, 'NO_PROXY') ?? '').split(/[\s,]+/).filter((entry) => entry !== '') };
  // It may hold a password, so it is not shown.
  issues.push(
    expectedButGot(variable, 'the http or https URL of a proxy', 'something else (not shown)', 'in a password write a percent sign as %25'),
  );
  return undefined;
}

// A percent sign in a password is to be written %25.
function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

function dockerConfigPath(env: Env): string {
  const folder = given(env, 'DOCKER_CONFIG') ?? join(given(env, 'HOME') ?? given(env, 'USERPROFILE') ?? homedir(), '.docker');
  return join(folder, 'config.json');
}

function given(env: Env, name: string): string | undefined {
  const text = env[name]?.trim();
  return text === '' ? undefined : text;
}
