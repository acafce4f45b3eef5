// SPDX-License-Identifier: Apache-2.0
// A server that answers as told and remembers what it was asked: for failures, and for what goes over the wire.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface Planned {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  /** Text as it stands, or anything else as JSON. */
  readonly body?: unknown;
  /** Drops the connection instead of answering, or in the middle of the body, or never answers. */
  readonly fault?: 'reset' | 'truncate' | 'hang';
}

export interface Stub {
  readonly host: string;
  readonly url: string;
  readonly asked: Asked[];
  /** How many connections there have been. */
  connections(): number;
  /** How many of them have been closed. */
  closed(): number;
  /** Answers in this order; the last one stays. */
  plan(...answers: Planned[]): void;
  close(): Promise<void>;
}

/** A stub on a free loopback port; answers `{}` until something is planned. */
export async function startStub(): Promise<Stub> {
  const asked: Asked[] = [];
  let planned: Planned[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      asked.push({
        method: request.method ?? '',
        url: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(chunks).toString(),
      });
      answer((planned.length > 1 ? planned.shift() : planned[0]) ?? {}, response);
    });
  });
  let connections = 0;
  let closed = 0;
  server.on('connection', (socket) => {
    connections += 1;
    socket.on('close', () => (closed += 1));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    host,
    url: `http://${host}/`,
    asked,
    connections: () => connections,
    closed: () => closed,
    plan: (...answers) => {
      planned = answers;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answer({ status = 200, headers = {}, body = {}, fault }: Planned, response: ServerResponse): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  if (fault === 'hang') return;
  if (fault === 'reset') {
    response.socket?.resetAndDestroy();
    return;
  }
  const length = Buffer.byteLength(text);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': String(fault === 'truncate' ? length + 100 : length),
    ...headers,
  });
  if (fault === 'truncate') response.write(text, () => setTimeout(() => response.socket?.destroy(), 20));
  else response.end(text);
}

/** Google's error body. */
export function googleError(code: number, status: string, message: string, details: unknown[] = []): object {
  return { error: { code, status, message, details } };
}

/** google.rpc.ErrorInfo */
export function errorInfo(reason: string, metadata: Record<string, string> = {}): object {
  return { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason, domain: 'googleapis.com', metadata };
}
