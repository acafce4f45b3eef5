// SPDX-License-Identifier: Apache-2.0
import type { CommandRow } from '../../command-row.js';

export const ROTATE: CommandRow = {
  name: 'rotate',
  usage: '--attestor A (--to-kms-key-version NAME | --to-pgp-private-key-env VAR)',
  summary: 'move an attestor and its attestations to a new key',
  details: [],
  examples: [],
  takesImages: false,
};
