// SPDX-License-Identifier: Apache-2.0
// One command of the CLI, from its words to its exit status.
import { asErrors } from '../../core/errors.js';
import { renderJson } from '../../reports/json.js';
import { listenForCancellation, type Cancellation } from '../cancellation.js';
import type { CommandRow } from '../command-row.js';
import { parseEmulator } from '../commands/emulator/parse.js';
import type { Env } from '../context.js';
import { cancelled, type Ending } from '../outcome.js';
import { parseNothing } from '../request-readers.js';
import { runCommand, type Services } from '../run-command.js';
import type { Args } from './args.js';
import { renderErrors } from './lines.js';
import { printErrors, styleOf, wantsJson } from './print.js';
import { createProgram } from './program.js';
import { renderResult } from './render.js';
import { createReporter, type Loudness } from './reporter.js';
import { rawOptionsOf } from './secrets.js';
import type { CliWorld } from './world.js';

/** Runs a command to its end; its exit status. Throws BinauthzErrors with what is wrong with its words. */
export async function carryOut(command: CommandRow, args: Args, world: CliWorld): Promise<number> {
  const { raw, env, taken } = rawOptionsOf(command.name, args, world.env);
  // Libraries read the process's environment themselves, so a copy without the secrets would not be enough.
  for (const variable of taken) Reflect.deleteProperty(world.env, variable);
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
      return await showDemo(services, args, world).catch((thrown: unknown) => {
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
async function showDemo(services: Services, args: Args, world: CliWorld): Promise<number> {
  const { runDemo } = await import('./demo.js');
  const stream = wantsJson(args) ? world.stderr : world.stdout;
  const isTold = !wantsJson(args) || !isOn(args, 'quiet');
  const result = await runDemo(services, (line) => (isTold ? stream.write(`${line}\n`) : undefined));
  if (wantsJson(args)) world.stdout.write(renderJson(result));
  return 0;
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

function isOn(args: Args, name: string): boolean {
  return args.values.get(name)?.at(-1)?.toLowerCase() === 'true';
}
