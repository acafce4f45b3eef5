// SPDX-License-Identifier: Apache-2.0
// One run of a command that has a request, whichever host asked for it: parse, compose, run, end.
import { asErrors } from '../core/errors.js';
import type { AttestResult, ListResult } from '../core/results.js';
import type { Outcome } from '../usecases/outcome.js';
import { withinGrace, type Cancellation } from './cancellation.js';
import type { RunContext } from './context.js';
import { EMULATOR_VARIABLE } from './environment.js';
import type { RawOptions } from './option-reader.js';
import { cancelled, emptyResult, endingOf, type Circumstances, type Ending } from './outcome.js';
import { parseAttest, parseList } from './parse.js';
import { scrubbedEnding, scrubbedReporter, scrubberOf } from './scrub.js';

/** A command that ends with a result. */
export type ResultCommand = 'attest' | 'list';

/** What a run has of its host, the signal inside the cancellation. */
export type Services = Omit<RunContext, 'signal'> & { readonly cancellation: Cancellation };

/** Runs the command to its end; never throws. */
export async function runCommand(command: ResultCommand, raw: RawOptions, services: Services): Promise<Ending> {
  const scrub = scrubberOf(raw.secrets.get('access-token') ?? []);
  const { result, errors } = await attempt(command, raw, { ...services, reporter: scrubbedReporter(services.reporter, scrub) }).catch(
    (thrown: unknown) => failed(command, thrown),
  );
  const cancelledBy = services.cancellation.receivedSignal();
  const circumstances: Circumstances = {
    ...(cancelledBy === undefined ? {} : { cancelledBy }),
    onEmulator: (services.env[EMULATOR_VARIABLE] ?? '').trim() !== '',
  };
  return scrubbedEnding(endingOf(result, errors, circumstances), scrub);
}

type AnyOutcome = Outcome<AttestResult | ListResult>;

async function attempt(command: ResultCommand, raw: RawOptions, services: Services): Promise<AnyOutcome> {
  const run = prepare(command, raw, services);
  return withinGrace(run(), services.cancellation.signal, () => ({ result: emptyResult(command), errors: [cancelled()] }));
}

/** Parses at once, so that bad input loads nothing; the run itself comes later. */
function prepare(command: ResultCommand, raw: RawOptions, services: Services): () => Promise<AnyOutcome> {
  const { cancellation, ...rest } = services;
  const context: RunContext = { ...rest, signal: cancellation.signal };
  if (command === 'attest') {
    const parsed = parseAttest(raw, services.env);
    return async () => (await import('./compose.js')).runAttest(parsed, context);
  }
  const parsed = parseList(raw, services.env);
  return async () => (await import('./compose.js')).runList(parsed, context);
}

function failed(command: ResultCommand, thrown: unknown): AnyOutcome {
  return { result: emptyResult(command), errors: asErrors(thrown) };
}
