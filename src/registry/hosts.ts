// SPDX-License-Identifier: Apache-2.0
// Which server speaks for a registry host, and how it is reached.

/** A registry as a reference names it, and where its API is. */
export interface RegistryHost {
  /** As the reference writes it: what a user logs in to. */
  readonly name: string;
  /** The API's base, e.g. `https://us-docker.pkg.dev/`. */
  readonly base: URL;
  /** Artifact Registry or Container Registry, which take a Google access token. */
  readonly isGoogle: boolean;
}

/** Where a request really goes: its URL, and the headers that name the server which it was meant for. */
export interface Route {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
}

const DOCKER_HUB_NAMES: ReadonlySet<string> = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io']);
const DOCKER_HUB_API = 'registry-1.docker.io';
const GOOGLE = /^(?:(?:[a-z0-9-]+\.)*gcr\.io|(?:[a-z0-9-]+\.)+pkg\.dev)$/;

/** The registry that this host of a reference means; plain http for loopback, as in Docker. */
export function registryHost(name: string): RegistryHost {
  const host = isDockerHub(name) ? DOCKER_HUB_API : name;
  const secure = new URL(`https://${host}/`);
  const base = isLoopback(secure) ? new URL(`http://${host}/`) : secure;
  return { name, base, isGoogle: isGoogle(base) };
}

/** Whether this host of a reference is Docker Hub under any of its names. */
export function isDockerHub(name: string): boolean {
  return DOCKER_HUB_NAMES.has(name);
}

/** Whether a URL stays on this machine, judged after URL normalisation (`127.1` is `127.0.0.1`). */
export function isLoopback(url: URL): boolean {
  return url.hostname === 'localhost' || url.hostname === '[::1]' || /^127(?:\.[0-9]{1,3}){3}$/.test(url.hostname);
}

/** Where a request for this URL goes: Google's registries to the emulator where there is one, all else to itself. */
export function routeOf(url: URL, emulatorHost: string | undefined): Route {
  if (emulatorHost === undefined || !isGoogle(url)) return { url, headers: {} };
  // The emulator tells locations and gcr.io repositories apart by the host that was meant.
  return {
    url: new URL(`http://${emulatorHost}${url.pathname}${url.search}`),
    headers: { host: url.host, 'x-binauthz-registry': url.host },
  };
}

/** Whether a URL is one of Google's registries. `host`, not `hostname`: a foreign port on a Google name is none. */
export function isGoogle(url: URL): boolean {
  return url.protocol === 'https:' && GOOGLE.test(url.host);
}
