// SPDX-License-Identifier: Apache-2.0
import { nameOf, parseImageReference } from '../../core/image/reference.js';
import type { AttestedImage } from '../../core/results.js';
import { checkOf, type AnyResult, type Ending } from '../outcome.js';

/** The commands that are Actions. */
export const ACTION_COMMANDS = ['attest', 'check', 'audit'] as const;

/** An Action, by its command. */
export type ActionCommand = (typeof ACTION_COMMANDS)[number];

const SENTENCES = {
  digest: 'The digest of the first image, as sha256:…, which holds nothing that GitHub would mask, as a name may.',
  digests: 'The digests of all images, one per line, in the order of the input.',
  images: 'The images by digest, as registry/repository@sha256:…, one per line.',
  attestations: 'The names of the attestations that were created or found, one per line.',
  verdict:
    'The verdict of the check: ALLOWED, ALLOWED_DRY_RUN, ALLOWED_BREAK_GLASS, NOT_ENFORCED, UNKNOWN or DENIED, empty where none took place.',
  events: 'How many events were found, whatever their kind, empty where nothing was read.',
  report: 'The path of a JSON file with the whole result.',
  'exit-code': 'The exit code that the command line would have ended with, 0 for success.',
} as const;

/** An output's name. */
export type OutputName = keyof typeof SENTENCES;

const NAMES: Readonly<Record<ActionCommand, readonly OutputName[]>> = {
  attest: ['digest', 'digests', 'images', 'attestations', 'verdict', 'report', 'exit-code'],
  check: ['verdict', 'report', 'exit-code'],
  audit: ['events', 'report', 'exit-code'],
};

/** The outputs of an Action with the sentences that describe them; lists are newline-separated. */
export function outputSentences(command: ActionCommand): Readonly<Partial<Record<OutputName, string>>> {
  return Object.fromEntries(NAMES[command].map((name) => [name, SENTENCES[name]]));
}

/** How a run ended, and where its report is. */
export interface Ended {
  readonly ending: Ending;
  readonly report: string | undefined;
  /** The first image that was asked for. */
  readonly firstAsked: string;
}

/** The value of every output at the end of a run; empty where there is nothing to tell. */
export function outputsOf(command: ActionCommand, ended: Ended): Readonly<Partial<Record<OutputName, string>>> {
  const values = valuesOf(ended);
  return Object.fromEntries(NAMES[command].map((name) => [name, values[name]]));
}

function valuesOf({ ending: { result, exitCode }, report, firstAsked }: Ended): Readonly<Record<OutputName, string>> {
  const images = result.schema === 'binauthz.attest/v1' ? result.images : [];
  const attestations = result.schema === 'binauthz.attest/v1' ? result.attestations : [];
  return {
    digest: images.slice(0, 1).find((image) => isAsked(image, firstAsked))?.digest ?? '',
    digests: images.map(({ digest }) => digest).join('\n'),
    images: images.map(({ image }) => image).join('\n'),
    attestations: attestations.flatMap(({ occurrence }) => occurrence ?? []).join('\n'),
    verdict: verdictOf(result),
    events: result.schema === 'binauthz.audit/v1' && result.since !== '' ? String(result.events.length) : '',
    report: report ?? '',
    'exit-code': String(exitCode),
  };
}

// A run that failed before it judged anything has decided nothing, not even that nothing can be known.
function verdictOf(result: AnyResult): string {
  const check = checkOf(result);
  return check === undefined || (result.errors && check.images.length === 0) ? '' : check.verdict;
}

// Where the first image was not found, the first result is that of another, and a job that goes on in spite of the
// failure (continue-on-error) would deploy it.
function isAsked({ image, tag, digest }: AttestedImage, asked: string): boolean {
  const parsed = parseImageReference(asked);
  if (!parsed.ok || image !== `${nameOf(parsed.reference)}@${digest}`) return false;
  return parsed.reference.digest === undefined ? parsed.reference.tag === tag : parsed.reference.digest === digest;
}
