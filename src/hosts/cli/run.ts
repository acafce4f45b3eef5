// SPDX-License-Identifier: Apache-2.0
// The CLI: words in, one command, its result on standard output, its exit status back. Help, versions and words that make
// no sense are answered here; whatever carries a command out is loaded where there is one.
import { asErrors } from '../../core/errors.js';
import { asFailure } from '../issues.js';
import { VERSION } from '../version.js';
import { parseArgs, type Args } from './args.js';
import { commandHelp, overview } from './help.js';
import { printErrors } from './print.js';
import type { CliWorld } from './world.js';

/** Runs the command that the words name; its exit status. */
export async function runCli(world: CliWorld): Promise<number> {
  const args = parseArgs(world.argv);
  try {
    return await dispatch(args, world);
  } catch (thrown) {
    return printErrors(asErrors(thrown), args, world);
  }
}

async function dispatch(args: Args, world: CliWorld): Promise<number> {
  const { command } = args;
  if (args.wantsHelp && (command || args.issues.length === 0)) return print(world, command ? commandHelp(command) : overview());
  if (args.wantsVersion && args.issues.length === 0) return print(world, `${VERSION}\n`);
  if (!command) throw asFailure(args.issues) ?? new Error('neither a command nor an issue');
  const { carryOut } = await import('./carry-out.js');
  return carryOut(command, args, world);
}

function print(world: CliWorld, text: string): number {
  world.stdout.write(text);
  return 0;
}
