// SPDX-License-Identifier: Apache-2.0
// An emulator for a test, and the shortest way to call it.
import { startEmulator, type EmulatorOptions, type RunningEmulator } from '../../src/emulator/server.js';

/** What came back: status, headers, and the body as JSON where it is JSON. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // Tests look into answers of many shapes; a wrong path fails the assertion that uses it.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly json: any;
  readonly text: string;
}

/** A running emulator with a caller. */
export interface TestEmulator extends RunningEmulator {
  /** Sends JSON, or text as it stands; `token` is a bearer token such as `as:someone@example.com`. */
  api(method: string, path: string, body?: unknown, token?: string): Promise<Answer>;
}

/** Starts an emulator on a free port. */
export async function startTestEmulator(options: EmulatorOptions = {}): Promise<TestEmulator> {
  const emulator = await startEmulator(options);
  return { ...emulator, api: callerAt(emulator.url) };
}

/** A caller of the emulator at this address. */
export function callerAt(url: string): TestEmulator['api'] {
  return async (method, path, body, token) => {
    const response = await fetch(`${url}${path}`, {
      method,
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: parse(text) };
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
