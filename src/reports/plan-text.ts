// SPDX-License-Identifier: Apache-2.0
// The plan of a set-up or a rotation as text for people on a terminal. Every foreign text stays on its line.
import type { PlannedChange, PlanResult } from '../core/operation-results.js';
import { shown } from './check-findings.js';
import type { TextStyle } from './check-text.js';
import { rotatedImageLines } from './rotated-images-text.js';

const LONGEST_TEXT = 2_000;

/** The changes by their numbers, each with the command that would do the same; then images; then how it stands. */
export function planText(result: PlanResult, style: TextStyle): string {
  const lines = [
    ...result.changes.flatMap((change, index) => changeLines(change, index + 1, style)),
    ...(result.images === undefined ? [] : rotatedImageLines(result, style)),
    ...(result.changes.length === 0 || result.images !== undefined ? [] : [closingLine(result, style)]),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

function changeLines(
  { resource, action, status, summary, details = [], gcloud, error }: PlannedChange,
  number: number,
  style: TextStyle,
): readonly string[] {
  const head = `${String(number).padStart(2)}. ${action.padEnd(6)}  ${status.padEnd(7)}  ${one(resource)}`;
  const isToDo = action !== 'none' && status !== 'done';
  return [
    painted(head, action, status, style),
    `      ${one(summary)}`,
    ...details.map((detail) => `      - ${one(detail)}`),
    ...(error === undefined ? [] : [`      ${style.bad(`${error.code}: ${one(error.message)}`)}`]),
    ...(isToDo ? gcloud.split('\n').map((line) => `      ${style.faint(visible(line))}`) : []),
  ];
}

function painted(text: string, action: PlannedChange['action'], status: PlannedChange['status'], style: TextStyle): string {
  if (status === 'failed') return style.bad(text);
  if (status === 'skipped') return style.doubtful(text);
  if (action === 'none') return style.faint(text);
  return status === 'done' ? style.good(text) : text;
}

function closingLine(result: PlanResult, style: TextStyle): string {
  const { changes, applied, emulator } = result;
  const open = changes.filter(({ action, status }) => action !== 'none' && status !== 'done').length;
  const done = changes.filter(({ action, status }) => action !== 'none' && status === 'done').length;
  const mark = emulator ? ' (on the emulator: nothing of this exists in Google Cloud)' : '';
  if (changes.some(({ status }) => status === 'failed')) return style.bad(`not finished: ${done} done, ${open} open${mark}`);
  if (open > 0) return `${open} to do, nothing was changed; --apply carries it out${mark}`;
  if (applied && done > 0) return style.good(`done: ${done} made or changed${mark}`);
  return style.good(`nothing to do: everything is as wanted${mark}`);
}

// A command is copied as it stands, its spaces included; only what steers a terminal is taken out.
function visible(line: string): string {
  return line.replace(/[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '\ufffd');
}

function one(text: string): string {
  return shown(text, LONGEST_TEXT);
}
