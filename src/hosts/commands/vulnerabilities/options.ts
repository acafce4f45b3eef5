// SPDX-License-Identifier: Apache-2.0
// What `vulnerabilities` shows images by, and `attest` has them pass before it signs.
import type { Command } from '../../command-row.js';
import { BOTH, type OptionRow } from '../../option-row.js';

const JUDGING: readonly Command[] = ['attest', 'vulnerabilities'];

/** The options of the vulnerability gate. */
export const VULNERABILITIES_OPTIONS: readonly OptionRow[] = [
  {
    name: 'vulnerability-policy',
    kind: 'text',
    value: 'FILE',
    commands: JUDGING,
    hosts: BOTH,
    help: 'A vulnerability policy in a file, which every image must pass; without one, findings are shown and attest looks at none.',
  },
  {
    name: 'scan-timeout',
    kind: 'duration',
    value: 'DURATION',
    default: '10m',
    commands: JUDGING,
    hosts: BOTH,
    help: 'How long the run waits in all until Artifact Analysis has scanned the images that the vulnerability policy judges.',
  },
  {
    name: 'findings',
    kind: 'list',
    plural: 'findings',
    value: 'FILE',
    commands: JUDGING,
    hosts: BOTH,
    help: 'A report of another scanner, as Trivy JSON or occurrences of Grafeas, which is judged instead of what Artifact Analysis knows.',
    actionHelp: 'One file per line.',
  },
];
