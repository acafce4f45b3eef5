// SPDX-License-Identifier: Apache-2.0
// One run of the product, in this process over virtual time or as the shipped program.
import { spawn } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { resolve } from 'node:path';
import { runCli } from '../../src/hosts/cli/run.js';
import { DIST } from '../support/cli.js';
import { anyNode } from '../support/nodes.js';
import { plainEnvironment } from '../support/spawn.js';
import type { ProductClock } from './virtual-time.js';

/** A command line and its environment. */
export interface Command {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** How a run ended; no status where it was killed. */
export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A run under way. */
export interface Running {
  readonly ended: Promise<Ran>;
  send(signal: 'SIGTERM' | 'SIGKILL'): void;
}

/** Starts the product. What this is given to may be any product, also one with a fault of its own. */
export type Product = (command: Command, clock: ProductClock) => Running;

/** The command line in this process. SIGKILL is not to be had here. */
export const inProcess: Product = ({ argv, env }, clock) => {
  const texts = { stdout: '', stderr: '' };
  const stream = (name: 'stdout' | 'stderr') => ({ write: (text: string) => void (texts[name] += text), isTerminal: false });
  const signals = new EventEmitter();
  const ended = runCli({
    argv,
    env: { ...env },
    stdout: stream('stdout'),
    stderr: stream('stderr'),
    readStdin: () => Promise.resolve(''),
    cwd: '/',
    signals: { on: (signal, listener) => signals.on(signal, listener), exit: () => undefined },
    clock,
  }).then((status) => ({ status, ...texts }));
  return {
    ended,
    send: (signal) => {
      signals.emit(signal);
      clock.cancel();
    },
  };
};

/** The shipped program, which has a clock of its own. */
export const shipped: Product = ({ argv, env }) => {
  const child = spawn(anyNode.path, [resolve(DIST, 'cli/index.js'), ...argv], { env: { ...plainEnvironment(), ...env }, stdio: 'pipe' });
  const texts = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (texts.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (texts.stderr += text));
  child.stdin.end();
  const ended = new Promise<Ran>((finish, fail) => {
    child.on('error', fail);
    child.on('close', (status) => finish({ status, ...texts }));
  });
  return { ended, send: (signal) => void child.kill(signal) };
};
