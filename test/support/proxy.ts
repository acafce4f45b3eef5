// SPDX-License-Identifier: Apache-2.0
// The way to Google through a proxy, on this machine: a proxy that opens tunnels, and at their end a server with
// certificates for Google's names, which hands everything to the emulator.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';

/** Something that listens. */
export interface Listening {
  readonly port: number;
  close(): Promise<void>;
}

/** A proxy, and what was asked of it. */
export interface TestProxy extends Listening {
  /** `host:port` of each tunnel. */
  readonly asked: readonly string[];
  /** The Proxy-Authorization headers that came. */
  readonly credentials: readonly string[];
}

/** A server that speaks TLS for these names, and hands what it hears to a port of this machine. */
export async function startTlsFront(names: readonly string[], to: number): Promise<Listening & { readonly certificate: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'binauthz-tls-'));
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const subject = ['-subj', '/CN=test', '-addext', `subjectAltName=${names.map((name) => `DNS:${name}`).join(',')}`, '-days', '2'];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  execFileSync('openssl', ['req', '-x509', ...curve, '-keyout', key, '-out', certificate, ...subject], { stdio: 'ignore' });
  const server = createTlsServer({ key: readFileSync(key), cert: readFileSync(certificate) }, (socket) =>
    pair(socket, connect(to, '127.0.0.1')),
  );
  const listening = await listen(server);
  const close = async (): Promise<void> => {
    await listening.close();
    rmSync(folder, { recursive: true });
  };
  return { ...listening, close, certificate };
}

/** A proxy whose tunnels all end at one port of this machine; with an `answer` it opens none, and says that instead. */
export async function startProxy({ to, answer }: { readonly to?: number; readonly answer?: string }): Promise<TestProxy> {
  const asked: string[] = [];
  const credentials: string[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (head) => {
      const lines = head.toString('latin1').split('\r\n');
      asked.push(/^CONNECT (\S+) /.exec(lines[0] ?? '')?.[1] ?? lines[0] ?? '');
      credentials.push(...lines.flatMap((line) => /^proxy-authorization: (.*)$/i.exec(line)?.[1] ?? []));
      if (answer !== undefined) return void socket.end(answer);
      if (to === undefined) return;
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      pair(socket, connect(to, '127.0.0.1'));
    });
  });
  return { ...(await listen(server)), asked, credentials };
}

function pair(one: Socket, other: Socket): void {
  one.on('error', () => other.destroy());
  other.on('error', () => one.destroy());
  one.pipe(other).pipe(one);
}

async function listen(server: Server): Promise<Listening> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}
