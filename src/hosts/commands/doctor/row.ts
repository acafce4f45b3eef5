// SPDX-License-Identifier: Apache-2.0
import type { CommandRow } from '../../command-row.js';

export const DOCTOR: CommandRow = {
  name: 'doctor',
  usage: '--project P --attestor A',
  summary: 'name what is missing or wrong in a set-up, and the command that fixes it',
  details: [],
  examples: [],
  takesImages: false,
};
