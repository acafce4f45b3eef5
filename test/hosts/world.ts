// SPDX-License-Identifier: Apache-2.0
// Hosts without a process: words or inputs in, text and status out.
import { EventEmitter } from 'node:events';
import { BinauthzErrors, type BinauthzError } from '../../src/core/errors.js';
import { readInputs } from '../../src/hosts/action/inputs.js';
import { parseArgs } from '../../src/hosts/cli/args.js';
import { runCli } from '../../src/hosts/cli/run.js';
import { readSecrets } from '../../src/hosts/cli/secrets.js';
import type { Env } from '../../src/hosts/context.js';
import type { RawOptions } from '../../src/hosts/option-reader.js';
import type { Command } from '../../src/hosts/command-row.js';
import type { Clock } from '../../src/ports/clock.js';

export const DIGEST = `sha256:${'ab'.repeat(32)}`;
export const IMAGE = `us-docker.pkg.dev/p/r/app@${DIGEST}`;
export const ATTESTOR = 'projects/my-project/attestors/ci';
export const KEY = 'projects/my-project/locations/global/keyRings/ci/cryptoKeys/attest';
export const VERSION_1 = `${KEY}/cryptoKeyVersions/1`;

/** What the CLI makes of these words, up to the raw options. */
export function cliOptions(argv: readonly string[], env: Env = {}): RawOptions {
  const args = parseArgs(argv);
  const command = args.command?.name ?? 'demo';
  const { secrets, issues } = readSecrets(command, args.values, env);
  return { command, host: 'cli', values: args.values, secrets, issues: [...args.issues, ...issues] };
}

/** What the Action makes of these inputs. */
export function actionOptions(inputs: Readonly<Record<string, string>>, command: Command = 'attest'): RawOptions {
  return readInputs(command, { text: (name) => (inputs[name] ?? '').trim(), secret: (name) => inputs[name] ?? '' });
}

/** The issues that a parse ends with; none where it succeeds. */
export function issuesOf(parse: () => unknown): readonly BinauthzError[] {
  try {
    parse();
  } catch (thrown) {
    if (thrown instanceof BinauthzErrors) return thrown.errors;
    throw thrown;
  }
  return [];
}

/** The messages of everything that a parse which reads files ends with; none where it succeeds. */
export async function messagesOfAsync(parse: () => Promise<unknown>): Promise<readonly string[]> {
  try {
    await parse();
  } catch (thrown) {
    if (thrown instanceof BinauthzErrors) return thrown.errors.map(({ message }) => message);
    throw thrown;
  }
  return [];
}

/** The messages of a parse's issues. */
export function messagesOf(parse: () => unknown): readonly string[] {
  return issuesOf(parse).map(({ message }) => message);
}

/** Where a run in this process reads files and standard input from. */
export interface Surroundings {
  readonly cwd?: string;
  readonly stdin?: string;
  readonly clock?: Clock;
}

export interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command line that runs in this process and can be sent signals. */
export function start(
  argv: readonly string[],
  env: Record<string, string | undefined> = {},
  { cwd = process.cwd(), stdin = '', clock }: Surroundings = {},
): { readonly ended: Promise<Ran>; send(signal: 'SIGINT' | 'SIGTERM'): void; stdout(): string; readonly exits: readonly number[] } {
  const texts = { stdout: '', stderr: '' };
  const stream = (name: 'stdout' | 'stderr') => ({ write: (text: string) => void (texts[name] += text), isTerminal: false });
  const signals = new EventEmitter();
  const exits: number[] = [];
  const source = {
    on: (signal: string, listener: () => void) => signals.on(signal, listener),
    exit: (code: number) => void exits.push(code),
  };
  const streams = { stdout: stream('stdout'), stderr: stream('stderr'), readStdin: () => Promise.resolve(stdin) };
  const ended = runCli({ argv, env, ...streams, cwd, signals: source, ...(clock === undefined ? {} : { clock }) }).then((status) => ({
    status,
    ...texts,
  }));
  return { ended, send: (signal) => void signals.emit(signal), stdout: () => texts.stdout, exits };
}

/** Runs a command line in this process to its end. */
export function run(argv: readonly string[], env: Record<string, string | undefined> = {}, surroundings: Surroundings = {}): Promise<Ran> {
  return start(argv, env, surroundings).ended;
}
