// SPDX-License-Identifier: Apache-2.0
// The options of `check`, most of which `attest` has too, for the check at its end.
import type { Command } from '../../command-row.js';
import { ACTION, BOTH, CLI, type OptionRow } from '../../option-row.js';

const ATTEST: readonly Command[] = ['attest'];
const CHECK: readonly Command[] = ['check'];
const ATTEST_AND_CHECK: readonly Command[] = ['attest', 'check'];
const PLACED: readonly Command[] = ['attest', 'check', 'doctor'];

/** Whether, and how strictly, attest checks at its end. */
export const CHECK_MODES = ['off', 'warn', 'enforce'] as const;
/** Where images would run, in the words of `--platform`. */
export const PLATFORMS = ['gke', 'cloud-run'] as const;

/** The options that say what is checked, under which policy, and for which target. */
export const CHECK_OPTIONS: readonly OptionRow[] = [
  {
    name: 'check',
    kind: 'choice',
    value: 'MODE',
    choices: CHECK_MODES,
    default: 'off',
    commands: ATTEST,
    hosts: BOTH,
    help: 'Whether the run ends with a check that the policy admits the images: off, warn (a denial is only a warning), or enforce (a denial fails the run).',
  },
  {
    name: 'check-project',
    kind: 'text',
    value: 'PROJECT',
    commands: ATTEST,
    hosts: BOTH,
    help: 'The project whose policy the check at the end evaluates, by default the project that stores the attestations, or else the one of the attestors.',
  },
  {
    name: 'manifest',
    kind: 'list',
    plural: 'manifests',
    value: 'FILE',
    short: 'f',
    commands: ATTEST_AND_CHECK,
    hosts: BOTH,
    help: 'Kubernetes or Cloud Run manifests whose images are checked: a file, a folder (its .yaml, .yml and .json files at any depth, but for folders that begin with a dot and node_modules), or a pattern with *, **, ? or […]; on the command line also - for standard input.',
    actionHelp: 'One file, folder or pattern per line, relative to the workspace.',
  },
  {
    name: 'image-list',
    kind: 'list',
    plural: 'image-lists',
    value: 'FILE',
    commands: CHECK,
    hosts: CLI,
    help: 'A file of images that are checked: one per line, or the build artifacts of skaffold, or the metadata of docker buildx.',
  },
  {
    name: 'policy',
    kind: 'text',
    value: 'FILE',
    commands: ATTEST_AND_CHECK,
    hosts: BOTH,
    help: 'A policy in a file, as YAML or JSON, that is evaluated instead of the one that the project has now.',
  },
  {
    name: 'platform-policy',
    kind: 'list',
    plural: 'platform-policies',
    value: 'NAME',
    commands: ATTEST_AND_CHECK,
    hosts: BOTH,
    help: 'The GKE platform policy that is asked about the manifests as well, as projects/P/platforms/gke/policies/X; what it says is shown, and decides nothing.',
    actionHelp: 'One policy per line.',
  },
  {
    // No default in the table: a platform that is given decides for some manifests too, one that is not does not.
    name: 'platform',
    kind: 'choice',
    value: 'PLATFORM',
    choices: PLATFORMS,
    commands: PLACED,
    hosts: BOTH,
    help: 'Where images that no manifest mentions would run, gke or cloud-run, by default gke; a manifest says for itself where it runs.',
  },
  {
    name: 'cluster',
    kind: 'text',
    value: 'LOCATION.NAME',
    commands: PLACED,
    hosts: BOTH,
    help: 'The cluster that the images would run on, as LOCATION.NAME, such as us-central1-a.prod, or global.MEMBERSHIP for a fleet.',
  },
  {
    name: 'namespace',
    kind: 'text',
    value: 'NAMESPACE',
    commands: PLACED,
    hosts: BOTH,
    help: 'The Kubernetes namespace where the manifest names none.',
  },
  {
    name: 'service-account',
    kind: 'text',
    value: 'NAME',
    commands: PLACED,
    hosts: BOTH,
    help: 'The Kubernetes service account where the manifest names none.',
  },
  {
    name: 'require-attested',
    kind: 'text',
    value: 'FILE',
    commands: ATTEST_AND_CHECK,
    hosts: BOTH,
    help: 'A file of the images that this pipeline attested, such as the report of attest; every other image is denied.',
  },
  {
    name: 'strict',
    kind: 'flag',
    default: 'false',
    commands: ATTEST_AND_CHECK,
    hosts: BOTH,
    help: 'Accepts no verdict but ALLOWED: dry-run rules, break-glass and targets that enforce nothing fail as well.',
  },
  {
    name: 'report',
    kind: 'list',
    plural: 'reports',
    value: 'FORMAT=PATH',
    commands: ['attest', 'check', 'vulnerabilities'],
    hosts: BOTH,
    help: 'A file that the result is written to, whatever the verdict, as json, sarif, junit or markdown; attest without a check or a vulnerability policy has no verdict, and writes json alone.',
    actionHelp: 'One FORMAT=PATH per line.',
  },
];

/** The IMAGE and the project of `check`, which mean something else than those of `attest`. */
export const CHECKED_IMAGE: OptionRow = {
  name: 'image',
  kind: 'list',
  plural: 'images',
  value: 'IMAGE',
  positional: true,
  commands: CHECK,
  hosts: BOTH,
  help: 'The image, exactly as the manifest would write it.',
  actionHelp: 'One image per line, beside or instead of manifests.',
};

/** The project of `check`. */
export const CHECKED_PROJECT: OptionRow = {
  name: 'project',
  kind: 'text',
  value: 'PROJECT',
  commands: CHECK,
  hosts: BOTH,
  help: 'The project whose policy is enforced where the images would run.',
};

/** How long `check` waits, which is not at all unless it is told. */
export const CHECKED_WAIT: OptionRow = {
  name: 'wait-timeout',
  kind: 'duration',
  value: 'DURATION',
  default: '0s',
  commands: CHECK,
  hosts: BOTH,
  help: 'How long the run waits for attestations that are missing, where nothing else stands in the way.',
};

/** What only the Action has, for a pull request. */
export const COMMENT_OPTIONS: readonly OptionRow[] = [
  {
    name: 'comment-on-pr',
    kind: 'flag',
    default: 'false',
    commands: ATTEST_AND_CHECK,
    hosts: ACTION,
    help: 'Whether the verdict is written into one comment of the pull request, which later runs update and which never fails the step.',
  },
  {
    name: 'github-token',
    kind: 'secret',
    value: 'VAR',
    default: '${{ github.token }}',
    commands: ATTEST_AND_CHECK,
    hosts: ACTION,
    help: 'The token that writes the comment, which needs the permission pull-requests: write.',
  },
];
