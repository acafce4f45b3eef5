// SPDX-License-Identifier: Apache-2.0
// Google's own client against an emulator, configured by nothing but the emulator's export lines.
import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { RunningEmulator } from '../../src/emulator/server.js';

/** How a run of gcloud ended. */
export interface GcloudRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** gcloud pointed at one emulator, with a folder for files that commands read. */
export interface Gcloud {
  readonly folder: string;
  /** Runs `gcloud …words`; a list in place of a string takes arguments with blanks. */
  run(...args: string[]): Promise<GcloudRun>;
  /** The same, but a failure throws with what gcloud said. */
  ok(...args: string[]): Promise<string>;
  /** The same, with `--format json` parsed. */
  // Answers have many shapes; a wrong path fails the assertion that uses it.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  json(...args: string[]): Promise<any>;
  /** This gcloud with other variables in its environment; undefined takes one out. */
  with(variables: Readonly<Record<string, string | undefined>>): Gcloud;
  /** Removes the folder. */
  remove(): Promise<void>;
}

/** Whether gcloud is on the PATH. */
export const HAS_GCLOUD = (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
  try {
    accessSync(join(folder, 'gcloud'), constants.X_OK);
    return true;
  } catch {
    return false;
  }
});

/** A gcloud whose environment comes from the export lines, read by a real shell. */
export async function gcloudFor(emulator: RunningEmulator, project: string): Promise<Gcloud> {
  const folder = await mkdtemp(join(tmpdir(), 'binauthz-gcloud-'));
  const start = { PATH: process.env['PATH'] ?? '', HOME: folder, TMPDIR: folder, CLOUDSDK_CORE_PROJECT: project };
  const { stdout } = await run('sh', ['-c', `${emulator.exportLines().join('\n')}\nenv -0`], start);
  const environment = Object.fromEntries(
    stdout
      .split('\0')
      .filter(Boolean)
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
  return bound(folder, environment);
}

function bound(folder: string, environment: Readonly<Record<string, string>>): Gcloud {
  const gcloud = (args: string[]) => run('gcloud', args, environment);
  const ok = async (...args: string[]) => {
    const { code, stdout, stderr } = await gcloud(args);
    if (code !== 0) throw new Error(`gcloud ${args.join(' ')} ended with ${String(code)}:\n${stderr}`);
    return stdout;
  };
  return {
    folder,
    run: (...args) => gcloud(args),
    ok,
    json: async (...args) => JSON.parse(await ok(...args, '--format=json')) as unknown,
    with: (variables) => {
      const kept = Object.entries({ ...environment, ...variables }).filter((entry): entry is [string, string] => entry[1] !== undefined);
      return bound(folder, Object.fromEntries(kept));
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Never the blocking form: the emulator answers in this very process. */
function run(file: string, args: string[], env: Readonly<Record<string, string>>): Promise<GcloudRun> {
  return new Promise((resolve, reject) => {
    const child = execFile(file, args, { env, maxBuffer: 16 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number') reject(error);
      else resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
    // A command that asks something must meet the end of its input, not wait for it.
    child.stdin?.end();
  });
}
