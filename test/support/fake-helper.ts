// SPDX-License-Identifier: Apache-2.0
// A docker-credential program of the test's own, and a Docker config that names it.
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunFolder } from './runner.js';

/** What the program was started with. */
export interface HelperDump {
  readonly argv: string;
  /** The arguments of whoever started it. */
  readonly parent: string;
  readonly env: string;
  readonly stdin: string;
}

/** Puts docker-credential-fake on a PATH; its script is shell, run after it has dumped its argv, its parent's, environment and stdin. */
export async function installHelper(
  folder: RunFolder,
  registry: string,
  script: string,
  dumps = true,
): Promise<{ readonly env: Record<string, string>; dump(): Promise<HelperDump> }> {
  const bin = join(folder.root, 'bin');
  const dumped = join(folder.root, 'dump');
  const docker = join(folder.home, '.docker');
  await Promise.all([bin, dumped, docker].map((path) => mkdir(path, { recursive: true })));
  const dumping = `tr '\\0' '\\n' < /proc/$PPID/cmdline > '${dumped}/parent'\ntr '\\0' '\\n' < /proc/$$/cmdline > '${dumped}/argv'\nenv > '${dumped}/env'\ncat > '${dumped}/stdin'\n`;
  await writeFile(join(bin, 'docker-credential-fake'), `#!/bin/sh\n${dumps ? dumping : ''}${script}\n`);
  await chmod(join(bin, 'docker-credential-fake'), 0o755);
  await writeFile(join(docker, 'config.json'), JSON.stringify({ auths: { [registry]: {} }, credHelpers: { [registry]: 'fake' } }));
  const read = (name: string): Promise<string> => readFile(join(dumped, name), 'utf8');
  return {
    env: { PATH: `${bin}:${process.env['PATH'] ?? ''}` },
    dump: async () => ({ argv: await read('argv'), parent: await read('parent'), env: await read('env'), stdin: await read('stdin') }),
  };
}
