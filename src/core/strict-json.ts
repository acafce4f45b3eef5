// SPDX-License-Identifier: Apache-2.0

// In valid JSON a string is followed by a colon exactly where it names a member.
const STRING = /"(?:[^"\\]|\\.)*"(\s*:)?/g;

/**
 * The JSON in these bytes, for what is signed or named by its digest: read as every parser reads it, or not at all.
 * Throws on a byte order mark, bytes that are not UTF-8, and members that are given twice: parsers differ on those.
 */
export function parseJsonStrictly(bytes: Uint8Array): unknown {
  const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  const parsed: unknown = JSON.parse(text);
  let named = 0;
  for (const [, colon] of text.matchAll(STRING)) if (colon !== undefined) named += 1;
  if (named !== countMembers(parsed)) throw new SyntaxError('a member is given twice');
  return parsed;
}

function countMembers(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const inner: readonly unknown[] = Object.values(value);
  return inner.reduce<number>((sum, item) => sum + countMembers(item), Array.isArray(value) ? 0 : inner.length);
}
