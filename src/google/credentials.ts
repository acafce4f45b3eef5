// SPDX-License-Identifier: Apache-2.0
import type { Agent } from 'node:https';
import type { AuthClient } from 'google-auth-library';
import type { Secret } from '../core/secret.js';
import { isLoopback } from './endpoints.js';

/** Which identity calls are made with. */
export interface CredentialOptions {
  /** Set for the emulator, which needs no identity. */
  readonly emulatorHost?: string;
  /** This token and no other: default credentials are then not looked for. */
  readonly accessToken?: Secret;
  /** The project that calls are counted and billed against, where it is not the credential's own. */
  readonly quotaProject?: string;
  /** The agent for a URL that is not reached directly, but through a proxy. */
  readonly agentFor?: ((url: URL) => Promise<Agent | undefined>) | undefined;
}

const SCOPES = ['https://www.googleapis.com/auth/cloud-platform'];

/** The identity of a run as a client of google-auth-library. Rejects where default credentials are not to be found. */
export async function loadCredentials(options: CredentialOptions): Promise<AuthClient> {
  const library = await import('google-auth-library');
  const client = await choose(library, options);
  if (options.quotaProject !== undefined) client.quotaProjectId = options.quotaProject;
  reachBy(client, options.agentFor);
  return client;
}

async function choose(library: typeof import('google-auth-library'), options: CredentialOptions): Promise<AuthClient> {
  if (options.accessToken !== undefined) {
    const client = new library.OAuth2Client();
    client.setCredentials({ access_token: options.accessToken.reveal() });
    return client;
  }
  if (options.emulatorHost !== undefined) return new library.PassThroughClient();
  // The library wants to know a project and would run gcloud, or ask Resource Manager, to learn one. Nothing here uses
  // it, so it is told a name instead.
  return await new library.GoogleAuth({ scopes: SCOPES, projectId: 'not-used-by-binauthz' }).getClient();
}

// The library looks for proxies itself, takes what a proxy says for the words of whom it stands before, and does not spare this
// machine. Whatever fetches a token goes the way that all else goes; who is impersonated is asked for by another client.
function reachBy(client: AuthClient, agentFor: CredentialOptions['agentFor']): void {
  client.transporter.defaults.noProxy = [/^/];
  client.transporter.interceptors.request.add({
    resolved: async (request) => {
      // The certificate of a workload is in an agent of its own.
      if (request.cert !== undefined) return request;
      const direct = { ...request };
      delete direct.agent;
      const agent = isLoopback(request.url.href) ? undefined : await agentFor?.(request.url);
      return agent === undefined ? direct : { ...direct, agent };
    },
  });
  const { sourceClient } = client as { readonly sourceClient?: AuthClient };
  if (sourceClient !== undefined) reachBy(sourceClient, agentFor);
}
