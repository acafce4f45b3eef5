// SPDX-License-Identifier: Apache-2.0
// The CLI: words in, one command, its result on standard output, its exit status back.
import { asErrors, type BinauthzError } from '../../core/errors.js';
import { reportOf } from '../../core/results.js';
import { renderJson } from '../../reports/json.js';
import type { Clock } from '../../ports/clock.js';
import { listenForCancellation, type Cancellation, type SignalSource } from '../cancellation.js';
import type { Env, RunContext } from '../context.js';
import { asFailure, withHint } from '../issues.js';
import type { RawOptions } from '../option-reader.js';
import type { CommandRow } from '../command-row.js';
import { cancelled, statusOf, type CancelSignal, type Ending } from '../outcome.js';
import { parseEmulator } from '../commands/emulator/parse.js';
import { parseNothing } from '../request-readers.js';
import { runCommand, type Services } from '../run-command.js';
import { VERSION } from '../version.js';
import { parseArgs, type Args } from './args.js';
import { commandHelp, overview } from './help.js';
import { createProgram } from './program.js';
import { renderErrors, renderResult } from './render.js';
import { createReporter, type Loudness } from './reporter.js';
import { readSecrets } from './secrets.js';
import { styleFor } from './terminal.js';

/** A stream of text that people or programs read. */
export interface TextStream {
  write(text: string): void;
  readonly isTerminal: boolean;
}

/** The process as the CLI sees it. */
export interface CliWorld {
  readonly argv: readonly string[];
  /** The environment itself: variables that hold secrets are deleted from it. */
  readonly env: Record<string, string | undefined>;
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  /** Everything on standard input, for manifests. */
  readonly readStdin: () => Promise<string>;
  readonly cwd: string;
  readonly signals: SignalSource;
  /** Another time than the machine’s. */
  readonly clock?: Clock;
}

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
  return runNamed(command, args, world);
}

function print(world: CliWorld, text: string): number {
  world.stdout.write(text);
  return 0;
}

async function runNamed(command: CommandRow, args: Args, world: CliWorld): Promise<number> {
  const { raw, env } = takeSecrets(command, args, world);
  const cancellation = listenForCancellation(world.signals);
  const services = connect(args, { env, cancellation, world });
  switch (command.name) {
    case 'emulator': {
      const settings = parseEmulator(raw);
      const { serveEmulator } = await import('./emulator.js');
      await serveEmulator(settings, { print: (text) => world.stdout.write(text), signal: cancellation.signal });
      return 0;
    }
    case 'demo': {
      parseNothing(raw);
      return await showDemo({ ...services, signal: cancellation.signal }, args, world).catch((thrown: unknown) => {
        const cancelledBy = cancellation.receivedSignal();
        // What a cancelled story stumbled over is of no interest to anybody.
        return printErrors(cancelledBy === undefined ? asErrors(thrown) : [cancelled()], args, world, cancelledBy);
      });
    }
    default:
      return printEnding(await runCommand(command.name, raw, services), args, world);
  }
}

/** The story is the demo's result, so it goes to standard output, unless a program reads that. */
async function showDemo(context: RunContext, args: Args, world: CliWorld): Promise<number> {
  const { runDemo } = await import('./demo.js');
  const stream = wantsJson(args) ? world.stderr : world.stdout;
  const isTold = !wantsJson(args) || !isOn(args, 'quiet');
  const result = await runDemo(context, (line) => (isTold ? stream.write(`${line}\n`) : undefined));
  if (wantsJson(args)) world.stdout.write(renderJson(result));
  return 0;
}

/** The raw options with their secrets, and the environment without them. */
function takeSecrets(command: CommandRow, args: Args, world: CliWorld): { readonly raw: RawOptions; readonly env: Env } {
  const { secrets, variables, issues } = readSecrets(command.name, args.values, world.env);
  // Libraries read the process's environment themselves, so a copy without the secrets would not be enough.
  for (const variable of variables) Reflect.deleteProperty(world.env, variable);
  return {
    raw: { command: command.name, host: 'cli', values: args.values, secrets, issues: [...args.issues, ...issues] },
    env: { ...world.env },
  };
}

function connect(args: Args, run: { readonly env: Env; readonly cancellation: Cancellation; readonly world: CliWorld }): Services {
  const { env, cancellation, world } = run;
  // The demo tells its own story; what the commands in it say besides would only interrupt.
  const usual: Loudness = args.command?.name === 'demo' ? 'silent' : isOn(args, 'quiet') ? 'quiet' : 'normal';
  const loudness: Loudness = isOn(args, 'verbose') ? 'verbose' : usual;
  const reporter = createReporter((text) => world.stderr.write(text), loudness, styleOf(world.stderr, world));
  const files = { cwd: world.cwd, readStdin: () => world.readStdin() };
  const time = world.clock === undefined ? {} : { clock: world.clock };
  return { env, cancellation, reporter, program: createProgram(env, cancellation.signal), files, ...time };
}

function printEnding({ result, errors, exitCode, refusal }: Ending, args: Args, world: CliWorld): number {
  world.stdout.write(wantsJson(args) ? renderJson(result) : renderResult(result, styleOf(world.stdout, world)));
  // The last line on a terminal, and the only one of a script that keeps standard output for itself.
  world.stderr.write(renderErrors(refusal ? [refusal] : errors, styleOf(world.stderr, world)));
  return exitCode;
}

function printErrors(thrown: readonly BinauthzError[], args: Args, world: CliWorld, cancelledBy?: CancelSignal): number {
  const help = `binauthz ${args.command ? `${args.command.name} ` : ''}--help`;
  const errors = thrown.map((error) => (error.exitCode === 2 ? withHint(error, help) : error));
  if (wantsJson(args))
    world.stdout.write(
      renderJson({
        schema: 'binauthz.error/v1',
        errors: errors.map((error) => ({ ...reportOf(error), exitCode: statusOf([error], cancelledBy) })),
      }),
    );
  world.stderr.write(renderErrors(errors, styleOf(world.stderr, world)));
  return statusOf(errors, cancelledBy);
}

function isOn(args: Args, name: string): boolean {
  return args.values.get(name)?.at(-1)?.toLowerCase() === 'true';
}

function wantsJson(args: Args): boolean {
  return args.values.get('output')?.at(-1) === 'json';
}

function styleOf(stream: TextStream, world: CliWorld): ReturnType<typeof styleFor> {
  return styleFor(stream.isTerminal, world.env['NO_COLOR']);
}
