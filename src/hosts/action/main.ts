// SPDX-License-Identifier: Apache-2.0
// The Action: inputs in, one command, its result in outputs, report, summary and annotations.
import * as core from '@actions/core';
import { asError, BinauthzError } from '../../core/errors.js';
import { listenForCancellation } from '../cancellation.js';
import type { RawOptions } from '../option-reader.js';
import { type Command } from '../command-row.js';
import { optionsOf } from '../options.js';
import { linesOf } from '../outcome.js';
import { runCommand, type Services } from '../run-command.js';
import { flushed } from '../streams.js';
import { VERSION } from '../version.js';
import { closingLine } from './closing-line.js';
import { readInputs, variableOf } from './inputs.js';
import { logLine } from '../log-line.js';
import { workingFolder } from '../working-folder.js';
import { masksOfKey, masksOfText } from './masking.js';
import { ACTION_COMMANDS, outputsOf, type ActionCommand, type OutputName } from './outputs.js';
import { createProgram, withoutInputs } from './program.js';
import { writeReport } from './report-file.js';
import { createReporter } from './reporter.js';
import { findRunUrl } from './run-url.js';
import { annotate, comment, markdownOf } from './telling.js';

/** Runs an Action's command over this process and ends it: with 1 whatever failed, since the runner knows no other. */
export async function runAction(verb: string): Promise<void> {
  process.on('uncaughtException', failLate);
  // Node calls it success when a promise never settles and nothing is left to wait for.
  process.on('beforeExit', failUnfinished);
  try {
    const command = ACTION_COMMANDS.find((known) => known === verb);
    if (!command) throw new Error(`binauthz ${verb}: not available in this version (${VERSION})`);
    await runNamed(command);
  } catch (thrown) {
    // Nothing may end green by accident, not even a thrown string.
    fail(thrown);
  }
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  // Idle connections of a client library may keep the process alive for minutes after its work is done.
  process.exit(process.exitCode ?? 0);
}

function fail(thrown: unknown): void {
  const error = understood(thrown);
  core.setFailed(linesOf(error).join('\n'));
  try {
    core.setOutput('exit-code' satisfies OutputName, String(error.exitCode));
  } catch {
    // The step fails in any case; the annotation above says why.
  }
}

/** As our error, also what cannot be shown: an object without a prototype has no text, and asking for it throws. */
function understood(thrown: unknown): BinauthzError {
  try {
    return asError(thrown);
  } catch {
    return asError(new Error('something was thrown that is no error'));
  }
}

/** Ends the process for what nobody awaited, but for one thing that only happens to be thrown here. */
function failLate(thrown: unknown): void {
  // The toolkit does not listen to the input of the programs that it runs: one that ends without reading it, as a
  // failing credential program may, breaks the pipe. Its exit code says what is to be said.
  if (thrown instanceof Error && 'code' in thrown && thrown.code === 'EPIPE') return;
  fail(thrown);
  process.exit(1);
}

function failUnfinished(): void {
  fail(new Error('the run stopped before its end, with nothing left to wait for'));
  process.exit(1);
}

async function runNamed(command: ActionCommand): Promise<void> {
  const raw = takeInputs(command);
  const ending = await runCommand(command, raw, connect());
  const runUrl = ending.exitCode === 2 ? undefined : await findRunUrl();
  const report = await tell('write the report', () =>
    writeReport({ ...ending.result, ...(runUrl === undefined ? {} : { run: runUrl }) }, command, process.env),
  );
  annotate(command, ending);
  if (wantsSummary(raw)) await tell('write the job summary', () => core.summary.addRaw(markdownOf(command, ending, runUrl), true).write());
  await tell('comment on the pull request', () => comment(command, raw, { ending, runUrl }));
  core.info(logLine(closingLine(command, ending, report)));
  // Last, because it may fail the step, and everything else has been said by then.
  writeOutputs(outputsOf(command, { ending, report, firstAsked: raw.values.get('image')?.[0] ?? '' }));
}

/** Writes the outputs, without which the jobs that follow would go on with nothing. UNAVAILABLE where they cannot be. */
function writeOutputs(outputs: Readonly<Partial<Record<OutputName, string>>>): void {
  try {
    for (const [name, value] of Object.entries(outputs)) core.setOutput(name, value);
  } catch (cause) {
    throw new BinauthzError('UNAVAILABLE', `cannot write the outputs of this step: ${reasonOf(cause)}`, {
      resource: 'GITHUB_OUTPUT',
      cause,
      hint: 'what was done is in the log and the report; mend the runner (its disk, its temporary folder) and run again: what is attested already is found and left alone',
    });
  }
}

/** Reads the inputs, has their secrets masked, and takes these out of the environment before anything can inherit them. */
function takeInputs(command: Command): RawOptions {
  const raw = readInputs(command, {
    text: (name) => core.getInput(name),
    secret: (name) => core.getInput(name, { trimWhitespace: false }),
  });
  for (const [name, secrets] of raw.secrets) {
    const masksOf = name.endsWith('private-key') ? masksOfKey : masksOfText;
    for (const mask of secrets.flatMap((secret) => masksOf(secret.reveal()))) core.setSecret(mask);
  }
  for (const option of optionsOf(command, 'action').filter(({ kind }) => kind === 'secret'))
    Reflect.deleteProperty(process.env, variableOf(option));
  return raw;
}

function connect(): Services {
  const env = withoutInputs(process.env);
  const cancellation = listenForCancellation({ on: (signal, listener) => process.on(signal, listener), exit: () => process.exit(1) });
  return { env, cancellation, reporter: createReporter(), program: createProgram(env), files: { cwd: workingFolder(env) } };
}

function wantsSummary(raw: RawOptions): boolean {
  return raw.values.get('summary')?.[0]?.toLowerCase() !== 'false';
}

/** Tries what only informs: the run has ended, and a full disk must not change how. */
async function tell<T>(what: string, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (thrown) {
    core.warning(`cannot ${what}: ${reasonOf(thrown)}`, { title: 'binauthz' });
    return undefined;
  }
}

function reasonOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : 'unknown reason';
}
