// SPDX-License-Identifier: Apache-2.0
import type { Command } from '../../command-row.js';
import { CLI, type OptionRow } from '../../option-row.js';

const SETUP: readonly Command[] = ['setup'];

/** The options that only `setup` has, and those that mean something else to it. */
export const SETUP_OPTIONS: readonly OptionRow[] = [
  {
    name: 'project',
    kind: 'text',
    value: 'PROJECT',
    commands: SETUP,
    hosts: CLI,
    help: 'The project whose policy is enforced: the one that clusters and Cloud Run services are in.',
  },
  {
    name: 'note',
    kind: 'text',
    value: 'NAME',
    commands: SETUP,
    hosts: CLI,
    help: 'The note that attestations hang on, as projects/PROJECT/notes/NAME, or as NAME in the project of the attestor.',
  },
  {
    name: 'kms-key',
    kind: 'text',
    value: 'NAME',
    commands: SETUP,
    hosts: CLI,
    help: 'The Cloud KMS key that the attestor is to trust, made where it does not exist, as projects/P/locations/L/keyRings/R/cryptoKeys/K.',
  },
  {
    name: 'pgp-public-key-file',
    kind: 'text',
    value: 'FILE',
    commands: SETUP,
    hosts: CLI,
    help: 'A file with the armored PGP public key that the attestor is to trust.',
  },
  {
    name: 'attestation-project',
    kind: 'text',
    value: 'PROJECT',
    commands: SETUP,
    hosts: CLI,
    help: 'The project that stores the attestations, by default the project of the attestor.',
  },
  {
    name: 'signer',
    kind: 'list',
    plural: 'signers',
    value: 'PRINCIPAL',
    commands: SETUP,
    hosts: CLI,
    help: 'Who may attest and check, and nothing more, as serviceAccount:EMAIL, principal://… or principalSet://….',
  },
  {
    name: 'policy',
    kind: 'text',
    value: 'FILE',
    commands: SETUP,
    hosts: CLI,
    help: 'The policy that the project is to have, as YAML or JSON, instead of the live one with the attestor required by its default rule.',
  },
  {
    name: 'dry-run-rollout',
    kind: 'flag',
    default: 'false',
    commands: SETUP,
    hosts: CLI,
    help: 'Makes the default rule log what it would deny, and deny nothing; without it a later run enforces.',
  },
  {
    name: 'allow-weakening',
    kind: 'flag',
    default: 'false',
    commands: SETUP,
    hosts: CLI,
    help: 'Lets the policy admit what it denies now.',
  },
  {
    name: 'monitoring',
    kind: 'flag',
    default: 'false',
    commands: SETUP,
    hosts: CLI,
    help: 'Makes log-based metrics and alert policies for blocked, break-glass and fail-open deployments as well.',
  },
  {
    name: 'notification-channel',
    kind: 'list',
    plural: 'notification-channels',
    value: 'NAME',
    commands: SETUP,
    hosts: CLI,
    help: 'Whom the alert policies tell, as projects/PROJECT/notificationChannels/ID; an alert without one reaches nobody.',
  },
  {
    name: 'apply',
    kind: 'flag',
    default: 'false',
    commands: SETUP,
    hosts: CLI,
    help: 'Carries the plan out; without it nothing is changed.',
  },
];
