// SPDX-License-Identifier: Apache-2.0
// One run of a command that has a request, whichever host asked for it: parse, compose, run, report, end.
import { asErrors, type BinauthzError } from '../core/errors.js';
import type { Outcome } from '../usecases/outcome.js';
import { withinGrace, type Cancellation } from './cancellation.js';
import type { RunContext } from './context.js';
import { EMULATOR_VARIABLE } from './environment.js';
import type { FileWorld } from './files.js';
import type { Gate } from './gate.js';
import type { RawOptions } from './option-reader.js';
import { cancelled, emptyResult, endingOf, type Circumstances, type CommandResult, type Ending } from './outcome.js';
import { parseList } from './parse.js';
import { parseCheck, parseCheckedAttest } from './parse-check.js';
import type { ReportTarget } from './report-files.js';
import { scrubbedEnding, scrubbedReporter, scrubberOf } from './scrub.js';

/** A command that ends with a result. */
export type ResultCommand = 'attest' | 'check' | 'list';

/** What a run has of its host, the signal inside the cancellation. */
export type Services = Omit<RunContext, 'signal'> & { readonly cancellation: Cancellation; readonly files: FileWorld };

/** A parsed command, ready to run. */
interface Job {
  readonly run: () => Promise<AnyOutcome>;
  readonly gate?: Gate;
  readonly reports?: readonly ReportTarget[];
}

type AnyOutcome = Outcome<CommandResult>;

/** Runs the command to its end, and writes the reports that it was asked for; never throws. */
export async function runCommand(command: ResultCommand, raw: RawOptions, services: Services): Promise<Ending> {
  const scrub = scrubberOf([...(raw.secrets.get('access-token') ?? []), ...(raw.secrets.get('github-token') ?? [])]);
  const { job, outcome } = await attempt(command, raw, { ...services, reporter: scrubbedReporter(services.reporter, scrub) });
  const end = (more: readonly BinauthzError[]): Ending =>
    scrubbedEnding(endingOf(outcome.result, [...outcome.errors, ...more], circumstancesOf(services, job?.gate)), scrub);
  const ending = end([]);
  if (!job?.reports || job.reports.length === 0 || ending.exitCode === 2) return ending;
  const { writeReports } = await import('./report-files.js');
  const failures = await writeReports(ending.result, job.reports, { cwd: services.files.cwd, env: services.env });
  return failures.length === 0 ? ending : end(failures);
}

function circumstancesOf({ cancellation, env }: Services, gate: Gate | undefined): Circumstances {
  const cancelledBy = cancellation.receivedSignal();
  return {
    ...(cancelledBy === undefined ? {} : { cancelledBy }),
    ...(gate === undefined ? {} : { gate }),
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
  switch (command) {
    case 'attest': {
      const parsed = await parseCheckedAttest(raw, services.env, files);
      const run = async (): Promise<AnyOutcome> => (await import('./compose.js')).runAttest(parsed, context);
      return { run, ...(parsed.check === undefined ? {} : { gate: parsed.check.gate, reports: parsed.check.reports }) };
    }
    case 'check': {
      const parsed = await parseCheck(raw, services.env, files);
      return { run: async () => (await import('./compose.js')).runCheck(parsed, context), gate: parsed.gate, reports: parsed.reports };
    }
    case 'list': {
      const parsed = parseList(raw, services.env);
      return { run: async () => (await import('./compose.js')).runList(parsed, context) };
    }
  }
}
