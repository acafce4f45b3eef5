// SPDX-License-Identifier: Apache-2.0
import { meaningOf, linesOf, type Ending } from '../outcome.js';

/** The runner cuts a longer text, and keeps ten errors of a step: one for all, and a few in detail. */
const LONGEST_TEXT = 4_000;
const MOST_DETAILS = 8;

/** What a failed run says about itself: one error for all, some of them in detail, the others only in the log. */
export interface Annotations {
  readonly aggregate: string;
  readonly details: readonly string[];
  readonly logged: readonly string[];
}

/** The annotations of a failed run. */
export function annotationsOf(command: string, { errors, exitCode }: Ending): Annotations {
  const texts = errors.map((error) => linesOf(error).join('\n'));
  const [only] = texts;
  const headline = `binauthz ${command} failed with exit code ${exitCode} (${meaningOf(exitCode)})`;
  if (only !== undefined && texts.length === 1) return { aggregate: clip(`${headline}\n${only}`), details: [], logged: [] };
  const logged = texts.slice(MOST_DETAILS);
  const rest = logged.length === 0 ? '' : `; the first ${MOST_DETAILS} follow, the log and the report have all of them`;
  return { aggregate: clip(`${headline}: ${texts.length} errors${rest}`), details: texts.slice(0, MOST_DETAILS).map(clip), logged };
}

function clip(text: string): string {
  return text.length <= LONGEST_TEXT ? text : `${text.slice(0, LONGEST_TEXT - 1)}…`;
}
