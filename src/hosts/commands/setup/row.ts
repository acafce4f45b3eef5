// SPDX-License-Identifier: Apache-2.0
import type { CommandRow } from '../../command-row.js';

export const SETUP: CommandRow = {
  name: 'setup',
  usage: '--project P --attestor A --note N (--kms-key NAME | --pgp-public-key-file FILE)',
  summary: 'plan, and with --apply make, everything that Binary Authorization needs once',
  details: [
    'APIs, note, Cloud KMS key ring and key, attestor with its public key, the roles of its account and of the signers, and at last the policy. Clusters and services are never changed.',
    'Prints the plan with the commands that would do the same, and changes things only with --apply. What others made stays; what is right already is not written again, so a run that ended half-way is simply repeated.',
    'Without --policy, the default rule of the live policy is made to require the attestor, beside those that it requires already. A change that would admit what is denied now needs --allow-weakening; else exit 3.',
  ],
  examples: [
    'binauthz setup --project my-project --attestor built-by-ci --attestor-project my-project --note built-by-ci --kms-key projects/my-project/locations/global/keyRings/ci/cryptoKeys/built-by-ci --signer serviceAccount:ci@my-project.iam.gserviceaccount.com',
    'binauthz setup --project prod --attestor projects/security/attestors/built --note built --pgp-public-key-file built.asc --dry-run-rollout --apply',
  ],
  takesImages: false,
};
