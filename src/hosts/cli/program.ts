// SPDX-License-Identifier: Apache-2.0
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { BinauthzError } from '../../core/errors.js';
import type { Program, ProgramResult } from '../../ports/program.js';
import type { Env } from '../context.js';
import { cancelled } from '../outcome.js';
import { overdue, PROGRAM_LIMIT_MS } from '../program-limit.js';

/** Runs programs without a shell, in this environment and no other, for a limited time; a cancelled run ends them. */
export function createProgram(env: Env, cancelledBy: AbortSignal, limitMs = PROGRAM_LIMIT_MS): Program {
  return {
    async run(command, args, stdin) {
      const limit = AbortSignal.timeout(limitMs);
      const signal = AbortSignal.any([cancelledBy, limit]);
      try {
        return await run(() => spawn(command, [...args], { env: { ...env }, stdio: 'pipe', signal }), { command, stdin, signal });
      } catch (thrown) {
        throw limit.aborted && !cancelledBy.aborted ? overdue(command, limitMs) : thrown;
      }
    },
  };
}

interface Run {
  readonly command: string;
  readonly stdin: string;
  readonly signal: AbortSignal;
}

function run(start: () => ChildProcessWithoutNullStreams, { command, stdin, signal }: Run): Promise<ProgramResult> {
  return new Promise((resolve, reject) => {
    const child = start();
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    child.on('error', (cause) => reject(failure(command, cause)));
    // What it left behind may hold its output open, and is not ours to end.
    const abandon = (): void => {
      child.stdout.destroy();
      child.stderr.destroy();
      reject(cancelled());
    };
    signal.addEventListener('abort', abandon, { once: true });
    child.on('close', (code, killedBy) => {
      signal.removeEventListener('abort', abandon);
      if (code === null)
        reject(new BinauthzError('UNAVAILABLE', `cannot use ${command}: it was ended by ${killedBy ?? 'a signal'}`, { resource: command }));
      else resolve({ exitCode: code, stdout: textOf(stdout), stderr: textOf(stderr) });
    });
    // A program that ends without reading its input breaks the pipe; its exit code says what is to be said.
    child.stdin.on('error', () => undefined);
    child.stdin.end(stdin);
  });
}

function failure(command: string, cause: Error): BinauthzError {
  if (cause.name === 'AbortError') return cancelled();
  const reason = 'code' in cause && cause.code === 'ENOENT' ? 'it is not on PATH' : cause.message;
  return new BinauthzError('UNAVAILABLE', `cannot run ${command}: ${reason}`, {
    resource: command,
    cause,
    hint: `install ${command}, or take it out of Docker's config.json`,
  });
}

function textOf(chunks: readonly Buffer[]): string {
  return Buffer.concat(chunks).toString('utf8');
}
