// SPDX-License-Identifier: Apache-2.0
import type { CommandRow } from '../../command-row.js';

export const DEMO: CommandRow = {
  name: 'demo',
  usage: '',
  summary: 'show the whole story offline, on the emulator',
  details: ['Needs neither a network nor a Google Cloud project.'],
  examples: ['binauthz demo'],
  takesImages: false,
};
