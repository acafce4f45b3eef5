// SPDX-License-Identifier: Apache-2.0
import type { AuditEventType } from '../../../core/operation-results.js';
import type { Command } from '../../command-row.js';
import { ACTION, BOTH, type OptionRow } from '../../option-row.js';

const AUDIT: readonly Command[] = ['audit'];

/** The kinds of events in the words of `--fail-on`. */
export const EVENT_WORDS = {
  'break-glass': 'BREAK_GLASS',
  denied: 'DENIED',
  'dry-run': 'DRY_RUN',
  'fail-open': 'FAIL_OPEN',
} as const satisfies Readonly<Record<string, AuditEventType>>;

/** The formats of `--report` that an audit has. */
export const AUDIT_FORMATS = ['json', 'sarif', 'markdown'] as const;

/** The options that only `audit` has. */
export const AUDIT_OPTIONS: readonly OptionRow[] = [
  {
    name: 'project',
    kind: 'text',
    value: 'PROJECT',
    commands: AUDIT,
    hosts: BOTH,
    help: 'The project that the clusters and the Cloud Run services are in, whose logs are read.',
  },
  {
    name: 'since',
    kind: 'duration',
    value: 'DURATION',
    default: '24h',
    commands: AUDIT,
    hosts: BOTH,
    help: 'How far back the logs are read, such as 24h or 7d, and at most 400d, which is as long as Google keeps them.',
  },
  {
    name: 'fail-on',
    kind: 'list',
    plural: 'fail-on',
    value: 'EVENT',
    commands: AUDIT,
    hosts: BOTH,
    help: 'The kind of event that fails the run with exit code 3: break-glass, denied, dry-run or fail-open.',
    actionHelp: 'One kind per line.',
  },
  {
    name: 'report',
    kind: 'list',
    plural: 'reports',
    value: 'FORMAT=PATH',
    commands: AUDIT,
    hosts: BOTH,
    help: 'A file that the result of the audit is written to, whatever was found, as json, sarif or markdown.',
    actionHelp: 'One FORMAT=PATH per line.',
  },
];

/** What only the Action has. */
export const AUDIT_SUMMARY: OptionRow = {
  name: 'summary',
  kind: 'flag',
  default: 'true',
  commands: AUDIT,
  hosts: ACTION,
  help: 'Whether a job summary shows the events, what they mean, and whether a dry-run rule is ready to enforce.',
};
