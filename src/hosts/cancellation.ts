// SPDX-License-Identifier: Apache-2.0
import { setMaxListeners } from 'node:events';
import type { CancelSignal } from './outcome.js';

/** How long a cancelled run may take to bring its result home. */
const GRACE_MS = 3_000;

const EXIT_CODE: Readonly<Record<CancelSignal, number>> = { SIGINT: 130, SIGTERM: 143 };

/** Whether, and by what, a run was cancelled. */
export interface Cancellation {
  readonly signal: AbortSignal;
  /** The first signal that came. */
  receivedSignal(): CancelSignal | undefined;
}

/** The part of a process that signals arrive at. */
export interface SignalSource {
  on(signal: CancelSignal, listener: () => void): unknown;
  exit(code: number): void;
}

/** Listens for signals: the first one cancels the run, another one ends the process at once. */
export function listenForCancellation(source: SignalSource): Cancellation {
  const controller = new AbortController();
  // Every call in flight listens; Node 20 takes more than ten for a leak.
  setMaxListeners(0, controller.signal);
  let received: CancelSignal | undefined;
  const receive = (signal: CancelSignal): void => {
    if (received !== undefined) return source.exit(EXIT_CODE[signal]);
    received = signal;
    controller.abort();
  };
  source.on('SIGINT', () => receive('SIGINT'));
  source.on('SIGTERM', () => receive('SIGTERM'));
  return { signal: controller.signal, receivedSignal: () => received };
}

/** The work's value, or `instead` where a cancelled run does not come to an end within the grace time. */
export async function withinGrace<T>(work: Promise<T>, signal: AbortSignal, instead: () => T, graceMs = GRACE_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  let onAbort = (): void => undefined;
  const overdue = new Promise<T>((resolve) => {
    onAbort = () => {
      timer = setTimeout(() => resolve(instead()), graceMs);
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([work, overdue]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}
