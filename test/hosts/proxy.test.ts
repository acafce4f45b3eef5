// SPDX-License-Identifier: Apache-2.0
import { afterEach, describe, expect, it } from 'vitest';
import { readEnvironment } from '../../src/hosts/environment.js';
import { agentsOf } from '../../src/hosts/proxy.js';
import { createHttpClient } from '../../src/registry/http.js';
import { startProxy, type TestProxy } from '../support/proxy.js';

/** Whether a URL is reached through the proxy that these variables name. */
async function isProxied(url: string, env: Record<string, string>): Promise<boolean> {
  const { environment, issues } = readEnvironment(env);
  expect(issues).toEqual([]);
  return (await agentsOf(environment.proxy)(new URL(url))) !== undefined;
}

const PROXY = { https_proxy: 'http://proxy.corp:3128' };

describe('which hosts are reached through the proxy', () => {
  it.each<[string, string, boolean]>([
    ['https://gcr.io/', '', true],
    ['https://gcr.io/', '*', false],
    ['https://gcr.io/', 'gcr.io', false],
    ['https://gcr.io/', 'GCR.io', false],
    ['https://eu.gcr.io/', 'gcr.io', false],
    ['https://eu.gcr.io/', '.gcr.io', false],
    ['https://eu.gcr.io/', '*.gcr.io', false],
    ['https://notgcr.io/', 'gcr.io', true],
    ['https://gcr.io.evil.example/', 'gcr.io', true],
    ['https://gcr.io/', 'corp.example, gcr.io', false],
    ['https://gcr.io/', 'corp.example gcr.io', false],
    ['https://gcr.io/', 'gcr.io:443', false],
    ['https://gcr.io/', 'gcr.io:8443', true],
    ['https://gcr.io:8443/', 'gcr.io:8443', false],
    ['https://gcr.io:8443/', 'gcr.io', false],
    ['https://gcr.io/', '.', true],
    ['http://127.0.0.1:5000/', '', false],
  ])('%s with no_proxy=%j: %s', async (url, no_proxy, expected) => {
    expect(await isProxied(url, { ...PROXY, no_proxy })).toBe(expected);
    expect(await isProxied(url, { ...PROXY, NO_PROXY: no_proxy })).toBe(expected);
  });

  it.each<[Record<string, string>, boolean]>([
    [{}, false],
    [{ https_proxy: ' ' }, false],
    [{ http_proxy: 'http://proxy:3128' }, false],
    [{ HTTPS_PROXY: 'proxy:3128' }, true],
    [{ https_proxy: 'https://proxy' }, true],
  ])('%j: %s', async (env, expected) => {
    expect(await isProxied('https://gcr.io/', env)).toBe(expected);
  });

  it('keeps one agent, and with it the open tunnels', async () => {
    const agentFor = agentsOf(readEnvironment(PROXY).environment.proxy);
    expect(await agentFor(new URL('https://gcr.io/'))).toBe(await agentFor(new URL('https://eu.gcr.io/')));
  });

  it.each(['socks5://proxy:1080', 'http://', 'ftp://user:hunter2@proxy', 'http://a b', 'http://user:50%off@proxy'])(
    '%s is no proxy',
    (https_proxy) => {
      const { environment, issues } = readEnvironment({ https_proxy });
      expect(environment.proxy).toBeUndefined();
      expect(issues.map(({ message }) => message)).toEqual([
        'https_proxy: expected the http or https URL of a proxy, got something else (not shown)',
      ]);
    },
  );
});

describe('a proxy that never answers', () => {
  let proxy: TestProxy | undefined;
  afterEach(() => proxy?.close());

  it('ends with the time of the exchange', async () => {
    proxy = await startProxy({});
    const { environment } = readEnvironment({ https_proxy: `http://127.0.0.1:${proxy.port}` });
    const client = createHttpClient({ timeoutMs: 200, agentFor: agentsOf(environment.proxy) });
    const request = { method: 'GET', url: new URL('https://ghcr.io/v2/'), resource: 'ghcr.io/a:v1', maxBytes: 100 } as const;
    await expect(client.send(request)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: 'cannot reach ghcr.io for ghcr.io/a:v1: no complete answer within 200 ms',
    });
    expect(proxy.asked).toEqual(['ghcr.io:443']);
  });

  it.each(['before', 'while'])('is not waited for by a run that was cancelled %s the way out was looked for', async (when) => {
    proxy = await startProxy({});
    const run = new AbortController();
    const { environment } = readEnvironment({ https_proxy: `http://127.0.0.1:${proxy.port}` });
    const find = agentsOf(environment.proxy);
    const agentFor = (url: URL) => {
      run.abort();
      return find(url);
    };
    if (when === 'before') run.abort();
    const client = createHttpClient({ timeoutMs: 60_000, signal: run.signal, agentFor: when === 'before' ? find : agentFor });
    const request = { method: 'GET', url: new URL('https://ghcr.io/v2/'), resource: 'ghcr.io/a:v1', maxBytes: 100 } as const;
    await expect(client.send(request)).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(proxy.asked).toEqual([]);
  });
});
