// SPDX-License-Identifier: Apache-2.0
// One run of a command that has a request, whichever host asked for it: parse, compose, run, report, end.
import { asErrors, type BinauthzError } from '../core/errors.js';
import { withinGrace, type Cancellation } from './cancellation.js';
import type { RunContext } from './context.js';
import { EMULATOR_VARIABLE } from './environment.js';
import type { FileWorld } from './files.js';
import { JOBS, type AnyOutcome, type Job } from './jobs.js';
import type { RawOptions } from './option-reader.js';
import { cancelled, emptyResult, endingOf, type Circumstances, type Ending, type Refuse, type ResultCommand } from './outcome.js';
import { scrubbedEnding, scrubbedReporter, scrubberOf } from './scrub.js';

/** What a run has of its host, the signal inside the cancellation. */
export type Services = Omit<RunContext, 'signal'> & { readonly cancellation: Cancellation; readonly files: FileWorld };

/** Runs the command to its end, and writes the reports that it was asked for; never throws. */
export async function runCommand(command: ResultCommand, raw: RawOptions, services: Services): Promise<Ending> {
  const scrub = scrubberOf([...(raw.secrets.get('access-token') ?? []), ...(raw.secrets.get('github-token') ?? [])]);
  const { job, outcome } = await attempt(command, raw, { ...services, reporter: scrubbedReporter(services.reporter, scrub) });
  const end = (more: readonly BinauthzError[]): Ending => ({
    ...scrubbedEnding(endingOf(outcome.result, [...outcome.errors, ...more], circumstancesOf(services, job?.refuse)), scrub),
    ...(job?.strict ? { strict: true } : {}),
  });
  const ending = end([]);
  if (!job?.reports || job.reports.length === 0 || ending.exitCode === 2) return ending;
  const { writeReports } = await import('./report-files.js');
  const place = { cwd: services.files.cwd, env: services.env, strict: job.strict === true };
  // Where a report goes may take its time, e.g. a pipe that nobody reads.
  const written = writeReports(ending.result, job.reports, place);
  const failures = await withinGrace(written, services.cancellation.signal, () => [cancelled()]);
  return failures.length === 0 ? ending : end(failures);
}

function circumstancesOf({ cancellation, env }: Services, refuse: Refuse | undefined): Circumstances {
  const cancelledBy = cancellation.receivedSignal();
  return {
    ...(cancelledBy === undefined ? {} : { cancelledBy }),
    ...(refuse === undefined ? {} : { refuse }),
    onEmulator: (env[EMULATOR_VARIABLE] ?? '').trim() !== '',
  };
}

async function attempt(
  command: ResultCommand,
  raw: RawOptions,
  services: Services,
): Promise<{ readonly job: Job | undefined; readonly outcome: AnyOutcome }> {
  let job: Job | undefined;
  const work = async (): Promise<AnyOutcome> => {
    // Bad input ends here, before anything is composed or called.
    job = await prepare(command, raw, services);
    return job.run();
  };
  const instead = (errors: readonly BinauthzError[]): AnyOutcome => ({ result: emptyResult(command), errors });
  const outcome = await withinGrace(work(), services.cancellation.signal, () => instead([cancelled()])).catch((thrown: unknown) =>
    instead(asErrors(thrown)),
  );
  return { job, outcome };
}

async function prepare(command: ResultCommand, raw: RawOptions, services: Services): Promise<Job> {
  const { cancellation, files, ...rest } = services;
  const context: RunContext = { ...rest, signal: cancellation.signal };
  const jobOf = JOBS[command];
  return jobOf(raw, { context, env: services.env, files });
}
