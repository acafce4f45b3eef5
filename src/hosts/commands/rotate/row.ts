// SPDX-License-Identifier: Apache-2.0
import type { CommandRow } from '../../command-row.js';

export const ROTATE: CommandRow = {
  name: 'rotate',
  usage: '[IMAGE...] --attestor A (--to-kms-key-version NAME | --to-pgp-private-key-env VAR)',
  summary: 'move an attestor and its attestations to a new key, without a moment in which an image is denied',
  details: [
    'Has the attestor trust the new key beside the old, and attests with it every image that verifies today; one that does not is reported, never signed. Without IMAGE, lists, manifests or repositories: everything under the attestor’s note.',
    'Prints the plan, and changes things only with --apply. A run that ended early is repeated as it was; with --shard several share the work.',
    'With --retire, the old key is taken off the attestor once no image depends on it alone; else exit 3. Exit 6 or 7 where an IMAGE, or one of a list, holds no attestation that verifies.',
  ],
  examples: [
    'binauthz rotate --attestor projects/my-project/attestors/built-by-ci --to-kms-key-version KEY/cryptoKeyVersions/2',
    'binauthz rotate --attestor projects/my-project/attestors/built-by-ci --to-kms-key-version KEY/cryptoKeyVersions/2 --apply --shard 1/4',
    'kubectl get pods -A -o yaml | binauthz rotate -f - --attestor ci --attestor-project my-project --to-pgp-private-key-env NEW_KEY --apply',
    'binauthz rotate --attestor … --to-kms-key-version … --retire //cloudkms.googleapis.com/v1/KEY/cryptoKeyVersions/1 --apply',
  ],
  takesImages: true,
};
