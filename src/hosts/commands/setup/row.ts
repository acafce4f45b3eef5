// SPDX-License-Identifier: Apache-2.0
import type { CommandRow } from '../../command-row.js';

export const SETUP: CommandRow = {
  name: 'setup',
  usage: '--project P --attestor A --note N (--kms-key NAME | --pgp-public-key-file FILE)',
  summary: 'plan, and with --apply make, everything that Binary Authorization needs once',
  details: [],
  examples: [],
  takesImages: false,
};
