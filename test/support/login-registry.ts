// SPDX-License-Identifier: Apache-2.0
// A registry on localhost that wants a login: a bearer challenge, a token service that takes Basic, one image. And a
// proxy that keeps whole requests, for tests that look for secrets in them.
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestImage } from './images.js';

/** A request as it came in. */
export interface Recorded {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** A server that remembers what it was asked. */
export interface RecordingServer {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  readonly requests: Recorded[];
  close(): Promise<void>;
}

type Answer = (request: Recorded, response: ServerResponse) => void;

async function listen(answer: Answer): Promise<RecordingServer> {
  const requests: Recorded[] = [];
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming
      .on('data', (chunk: Buffer) => chunks.push(chunk))
      .on('end', () => {
        const recorded = {
          method: incoming.method ?? '',
          url: incoming.url ?? '',
          headers: incoming.headers,
          body: Buffer.concat(chunks).toString('latin1'),
        };
        requests.push(recorded);
        answer(recorded, response);
      });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { host: `127.0.0.1:${String((server.address() as AddressInfo).port)}`, requests, close };
}

/** Hands out `image` under any name to whoever logs in with this user and password. */
export function startLoginRegistry(
  image: TestImage,
  login: { readonly user: string; readonly password: string },
): Promise<RecordingServer> {
  const token = 'registry-token-1234567890';
  const basic = `Basic ${Buffer.from(`${login.user}:${login.password}`).toString('base64')}`;
  return listen(({ url, headers }, response) => {
    const json = (status: number, body: unknown, more: Record<string, string> = {}): unknown =>
      response.writeHead(status, { 'content-type': 'application/json', ...more }).end(JSON.stringify(body));
    if (url.startsWith('/token')) {
      if (headers.authorization === basic) return json(200, { token, expires_in: 300 });
      return json(401, { errors: [{ code: 'UNAUTHORIZED', message: 'incorrect username or password' }] });
    }
    if (headers.authorization !== `Bearer ${token}`) {
      const challenge = `Bearer realm="http://${headers.host ?? ''}/token",service="registry.test"`;
      return json(401, { errors: [{ code: 'UNAUTHORIZED', message: 'authentication required' }] }, { 'www-authenticate': challenge });
    }
    return response.writeHead(200, { 'content-type': image.mediaType, 'docker-content-digest': image.digest }).end(image.manifest);
  });
}

/** Answers in place of the target; true where it did. */
export type Intercept = (request: Recorded, response: ServerResponse) => boolean;

/** Passes everything on to `host`, and keeps it. */
export function startRecordingProxy(host: string, intercept: { current: Intercept }): Promise<RecordingServer> {
  const [hostname = '', port = ''] = host.split(':');
  return listen((recorded, response) => {
    if (intercept.current(recorded, response)) return;
    const { method, url: path, headers } = recorded;
    const outgoing = httpRequest({ hostname, port, method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    outgoing.on('error', () => response.destroy());
    outgoing.end(Buffer.from(recorded.body, 'latin1'));
  });
}
