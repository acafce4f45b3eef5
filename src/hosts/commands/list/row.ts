// SPDX-License-Identifier: Apache-2.0
import type { CommandRow } from '../../command-row.js';

export const LIST: CommandRow = {
  name: 'list',
  usage: '[IMAGE...] (--attestor NAME... | --project P)',
  summary: 'list attestations, each with its verification result',
  details: [
    'With IMAGE: exit 0 if each image has a verified attestation of each attestor named, 7 if only unverified ones, 6 if none.',
    'Without IMAGE: every attestation of the attestors, or of the project; exit 0 once it is listed.',
  ],
  examples: ['binauthz list us-docker.pkg.dev/my-project/apps/web:1.2.3 --attestor projects/my-project/attestors/built-by-ci'],
  takesImages: true,
};
