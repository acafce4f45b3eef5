// SPDX-License-Identifier: Apache-2.0
// The emulator's own paths, below /_emulator/: health, reset, request log, faults, system policy.
import type { Faults } from './faults.js';
import { route, type Handler, type Route } from './router.js';
import { ApiError } from './wire.js';

/** What the admin paths reach into. */
export interface Administered {
  readonly faults: Faults;
  /** The requests so far, in order. */
  readonly requests: () => readonly unknown[];
  /** Returns everything to the state of a fresh start. */
  readonly reset: () => void;
  /** Replaces the system policy of a location and answers the stored one. */
  readonly setSystemPolicy: Handler;
}

/** The admin routes; faults and latency never touch them, and they are not logged. */
export function adminRoutes(administered: Administered): Route[] {
  return [
    route('GET', '/_emulator/health', () => ({ json: { status: 'ok' } })),
    route('POST', '/_emulator/reset', () => {
      administered.reset();
      return { json: {} };
    }),
    route('GET', '/_emulator/requests', () => ({ json: { requests: administered.requests() } })),
    route('PUT', '/_emulator/system-policy/{location}', administered.setSystemPolicy),
    route('POST', '/_emulator/faults', (call) => {
      administered.faults.set(faultDocument(call.body));
      return { json: {} };
    }),
  ];
}

/** The body as it stands: a fault's own `body` is data, whose members must not be respelt. */
function faultDocument(body: Buffer): unknown {
  if (body.length === 0) return {};
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw new ApiError('INVALID_ARGUMENT', 'Invalid faults: the body is not JSON');
  }
}
