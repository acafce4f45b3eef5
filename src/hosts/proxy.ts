// SPDX-License-Identifier: Apache-2.0
// The way out through a proxy, as https_proxy and no_proxy name it: the same for Google and for registries.
import type { Agent } from 'node:https';
import type { Socket } from 'node:net';
import type { HttpsProxyAgent as ProxyAgent } from 'https-proxy-agent';
import type { Proxy } from './environment.js';

/** The agent by which an https URL is reached; undefined where it is reached directly. */
export type AgentFor = (url: URL) => Promise<Agent | undefined>;

/** How URLs are reached where this proxy, if any, is to be used. */
export function agentsOf(proxy: Proxy | undefined): AgentFor {
  let agent: Promise<Agent> | undefined;
  return (url) => {
    if (proxy === undefined || url.protocol !== 'https:' || isExcepted(url, proxy.except)) return Promise.resolve(undefined);
    agent ??= tunnelThrough(proxy.url);
    return agent;
  };
}

/** Whether no_proxy names a host: itself or a domain that it is in, with or without a port; `*` is every host. */
function isExcepted(url: URL, except: readonly string[]): boolean {
  const port = url.port === '' ? '443' : url.port;
  return except.some((entry) => {
    if (entry === '*') return true;
    const [, name = '', onPort = port] = /^(?:\*?\.)?(.*?)(?::(\d+))?$/.exec(entry.toLowerCase()) ?? [];
    return name !== '' && onPort === port && (url.hostname === name || url.hostname.endsWith(`.${name}`));
  });
}

async function tunnelThrough(proxy: URL): Promise<Agent> {
  const { HttpsProxyAgent } = await import('https-proxy-agent');
  class Tunnel extends HttpsProxyAgent<string> {
    // The library hands on whatever else a proxy answers, as if the server behind it had: nobody's words, in Google's name.
    override async connect(...[request, options]: Parameters<ProxyAgent<string>['connect']>): Promise<Socket> {
      let status = 0;
      request.once('proxyConnect', (answer: { readonly statusCode: number }) => (status = answer.statusCode));
      const socket = await super.connect(request, options).catch((cause: unknown) => {
        throw failure('EPROXYDOWN', `the proxy ${proxy.host} opened no tunnel: ${cause instanceof Error ? cause.message : String(cause)}`);
      });
      if (status === 200) return socket;
      socket.destroy();
      throw failure(status >= 500 ? 'EPROXYDOWN' : 'EPROXY', `the proxy ${proxy.host} answered ${status || 'something that is not HTTP'}`);
    }
  }
  return new Tunnel(proxy.href, { keepAlive: true }) as unknown as Agent;
}

/** `EPROXY`, or `EPROXYDOWN` where another attempt may help: an error by whose code an adapter knows it. */
function failure(code: 'EPROXY' | 'EPROXYDOWN', message: string): Error {
  return Object.assign(new Error(message), { code });
}
