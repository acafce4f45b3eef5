// SPDX-License-Identifier: Apache-2.0
import type { Ending } from '../outcome.js';

/** The outputs of the Action with the sentences that describe them; lists are newline-separated. */
export const OUTPUTS = {
  digest: 'The digest of the first image, as sha256:…, which holds nothing that GitHub would mask, as a name may.',
  digests: 'The digests of all images, one per line, in the order of the input.',
  images: 'The images by digest, as registry/repository@sha256:…, one per line.',
  attestations: 'The names of the attestations that were created or found, one per line.',
  report: 'The path of a JSON file with the whole result.',
  'exit-code': 'The exit code that the command line would have ended with, 0 for success.',
} as const;

/** An output's name. */
export type OutputName = keyof typeof OUTPUTS;

/** The value of every output at the end of a run; empty where there is nothing to tell. */
export function outputsOf({ result, exitCode }: Ending, report: string | undefined): Readonly<Record<OutputName, string>> {
  const images = result.schema === 'binauthz.attest/v1' ? result.images : [];
  const attestations = result.schema === 'binauthz.attest/v1' ? result.attestations : [];
  return {
    digest: images[0]?.digest ?? '',
    digests: images.map(({ digest }) => digest).join('\n'),
    images: images.map(({ image }) => image).join('\n'),
    attestations: attestations.flatMap(({ occurrence }) => occurrence ?? []).join('\n'),
    report: report ?? '',
    'exit-code': String(exitCode),
  };
}
