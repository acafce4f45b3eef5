// SPDX-License-Identifier: Apache-2.0
import type { Command } from '../../command-row.js';
import { CLI, type OptionRow } from '../../option-row.js';

const ROTATE: readonly Command[] = ['rotate'];

/** The options that only `rotate` has, and those that mean something else to it. */
export const ROTATE_OPTIONS: readonly OptionRow[] = [
  {
    name: 'to-kms-key-version',
    kind: 'text',
    value: 'NAME',
    commands: ROTATE,
    hosts: CLI,
    help: 'The Cloud KMS key version that the attestor is rotated to, as projects/P/locations/L/keyRings/R/cryptoKeys/K/cryptoKeyVersions/V.',
  },
  {
    name: 'to-pgp-private-key',
    kind: 'secret',
    value: 'VAR',
    commands: ROTATE,
    hosts: CLI,
    help: 'The PGP private key that the attestor is rotated to, in any form that attest takes.',
  },
  {
    name: 'project',
    kind: 'text',
    value: 'PROJECT',
    commands: ROTATE,
    hosts: CLI,
    help: 'The project that stores the new attestations, by default the project of the attestor.',
  },
  {
    name: 'manifest',
    kind: 'list',
    plural: 'manifests',
    value: 'FILE',
    short: 'f',
    commands: ROTATE,
    hosts: CLI,
    help: 'Manifests whose images are rotated, such as the output of kubectl get pods -A -o yaml: a file, a folder, a pattern, or - for standard input.',
  },
  {
    name: 'image-list',
    kind: 'list',
    plural: 'image-lists',
    value: 'FILE',
    commands: ROTATE,
    hosts: CLI,
    help: 'A file of images that are rotated, one per line or as a build tool leaves it; that one of them was never attested is an error, as for IMAGE.',
  },
  {
    name: 'image-repository',
    kind: 'list',
    plural: 'image-repositories',
    value: 'NAME',
    commands: ROTATE,
    hosts: CLI,
    help: 'A repository of Artifact Registry all of whose images are rotated, as LOCATION-docker.pkg.dev/PROJECT/REPOSITORY, or one image of it with all its versions.',
  },
  {
    name: 'shard',
    kind: 'text',
    value: 'I/N',
    commands: ROTATE,
    hosts: CLI,
    help: 'The part of the digests that this run works on, such as 2/4 for the second of four runs beside each other.',
  },
  {
    name: 'retire',
    kind: 'text',
    value: 'KEY_ID',
    commands: ROTATE,
    hosts: CLI,
    help: 'The id of the key that the attestor is to trust no longer; it stays where an image depends on it alone.',
  },
  {
    name: 'force',
    kind: 'flag',
    default: 'false',
    commands: ROTATE,
    hosts: CLI,
    help: 'Retires the key although images depend on it, which will be denied from then on.',
  },
  {
    name: 'wait-timeout',
    kind: 'duration',
    value: 'DURATION',
    default: '5m',
    commands: ROTATE,
    hosts: CLI,
    help: 'How long each new attestation is awaited to be visible to the enforcer.',
  },
  {
    name: 'apply',
    kind: 'flag',
    default: 'false',
    commands: ROTATE,
    hosts: CLI,
    help: 'Carries the plan out; without it nothing is changed.',
  },
];
