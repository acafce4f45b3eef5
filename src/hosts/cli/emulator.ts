// SPDX-License-Identifier: Apache-2.0
import { asError, type BinauthzError } from '../../core/errors.js';
import { readJsonFile } from '../files.js';
import { inputError } from '../issues.js';
import type { ParsedEmulator } from '../commands/emulator/parse.js';

/** What serving needs of its host. */
export interface ServingHost {
  readonly print: (text: string) => void;
  /** Aborted by SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
}

/** Serves until it is stopped. Being stopped is how a server ends well, so it simply returns. */
export async function serveEmulator(settings: ParsedEmulator, { print, signal }: ServingHost): Promise<void> {
  const { port, latencyMs, propagationDelayMs } = settings;
  const faults = settings.faults === undefined ? undefined : await readJsonFile(settings.faults, '--faults');
  const { startEmulator } = await import('../../emulator/server.js');
  const emulator = await startEmulator({ port, latencyMs, propagationDelayMs, ...(faults === undefined ? {} : { faults }) }).catch(
    (thrown: unknown) => {
      throw startFailure(thrown, settings);
    },
  );
  print(`listening on ${emulator.url}\n${emulator.exportLines().join('\n')}\n`);
  await aborted(signal);
  await emulator.close();
}

function startFailure(thrown: unknown, { port, faults }: ParsedEmulator): BinauthzError {
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  if (code === 'EADDRINUSE')
    return inputError(`--port: expected a free port, got ${port}, which is in use`, {
      resource: '--port',
      hint: '--port 0 picks a free one',
    });
  if (code === 'EACCES')
    return inputError(`--port: expected a port that you may listen on, got ${port}`, {
      resource: '--port',
      hint: '--port 0 picks a free one',
    });
  const reason = thrown instanceof Error ? thrown.message : String(thrown);
  if (faults !== undefined && /^Invalid faults/.test(reason)) return inputError(`--faults: ${faults}: ${reason}`, { resource: faults });
  return asError(thrown);
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
