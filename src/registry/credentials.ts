// SPDX-License-Identifier: Apache-2.0
// Who we are to a registry. Google's registries take the Google token; where there is none, and for all others, the
// Docker config and its credential programs decide.
import { asError, BinauthzError } from '../core/errors.js';
import { Secret } from '../core/secret.js';
import type { AccessToken } from '../ports/access-token.js';
import type { Program, ProgramResult } from '../ports/program.js';
import { credentialOf, dockerEntry, type Credential } from './docker-config.js';
import type { RegistryHost } from './hosts.js';

/** The user name that Google's registries expect with an access token as password. */
export const GOOGLE_USER = 'oauth2accesstoken';

/** What is known about the caller at one registry. */
export interface Identity {
  readonly credential: Credential;
  /** Why there is no Google token, for a registry that would have taken one. */
  readonly whyNoGoogleToken?: BinauthzError;
}

/** Finds credentials; asks a credential program at most once per registry and run. */
export interface Credentials {
  of(registry: RegistryHost): Promise<Identity>;
}

/** Where credentials come from. */
export interface CredentialSources {
  readonly token: AccessToken;
  readonly program: Program;
  /** Docker's parsed config.json; undefined where there is none. */
  readonly loadDockerConfig: () => Promise<unknown>;
}

/** Credentials from the Google token, the Docker config and its programs. */
export function createCredentials({ token, program, loadDockerConfig }: CredentialSources): Credentials {
  const fromDocker = remembered(async (registry) => {
    const entry = dockerEntry(await loadDockerConfig(), registry);
    return 'credential' in entry ? entry.credential : await askHelper(program, entry.helper, entry.serverUrl);
  });

  return {
    async of(registry) {
      if (!registry.isGoogle) return { credential: await fromDocker(registry.name) };
      try {
        const value = await token.token();
        return {
          credential:
            value === undefined ? { kind: 'none' } : { kind: 'password', username: GOOGLE_USER, password: new Secret(value, 'Google') },
        };
      } catch (thrown) {
        const error = asError(thrown);
        if (error.code !== 'UNAUTHENTICATED') throw thrown;
        return { credential: await fromDocker(registry.name), whyNoGoogleToken: error };
      }
    },
  };
}

function remembered(find: (registry: string) => Promise<Credential>): (registry: string) => Promise<Credential> {
  const found = new Map<string, Promise<Credential>>();
  return (registry) => {
    const known = found.get(registry) ?? find(registry);
    found.set(registry, known);
    return known;
  };
}

/** Asks `docker-credential-NAME get`, which reads the server from stdin and answers JSON. Its output may hold secrets. */
async function askHelper(program: Program, helper: string, serverUrl: string): Promise<Credential> {
  const result = await run(program, helper, serverUrl);
  if (result.exitCode !== 0) {
    // The protocol's own words for "I have none" (docker-credential-helpers, credentials/error.go), on stdout.
    if (`${result.stdout}${result.stderr}`.includes('credentials not found in native keychain')) return { kind: 'none' };
    throw helperFailed(helper, serverUrl, `it ended with exit code ${String(result.exitCode)}`);
  }
  const answer = parse(result.stdout);
  if (answer === undefined) throw helperFailed(helper, serverUrl, 'its answer is not the JSON object that the protocol expects');
  const { Username, Secret: secret } = answer;
  return typeof secret === 'string' ? credentialOf(typeof Username === 'string' ? Username : '', secret) : { kind: 'none' };
}

async function run(program: Program, helper: string, serverUrl: string): Promise<ProgramResult> {
  try {
    return await program.run(helper, ['get'], serverUrl);
  } catch (thrown) {
    if (asError(thrown).code !== 'UNAVAILABLE') throw thrown;
    throw helperFailed(helper, serverUrl, asError(thrown).message, thrown);
  }
}

function parse(text: string): { readonly Username?: unknown; readonly Secret?: unknown } | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? parsed : undefined;
  } catch {
    // The parse error quotes the text, so it is not kept as a cause.
    return undefined;
  }
}

function helperFailed(helper: string, serverUrl: string, problem: string, cause?: unknown): BinauthzError {
  return new BinauthzError(
    'UNAUTHENTICATED',
    `cannot get credentials for ${serverUrl} from ${helper}, which the Docker config names: ${problem}`,
    {
      resource: serverUrl,
      cause,
      hint: `check that ${helper} is on PATH and that this prints a credential: echo ${serverUrl} | ${helper} get`,
    },
  );
}
