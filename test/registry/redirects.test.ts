// SPDX-License-Identifier: Apache-2.0
// Where requests, and the credentials on them, may go.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createHttpClient, type HttpRequest } from '../../src/registry/http.js';
import { networkError } from '../../src/registry/network-error.js';
import { singleImage } from '../support/images.js';
import { expectNoSecret, failure, refuse, sendManifest, startServer, testClient, type Behaviour, type TestServer } from './support.js';

const IMAGE = singleImage('app');
const CREDENTIAL = 'Bearer hunter2-token';
const hasOpenssl = existsSync('/usr/bin/openssl');

let closing: { close(): Promise<void> }[] = [];

async function serve(behave: Behaviour): Promise<TestServer> {
  const server = await startServer(behave);
  closing.push(server);
  return server;
}

afterEach(async () => {
  await Promise.all(closing.map((server) => server.close()));
  closing = [];
});

function request(url: string, overrides: Partial<HttpRequest> = {}): HttpRequest {
  return { method: 'GET', url: new URL(url), resource: 'the image', authorization: CREDENTIAL, maxBytes: 1024 * 1024, ...overrides };
}

const client = createHttpClient({ timeoutMs: 5_000 });
const redirect =
  (location: string, status = 307): Behaviour =>
  (_seen, response) =>
    response.writeHead(status, { location }).end();

describe('redirects', () => {
  it.each([301, 302, 303, 307, 308])('%i to another host: followed without the credential', async (status) => {
    const storage = await serve((_seen, response) => sendManifest(response, IMAGE));
    const registry = await serve(redirect(`http://${storage.host}/blob?signature=x`, status));
    const response = await client.send(request(`http://${registry.host}/v2/app/manifests/v1`, { headers: { accept: 'a/b' } }));
    expect(response).toMatchObject({ status: 200, isElsewhere: true });
    expect(storage.asked()).toEqual(['GET /blob']);
    expect(storage.seen[0]!.query.get('signature')).toBe('x');
    expect(storage.seen[0]!.headers.authorization).toBeUndefined();
    expect(storage.seen[0]!.headers.accept).toBe('a/b');
    expect(registry.seen[0]!.headers.authorization).toBe(CREDENTIAL);
  });

  it('within the same origin: the credential goes along', async () => {
    const registry = await serve((seen, response) =>
      seen.path === '/old' ? redirect('../new?a=b')(seen, response) : sendManifest(response, IMAGE),
    );
    const response = await client.send(request(`http://${registry.host}/old`));
    expect(response).toMatchObject({ status: 200, isElsewhere: false });
    expect(registry.seen.map(({ path, headers }) => [path, headers.authorization])).toEqual([
      ['/old', CREDENTIAL],
      ['/new', CREDENTIAL],
    ]);
  });

  it('away and back: the credential stays dropped', async () => {
    const registry = await serve((seen, response) =>
      seen.path === '/start' ? redirect(`http://${other.host}/`)(seen, response) : sendManifest(response, IMAGE),
    );
    const other: TestServer = await serve((seen, response) => redirect(`http://${registry.host}/end`)(seen, response));
    await client.send(request(`http://${registry.host}/start`));
    expect(registry.seen.at(-1)).toMatchObject({ path: '/end' });
    expect(registry.seen.at(-1)!.headers.authorization).toBeUndefined();
  });

  it('a user in the target is not sent', async () => {
    const storage = await serve((_seen, response) => sendManifest(response, IMAGE));
    const registry = await serve(redirect(`http://user:password@${storage.host}/blob`));
    await client.send(request(`http://${registry.host}/`));
    expect(storage.seen[0]!.headers.authorization).toBeUndefined();
  });

  it('in a circle: refused after five', async () => {
    const registry = await serve(redirect('/again'));
    const error = await failure('RESPONSE_INVALID', client.send(request(`http://${registry.host}/`)));
    expect(error.message).toContain('more than 5 redirects');
    expect(registry.seen).toHaveLength(6);
  });

  it.each([
    ['plain http elsewhere', 'http://storage.example.com/blob', /refused to call http:\/\/storage\.example\.com/],
    ['another scheme', 'file:///etc/passwd', /refused to call file:/],
    ['no URL', 'http://[', /not a URL/],
  ])('to %s: refused', async (_name, location, message) => {
    const registry = await serve(redirect(location));
    const error = await failure('RESPONSE_INVALID', client.send(request(`http://${registry.host}/`)));
    expect(error.message).toMatch(message);
    expectNoSecret(['hunter2-token'], error);
  });

  it('of a POST, whose body is a credential: refused', async () => {
    const other = await serve((_seen, response) => void response.end());
    const registry = await serve(redirect(`http://${other.host}/token`));
    await failure('RESPONSE_INVALID', client.send(request(`http://${registry.host}/`, { method: 'POST', body: 'refresh_token=x' })));
    expect(other.seen).toEqual([]);
  });

  it('a server that we were redirected to cannot ask for our credentials', async () => {
    const tokens = await serve((_seen, response) => void response.end('{"token":"x"}'));
    const evil = await serve((_seen, response) =>
      refuse(response, 401, 'UNAUTHORIZED', { headers: { 'www-authenticate': `Bearer realm="http://${tokens.host}/token"` } }),
    );
    const registry = await serve(redirect(`http://${evil.host}/`));
    const dockerConfig = { auths: { [registry.host]: { username: 'me', password: 'hunter2-password' } } };
    await failure('UNAUTHENTICATED', testClient({ dockerConfig }).resolve(`${registry.host}/app:v1`));
    expect(tokens.seen).toEqual([]);
  });
});

describe('plain http', () => {
  it.each(['http://registry.example.com/', 'http://10.0.0.1:5000/', 'http://127.0.0.1.example.com/', 'ftp://127.0.0.1/'])(
    '%s is refused before anything is sent',
    async (url) => {
      await failure('RESPONSE_INVALID', client.send(request(url)));
    },
  );
});

describe('TLS', () => {
  it('a plain http server behind https: not tried again', async () => {
    const plain = await serve((_seen, response) => void response.end());
    const error = await failure('UNAVAILABLE', client.send(request(`https://${plain.host}/`)));
    expect(error.message).toContain('TLS');
    expect(error.transient).toBeUndefined();
  });

  it.skipIf(!hasOpenssl)('a certificate of nobody: not tried again, the hint names NODE_EXTRA_CA_CERTS', async () => {
    const host = await startTls((_path, respond) => respond(200));
    const error = await failure('UNAVAILABLE', client.send(request(`https://${host}/`)));
    expect(error.message).toMatch(/the TLS connection failed \(DEPTH_ZERO_SELF_SIGNED_CERT\)/);
    expect(error.hint).toContain('NODE_EXTRA_CA_CERTS');
    expect(error.transient).toBeUndefined();
  });

  it.skipIf(!hasOpenssl)('a redirect from https to http, even on loopback: refused', async () => {
    const plain = await serve((_seen, response) => void response.end());
    const host = await startTls((_path, respond) => respond(307, { location: `http://${plain.host}/` }));
    const before = process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
    try {
      const error = await failure('RESPONSE_INVALID', createHttpClient({ timeoutMs: 5_000 }).send(request(`https://${host}/`)));
      expect(error.message).toContain('a redirect from https to http:');
    } finally {
      if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
      else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before;
    }
    expect(plain.seen).toEqual([]);
  });
});

describe('network errors', () => {
  it.each([
    ['ENOTFOUND', /name does not resolve/, false],
    ['EAI_AGAIN', /name does not resolve at the moment/, true],
    ['ECONNREFUSED', /refused the connection/, true],
    ['ECONNRESET', /connection broke/, true],
    ['ETIMEDOUT', /timed out/, true],
    ['CERT_HAS_EXPIRED', /TLS.*CERT_HAS_EXPIRED/, false],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', /TLS/, false],
    ['ERR_TLS_CERT_ALTNAME_INVALID', /TLS/, false],
    ['EPROTO', /TLS/, false],
    ['HPE_INVALID_CONSTANT', /not HTTP/, false],
    ['ESOMETHING', /ESOMETHING/, true],
  ])('%s', (code, message, isTransient) => {
    const error = networkError(Object.assign(new Error('x'), { code }), { host: 'ghcr.io', resource: 'ghcr.io/a:v1' });
    expect(error).toMatchObject({ code: 'UNAVAILABLE', message: expect.stringMatching(message) as string, resource: 'ghcr.io/a:v1' });
    expect(error.message).toContain('cannot reach ghcr.io for ghcr.io/a:v1');
    expect(error.transient !== undefined).toBe(isTransient);
    expect(error.hint).toMatch(/.+/);
  });

  it('a foreign error is a connection that failed', () => {
    expect(networkError('odd', { host: 'h', resource: 'r' })).toMatchObject({
      code: 'UNAVAILABLE',
      message: 'cannot reach h for r: the connection failed',
    });
  });
});

async function startTls(
  answer: (path: string, respond: (status: number, headers?: Record<string, string>) => void) => void,
): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'binauthz-tls-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2'];
  execFileSync(
    '/usr/bin/openssl',
    ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key, '-out', cert, ...subject],
    { stdio: 'ignore' },
  );
  const server = createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }, (incoming, response) => {
    answer(incoming.url ?? '', (status, headers = {}) => response.writeHead(status, headers).end());
  });
  rmSync(folder, { recursive: true });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push({
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  });
  return `127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}
