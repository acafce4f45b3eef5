// SPDX-License-Identifier: Apache-2.0

/** A JSON value of a text, and the line (one-based) on which its slice begins. */
export interface JsonSlice {
  readonly text: string;
  readonly line: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LINE_FEED = 0x0a;
const OPENING: ReadonlySet<number> = new Set([0x7b, 0x5b]);
const CLOSING: ReadonlySet<number> = new Set([0x7d, 0x5d]);

/**
 * The JSON objects and arrays that a text consists of, one after the other as kubectl and `jq` write them. Undefined
 * where it is anything else, such as YAML that happens to begin with a brace.
 */
export function jsonSlices(text: string): readonly JsonSlice[] | undefined {
  if (!/^\s*[{[]/.test(text)) return undefined;
  const slices: JsonSlice[] = [];
  let start = 0;
  let line = 1;
  while (start < text.length) {
    const { end, lines } = endOfValue(text, start);
    const slice = text.slice(start, end);
    if (slice.trim() === '') break;
    if (!isJson(slice)) return undefined;
    slices.push({ text: slice, line });
    start = end;
    line += lines;
  }
  return slices;
}

// Counting brackets outside strings is enough: whether the slice is JSON is for JSON.parse to say.
function endOfValue(text: string, start: number): { readonly end: number; readonly lines: number } {
  let depth = 0;
  let lines = 0;
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === LINE_FEED) lines += 1;
    else if (code === QUOTE) at = endOfString(text, at);
    else if (OPENING.has(code)) depth += 1;
    else if (CLOSING.has(code) && --depth <= 0) return { end: at + 1, lines };
  }
  return { end: text.length, lines };
}

/** Where the closing quote is. Strings of JSON hold no line breaks, so none is counted here. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === BACKSLASH) at += 1;
    else if (code === QUOTE) return at;
  }
  return text.length;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
