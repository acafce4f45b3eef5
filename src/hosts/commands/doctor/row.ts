// SPDX-License-Identifier: Apache-2.0
import type { CommandRow } from '../../command-row.js';

export const DOCTOR: CommandRow = {
  name: 'doctor',
  usage:
    '[IMAGE...] --project P [--attestor A...] [--kms-key-version NAME | --kms-key NAME | …] [--cluster LOCATION.NAME | --cloud-run-service REGION.NAME | --cloud-run-job REGION.NAME]',
  summary: 'name what is missing or wrong in a set-up, and the command that fixes it',
  details: [
    'Put it before the attestors, keys, images and place of an attest or check that fails, or of a deployment that is denied. With keys it looks with the eyes of attest, else with those of check.',
    'Changes nothing and signs nothing. Without --attestor, the attestors that the policy requires are looked at.',
    'Exit 0 if nothing keeps that command from succeeding (warnings are shown all the same), else the code with which it would end.',
  ],
  examples: [
    'binauthz doctor --project my-project --attestor projects/my-project/attestors/built-by-ci --kms-key projects/my-project/locations/global/keyRings/ci/cryptoKeys/attest',
    'binauthz doctor us-docker.pkg.dev/my-project/apps/web@sha256:… --project my-project --cluster us-central1-a.prod',
    'binauthz doctor --project my-project --cloud-run-service europe-west1.web',
  ],
  takesImages: true,
};
