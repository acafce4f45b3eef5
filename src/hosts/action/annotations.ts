// SPDX-License-Identifier: Apache-2.0
import * as core from '@actions/core';
import type { CheckResult } from '../../core/results.js';
import {
  countsOf,
  isWorseThanImages,
  levelOf,
  placesOf,
  repositoryPath,
  shown,
  tellingReasons,
  verdictWords,
  workloadOf,
  worstFirst,
  type CheckedSource,
  type ImagePlace,
  type Strictness,
} from '../../reports/check-findings.js';
import { meaningOf, linesOf, type Ending } from '../outcome.js';

/** The runner cuts a longer text, and keeps ten errors of a step: one for all, and a few in detail. */
const LONGEST_TEXT = 4_000;
const MOST_DETAILS = 8;
const LONGEST_PART = 600;
const MOST_REASONS = 5;
const TITLE = 'binauthz check';

/** What a failed run says about itself: one error for all, some of them in detail, the others only in the log. */
export interface Annotations {
  readonly aggregate: string;
  readonly details: readonly string[];
  readonly logged: readonly string[];
}

/** An annotation of a check, on the line of the manifest where that is known. */
export interface CheckAnnotation {
  readonly level: 'error' | 'warning';
  readonly message: string;
  readonly file?: string;
  readonly startLine?: number;
}

/** The annotations of a failed run. */
export function annotationsOf(command: string, { errors, exitCode, refusal }: Ending): Annotations {
  const texts = [...errors, ...(refusal ? [refusal] : [])].map((error) => linesOf(error).join('\n'));
  const [only] = texts;
  const headline = `binauthz ${command} failed with exit code ${exitCode} (${meaningOf(exitCode)})`;
  if (only !== undefined && texts.length === 1) return { aggregate: clip(`${headline}\n${only}`), details: [], logged: [] };
  const logged = texts.slice(MOST_DETAILS);
  const rest = logged.length === 0 ? '' : `; the first ${MOST_DETAILS} follow, the log and the report have all of them`;
  return { aggregate: clip(`${headline}: ${texts.length} errors${rest}`), details: texts.slice(0, MOST_DETAILS).map(clip), logged };
}

/** The annotations of a check: one for the whole first, then the worst few; none where everything is plainly allowed. */
export function checkAnnotations(result: CheckResult, strictness: Strictness = {}): readonly CheckAnnotation[] {
  const level = levelOf(result.verdict, strictness);
  const places = annotated(result, strictness);
  if (level === undefined && places.length === 0) return [];
  const rest = places.length > MOST_DETAILS ? `; the worst ${MOST_DETAILS} follow, the summary and the report have all of them` : '';
  const errors = isWorseThanImages(result) ? (result.errors ?? []).slice(0, MOST_REASONS) : [];
  const lines = [
    `${TITLE}: ${result.verdict}: ${countsOf(result.images)}, under ${shown(result.policy, LONGEST_PART)}${rest}`,
    ...errors.map(({ code, message }) => `${code}: ${shown(message, LONGEST_PART)}`),
  ];
  return [
    { level: level ?? 'warning', message: clip(lines.join('\n')) },
    ...places.slice(0, MOST_DETAILS).map((place) => detail(place, strictness)),
  ];
}

/** Says them in the log, where the runner picks them up. */
export function emitCheckAnnotations(annotations: readonly CheckAnnotation[]): void {
  for (const { level, message, file, startLine } of annotations) {
    const say = level === 'error' ? core.error : core.warning;
    say(message, { title: TITLE, ...(file === undefined ? {} : { file }), ...(startLine === undefined ? {} : { startLine }) });
  }
}

/** The places of what is not plainly allowed, worst first; every image is told once before any is told again. */
function annotated({ images }: CheckResult, strictness: Strictness): readonly ImagePlace[] {
  const levels = ['error', 'warning'] as const;
  return levels.flatMap((level) => {
    const places = worstFirst(images)
      .filter(({ verdict }) => levelOf(verdict, strictness) === level)
      .flatMap((image) => placesOf(image).map((place, turn) => ({ place, turn })));
    return places.toSorted((one, other) => one.turn - other.turn).map(({ place }) => place);
  });
}

function detail({ image, source }: ImagePlace, strictness: Strictness): CheckAnnotation {
  const reasons = tellingReasons(image).slice(0, MOST_REASONS);
  const lines = [
    `${verdictWords(image.verdict, strictness)}: ${shown(image.image, LONGEST_PART)}${source ? ` (${shown(workloadOf(source), LONGEST_PART)})` : ''}`,
    ...reasons.flatMap(({ code, message, hint }) => [
      `${code}: ${shown(message, LONGEST_PART)}`,
      ...(hint === undefined ? [] : [`  hint: ${shown(hint, LONGEST_PART)}`]),
    ]),
    ...(image.rule === '' ? [] : [`rule: ${shown(image.rule, LONGEST_PART)}`]),
  ];
  return { level: levelOf(image.verdict, strictness) ?? 'warning', message: clip(lines.join('\n')), ...(source ? lineIn(source) : {}) };
}

function lineIn(source: CheckedSource): { readonly file?: string; readonly startLine?: number } {
  // The runner itself makes an absolute path in the workspace relative to it.
  const file = repositoryPath(source.file) ?? (source.file.startsWith('/') ? source.file : undefined);
  return file === undefined ? {} : { file, startLine: Math.max(1, source.line) };
}

function clip(text: string): string {
  return text.length <= LONGEST_TEXT ? text : `${text.slice(0, LONGEST_TEXT - 1)}…`;
}
