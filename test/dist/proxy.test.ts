// SPDX-License-Identifier: Apache-2.0
// Behind a company's proxy: Google's own host names, by TLS, and nothing but the proxy to reach them through.
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cli, type CliEnded } from '../support/cli.js';
import { startTestEmulator, type TestEmulator } from '../support/emulator.js';
import { pushImage, singleImage } from '../support/images.js';
import { nodes } from '../support/nodes.js';
import { startProxy, startTlsFront, type Listening, type TestProxy } from '../support/proxy.js';
import { PROJECT, Stage, type StagedKey } from '../support/stage.js';
import { found, titled } from '../support/tools.js';

const REGISTRY = 'us-docker.pkg.dev';
const IMAGE = `${REGISTRY}/${PROJECT}/shop/app:v1`;

describe.skipIf(!found('openssl'))(titled('behind a proxy', 'openssl'), () => {
  let emulator: TestEmulator;
  let front: Listening & { readonly certificate: string };
  let key: StagedKey;
  let attestor: string;
  const closing: (() => Promise<void>)[] = [];
  beforeAll(async () => {
    emulator = await startTestEmulator();
    front = await startTlsFront(['*.googleapis.com', REGISTRY], Number(new URL(emulator.url).port));
    ({ attestor, key } = await new Stage(emulator).kmsAttestor('ci'));
    await pushImage(emulator.url, `${PROJECT}/shop/app`, 'v1', singleImage('proxied'), { headers: { 'x-binauthz-registry': REGISTRY } });
  });
  afterAll(async () => {
    await Promise.all(closing.map((close) => close()));
    await front.close();
    await emulator.close();
  });

  async function proxy(answer?: string): Promise<TestProxy> {
    const started = await startProxy(answer === undefined ? { to: front.port } : { answer });
    closing.push(() => started.close());
    return started;
  }

  function attest(env: Record<string, string>, node = nodes[0]): Promise<CliEnded> {
    const words = ['attest', IMAGE, '--attestor', attestor, '--kms-key-version', key.version, '--access-token-env', 'TOKEN'];
    const own = { TOKEN: 'ya29.secret-token', NODE_EXTRA_CA_CERTS: front.certificate };
    return cli([...words, '--output', 'json'], { ...(node && { node }), env: { ...own, ...env } });
  }

  it.each(nodes)('attests on Node $version, every call through a tunnel', async (node) => {
    const way = await proxy();
    const { code, json, stderr } = await attest({ https_proxy: `http://ci:pass%20word@127.0.0.1:${way.port}` }, node);
    expect(code, stderr).toBe(0);
    expect(json.attestations.map(({ status }: { status: string }) => status)).toEqual([node === nodes[0] ? 'created' : 'existing']);
    const needed = ['binaryauthorization', 'containeranalysis', ...(node === nodes[0] ? ['cloudkms'] : [])].map(
      (api) => `${api}.googleapis.com`,
    );
    expect(way.asked).toEqual(expect.arrayContaining([...needed, REGISTRY].map((host) => `${host}:443`)));
    expect(new Set(way.credentials)).toEqual(new Set([`Basic ${Buffer.from('ci:pass word').toString('base64')}`]));
    expect(stderr).not.toMatch(/pass|ya29/);
  });

  it('takes a proxy without a scheme for http, and big letters', async () => {
    const way = await proxy();
    expect((await attest({ HTTPS_PROXY: `127.0.0.1:${way.port}` })).code).toBe(0);
    expect(way.asked.length).toBeGreaterThan(0);
  });

  it.each([
    ['refuses', 'HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n', 'answered 407'],
    // Nobody but Google may say that an image is attested.
    ['answers in Google’s place', `HTTP/1.1 201 Created\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}`, 'answered 201'],
  ])('fails, and says so, where the proxy %s', async (_title, answer, said) => {
    const way = await proxy(answer);
    const { code, json, stderr } = await attest({ https_proxy: `http://127.0.0.1:${way.port}` });
    expect(code).toBe(9);
    expect(json.errors.map(({ code: name }: { code: string }) => name)).toEqual(json.errors.map(() => 'UNAVAILABLE'));
    expect(stderr).toContain(`the proxy 127.0.0.1:${way.port} ${said}`);
    expect(stderr).toContain('check https_proxy');
    // What the proxy said once would be the same again.
    expect(way.asked).toHaveLength(new Set(way.asked).size);
  });

  describe('fetches tokens the same way', () => {
    let folder: string;
    let account: string;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'binauthz-account-'));
      account = join(folder, 'account.json');
      const { privateKey } = generateKeyPairSync('rsa', {
        modulusLength: 2048,
        privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
        publicKeyEncoding: { type: 'spki', format: 'pem' },
      });
      const own = {
        type: 'service_account',
        client_email: 'ci@shop-prod.iam.gserviceaccount.com',
        private_key: privateKey,
        private_key_id: 'k',
      };
      // What is impersonated is asked for by a client of its own.
      const impersonated = {
        type: 'impersonated_service_account',
        service_account_impersonation_url:
          'https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/other@shop-prod.iam.gserviceaccount.com:generateAccessToken',
        source_credentials: own,
      };
      await writeFile(account, JSON.stringify(own));
      await writeFile(join(folder, 'impersonated.json'), JSON.stringify(impersonated));
    });
    afterAll(() => rm(folder, { recursive: true, force: true }));

    const list = (credentials: string, env: Record<string, string>): Promise<CliEnded> =>
      cli(['list', IMAGE, '--attestor', attestor, '--output', 'json'], {
        env: { NODE_EXTRA_CA_CERTS: front.certificate, GOOGLE_APPLICATION_CREDENTIALS: credentials, ...env },
      });

    it.each(['account.json', 'impersonated.json'])('takes nobody’s word for Google’s token: %s', async (name) => {
      const way = await proxy(
        'HTTP/1.1 203 OK\r\ncontent-type: application/json\r\ncontent-length: 38\r\n\r\n{"access_token":"EVIL","expires_in":99}',
      );
      const { code, stderr } = await list(join(folder, name), { https_proxy: `http://127.0.0.1:${way.port}` });
      expect(code, stderr).toBe(9);
      expect(stderr).toContain(`the proxy 127.0.0.1:${way.port} answered 203`);
      expect(way.asked.filter((host) => /binaryauthorization|containeranalysis/.test(host))).toEqual([]);
    });

    it('asks for it where no_proxy leads', async () => {
      const way = await proxy('HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n');
      await list(account, { https_proxy: `127.0.0.1:${way.port}`, HTTP_PROXY: `http://127.0.0.1:${way.port}`, no_proxy: 'googleapis.com' });
      expect(way.asked.filter((host) => host.includes('googleapis.com'))).toEqual([]);
    });
  });

  it('waits for a proxy that is down, and ends with its name', async () => {
    const way = await proxy('');
    const { code, stderr } = await attest({ https_proxy: `http://127.0.0.1:${way.port}` });
    expect(code).toBe(9);
    expect(stderr).toMatch(new RegExp(`the proxy 127\\.0\\.0\\.1:${way.port} opened no tunnel`));
    expect(stderr).not.toContain('bug');
    expect(way.asked.length).toBeGreaterThan(new Set(way.asked).size);
  });

  it('goes round the proxy to hosts that no_proxy names', async () => {
    const way = await proxy('HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n');
    const overrides = Object.fromEntries(
      ['BINARYAUTHORIZATION', 'CONTAINERANALYSIS', 'CLOUDKMS', 'ARTIFACTREGISTRY'].map((api) => [
        `CLOUDSDK_API_ENDPOINT_OVERRIDES_${api}`,
        `${emulator.url}/`,
      ]),
    );
    const { stderr } = await attest({ ...overrides, https_proxy: `http://127.0.0.1:${way.port}`, no_proxy: '.example.com' });
    // This machine is never reached through a proxy; the registry is.
    expect(new Set(way.asked)).toEqual(new Set([`${REGISTRY}:443`]));
    expect(stderr).toContain('answered 502');
  });

  it('says which variable names no proxy, without showing it', async () => {
    const { code, stderr } = await attest({ https_proxy: 'socks5://user:hunter2@proxy:1080' });
    expect(code).toBe(2);
    expect(stderr).toContain('https_proxy: expected the http or https URL of a proxy');
    expect(stderr).not.toContain('hunter2');
  });
});
