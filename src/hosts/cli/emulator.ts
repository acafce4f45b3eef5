// SPDX-License-Identifier: Apache-2.0
import { asError, BinauthzError } from '../../core/errors.js';
import { readJsonFile } from '../files.js';
import { inputError } from '../issues.js';
import type { ParsedEmulator } from '../commands/emulator/parse.js';
import { throwIfWrong } from '../request-readers.js';

/** What serving needs of its host. */
export interface ServingHost {
  readonly print: (text: string) => void;
  /** Aborted by SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
}

/**
 * Serves until it is stopped. Being stopped is how a server ends well, so it simply returns. Throws BinauthzErrors with
 * everything that is wrong with the settings and with the file of faults.
 */
export async function serveEmulator(settings: ParsedEmulator, { print, signal }: ServingHost): Promise<void> {
  const { port, latencyMs, propagationDelayMs } = settings;
  const faults = await readFaults(settings);
  throwIfWrong(settings.reader);
  const { startEmulator } = await import('../../emulator/server.js');
  const emulator = await startEmulator({ port, latencyMs, propagationDelayMs, ...(faults === undefined ? {} : { faults }) }).catch(
    (thrown: unknown) => {
      throw startFailure(thrown, port);
    },
  );
  print(`listening on ${emulator.url}\n${emulator.exportLines().join('\n')}\n`);
  await aborted(signal);
  await emulator.close();
}

/** The fault document of the file, if there is one; what is wrong with it is noted with the reader. */
async function readFaults({ reader, faults: file }: ParsedEmulator): Promise<unknown> {
  if (file === undefined) return undefined;
  const spelled = reader.spell('faults');
  try {
    const document = await readJsonFile(file, spelled);
    const { parseFaults } = await import('../../emulator/fault-rules.js');
    parseFaults(document);
    return document;
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : '';
    const isRefusal = /^Invalid faults/.test(reason);
    if (!isRefusal && !(thrown instanceof BinauthzError)) throw thrown;
    reader.issues.push(isRefusal ? inputError(`${spelled}: ${file}: ${reason}`, { resource: file }) : asError(thrown));
    return undefined;
  }
}

function startFailure(thrown: unknown, port: number): BinauthzError {
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
  return asError(thrown);
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
