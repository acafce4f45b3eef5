// SPDX-License-Identifier: Apache-2.0
// What must not be shown. Messages quote servers, parsers and users, so every pattern answers in linear time: none can
// begin again inside what it has passed over already.

/** Patterns of secrets, and what stands in their place. Private keys first: their base64 could look like anything else. */
const SECRETS: readonly (readonly [RegExp, string])[] = [
  // A key that was cut short has no END line. Line breaks may be escaped.
  [
    /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,40}-----[\s\S]*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,40}-----|$)/g,
    '[private key]',
  ],
  // The base64 of "-----BEGIN ".
  [/LS0tLS1CRUdJT[A-Za-z0-9+/=_-]+/g, '[key]'],
  [/(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?/g, '[token]'],
  [/\bya29\.[A-Za-z0-9._-]+/g, '[access token]'],
  [/\b1\/\/0[A-Za-z0-9_-]{20,}/g, '[refresh token]'],
  [/\b(?:gh[opusr]_|github_pat_|glpat-|CCIPAT_|dckr_[op]at_)[A-Za-z0-9_-]{16,}/g, '[token]'],
  // A header says what it carries, unless that is a shell's `$(…)`; in prose "Basic authentication" and `Bearer realm="…"`
  // are no secrets.
  [/\b(authorization["']?\s*[:=]\s*["']?(?:bearer|basic)\s+)[^\s"',$]+/gi, '$1[redacted]'],
  [/\b(Bearer|Basic)\s+(?![A-Za-z][a-z]{0,18}(?:=["\w]|[.:]?(?![A-Za-z0-9._~+/:=@-])))[A-Za-z0-9._~+/=:@-]{6,}/gi, '$1 [redacted]'],
  [
    /(\b(?:access_token|refresh_token|id_token|identitytoken|client_secret|subject_token)["']?\s*[:=]\s*["']?)[^\s"',&}]+/gi,
    '$1[redacted]',
  ],
  [/(?<=:\/\/)[^\s/?#"'<>]+@/g, '[redacted]@'],
];

/** Text without private keys, tokens, passwords in URLs, and URL queries. */
export function redact(text: string): string {
  const bare = SECRETS.reduce((rest, [secret, mark]) => rest.replace(secret, mark), text);
  return bare.replace(/https?:\/\/[^\s"'<>]+/gi, (url) => url.replace(/\?.*/, '?…'));
}

/** Text on one line: line breaks with the white space around them are one space, and so are characters that steer a terminal. */
export function oneLine(text: string): string {
  return text
    .replace(/\s+/g, (space) => (/[\r\n\u2028\u2029]/.test(space) ? ' ' : space))
    .replace(/(?!\t)[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu, ' ')
    .trim();
}
