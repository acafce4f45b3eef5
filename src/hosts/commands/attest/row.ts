// SPDX-License-Identifier: Apache-2.0
import type { CommandRow } from '../../command-row.js';

export const ATTEST: CommandRow = {
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
};
