// SPDX-License-Identifier: Apache-2.0
// What a run says at its end, and where: results on standard output, errors on standard error.
import type { BinauthzError } from '../../core/errors.js';
import { reportOf } from '../../core/results.js';
import { renderJson } from '../../reports/json.js';
import { withHint } from '../issues.js';
import { statusOf, type CancelSignal } from '../outcome.js';
import type { Args } from './args.js';
import { renderErrors } from './lines.js';
import { styleFor, type Style } from './terminal.js';
import type { CliWorld, TextStream } from './world.js';

/** Prints why a run did not get anywhere; its exit status. */
export function printErrors(thrown: readonly BinauthzError[], args: Args, world: CliWorld, cancelledBy?: CancelSignal): number {
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

/** Whether a program reads the output. */
export function wantsJson(args: Args): boolean {
  return args.values.get('output')?.at(-1) === 'json';
}

/** How a stream is coloured. */
export function styleOf(stream: TextStream, world: CliWorld): Style {
  return styleFor(stream.isTerminal, world.env['NO_COLOR']);
}
