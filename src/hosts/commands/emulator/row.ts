// SPDX-License-Identifier: Apache-2.0
import type { CommandRow } from '../../command-row.js';

export const EMULATOR: CommandRow = {
  name: 'emulator',
  usage: '',
  summary: 'serve the Google APIs and registries that binauthz uses on one local port, for tests and trials',
  details: [
    'Prints "listening on http://127.0.0.1:PORT", then the export lines that point binauthz and gcloud at it.',
    'Runs until SIGINT or SIGTERM and then exits 0: for a server, being stopped is the normal end.',
  ],
  examples: [
    'binauthz emulator --port 8899 --propagation-delay 2s',
    'binauthz emulator > emulator.env &   # then, once emulator.env is filled: eval "$(grep ^export emulator.env)"',
  ],
  takesImages: false,
};
