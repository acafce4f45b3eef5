// SPDX-License-Identifier: Apache-2.0
// What doctor found, as text for people on a terminal. Every foreign text stays on its line.
import type { DoctorFinding, DoctorResult } from '../core/operation-results.js';
import { shown } from './check-findings.js';
import type { TextStyle } from './check-text.js';

const LONGEST_TEXT = 2_000;

/** The warnings, then what stops, each with its repair, so that the worst is where the eye is. */
export function doctorText(result: DoctorResult, style: TextStyle): string {
  const { findings, assumptions, examined } = result;
  // Nothing was looked at where the run failed before it; the errors say so.
  if (result.errors && examined.length === 0) return '';
  const lines = [
    ...findings.toReversed().flatMap((finding) => findingLines(finding, style)),
    ...(assumptions.length === 0 ? [] : ['assumptions:', ...assumptions.map((text) => `  - ${one(text)}`)]),
    closingLine(result, style),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

function findingLines({ code, level, resource, message, fix, error }: DoctorFinding, style: TextStyle): readonly string[] {
  const head = `${level === 'error' ? 'error  ' : 'warning'}  ${code}  ${one(resource)}`;
  return [
    level === 'error' ? style.bad(head) : style.doubtful(head),
    `  ${one(message)}`,
    ...(error === undefined ? [] : [`  ${style.faint('ends with:')} ${error}`]),
    `  ${style.faint('fix:')}`,
    ...fix.split('\n').map((line) => `    ${visible(line)}`),
  ];
}

function closingLine({ as, findings, examined, emulator }: DoctorResult, style: TextStyle): string {
  const errors = findings.filter(({ level }) => level === 'error').length;
  const warnings = findings.length - errors;
  const mark = emulator ? ' (on the emulator: nothing of this exists in Google Cloud)' : '';
  const looked = `${count(examined.length, 'resource')} looked at with the eyes of ${as}${mark}`;
  if (errors > 0) return style.bad(`${count(errors, 'error')}, ${count(warnings, 'warning')}: ${looked}`);
  if (warnings > 0) return style.doubtful(`no errors, ${count(warnings, 'warning')}: ${looked}`);
  return style.good(`nothing is wrong: ${looked}`);
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

// A command is copied as it stands, its spaces included; only what steers a terminal is taken out.
function visible(line: string): string {
  return line.replace(/[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '\ufffd');
}

function one(text: string): string {
  return shown(text, LONGEST_TEXT);
}
