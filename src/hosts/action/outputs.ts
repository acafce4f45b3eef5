// SPDX-License-Identifier: Apache-2.0
import { nameOf, parseImageReference } from '../../core/image/reference.js';
import type { AttestedImage } from '../../core/results.js';
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

/** The value of every output at the end of a run whose first image was asked for so; empty where there is nothing to tell. */
export function outputsOf(
  { result, exitCode }: Ending,
  report: string | undefined,
  firstAsked: string,
): Readonly<Record<OutputName, string>> {
  const images = result.schema === 'binauthz.attest/v1' ? result.images : [];
  const attestations = result.schema === 'binauthz.attest/v1' ? result.attestations : [];
  return {
    digest: images.slice(0, 1).find((image) => isAsked(image, firstAsked))?.digest ?? '',
    digests: images.map(({ digest }) => digest).join('\n'),
    images: images.map(({ image }) => image).join('\n'),
    attestations: attestations.flatMap(({ occurrence }) => occurrence ?? []).join('\n'),
    report: report ?? '',
    'exit-code': String(exitCode),
  };
}

// Where the first image was not found, the first result is that of another, and a job that goes on in spite of the
// failure (continue-on-error) would deploy it.
function isAsked({ image, tag, digest }: AttestedImage, asked: string): boolean {
  const parsed = parseImageReference(asked);
  if (!parsed.ok || image !== `${nameOf(parsed.reference)}@${digest}`) return false;
  return parsed.reference.digest === undefined ? parsed.reference.tag === tag : parsed.reference.digest === digest;
}
