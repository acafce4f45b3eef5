// SPDX-License-Identifier: Apache-2.0
// The npm package as `npm pack` makes it, without a registry, and a server that hands files out.
import { cp, mkdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { DIST } from './cli.js';
import { run } from './spawn.js';

/** Packs dist below `folder`; the path of the tarball. */
export async function packPackage(folder: string, name = 'binauthz-0.1.0.tgz'): Promise<string> {
  await mkdir(join(folder, 'package'), { recursive: true });
  await cp(DIST, join(folder, 'package/dist'), { recursive: true });
  await cp(resolve(DIST, '../package.json'), join(folder, 'package/package.json'));
  const ended = await run('tar', ['-czf', name, 'package'], { cwd: folder });
  if (ended.code !== 0) throw new Error(ended.stderr);
  return join(folder, name);
}

/** A server of files. */
export interface FileServer {
  /** With a slash at its end. */
  readonly url: string;
  /** What was asked for, in order. */
  readonly asked: string[];
  close(): Promise<void>;
}

/** Serves these files, read anew for each request, and 404 for everything else. */
export async function serveFiles(files: Readonly<Record<string, string>>): Promise<FileServer> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    const path = files[request.url ?? ''];
    if (path === undefined) response.writeHead(404).end('no such file\n');
    else void readFile(path).then((bytes) => response.writeHead(200).end(bytes));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const close = (): Promise<void> =>
    new Promise((done) => {
      server.close(() => done());
      server.closeAllConnections();
    });
  return { url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/`, asked, close };
}
