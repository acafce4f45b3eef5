// SPDX-License-Identifier: Apache-2.0
import { BinauthzError } from '../../core/errors.js';
import type { Program, ProgramResult } from '../../ports/program.js';
import type { Env } from '../context.js';
import { overdue, PROGRAM_LIMIT_MS } from '../program-limit.js';

/** Runs programs through the toolkit, silently, for a limited time, and in this environment only, which must hold no secret. */
export function createProgram(env: Env, limitMs = PROGRAM_LIMIT_MS): Program {
  return {
    run(command, args, stdin) {
      const limit = AbortSignal.timeout(limitMs);
      // The toolkit cannot end a program; it ends with the process.
      const late = new Promise<never>((_resolve, reject) => limit.addEventListener('abort', () => reject(overdue(command, limitMs))));
      return Promise.race([run(command, args, { stdin, env: definedOnly(env) }), late]);
    },
  };
}

/** The environment that programs inherit: the inputs, secret or not, are nobody else's business. */
export function withoutInputs(env: Env): Env {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.toUpperCase().startsWith('INPUT_')));
}

async function run(
  command: string,
  args: readonly string[],
  { stdin, env }: { readonly stdin: string; readonly env: Record<string, string> },
): Promise<ProgramResult> {
  const { getExecOutput } = await import('@actions/exec');
  try {
    // Quoted, because the toolkit splits a command line at its spaces.
    const result = await getExecOutput(`"${command}"`, [...args], { silent: true, ignoreReturnCode: true, input: Buffer.from(stdin), env });
    // The toolkit's types do not say so, but a program that a signal ended has no exit code.
    if ((result.exitCode as number | null) === null) throw new Error('it was ended by a signal');
    return result;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new BinauthzError('UNAVAILABLE', `cannot run ${command}: ${reason}`, {
      resource: command,
      cause,
      hint: `install ${command} on the runner, or take it out of Docker's config.json`,
    });
  }
}

function definedOnly(env: Env): Record<string, string> {
  return Object.fromEntries(Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}
