// SPDX-License-Identifier: Apache-2.0
// Each command as a job: parsed at once, so that bad input ends before anything is composed; run later.
import type { Outcome } from '../usecases/outcome.js';
import { parseCheckedAttest } from './commands/attest/parse.js';
import { parseAudit } from './commands/audit/parse.js';
import { gatekeeper } from './commands/check/gate.js';
import { parseCheck } from './commands/check/parse.js';
import { parseDoctor } from './commands/doctor/parse.js';
import { parseList } from './commands/list/parse.js';
import { parseRotate } from './commands/rotate/parse.js';
import { parseSetup } from './commands/setup/parse.js';
import { parseVulnerabilities } from './commands/vulnerabilities/parse.js';
import type { Env, RunContext } from './context.js';
import type { FileWorld } from './files.js';
import type { RawOptions } from './option-reader.js';
import type { CommandResult, Refuse, ResultCommand } from './outcome.js';
import type { ReportTarget } from './report-files.js';

/** How any command ended. */
export type AnyOutcome = Outcome<CommandResult>;

/** A parsed command, ready to run. */
export interface Job {
  readonly run: () => Promise<AnyOutcome>;
  readonly refuse?: Refuse;
  readonly reports?: readonly ReportTarget[];
}

/** What a job is made with. */
export interface Workshop {
  readonly context: RunContext;
  readonly env: Env;
  readonly files: FileWorld;
}

type MakeJob = (raw: RawOptions, workshop: Workshop) => Job | Promise<Job>;

// Everything that calls somebody is one chunk, loaded once the input has proven right.
const runs = (): Promise<typeof import('./runs.js')> => import('./runs.js');

/** Makes a command's job; throws BinauthzErrors with everything that is wrong with its input. */
export const JOBS: Readonly<Record<ResultCommand, MakeJob>> = {
  attest: async (raw, { context, env, files }) => {
    const parsed = await parseCheckedAttest(raw, env, files);
    const run = async (): Promise<AnyOutcome> => (await runs()).runAttest(parsed, context);
    return { run, ...(parsed.check === undefined ? {} : { refuse: gatekeeper(parsed.check.gate), reports: parsed.check.reports }) };
  },
  check: async (raw, { context, env, files }) => {
    const parsed = await parseCheck(raw, env, files);
    return { run: async () => (await runs()).runCheck(parsed, context), refuse: gatekeeper(parsed.gate), reports: parsed.reports };
  },
  list: (raw, { context, env }) => {
    const parsed = parseList(raw, env);
    return { run: async () => (await runs()).runList(parsed, context) };
  },
  vulnerabilities: async (raw, { context, env, files }) => {
    const parsed = await parseVulnerabilities(raw, env, files);
    return { run: async () => (await runs()).runVulnerabilities(parsed, context) };
  },
  setup: async (raw, { context, env, files }) => {
    const parsed = await parseSetup(raw, env, files);
    return { run: async () => (await runs()).runSetup(parsed, context) };
  },
  audit: async (raw, { context, env, files }) => {
    const parsed = await parseAudit(raw, env, files);
    return { run: async () => (await runs()).runAudit(parsed, context) };
  },
  rotate: async (raw, { context, env, files }) => {
    const parsed = await parseRotate(raw, env, files);
    return { run: async () => (await runs()).runRotate(parsed, context) };
  },
  doctor: async (raw, { context, env, files }) => {
    const parsed = await parseDoctor(raw, env, files);
    return { run: async () => (await runs()).runDoctor(parsed, context) };
  },
};
