// SPDX-License-Identifier: Apache-2.0
// The commands, as help and parsing know them; their options are in options.ts.

/** A command of this version. */
export type Command = 'attest' | 'check' | 'list' | 'emulator' | 'demo';

/** A command and how help describes it. */
export interface CommandRow {
  readonly name: Command;
  /** What follows the command's name in its usage line. */
  readonly usage: string;
  readonly summary: string;
  /** More for the command's own help. */
  readonly details: readonly string[];
  readonly examples: readonly string[];
  /** Whether IMAGE arguments may follow. */
  readonly takesImages: boolean;
}

/** The commands of this version, in the order of the help. */
export const COMMANDS: readonly CommandRow[] = [
  {
    name: 'attest',
    usage:
      'IMAGE... --attestor NAME... (--kms-key-version NAME... | --kms-key NAME... | --pgp-private-key-env VAR... | --pkix-private-key-env VAR...)',
    summary: 'sign and store attestations for images, so that Binary Authorization admits them',
    details: [
      'IMAGE is registry/repository:tag, registry/repository@sha256:…, or both; the digest decides.',
      'Each attestor is paired with a given key that it trusts, by comparing public keys. A re-run posts only what is missing.',
      'With --check, the run ends as binauthz check would: would the policy admit what was just attested?',
    ],
    examples: [
      'binauthz attest us-docker.pkg.dev/my-project/apps/web@sha256:… --attestor projects/my-project/attestors/built-by-ci \\\n      --kms-key projects/my-project/locations/global/keyRings/ci/cryptoKeys/attest',
      'PGP_KEY="$(base64 -w0 key.asc)" binauthz attest IMAGE --attestor qa --attestor-project my-project --pgp-private-key-env PGP_KEY',
      'binauthz attest IMAGE --attestor projects/my-project/attestors/built-by-ci --kms-key KEY --check enforce --cluster us-central1-a.prod',
    ],
    takesImages: true,
  },
  {
    name: 'check',
    usage: '[IMAGE...] [-f FILE]... [--image-list FILE]... --project P',
    summary: 'tell whether Binary Authorization would admit images, and what to do where it would not',
    details: [
      'IMAGE is taken exactly as a manifest would write it: GKE resolves no tags. Namespace and service account come from the manifest.',
      'Exit 0 if every image is admitted, 3 if one is denied, 4 if the verdict cannot be decided. No image at all is bad input, never a pass.',
    ],
    examples: [
      'binauthz check us-docker.pkg.dev/my-project/apps/web@sha256:… --project my-project --cluster us-central1-a.prod',
      'binauthz check -f k8s/ --project my-project --report sarif=binauthz.sarif',
      'kubectl kustomize overlays/prod | binauthz check -f - --project my-project',
      'helm template web ./chart | binauthz check -f - --project my-project --strict',
    ],
    takesImages: true,
  },
  {
    name: 'list',
    usage: '[IMAGE...] (--attestor NAME... | --project P)',
    summary: 'list attestations, each with its verification result',
    details: [
      'With IMAGE: exit 0 if each image has a verified attestation of each attestor named, 7 if only unverified ones, 6 if none.',
      'Without IMAGE: every attestation of the attestors, or of the project; exit 0 once it is listed.',
    ],
    examples: ['binauthz list us-docker.pkg.dev/my-project/apps/web:1.2.3 --attestor projects/my-project/attestors/built-by-ci'],
    takesImages: true,
  },
  {
    name: 'emulator',
    usage: '',
    summary: 'serve the Google APIs and registries that binauthz uses on one local port, for tests and trials',
    details: [
      'Prints "listening on http://127.0.0.1:PORT", then the export lines that point binauthz and gcloud at it.',
      'Runs until SIGINT or SIGTERM and then exits 0: for a server, being stopped is the normal end.',
    ],
    examples: [
      'binauthz emulator --port 8899 --propagation-delay 2s',
      'binauthz emulator > emulator.env &   # then, once emulator.env is filled: eval "$(grep ^export emulator.env)"',
    ],
    takesImages: false,
  },
  {
    name: 'demo',
    usage: '',
    summary: 'show the whole story offline, on the emulator',
    details: ['Needs neither a network nor a Google Cloud project.'],
    examples: ['binauthz demo'],
    takesImages: false,
  },
];

/** Commands of the contract that later versions bring: named, so that nobody takes their absence for a typing error. */
export const LATER_COMMANDS: readonly string[] = ['vulnerabilities', 'setup', 'audit', 'rotate', 'doctor'];
