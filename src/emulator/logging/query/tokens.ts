// SPDX-License-Identifier: Apache-2.0
// A filter of the Logging query language, cut into words, quoted texts and signs.
import { ApiError } from '../../wire.js';

/** A piece of a filter. `glued` says that nothing stands between it and the piece before. */
export interface Token {
  readonly kind: 'word' | 'text' | 'sign' | 'end';
  /** The text of a quoted piece is without its quotes and escapes. */
  readonly value: string;
  readonly start: number;
  readonly glued: boolean;
}

/** "The length of a query can't exceed 20,000 characters", comments included. */
const LONGEST = 20_000;
const BLANKS_AND_COMMENTS = /(?:\s+|--[^\n]*)*/y;
// A minus in front of a term negates it; inside a word it is a letter like others.
const PIECE = /"((?:[^"\\]|\\.)*)"|(!=|!~|=~|<=|>=|[=:<>(),-])|([^\s"'()=<>!~:,-][^\s"'()=<>!~:,]*)/sy;

/** The pieces of a filter, the last of them its end; INVALID_ARGUMENT where a character fits nowhere. */
export function tokenize(filter: string): Token[] {
  if (filter.length > LONGEST) throw invalidFilter(`the filter has ${filter.length} characters, more than ${LONGEST}`);
  const tokens: Token[] = [];
  let end = 0;
  for (;;) {
    BLANKS_AND_COMMENTS.lastIndex = end;
    BLANKS_AND_COMMENTS.exec(filter);
    const start = BLANKS_AND_COMMENTS.lastIndex;
    const glued = start === end && start > 0;
    if (start === filter.length) return [...tokens, { kind: 'end', value: '', start, glued }];
    PIECE.lastIndex = start;
    const found = PIECE.exec(filter);
    if (!found) throw syntaxError(filter, { start, value: filter.charAt(start) });
    end = PIECE.lastIndex;
    tokens.push({ ...contentOf(found), start, glued });
  }
}

function contentOf([, text, sign, word]: RegExpExecArray): Pick<Token, 'kind' | 'value'> {
  if (text !== undefined) return { kind: 'text', value: unescaped(text) };
  return sign === undefined ? { kind: 'word', value: word ?? '' } : { kind: 'sign', value: sign };
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', a: '\x07', b: '\b', f: '\f', v: '\v', '"': '"', '\\': '\\' };

/** A backslash before any other character stays, so that `"\d"` means the same pattern as `"\\d"`. */
function unescaped(text: string): string {
  return text.replace(/\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|[0-3][0-7]{2}|.)/gs, (escape) => {
    const code = escape.slice(1);
    if (code.length === 1) return ESCAPES[code] ?? escape;
    return String.fromCharCode(/^[xu]/.test(code) ? Number.parseInt(code.slice(1), 16) : Number.parseInt(code, 8));
  });
}

/** Google's refusal of a filter that cannot be read, or that names what does not exist. */
export function invalidFilter(why: string): ApiError {
  return new ApiError('INVALID_ARGUMENT', `Unparseable filter: ${why}`);
}

/** The same, with the place where reading stopped. */
export function syntaxError(filter: string, { start, value }: Pick<Token, 'start' | 'value'>): ApiError {
  const before = filter.slice(0, start).split('\n');
  const place = `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
  return invalidFilter(`syntax error at ${place}, ${start >= filter.length ? 'unexpected end of the filter' : `token '${value}'`}`);
}
