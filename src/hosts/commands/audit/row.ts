// SPDX-License-Identifier: Apache-2.0
import type { CommandRow } from '../../command-row.js';

export const AUDIT: CommandRow = {
  name: 'audit',
  usage: '--project P',
  summary: 'report break-glass uses, denials, dry-run denials and fail-open admissions from Cloud Logging',
  details: [],
  examples: [],
  takesImages: false,
};
