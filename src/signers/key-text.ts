// SPDX-License-Identifier: Apache-2.0
// How a private key arrives in one environment variable. CI systems mangle line breaks, so each way around that is
// understood, and which one it was can be said. Nothing here puts a piece of the key into a message.

/** How a key was written in its variable. */
export type KeyForm = 'the key text itself' | 'the key text with \\n escapes' | 'base64 of the key text' | 'base64 of the binary key';

/** A key's content, as text between BEGIN and END lines, or as bytes. */
export type KeyContent = { readonly form: KeyForm; readonly text: string } | { readonly form: KeyForm; readonly binary: Uint8Array };

const BEGIN = '-----BEGIN ';

/** Only these may be repeated in a message: anything else between the dashes could be a secret. */
const KNOWN_LABELS: ReadonlySet<string> = new Set([
  'CERTIFICATE',
  'EC PARAMETERS',
  'EC PRIVATE KEY',
  'ENCRYPTED PRIVATE KEY',
  'OPENSSH PRIVATE KEY',
  'PGP MESSAGE',
  'PGP PRIVATE KEY BLOCK',
  'PGP PUBLIC KEY BLOCK',
  'PGP SIGNATURE',
  'PGP SIGNED MESSAGE',
  'PRIVATE KEY',
  'PUBLIC KEY',
  'RSA PRIVATE KEY',
  'RSA PUBLIC KEY',
]);

/** The content of a key variable; undefined where it is neither text with a BEGIN line nor base64. */
export function readKeyContent(value: string): KeyContent | undefined {
  const bare = value
    .replace(/^\uFEFF/, '')
    .trim()
    .replace(/^(["'])([\s\S]*)\1$/, '$2');
  if (bare.includes(BEGIN)) {
    // Neither armor nor PEM has a backslash of its own.
    return { form: bare.includes('\\n') ? 'the key text with \\n escapes' : 'the key text itself', text: trimLines(unescape(bare)) };
  }
  const compact = linesOf(unescape(bare)).join('');
  if (!/^[A-Za-z0-9+/]{4,}={0,2}$/.test(compact) || compact.replace(/=+$/, '').length % 4 === 1) return undefined;
  const bytes = Buffer.from(compact, 'base64');
  const text = bytes.toString('latin1');
  if (text.includes(BEGIN)) return { form: 'base64 of the key text', text: trimLines(text) };
  return { form: 'base64 of the binary key', binary: new Uint8Array(bytes) };
}

/** In which form a key variable was written, for a debug line; never a piece of the key. */
export function describeKeyForm(value: string): string {
  return readKeyContent(value)?.form ?? 'not recognised as a key';
}

/** The labels of the BEGIN lines in a text, safe to be shown. */
export function labelsIn(text: string): readonly string[] {
  const found = [...text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----/g)].map((match) => match[1] ?? '');
  return found.map((label) => (KNOWN_LABELS.has(label) ? label : 'an unknown block'));
}

/**
 * The bytes inside the one armored block of a text. Private keys are taken out of their armor here, because openpgp
 * prints lines that it takes for bad armor headers, which may be the key itself, when NODE_ENV is "development".
 */
export function dearmor(text: string): Uint8Array | undefined {
  // From the first BEGIN on and from nowhere else, so that many of them do not make it slow.
  const trimmed = trimLines(text);
  const block = /^-----BEGIN PGP [A-Z ]+-----\n((?:[A-Za-z]+:.*\n)*)\n*([A-Za-z0-9+/=][A-Za-z0-9+/=\n]*)-----END PGP [A-Z ]+-----/.exec(
    trimmed.slice(Math.max(0, trimmed.indexOf('-----BEGIN PGP '))),
  );
  // The checksum line ("=" and four characters) protects against damage only, which parsing finds as well.
  const body = block?.[2]?.replace(/\n=[A-Za-z0-9+/]{4}\n/, '\n').replaceAll('\n', '');
  return body === undefined ? undefined : new Uint8Array(Buffer.from(body, 'base64'));
}

function unescape(text: string): string {
  return text.replace(/\\r\\n|\\n/g, '\n');
}

// White space around lines comes from YAML indentation and carries nothing in PEM or armor.
function trimLines(text: string): string {
  return `${linesOf(text).join('\n')}\n`;
}

function linesOf(text: string): readonly string[] {
  return text.split(/\r\n|\n|\r/).map((line) => line.trim());
}
