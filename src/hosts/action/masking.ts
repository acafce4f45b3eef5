// SPDX-License-Identifier: Apache-2.0
// What the runner must mask. Every form counts by itself: masking a key's text does not mask its base64.

const SHORTEST_LINE = 8;
const BASE64_LINE = 76;

/** Everything to mask for a passphrase or a token. */
export function masksOfText(secret: string): readonly string[] {
  const lines = secret.split(/\r?\n/).filter((line) => line.trim() !== '');
  return unique([...lines, base64(secret), encodeURIComponent(secret)].filter((form) => form !== ''));
}

/**
 * Everything to mask for a key in any of the forms that it may be given in. Short lines and armor headers are left
 * out: masking `-----BEGIN …` or `}` would turn half the log to asterisks and hide nothing.
 */
export function masksOfKey(secret: string): readonly string[] {
  // Quotes, escapes and a byte order mark around a key are understood by the signers, so they must not hide it here.
  const plain = unescaped(
    secret
      .replace(/^\uFEFF/, '')
      .trim()
      .replace(/^(["'])([\s\S]*)\1$/, '$2'),
  );
  const texts = unique([secret, plain, ...decoded(plain)].flatMap((text) => [text, unescaped(text)]));
  const forms = texts.flatMap((text) => [...bodyLines(text), bodyLines(text).join(''), ...wrapped(base64(text))]);
  return unique(forms.filter((form) => form.length >= SHORTEST_LINE));
}

function unescaped(text: string): string {
  return text.replaceAll('\\n', '\n').replaceAll('\\r', '');
}

function decoded(text: string): readonly string[] {
  const compact = text.replace(/\s/g, '');
  if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(compact)) return [];
  const bytes = Buffer.from(compact, 'base64');
  const inner = bytes.toString('utf8');
  // A binary key has no text form; its own base64, however wrapped, is what could be printed.
  return inner.includes('-----BEGIN') ? [inner] : [bytes.toString('base64')];
}

function bodyLines(text: string): readonly string[] {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  return lines.filter((line) => line.length >= SHORTEST_LINE && !line.includes('-----') && !/^[A-Z][A-Za-z-]*: /.test(line));
}

function wrapped(text: string): readonly string[] {
  return [text, ...(text.match(new RegExp(`.{1,${BASE64_LINE}}`, 'g')) ?? [])];
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

function unique(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)];
}
