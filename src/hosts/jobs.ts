// SPDX-License-Identifier: Apache-2.0
// Each command as a job: parsed at once, so that bad input ends before anything is composed; run later. The parsers of
// the commands around a set-up are loaded where one of them runs.
import type { Outcome } from '../usecases/outcome.js';
import { parseCheckedAttest } from './commands/attest/parse.js';
import { auditor } from './commands/audit/verdict.js';
import { gated } from './commands/check/gate.js';
import { parseCheck } from './commands/check/parse.js';
import type { Env, RunContext } from './context.js';
import type { FileWorld } from './files.js';
import type { RawOptions } from './option-reader.js';
import type { CommandResult, Refuse, ResultCommand } from './outcome.js';
import type { ReportTarget } from './report-target.js';

/** How any command ended. */
export type AnyOutcome = Outcome<CommandResult>;

/** A parsed command, ready to run. */
export interface Job {
  readonly run: () => Promise<AnyOutcome>;
  readonly refuse?: Refuse;
  /** Only ALLOWED lets the run pass, and its reports show it. */
  readonly strict?: boolean;
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
    return { run, reports: parsed.reports, ...(parsed.check === undefined ? {} : gated(parsed.check.gate)) };
  },
  check: async (raw, { context, env, files }) => {
    const parsed = await parseCheck(raw, env, files);
    return { run: async () => (await runs()).runCheck(parsed, context), ...gated(parsed.gate), reports: parsed.reports };
  },
  list: async (raw, { context, env }) => {
    const { parseList } = await import('./commands/list/parse.js');
    const parsed = parseList(raw, env);
    return { run: async () => (await runs()).runList(parsed, context) };
  },
  vulnerabilities: async (raw, { context, env, files }) => {
    const { parseVulnerabilities } = await import('./commands/vulnerabilities/parse.js');
    const { refuseVulnerable } = await import('./commands/vulnerabilities/refuse.js');
    const parsed = await parseVulnerabilities(raw, env, files);
    return { run: async () => (await runs()).runVulnerabilities(parsed, context), refuse: refuseVulnerable, reports: parsed.reports };
  },
  setup: async (raw, { context, env, files }) => {
    const { parseSetup } = await import('./commands/setup/parse.js');
    const parsed = await parseSetup(raw, env, files);
    return { run: async () => (await runs()).runSetup(parsed, context) };
  },
  audit: async (raw, { context, env }) => {
    const { parseAudit } = await import('./commands/audit/parse.js');
    const parsed = parseAudit(raw, env);
    return { run: async () => (await runs()).runAudit(parsed, context), refuse: auditor(parsed.failOn), reports: parsed.reports };
  },
  rotate: async (raw, { context, env, files }) => {
    const { parseRotate } = await import('./commands/rotate/parse.js');
    const parsed = await parseRotate(raw, env, files);
    return { run: async () => (await runs()).runRotate(parsed, context) };
  },
  doctor: async (raw, { context, env }) => {
    const { parseDoctor } = await import('./commands/doctor/parse.js');
    const { refuseUnsound } = await import('./commands/doctor/refuse.js');
    const parsed = parseDoctor(raw, env);
    return { run: async () => (await runs()).runDoctor(parsed, context), refuse: refuseUnsound };
  },
};
