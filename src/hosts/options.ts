// SPDX-License-Identifier: Apache-2.0
// THE option table. CLI flags, Action inputs, orb parameters, help and documents all come from its rows; a new
// command is a folder in commands/ with its row and its options, and may widen rows of others.
import { AUDIT_OPTIONS, AUDIT_SUMMARY } from './commands/audit/options.js';
import { CHECKED_IMAGE, CHECKED_PROJECT, CHECKED_WAIT, CHECK_OPTIONS, COMMENT_OPTIONS } from './commands/check/options.js';
import type { Command } from './command-row.js';
import { COMMANDS } from './commands.js';
import { DOCTOR_OPTIONS } from './commands/doctor/options.js';
import { ROTATE_OPTIONS } from './commands/rotate/options.js';
import { SETUP_OPTIONS } from './commands/setup/options.js';
import { VULNERABILITIES_OPTIONS } from './commands/vulnerabilities/options.js';
import { ACTION, BOTH, CLI, type Host, type OptionRow } from './option-row.js';

export type { Host, OptionKind, OptionRow } from './option-row.js';

const ATTEST: readonly Command[] = ['attest'];
const SIGNING: readonly Command[] = ['attest', 'doctor'];
const ATTEST_AND_CHECK: readonly Command[] = ['attest', 'check'];
const ON_GOOGLE: readonly Command[] = ['attest', 'check', 'list', 'vulnerabilities', 'setup', 'audit', 'rotate', 'doctor'];
const EMULATOR: readonly Command[] = ['emulator'];
const EVERY: readonly Command[] = COMMANDS.map(({ name }) => name);

/** Every option of this version, in the order of help and metadata. */
export const OPTIONS: readonly OptionRow[] = [
  {
    name: 'image',
    kind: 'list',
    plural: 'images',
    value: 'IMAGE',
    positional: true,
    commands: ['attest', 'list', 'vulnerabilities', 'rotate', 'doctor'],
    hosts: BOTH,
    help: 'The image, as registry/repository:tag, registry/repository@sha256:…, or both, in which case the digest decides.',
    actionHelp:
      'One image per line. A step output that contains a masked text arrives empty from another job: pass the bare digest and write the name here.',
  },
  CHECKED_IMAGE,
  {
    name: 'attestor',
    kind: 'list',
    plural: 'attestors',
    value: 'NAME',
    commands: ['attest', 'list', 'setup', 'rotate', 'doctor'],
    hosts: BOTH,
    help: 'The attestor, as projects/PROJECT/attestors/NAME, or as NAME together with the attestor project.',
    actionHelp: 'One attestor per line.',
  },
  {
    name: 'attestor-project',
    kind: 'text',
    value: 'PROJECT',
    commands: ['attest', 'list', 'setup', 'rotate', 'doctor'],
    hosts: BOTH,
    help: 'The project of the attestors that are given by their short name.',
  },
  {
    name: 'kms-key-version',
    kind: 'list',
    plural: 'kms-key-versions',
    value: 'NAME',
    commands: SIGNING,
    hosts: BOTH,
    help: 'The Cloud KMS key version that signs, as projects/P/locations/L/keyRings/R/cryptoKeys/K/cryptoKeyVersions/V.',
    actionHelp: 'One key version per line.',
  },
  {
    name: 'kms-key',
    kind: 'list',
    plural: 'kms-keys',
    value: 'NAME',
    commands: SIGNING,
    hosts: BOTH,
    help: 'The Cloud KMS key whose newest enabled version that the attestor trusts signs, as projects/P/locations/L/keyRings/R/cryptoKeys/K.',
    actionHelp: 'One key per line.',
  },
  {
    name: 'pgp-private-key',
    kind: 'secret',
    value: 'VAR',
    several: true,
    commands: SIGNING,
    hosts: BOTH,
    help: 'The PGP private key that signs: the base64 of the armored or binary key, the armored key itself, or one line with \\n escapes.',
  },
  {
    name: 'pgp-passphrase',
    kind: 'secret',
    value: 'VAR',
    commands: ['attest', 'rotate', 'doctor'],
    hosts: BOTH,
    help: 'The passphrase of the PGP private key, where it has one.',
  },
  {
    name: 'pkix-private-key',
    kind: 'secret',
    value: 'VAR',
    several: true,
    commands: SIGNING,
    hosts: BOTH,
    help: 'The PKIX private key that signs: a PEM, the base64 of one, or one line with \\n escapes.',
  },
  {
    name: 'project',
    kind: 'text',
    value: 'PROJECT',
    commands: ATTEST,
    hosts: BOTH,
    help: 'The project that stores the attestations, by default the project of each attestor.',
  },
  {
    name: 'project',
    kind: 'text',
    value: 'PROJECT',
    commands: ['list'],
    hosts: CLI,
    help: 'The project whose stored attestations are listed, instead of those of attestors.',
  },
  CHECKED_PROJECT,
  {
    name: 'multi-platform',
    kind: 'choice',
    value: 'MODE',
    choices: ['both', 'index', 'children'],
    default: 'both',
    commands: ATTEST,
    hosts: BOTH,
    help: 'Which digests of a multi-platform image are attested: both, only its index, or only the images of its platforms (children).',
  },
  {
    name: 'wait-timeout',
    kind: 'duration',
    value: 'DURATION',
    default: '5m',
    commands: ATTEST,
    hosts: BOTH,
    help: 'How long the run waits in all until the attestations are visible to the enforcer.',
  },
  CHECKED_WAIT,
  {
    name: 'no-wait',
    kind: 'flag',
    default: 'false',
    commands: ATTEST,
    hosts: BOTH,
    help: 'Ends the run as soon as the attestations are stored, without waiting until they are visible.',
  },
  {
    name: 'dry-run',
    kind: 'flag',
    default: 'false',
    commands: ATTEST,
    hosts: BOTH,
    help: 'Reports what would be attested, and signs and stores nothing; a check at the end does not take place.',
  },
  ...VULNERABILITIES_OPTIONS,
  ...CHECK_OPTIONS,
  ...SETUP_OPTIONS,
  ...AUDIT_OPTIONS,
  ...ROTATE_OPTIONS,
  ...DOCTOR_OPTIONS,
  {
    name: 'port',
    kind: 'port',
    value: 'PORT',
    default: '8899',
    commands: EMULATOR,
    hosts: CLI,
    help: 'The port to listen on, where 0 picks a free one.',
  },
  {
    name: 'latency',
    kind: 'duration',
    value: 'DURATION',
    default: '0ms',
    commands: EMULATOR,
    hosts: CLI,
    help: 'How long the emulator waits before it answers each request.',
  },
  {
    name: 'propagation-delay',
    kind: 'duration',
    value: 'DURATION',
    default: '0s',
    commands: EMULATOR,
    hosts: CLI,
    help: 'How long a new attestation stays invisible in listings.',
  },
  {
    name: 'faults',
    kind: 'text',
    value: 'FILE',
    commands: EMULATOR,
    hosts: CLI,
    help: 'A JSON file of faults that the emulator plays, as for POST /_emulator/faults.',
  },
  {
    name: 'access-token',
    kind: 'secret',
    value: 'VAR',
    commands: ON_GOOGLE,
    hosts: BOTH,
    help: 'The OAuth access token that is used instead of Application Default Credentials.',
  },
  {
    name: 'summary',
    kind: 'flag',
    default: 'true',
    commands: ATTEST_AND_CHECK,
    hosts: ACTION,
    help: 'Whether a job summary shows what was attested, what would be denied and why, and what failed.',
  },
  AUDIT_SUMMARY,
  ...COMMENT_OPTIONS,
  {
    name: 'output',
    kind: 'choice',
    value: 'FORMAT',
    choices: ['text', 'json'],
    default: 'text',
    commands: EVERY,
    hosts: CLI,
    help: 'The form of the result on standard output.',
  },
  {
    name: 'quiet',
    kind: 'flag',
    default: 'false',
    commands: EVERY,
    hosts: CLI,
    help: 'Says nothing but warnings and errors on standard error.',
  },
  { name: 'verbose', kind: 'flag', default: 'false', commands: EVERY, hosts: CLI, help: 'Says more on standard error.' },
  { name: 'help', kind: 'flag', default: 'false', short: 'h', commands: EVERY, hosts: CLI, help: 'Prints this help.' },
  { name: 'version', kind: 'flag', default: 'false', commands: EVERY, hosts: CLI, help: 'Prints the version.' },
];

/** The options of a command on a host. */
export function optionsOf(command: Command, host: Host): readonly OptionRow[] {
  return OPTIONS.filter((option) => option.commands.includes(command) && option.hosts.includes(host));
}

/** The options that every command has on a host. */
export function commonOptions(host: Host): readonly OptionRow[] {
  return OPTIONS.filter((option) => option.hosts.includes(host) && COMMANDS.every(({ name }) => option.commands.includes(name)));
}

/** An option's name as users of a host write it, without dashes: `kms-keys`, `pgp-private-key-env`. */
export function nameOn(option: OptionRow, host: Host): string {
  if (host === 'action') return option.plural ?? option.name;
  return option.kind === 'secret' ? `${option.name}-env` : option.name;
}
