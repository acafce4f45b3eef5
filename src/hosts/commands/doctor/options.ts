// SPDX-License-Identifier: Apache-2.0
import type { Command } from '../../command-row.js';
import { CLI, type OptionRow } from '../../option-row.js';

const DOCTOR: readonly Command[] = ['doctor'];

/** The options that only `doctor` has, and those that mean something else to it. */
export const DOCTOR_OPTIONS: readonly OptionRow[] = [
  {
    name: 'project',
    kind: 'text',
    value: 'PROJECT',
    commands: DOCTOR,
    hosts: CLI,
    help: 'The project whose policy is enforced where the images run.',
  },
  {
    name: 'attestation-project',
    kind: 'text',
    value: 'PROJECT',
    commands: DOCTOR,
    hosts: CLI,
    help: 'The project that stores the attestations, by default the project of each attestor.',
  },
  {
    name: 'cloud-run-service',
    kind: 'text',
    value: 'NAME',
    commands: DOCTOR,
    hosts: CLI,
    help: 'The Cloud Run service that the images would run as, as REGION.NAME, such as europe-west1.web, in the place of a cluster.',
  },
  {
    name: 'cloud-run-job',
    kind: 'text',
    value: 'NAME',
    commands: DOCTOR,
    hosts: CLI,
    help: 'The Cloud Run job that the images would run as, as REGION.NAME, in the place of a cluster.',
  },
  {
    name: 'signer',
    kind: 'text',
    value: 'PRINCIPAL',
    commands: DOCTOR,
    hosts: CLI,
    help: 'Who runs this, as serviceAccount:EMAIL, principal://… or principalSet://…, so that the commands which grant roles are complete.',
  },
];
