// SPDX-License-Identifier: Apache-2.0
// Regular expressions in RE2's syntax, carried out by JavaScript's. What the two would read differently is refused.
import { invalidFilter } from './tokens.js';

const CLASSES: Readonly<Record<string, string>> = {
  alpha: 'A-Za-z',
  digit: '0-9',
  alnum: '0-9A-Za-z',
  upper: 'A-Z',
  lower: 'a-z',
  word: '0-9A-Za-z_',
  space: '\\t\\n\\v\\f\\r ',
  punct: '!-\\/:-@\\[-`{-~',
  xdigit: '0-9A-Fa-f',
};

/** Each piece of a pattern, in RE2's reading. */
const PIECE = /\\(?:p\{[^}]*\}|p.|P\{[^}]*\}|P.|x\{[0-9A-Fa-f]+\}|.)|\[:(\w+):\]|\(\?P?<(?![=!])|\(\?[^:]|./gsu;

/** A pattern that is searched for anywhere in a text, with its case; INVALID_ARGUMENT where RE2 would not take it. */
export function compilePattern(source: string): RegExp {
  const [start = '', letters = ''] = /^\(\?([ims]+)\)/.exec(source) ?? [];
  try {
    return new RegExp(translated(source.slice(start.length)), `u${[...new Set(letters)].join('')}`);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw invalidFilter(`invalid regular expression: ${source}`);
  }
}

/** How many groups of a pattern capture. */
export function capturesOf(source: string): number {
  const empty = new RegExp(`${compilePattern(source).source}|`, 'u').exec('');
  return (empty?.length ?? 1) - 1;
}

function translated(pattern: string): string {
  return pattern.replace(PIECE, (piece: string, className?: string) => {
    if (className !== undefined) return CLASSES[className] ?? refused(piece);
    if (piece.startsWith('\\')) return escape(piece);
    if (piece === '(?P<' || piece === '(?<') return '(?<';
    // Look-around, atomic groups, flags in the middle: not in RE2, or not in JavaScript.
    if (piece.startsWith('(?')) return refused(piece);
    return piece;
  });
}

const SAME = /^\\(?:[dDwWsSbBnrtfv\\^$.*+?()[\]{}|/]|x[0-9A-Fa-f]|[pP]\{.*\})$/s;

function escape(piece: string): string {
  const letter = piece.slice(1);
  if (letter === 'A') return '(?<![\\s\\S])';
  if (letter === 'z') return '(?![\\s\\S])';
  if (letter.startsWith('x{')) return `\\u${letter.slice(1)}`;
  if (/^[pP][A-Z]$/.test(letter)) return `\\${letter.charAt(0)}{${letter.charAt(1)}}`;
  if (SAME.test(piece) || letter === 'x') return piece;
  // Any other punctuation stands for itself; any other letter or digit means nothing, or something else, in RE2.
  return /^[A-Za-z0-9]/.test(letter) ? refused(piece) : letter === '-' ? '\\-' : letter;
}

function refused(piece: string): never {
  throw invalidFilter(`invalid regular expression: ${piece} is not supported`);
}
