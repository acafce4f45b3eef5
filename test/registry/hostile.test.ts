// SPDX-License-Identifier: Apache-2.0
// A registry that means harm.
import { createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { parseImageReference } from '../../src/core/image/reference.js';
import { Secret } from '../../src/core/secret.js';
import { fetchBearerToken, type TokenWish } from '../../src/registry/bearer-token.js';
import { parseChallenges } from '../../src/registry/challenge.js';
import { registryHost } from '../../src/registry/hosts.js';
import { createHttpClient, type HttpRequest } from '../../src/registry/http.js';
import { failure, startServer, testClient, type TestServer } from './support.js';

const closing: { close(): unknown }[] = [];
afterEach(async () => {
  for (const server of closing.splice(0)) await server.close();
});

/** Answers the first bytes of a connection with these. */
async function rawServer(answer: string | ((socket: Socket) => void)): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => (typeof answer === 'string' ? socket.end(answer) : answer(socket)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(server);
  const address = server.address();
  return `127.0.0.1:${String(typeof address === 'object' ? address?.port : '')}`;
}

const ok = (body: string): string => `HTTP/1.1 200 OK\r\ncontent-type: application/vnd.oci.image.manifest.v1+json\r\n\r\n${body}`;
const to = (location: string): string => `HTTP/1.1 302 Found\r\nlocation: ${location}\r\ncontent-length: 0\r\n\r\n`;
const challenge = (realm: string): string => `HTTP/1.1 401 No\r\nwww-authenticate: Bearer realm="${realm}"\r\ncontent-length: 0\r\n\r\n`;

describe('an answer', () => {
  it.each([
    ['that changes the protocol', 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n', 'UNAVAILABLE'],
    ['whose media type is an object', ok('{"mediaType":{"toString":1,"valueOf":1}}'), 'MANIFEST_INVALID'],
    ['whose media type is nested without end', ok(`{"mediaType":${'['.repeat(1e6)}${']'.repeat(1e6)}}`), 'MANIFEST_INVALID'],
    ['with layers given twice', ok('{"config":{},"layers":[],"layers":[]}'), 'MANIFEST_INVALID'],
    [
      'with two digests in its headers',
      'HTTP/1.1 200 OK\r\ndocker-content-digest: a\r\ndocker-content-digest: b\r\n\r\n{}',
      'DIGEST_MISMATCH',
    ],
    [
      'with a flood of challenges',
      `HTTP/1.1 401 No\r\n${'www-authenticate: Bearer realm="https://x"\r\n'.repeat(5_000)}\r\n`,
      'UNAVAILABLE',
    ],
    ['that sends to the metadata server', to('http://169.254.169.254/computeMetadata/v1/'), 'RESPONSE_INVALID'],
    ['that sends to a file', to('file:///etc/passwd'), 'RESPONSE_INVALID'],
    ['whose token service is the metadata server', challenge('http://169.254.169.254/'), 'RESPONSE_INVALID'],
    ['whose token service is a file', challenge('file:///etc/passwd'), 'RESPONSE_INVALID'],
    ['without end', (socket: Socket) => void socket.write(ok('a'.repeat(5 * 1024 * 1024))), 'MANIFEST_INVALID'],
  ] as const)(
    '%s is an error',
    async (_name, answer, code) => {
      const host = await rawServer(answer);
      const client = testClient({ timeoutMs: 5_000 });
      const error = await failure(code, client.resolve(`${host}/a/b:c`));
      expect(error.message).not.toMatch(/[\p{Cc}\u2028]/u);
    },
    20_000,
  );
});

describe('a token service', () => {
  const credential = { kind: 'password', username: 'oauth2accesstoken', password: new Secret('hunter2', 'Google') } as const;
  const wish = (registry: string, realm: string): TokenWish => ({
    registry: registryHost(registry),
    challenge: { scheme: 'bearer', parameters: new Map([['realm', realm]]) },
    credential,
    scope: 's',
    resource: 'r',
    now: 0,
    hint: '',
  });
  const sent = async (registry: string, realm: string): Promise<HttpRequest[]> => {
    const requests: HttpRequest[] = [];
    const send = (request: HttpRequest) => (
      requests.push(request),
      Promise.resolve({ status: 200, headers: {}, body: Buffer.from('{"token":"t"}'), isElsewhere: false })
    );
    await fetchBearerToken({ send }, wish(registry, realm)).catch(() => undefined);
    return requests;
  };

  it.each([
    ['gcr.io', 'https://evil.example/token', 0],
    ['us-docker.pkg.dev', 'https://gcr.io.evil.example/token', 0],
    ['us-docker.pkg.dev', 'https://gcr.io@evil.example/token', 0],
    ['us-docker.pkg.dev', 'https://gcr.io:444/token', 0],
    ['us-docker.pkg.dev', 'https://us-docker.pkg.dev/v2/token', 1],
    ['gcr.io', 'https://gcr.io/v2/token', 1],
    ['registry.example.com', 'https://auth.example.com/token', 1],
  ])('of %s at %s gets %i credentials', async (registry, realm, count) => expect(await sent(registry, realm)).toHaveLength(count));

  it.each(['registry.example.com', 'us-docker.pkg.dev'])('of %s is not on this machine', async (registry) => {
    const local: TestServer = await startServer((_seen, response) => response.end('{"token":"t"}'));
    closing.push(local);
    await failure(
      'RESPONSE_INVALID',
      fetchBearerToken(createHttpClient({ timeoutMs: 5_000 }), wish(registry, `http://${local.host}/token`)),
    );
    expect(local.seen).toEqual([]);
  });

  it('of the emulator is the emulator', async () => {
    const local = await startServer((_seen, response) => response.end('{"token":"t"}'));
    closing.push(local);
    const http = createHttpClient({ timeoutMs: 5_000, emulatorHost: local.host });
    expect((await fetchBearerToken(http, wish('us-docker.pkg.dev', `http://${local.host}/v2/token`))).header).toBe('Bearer t');
  });
});

describe('a host that is none', () => {
  it.each(['[:::]', '[ffff:::1]', '256.256.256.256', '1.2.3.4.5', 'a.0x', '999999999999:80'])('%s is refused as a reference', (host) => {
    expect(parseImageReference(`${host}/a/b:c`)).toMatchObject({
      ok: false,
      reason: expect.stringContaining('is not an address') as string,
    });
  });
});

describe('parseChallenges', () => {
  const long = (part: string): string => part.repeat(Math.ceil(200_000 / part.length));
  it.each(['x="', 'x=', ' ', ',', 'a', 'Bearer ', 'x="\\"', 'x= '])('is linear in %j', (part) => {
    const startedAt = performance.now();
    for (const text of [long(part), `Bearer x="${long(part)}`, `Bearer x${long(part)}"`]) parseChallenges(text);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });
});
