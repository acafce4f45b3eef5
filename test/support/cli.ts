// SPDX-License-Identifier: Apache-2.0
// The shipped command line, driven as a shell would.
import { resolve } from 'node:path';
import { anyNode, type Node } from './nodes.js';
import { run, type Ended, type SpawnOptions } from './spawn.js';

export const DIST = resolve(import.meta.dirname, '../../dist');

export interface CliOptions extends SpawnOptions {
  readonly node?: Node;
  /** `127.0.0.1:PORT` */
  readonly emulator?: string;
}

export interface CliEnded extends Ended {
  // Tests look into results of many shapes; a wrong path fails the assertion that uses it.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly json: any;
}

/** Runs `binauthz ARGS…`; standard output is parsed where it is JSON. */
export async function cli(args: readonly string[], options: CliOptions = {}): Promise<CliEnded> {
  const env = { ...(options.emulator === undefined ? {} : { BINAUTHZ_EMULATOR_HOST: options.emulator }), ...options.env };
  const ended = await run((options.node ?? anyNode).path, [resolve(DIST, 'cli/index.js'), ...args], { ...options, env });
  return { ...ended, json: parse(ended.stdout) };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
