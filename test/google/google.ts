// SPDX-License-Identifier: Apache-2.0
import { Secret } from '../../src/core/secret.js';
import { createGoogle, type Google, type GoogleOptions } from '../../src/google/clients.js';
import { systemTimer } from '../../src/hosts/clock.js';
import type { Reporter } from '../../src/ports/reporter.js';
import { BinauthzError } from '../../src/core/errors.js';
import { fakePace, type FakePace } from '../support/fake-pace.js';

const quiet: Reporter = { step: () => undefined, info: () => undefined, warn: () => undefined, debug: () => undefined };

/** Google on an emulator's host, or without one where the options say, in virtual time. */
export function googleOn(
  host: string | undefined,
  options: Partial<GoogleOptions> & { token?: string } = {},
): { google: Google; pace: FakePace } {
  const pace = fakePace();
  const { token, ...rest } = options;
  const identity = token === undefined ? {} : { accessToken: new Secret(token, 'TOKEN') };
  return {
    pace,
    google: createGoogle({
      ...(host === undefined ? {} : { emulatorHost: host }),
      endpointOverrides: {},
      reporter: quiet,
      pace,
      timer: systemTimer,
      ...identity,
      ...rest,
    }),
  };
}

/** The error that a promise ends with, which must be one of ours. */
export async function errorOf(promise: Promise<unknown>): Promise<BinauthzError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof BinauthzError) return error;
    throw error;
  }
  throw new Error('expected an error, got a result');
}
