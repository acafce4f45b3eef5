// SPDX-License-Identifier: Apache-2.0
// The images of a rotation for people on a terminal. Every foreign text stays on its line and steers nothing.
import type { DependentImage, PlanResult, RotatedImage } from '../core/operation-results.js';
import { shown } from './check-findings.js';
import type { TextStyle } from './check-text.js';

const LONGEST_TEXT = 2_000;
const MOST_DEPENDENTS = 50;
/** From what is done to what needs somebody, which stands last, where the eye is. */
const ORDER: readonly RotatedImage['status'][] = ['existing', 'attested', 'planned', 'unattested', 'posted', 'failed'];

/** The images in lines, those that need somebody further down; then what depends on other keys, and how it stands. */
export function rotatedImageLines(result: PlanResult, style: TextStyle): readonly string[] {
  const { images = [], dependents = [] } = result;
  const sorted = ORDER.flatMap((status) => images.filter((image) => image.status === status));
  return [...sorted.flatMap((image) => imageLines(image, style)), ...dependentLines(dependents, style), closingLine(result, style)];
}

function imageLines(image: RotatedImage, style: TextStyle): readonly string[] {
  const name = `${one(image.image)}${platformOf(image)}`;
  const occurrence = image.occurrence === undefined ? '' : `  ${style.faint(one(image.occurrence))}`;
  const line = `${painted(image.status, style)}  ${name}${occurrence}`;
  return image.error === undefined ? [line] : [line, `  ${image.error.code}: ${one(image.error.message)}`];
}

function dependentLines(dependents: readonly DependentImage[], style: TextStyle): readonly string[] {
  if (dependents.length === 0) return [];
  const left = dependents.length - MOST_DEPENDENTS;
  return [
    style.doubtful(`${dependents.length} still depend on other keys:`),
    ...dependents.slice(0, MOST_DEPENDENTS).map((image) => `  ${one(image.image)}${platformOf(image)}  ${one(image.keys.join(', '))}`),
    ...(left > 0 ? [`  and ${left} more: --output json lists them`] : []),
  ];
}

function closingLine({ images = [], changes, applied, errors, emulator }: PlanResult, style: TextStyle): string {
  const counts = ORDER.map((status) => [images.filter((image) => image.status === status).length, status] as const);
  const told = counts.filter(([count]) => count > 0).map(([count, status]) => `${count} ${status}`);
  const list = `images: ${told.length === 0 ? 'none' : told.join(', ')}${emulator ? ' (on the emulator: nothing of this exists in Google Cloud)' : ''}`;
  if (errors !== undefined && errors.length > 0) return style.bad(`not finished; ${list}`);
  if (applied) return style.good(`done; ${list}`);
  const isOpen = changes.some(({ status }) => status === 'planned') || images.some(({ status }) => status === 'planned');
  return isOpen ? `nothing was changed, --apply carries it out; ${list}` : style.good(`nothing to do; ${list}`);
}

function platformOf({ platform }: { readonly platform?: string }): string {
  return platform === undefined ? '' : ` (${one(platform)})`;
}

function painted(status: RotatedImage['status'], style: TextStyle): string {
  const cell = status.padEnd('unattested'.length);
  if (status === 'failed') return style.bad(cell);
  if (status === 'posted' || status === 'unattested') return style.doubtful(cell);
  return status === 'planned' ? cell : style.good(cell);
}

function one(text: string): string {
  return shown(text, LONGEST_TEXT);
}
