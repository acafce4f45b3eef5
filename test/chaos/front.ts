// SPDX-License-Identifier: Apache-2.0
// The emulator behind a door that can be shut, with a step at each request: what no fault rule can do from inside.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { compose } from '../../src/emulator/compose.js';
import { callerAt, type TestEmulator } from '../support/emulator.js';
import type { VirtualTime } from './virtual-time.js';

/** A request as it passed the door; times are virtual. */
export interface Passage {
  readonly method: string;
  readonly path: string;
  readonly at: number;
  endedAt?: number;
}

/** Told of the requests of a run, counted from 1. */
export interface Watch {
  readonly arrives?: (count: number, passage: Passage) => void;
  /** The answer has been sent, or the connection has ended without one. */
  readonly ends?: (count: number, passage: Passage) => void;
}

/** How requests are treated from now on. */
export interface Treatment extends Watch {
  readonly latencyMs?: number;
  /** From this request on (0: from now on), connections are refused for so long. */
  readonly refuse?: { readonly request: number; readonly forMs: number } | undefined;
}

/** An emulator in this process. */
export interface Front {
  /** `127.0.0.1:PORT`, for the product. */
  readonly host: string;
  /** The same emulator by another door, which is always open and has no steps. */
  readonly emulator: TestEmulator;
  /** Replaces the fault document. */
  setFaults(document: unknown): void;
  /** Begins a new count, and answers the list in which the requests will be. */
  treat(treatment: Treatment): Promise<readonly Passage[]>;
  /** Waits until the door is open and everything has been answered, also what nobody waits for any more. */
  settle(): Promise<void>;
  /** What the emulator's own request log holds since the last treatment, as text. */
  requestLog(): string;
}

export async function openFront(time: VirtualTime): Promise<Front> {
  const { dispatcher, faults } = compose({ clock: time.emulatorClock, latencyMs: 0, propagationDelayMs: 0 });
  let treatment: Treatment = {};
  let passages: Passage[] = [];
  let opening: Promise<void> | undefined;
  const underway = new Set<Promise<void>>();

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { latencyMs = 0, refuse, arrives, ends } = treatment;
    const passage: Passage = { method: request.method ?? '', path: (request.url ?? '').replace(/\?.*$/, ''), at: time.now() };
    const count = passages.push(passage);
    arrives?.(count, passage);
    response.once('close', () => {
      passage.endedAt = time.now();
      ends?.(count, passage);
    });
    if (count === refuse?.request) return void shut(refuse.forMs);
    if (latencyMs > 0) await time.emulatorClock.sleep(latencyMs);
    // Lost on its way, for the door was shut behind it.
    if (request.destroyed) return;
    await dispatcher.serve(request, response);
  };
  const server = createServer((request, response) => {
    const work = serve(request, response).catch(() => void response.destroy());
    underway.add(work);
    void work.then(() => underway.delete(work));
  });
  const port = await listen(server, 0);
  // Who judges does not queue with those who are judged.
  const backDoor = createServer((request, response) => void dispatcher.serve(request, response).catch(() => response.destroy()));
  const backPort = await listen(backDoor, 0);

  const shut = (forMs: number): Promise<void> => {
    opening = close(server)
      .then(() => time.pause(forMs))
      .then(async () => void (await listen(server, port)));
    return opening;
  };

  const back = { host: `127.0.0.1:${backPort}`, port: backPort, url: `http://127.0.0.1:${backPort}` };
  return {
    host: `127.0.0.1:${port}`,
    emulator: {
      ...back,
      lastErrors: dispatcher.lastErrors,
      exportLines: () => [],
      api: callerAt(back.url),
      close: async () => void (await Promise.all([close(server), close(backDoor)])),
    },
    setFaults: (document) => faults.set(document),
    async treat(next) {
      dispatcher.forget();
      treatment = next;
      passages = [];
      if (next.refuse?.request === 0) await shutFirst(server, () => void shut(next.refuse?.forMs ?? 0));
      return passages;
    },
    async settle() {
      await opening;
      await Promise.all(underway);
    },
    requestLog: () => JSON.stringify(dispatcher.log),
  };
}

/** Shuts the door and waits until connections are refused. */
function shutFirst(server: Server, shut: () => void): Promise<void> {
  return new Promise((resolve) => {
    server.once('close', () => resolve());
    shut();
  });
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
