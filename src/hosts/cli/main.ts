// SPDX-License-Identifier: Apache-2.0
// The real process as the CLI's world: streams that survive a closed reader, and an end that loses no output.
import { asError, BinauthzError } from '../../core/errors.js';
import { logLine } from '../log-line.js';
import { linesOf } from '../outcome.js';
import { flushed } from '../streams.js';
import { workingFolder } from '../working-folder.js';
import { renderErrors } from './lines.js';
import { runCli } from './run.js';
import { styleFor } from './terminal.js';
import type { TextStream } from './world.js';

/** Runs the CLI over this process and ends it. */
export async function runProcess(): Promise<void> {
  process.on('uncaughtException', crash);
  // Node calls it success when a promise never settles and nothing is left to wait for.
  process.on('beforeExit', () => crash(new Error('the run stopped before its end, with nothing left to wait for')));
  const argv = process.argv.slice(2);
  quietNode(argv.includes('--verbose'));
  const lost = lossOf(process.stdout);
  const ended = await runCli({
    argv,
    env: process.env,
    stdout: textStream(process.stdout),
    stderr: textStream(process.stderr),
    readStdin,
    cwd: workingFolder(process.env),
    signals: { on: (signal, listener) => process.on(signal, listener), exit: (code) => process.exit(code) },
  });
  process.exitCode = ended;
  await flushed(process.stdout);
  // The stream tells its failure in an event of its own.
  await new Promise(setImmediate);
  const status = ended === 0 && lost() !== undefined ? 1 : ended;
  reportLoss(lost());
  await flushed(process.stderr);
  // Idle connections of a client library may keep the process alive for minutes after its work is done.
  process.exit(status);
}

async function readStdin(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

/** Ends the process for what nobody awaited; Node itself would print the source line, which in a bundle is endless. */
function crash(thrown: unknown): void {
  process.stderr.write(obeyedByNobody(`${linesOf(asError(thrown)).join('\n')}\n`));
  process.exit(1);
}

// Libraries warn through Node itself (an unreachable metadata server, a deprecation); the run says what matters.
function quietNode(isVerbose: boolean): void {
  process.removeAllListeners('warning');
  process.on('warning', ({ name, message }) => {
    if (isVerbose && process.stderr.writable) process.stderr.write(obeyedByNobody(`  debug: ${name}: ${message}\n`));
  });
}

/** Why what was written to a stream is lost, e.g. a full disk; undefined where nothing is, or where its reader went away. */
function lossOf(stream: NodeJS.WriteStream): () => string | undefined {
  let lost: string | undefined;
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') lost ??= error.message;
  });
  return () => lost;
}

// A script that finds an empty or a cut file must not find a success beside it.
function reportLoss(reason: string | undefined): void {
  if (reason === undefined || !process.stderr.writable) return;
  const hint = 'make room, or send the output elsewhere, and run again: whatever was posted already is found and left alone';
  const error = new BinauthzError('INTERNAL', `cannot write the result to standard output: ${reason}`, {
    resource: 'standard output',
    hint,
  });
  process.stderr.write(renderErrors([error], styleFor(process.stderr.isTTY, process.env['NO_COLOR'])));
}

// `binauthz list … | head` closes the pipe early; that is no failure of the run, and what comes after has no reader.
function textStream(stream: NodeJS.WriteStream): TextStream {
  stream.on('error', () => undefined);
  return {
    write: (text) => {
      if (text !== '' && stream.writable) stream.write(obeyedByNobody(text));
    },
    isTerminal: stream.isTTY,
  };
}

// In a step of a workflow, what this process prints is read for commands.
function obeyedByNobody(text: string): string {
  return process.env['GITHUB_ACTIONS'] === 'true' ? logLine(text) : text;
}
