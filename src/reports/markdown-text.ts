// SPDX-License-Identifier: Apache-2.0

const LONGEST_TEXT = 2_000;

/** What begins a list, a setext heading or a numbered item where it stands first on a line. */
const BLOCK_START = /^(?:[-+=]|\d+(?=[.)]))/;
/** Everything but letters, digits and the punctuation that means nothing to Markdown. */
const STRUCTURE = /[^A-Za-z0-9 ,;:@_/+=%()'"?.\u00a0-\u{10ffff}-]/gu;
/** What GitHub links or replaces by itself: addresses, mentions, emoji; `_` as emphasis. A digest's `@` is none of it. */
const AUTOMATIC = /:(?=\/\/|[a-z0-9_+-]+:)|@(?!sha256:)|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|(?<=\bwww)\./gi;

/**
 * Text that Markdown shows as it is. Character references cannot be structure (CommonMark 0.31, section 2.5), so
 * whatever could be is written as one: table cells, emphasis, HTML, links, mentions.
 */
export function plain(text: string): string {
  const shown = clip(oneLine(text));
  // One pass over the marked positions: a reference must not be escaped again.
  const marked = new Set([...indexes(shown, STRUCTURE), ...indexes(shown, AUTOMATIC), ...indexes(shown, BLOCK_START)]);
  return [...withOffsets(shown)].map(([offset, character]) => (marked.has(offset) ? reference(character) : character)).join('');
}

/** A name in type-writer face, with the same care. */
export function codeSpan(text: string): string {
  return `<code>${plain(text)}</code>`;
}

function indexes(text: string, pattern: RegExp): readonly number[] {
  const global = new RegExp(pattern.source, pattern.flags.includes('g') ? pattern.flags : `${pattern.flags}g`);
  return [...text.matchAll(global)].map(({ index }) => index);
}

function* withOffsets(text: string): Generator<readonly [number, string]> {
  let offset = 0;
  for (const character of text) {
    yield [offset, character];
    offset += character.length;
  }
}

function reference(character: string): string {
  return `&#${character.codePointAt(0) ?? 0xfffd};`;
}

function oneLine(text: string): string {
  return text
    .replace(/[\s\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ')
    .replace(/[\u202a-\u202e\u2066-\u2069]/g, '\ufffd')
    .trim();
}

function clip(text: string): string {
  return text.length <= LONGEST_TEXT ? text : `${text.slice(0, LONGEST_TEXT)}…`;
}
