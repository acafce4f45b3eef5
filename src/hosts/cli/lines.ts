// SPDX-License-Identifier: Apache-2.0
// Text on a terminal: a line each, steered by nothing but our own colours.
import type { BinauthzError } from '../../core/errors.js';
import { linesOf } from '../outcome.js';
import { printable, type Style } from './terminal.js';

/** Errors as text: a line each, with the next step below; a step that several in a row share stands below the last. */
export function renderErrors(errors: readonly BinauthzError[], style: Style): string {
  const shown = errors.map((error, index) =>
    error.hint !== undefined && error.hint === errors[index + 1]?.hint ? linesOf(error).slice(0, 1) : linesOf(error),
  );
  return textOf(shown.flatMap((lines) => lines.map((line) => line.replace(/^error\[\w+\]:/, (label) => style.bad(label)))));
}

/** Lines as one text. */
export function textOf(lines: readonly string[]): string {
  return lines.map((line) => `${unsteered(line)}\n`).join('');
}

// Our own colours are the only escape sequences that may stay.
function unsteered(line: string): string {
  return line
    .split(/(\u001b\[(?:0|2|31|32|33)m)/)
    .map((part, index) => (index % 2 === 1 ? part : printable(part)))
    .join('');
}
