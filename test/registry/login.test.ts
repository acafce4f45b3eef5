// SPDX-License-Identifier: Apache-2.0
// How the client proves who it is, to whom, and to whom it does not.
import { afterEach, describe, expect, it } from 'vitest';
import { BinauthzError, type ErrorCode } from '../../src/core/errors.js';
import { singleImage } from '../support/images.js';
import {
  expectNoSecret,
  failure,
  refuse,
  sendManifest,
  startServer,
  testClient,
  type Behaviour,
  type Seen,
  type TestServer,
} from './support.js';

const IMAGE = singleImage('app');
const PASSWORD = 'hunter2-password';
const basic = (user: string, password: string): string => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

let servers: TestServer[] = [];

async function serve(behave: Behaviour): Promise<TestServer> {
  const server = await startServer(behave);
  servers.push(server);
  return server;
}

afterEach(async () => {
  await Promise.all(servers.map((server) => server.close()));
  servers = [];
});

/** A registry that wants a bearer token of its token server; `answer` makes the token server's answer. */
async function bearerRegistry(
  answer: Behaviour,
  options: { readonly token?: () => string; readonly scope?: string } = {},
): Promise<{ registry: TestServer; tokens: TestServer }> {
  const { token = () => 'good-token', scope = ',scope="repository:app:pull"' } = options;
  const tokens = await serve(answer);
  const registry = await serve((seen, response) => {
    if (seen.headers.authorization === `Bearer ${token()}`) return sendManifest(response, IMAGE);
    refuse(response, 401, 'UNAUTHORIZED', {
      headers: { 'www-authenticate': `Bearer realm="http://${tokens.host}/token?account=x",service="the registry"${scope}` },
    });
  });
  return { registry, tokens };
}

const grant =
  (body: object): Behaviour =>
  (_seen, response) =>
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));

function configFor(host: string, entry: object = { auth: Buffer.from(`me:${PASSWORD}`).toString('base64') }): object {
  return { auths: { [host]: entry } };
}

describe('a bearer challenge', () => {
  it('without credentials: takes an anonymous token, and keeps what the realm says already', async () => {
    const { registry, tokens } = await bearerRegistry(grant({ token: 'good-token' }));
    await testClient().resolve(`${registry.host}/app:v1`);
    expect(registry.asked()).toEqual(['GET /v2/app/manifests/v1', 'GET /v2/app/manifests/v1']);
    expect(tokens.asked()).toEqual(['GET /token']);
    expect(Object.fromEntries(tokens.seen[0]!.query)).toEqual({ account: 'x', service: 'the registry', scope: 'repository:app:pull' });
    expect(tokens.seen[0]!.headers.authorization).toBeUndefined();
  });

  it('asks for the right to pull where the registry names no scope', async () => {
    const { registry, tokens } = await bearerRegistry(grant({ access_token: 'good-token' }), { scope: '' });
    await testClient().resolve(`${registry.host}/app:v1`);
    expect(tokens.seen[0]!.query.get('scope')).toBe('repository:app:pull');
  });

  it('with a password: shows it to the token service only', async () => {
    const { registry, tokens } = await bearerRegistry(grant({ token: 'good-token' }));
    const client = testClient({ dockerConfig: configFor(registry.host) });
    await client.resolve(`${registry.host}/app:v1`);
    expect(tokens.seen[0]!.headers.authorization).toBe(basic('me', PASSWORD));
    expect(registry.seen.map(({ headers }) => headers.authorization)).toEqual([undefined, 'Bearer good-token']);
    expect(client.lines.join('\n')).not.toMatch(/good-token|hunter2/);
  });

  it('with a refresh token: exchanges it by POST, never in a URL', async () => {
    const { registry, tokens } = await bearerRegistry(grant({ access_token: 'good-token' }));
    await testClient({ dockerConfig: configFor(registry.host, { identitytoken: 'hunter2-refresh' }) }).resolve(`${registry.host}/app:v1`);
    const { method, query, headers, body } = tokens.seen[0]!;
    expect(method).toBe('POST');
    expect([...query.values()]).not.toContain('hunter2-refresh');
    expect(headers['content-type']).toBe('application/x-www-form-urlencoded');
    expect(Object.fromEntries(new URLSearchParams(body))).toEqual({
      grant_type: 'refresh_token',
      service: 'the registry',
      scope: 'repository:app:pull',
      client_id: 'binauthz',
      refresh_token: 'hunter2-refresh',
    });
  });

  it('logs in once per repository, also for images resolved side by side', async () => {
    const { registry, tokens } = await bearerRegistry(grant({ token: 'good-token', expires_in: 300 }));
    const client = testClient();
    await Promise.all(['v1', 'v2', 'v3'].map((tag) => client.resolve(`${registry.host}/app:${tag}`)));
    await client.resolve(`${registry.host}/app:v4`);
    expect(tokens.seen).toHaveLength(1);
    expect(registry.asked().at(-1)).toBe('GET /v2/app/manifests/v4');
    expect(registry.seen.filter(({ path }) => path.endsWith('v4'))).toHaveLength(1);
    await client.resolve(`${registry.host}/other:v1`);
    expect(tokens.seen).toHaveLength(2);
  });

  it('renews a token that the registry no longer takes', async () => {
    let number = 0;
    let valid = 'token-1';
    const { registry, tokens } = await bearerRegistry(
      (seen, response) => grant({ token: `token-${String(++number)}`, expires_in: 3600 })(seen, response),
      { token: () => valid },
    );
    const client = testClient();
    await client.resolve(`${registry.host}/app:v1`);
    valid = 'token-2';
    await client.resolve(`${registry.host}/app:v2`);
    expect(tokens.seen).toHaveLength(2);
  });

  it('renews a token whose time is over without trying it', async () => {
    let number = 0;
    const { registry, tokens } = await bearerRegistry(
      (seen, response) => grant({ token: `token-${String(++number)}`, expires_in: 90 })(seen, response),
      { token: () => `token-${String(number)}` },
    );
    const client = testClient();
    await client.resolve(`${registry.host}/app:v1`);
    client.pace.advance(100_000);
    await client.resolve(`${registry.host}/app:v2`);
    expect(tokens.seen).toHaveLength(2);
    expect(registry.seen.filter(({ path }) => path.endsWith('v2')).map(({ headers }) => headers.authorization)).toEqual([
      undefined,
      'Bearer token-2',
    ]);
  });

  it('ends after one renewal where no token helps', async () => {
    const { registry, tokens } = await bearerRegistry(grant({ token: 'useless-token' }));
    const client = testClient({ dockerConfig: configFor(registry.host) });
    const error = await failure('UNAUTHENTICATED', client.resolve(`${registry.host}/app:v1`));
    expect(error).toMatchObject({ exitCode: 5, hint: expect.stringContaining(`docker login ${registry.host}`) as string });
    expect(error.message).toContain('the credentials were not accepted');
    expect(tokens.seen).toHaveLength(1);
    expectNoSecret([PASSWORD, 'useless-token'], error, client.lines);
  });

  it('tries again where the token service has a hiccup', async () => {
    let calls = 0;
    const { registry } = await bearerRegistry((seen, response) =>
      ++calls === 1 ? refuse(response, 503, 'UNAVAILABLE') : grant({ token: 'good-token' })(seen, response),
    );
    const client = testClient();
    await client.resolve(`${registry.host}/app:v1`);
    expect(client.pace.pauses).toHaveLength(1);
  });

  it.each<[string, ErrorCode, RegExp, boolean, Behaviour]>([
    [
      '401 for a password',
      'UNAUTHENTICATED',
      /HTTP 401 \(DENIED: no\).*not accepted/,
      true,
      (_seen, response) => refuse(response, 401, 'DENIED', { message: 'no' }),
    ],
    [
      '403 for a password',
      'PERMISSION_DENIED',
      /HTTP 403.*expected the right to pull/,
      true,
      (_seen, response) => refuse(response, 403, 'DENIED'),
    ],
    [
      '403 for nobody',
      'UNAUTHENTICATED',
      /HTTP 403.*no credentials were sent/,
      false,
      (_seen, response) => refuse(response, 403, 'DENIED'),
    ],
    ['404', 'RESPONSE_INVALID', /HTTP 404/, false, (_seen, response) => void response.writeHead(404).end()],
    ['no token', 'RESPONSE_INVALID', /without a token/, false, grant({})],
    ['a token that no header can carry', 'RESPONSE_INVALID', /without a token/, false, grant({ token: 'a\r\nx-evil: 1' })],
    ['a page', 'RESPONSE_INVALID', /without a token/, false, (_seen, response) => void response.writeHead(200).end('<html>hunter2-page')],
    [
      'a huge answer',
      'RESPONSE_INVALID',
      /without a token/,
      false,
      (_seen, response) => void response.writeHead(200).end(Buffer.alloc(2 * 1024 * 1024, 0x20)),
    ],
  ])('the token service answers %s', async (_name, code, message, withPassword, answer) => {
    const { registry } = await bearerRegistry(answer);
    const client = testClient(withPassword ? { dockerConfig: configFor(registry.host) } : {});
    const error = await failure(code, client.resolve(`${registry.host}/app:v1`));
    expect(error.message).toMatch(message);
    expectNoSecret([PASSWORD, 'hunter2-page'], error, client.lines);
  });

  it('never shows a password to a token service without https', async () => {
    const registry = await serve((_seen, response) =>
      refuse(response, 401, 'UNAUTHORIZED', { headers: { 'www-authenticate': 'Bearer realm="http://auth.example.com/token"' } }),
    );
    const client = testClient({ dockerConfig: configFor(registry.host) });
    const error = await failure('RESPONSE_INVALID', client.resolve(`${registry.host}/app:v1`));
    expect(error.message).toContain('refused to call http://auth.example.com, expected https');
    expectNoSecret([PASSWORD], error);
  });

  it.each(['not a url', 'ftp://127.0.0.1/token', 'file:///etc/passwd'])('refuses the realm %s', async (realm) => {
    const registry = await serve((_seen, response) =>
      refuse(response, 401, 'UNAUTHORIZED', { headers: { 'www-authenticate': `Bearer realm="${realm}"` } }),
    );
    await failure('RESPONSE_INVALID', testClient().resolve(`${registry.host}/app:v1`));
  });
});

describe('a basic challenge', () => {
  const wantsBasic: Behaviour = (seen, response) =>
    seen.headers.authorization === basic('me', PASSWORD)
      ? sendManifest(response, IMAGE)
      : refuse(response, 401, 'UNAUTHORIZED', { headers: { 'www-authenticate': 'Basic realm="r"' } });

  it('takes the password of the Docker config, and from then on without being asked', async () => {
    const registry = await serve(wantsBasic);
    const client = testClient({ dockerConfig: configFor(registry.host) });
    await client.resolve(`${registry.host}/app:v1`);
    await client.resolve(`${registry.host}/app:v2`);
    expect(registry.seen.map(({ headers }) => headers.authorization)).toEqual([undefined, basic('me', PASSWORD), basic('me', PASSWORD)]);
  });

  it('without credentials: UNAUTHENTICATED, saying how to log in', async () => {
    const registry = await serve(wantsBasic);
    const error = await failure('UNAUTHENTICATED', testClient().resolve(`${registry.host}/app:v1`));
    expect(error.message).toContain('no credentials were sent');
    expect(error.hint).toContain(`docker login ${registry.host}`);
  });

  it('a credential program is asked only when the registry asks for credentials', async () => {
    const open = await serve((_seen, response) => sendManifest(response, IMAGE));
    const client = testClient({ dockerConfig: { credsStore: 'desktop' } });
    await client.resolve(`${open.host}/app:v1`);
    expect(client.ran).toEqual([]);
    const closed = await serve(wantsBasic);
    const error = await failure('UNAUTHENTICATED', client.resolve(`${closed.host}/app:v1`));
    expect(client.ran).toEqual([`docker-credential-desktop get < ${closed.host}`]);
    expect(error.message).toContain('docker-credential-desktop');
  });
});

describe('rights', () => {
  it('403 with credentials: PERMISSION_DENIED', async () => {
    const registry = await serve((seen, response) =>
      seen.headers.authorization === undefined
        ? refuse(response, 401, 'UNAUTHORIZED', { headers: { 'www-authenticate': 'Basic' } })
        : refuse(response, 403, 'DENIED'),
    );
    const error = await failure(
      'PERMISSION_DENIED',
      testClient({ dockerConfig: configFor(registry.host) }).resolve(`${registry.host}/app:v1`),
    );
    expect(error).toMatchObject({ exitCode: 5, hint: expect.stringContaining('the right to pull app') as string });
  });

  it('a token that covers less than was asked for: PERMISSION_DENIED, too', async () => {
    const tokens = await serve(grant({ token: 'narrow' }));
    const registry = await serve((seen, response) =>
      refuse(response, 401, 'UNAUTHORIZED', {
        headers: {
          'www-authenticate': `Bearer realm="http://${tokens.host}/token"${seen.headers.authorization === undefined ? '' : ',error="insufficient_scope"'}`,
        },
      }),
    );
    await failure('PERMISSION_DENIED', testClient({ dockerConfig: configFor(registry.host) }).resolve(`${registry.host}/app:v1`));
    await failure('UNAUTHENTICATED', testClient().resolve(`${registry.host}/app:v1`));
  });
});

describe('Google’s registries', () => {
  const NAME = 'us-docker.pkg.dev/p/r/app:v1';
  const TOKEN = 'ya29.hunter2-token';
  const noToken = new BinauthzError('UNAUTHENTICATED', 'cannot find Google credentials', { hint: 'move the auth step next to this one' });
  const seenBy = ({ seen }: TestServer): (string | undefined)[] => seen.map(({ headers }: Seen) => headers.authorization);
  it('take the Google token in one round trip; the emulator learns which registry was meant', async () => {
    const server = await serve((_seen, response) => sendManifest(response, IMAGE));
    await testClient({ emulatorHost: server.host, googleToken: TOKEN }).resolve(NAME);
    expect(server.asked()).toEqual(['GET /v2/p/r/app/manifests/v1']);
    expect(server.seen[0]!.headers).toMatchObject({
      authorization: `Bearer ${TOKEN}`,
      host: 'us-docker.pkg.dev',
      'x-binauthz-registry': 'us-docker.pkg.dev',
    });
  });

  it('are called without credentials where there are none to send', async () => {
    const server = await serve((_seen, response) => sendManifest(response, IMAGE));
    await testClient({ emulatorHost: server.host }).resolve(NAME);
    expect(seenBy(server)).toEqual([undefined]);
  });

  it('take the Docker config where there is no Google token', async () => {
    const server = await serve((_seen, response) => sendManifest(response, IMAGE));
    const dockerConfig = { credHelpers: { 'us-docker.pkg.dev': 'gcloud' } };
    const helpers = {
      'docker-credential-gcloud': { exitCode: 0, stdout: JSON.stringify({ Username: '_dcgcloud_token', Secret: PASSWORD }), stderr: '' },
    };
    await testClient({ emulatorHost: server.host, googleToken: noToken, dockerConfig, helpers }).resolve(NAME);
    expect(seenBy(server)).toEqual([basic('_dcgcloud_token', PASSWORD)]);
  });

  it('hand out public images to nobody in particular', async () => {
    const server = await serve((_seen, response) => sendManifest(response, IMAGE));
    await testClient({ emulatorHost: server.host, googleToken: noToken }).resolve(NAME);
    expect(seenBy(server)).toEqual([undefined]);
  });

  it('exchange the token where they ask for it; a realm on Google’s host reaches the emulator, too', async () => {
    const server = await serve((seen, response) => {
      if (seen.path === '/v2/token') return grant({ token: 'exchanged' })(seen, response);
      if (seen.headers.authorization === 'Bearer exchanged') return sendManifest(response, IMAGE);
      refuse(response, 401, 'UNAUTHORIZED', {
        headers: {
          'www-authenticate':
            'Bearer realm="https://us-docker.pkg.dev/v2/token",service="us-docker.pkg.dev",scope="repository:p/r/app:pull"',
        },
      });
    });
    await testClient({ emulatorHost: server.host, googleToken: TOKEN }).resolve(NAME);
    expect(server.asked()).toEqual(['GET /v2/p/r/app/manifests/v1', 'GET /v2/token', 'GET /v2/p/r/app/manifests/v1']);
    expect(seenBy(server)).toEqual([`Bearer ${TOKEN}`, basic('oauth2accesstoken', TOKEN), 'Bearer exchanged']);
  });

  it('403: names permission and role; Artifact Registry’s explanation becomes the hint', async () => {
    const server = await serve((_seen, response) =>
      refuse(response, 403, 'DENIED', { message: 'Permission denied (or it may not exist)' }),
    );
    const plain = testClient({ emulatorHost: server.host, googleToken: TOKEN });
    const error = await failure('PERMISSION_DENIED', plain.resolve(NAME));
    expect(error.message).toMatch(/artifactregistry\.repositories\.downloadArtifacts \(roles\/artifactregistry\.reader\)/);
    expect(error).toMatchObject({
      exitCode: 5,
      resource: NAME,
      hint: expect.stringContaining('grant roles/artifactregistry.reader') as string,
    });
    expectNoSecret([TOKEN], error, plain.lines);
    const explained = testClient({
      emulatorHost: server.host,
      googleToken: TOKEN,
      explain: ({ repository }) => Promise.resolve(`${repository}: the repository is in europe`),
    });
    expect(await failure('PERMISSION_DENIED', explained.resolve(NAME))).toMatchObject({
      message: error.message,
      hint: 'p/r/app: the repository is in europe',
    });
  });

  it.each<[string, () => Promise<string | undefined>]>([
    ['knows nothing', () => Promise.resolve(undefined)],
    ['fails', () => Promise.reject(new BinauthzError('UNAVAILABLE', 'no answer'))],
  ])('404: keeps our own hint where the explanation %s', async (_name, explain) => {
    const server = await serve((_seen, response) => refuse(response, 404, 'NAME_UNKNOWN'));
    const error = await failure('IMAGE_NOT_FOUND', testClient({ emulatorHost: server.host, explain }).resolve(NAME));
    expect(error.hint).toContain('LOCATION-docker.pkg.dev/PROJECT/REPOSITORY/IMAGE');
  });

  it('other registries are not explained', async () => {
    const server = await serve((_seen, response) => refuse(response, 404, 'NAME_UNKNOWN'));
    const error = await failure(
      'IMAGE_NOT_FOUND',
      testClient({ explain: () => Promise.resolve('explained') }).resolve(`${server.host}/app:v1`),
    );
    expect(error.hint).not.toBe('explained');
  });

  it('nobody refused: UNAUTHENTICATED, with the reason why there is no Google token', async () => {
    const server = await serve((_seen, response) => refuse(response, 403, 'DENIED', { message: 'Unauthenticated request.' }));
    const error = await failure('UNAUTHENTICATED', testClient({ emulatorHost: server.host, googleToken: noToken }).resolve(NAME));
    expect(error.hint).toMatch(/gcloud auth configure-docker us-docker\.pkg\.dev.*cannot find Google credentials.*move the auth step/);
  });

  it('a token with a line break in it is said to be one', async () => {
    const server = await serve((_seen, response) => sendManifest(response, IMAGE));
    const client = testClient({ emulatorHost: server.host, googleToken: `${TOKEN}\n` });
    const error = await failure('UNAVAILABLE', client.resolve(NAME));
    expect(error.message).toContain('characters that a header cannot carry');
    expectNoSecret([TOKEN], error, client.lines);
    expect(client.pace.pauses).toEqual([]);
  });
});
