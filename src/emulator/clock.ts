// SPDX-License-Identifier: Apache-2.0
// The only file of the emulator that reads the time or waits.
import type { EmulatorClock } from './world.js';

/** The machine's own time. */
export const realClock: EmulatorClock = {
  now: () => Date.now(),
  // A pending wait must not keep a closed emulator's process alive; an open connection does that while it is served.
  sleep: (ms) => new Promise((resolve) => void setTimeout(resolve, ms).unref()),
};
