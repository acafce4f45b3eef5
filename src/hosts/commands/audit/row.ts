// SPDX-License-Identifier: Apache-2.0
import type { CommandRow } from '../../command-row.js';

export const AUDIT: CommandRow = {
  name: 'audit',
  usage: '--project P [--since 24h] [--fail-on EVENT]...',
  summary: 'report break-glass uses, denials, dry-run denials and fail-open admissions from Cloud Logging',
  details: [
    'Reads the audit logs of GKE and Cloud Run, which Google always writes, and needs roles/logging.viewer.',
    'Exit 0 after a complete read, also with no events; 3 if an event of --fail-on was found, 4 if the logs could not be read to their end.',
  ],
  examples: [
    'binauthz audit --project my-project --since 7d',
    'binauthz audit --project my-project --fail-on break-glass --fail-on fail-open --report sarif=audit.sarif',
  ],
  takesImages: false,
};
