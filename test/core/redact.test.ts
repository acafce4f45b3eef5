// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { BinauthzError } from '../../src/core/errors.js';
import { oneLine, redact } from '../../src/core/redact.js';

const KEY = '-----BEGIN PRIVATE KEY-----\nMIIEhunter2\nAAAA\n-----END PRIVATE KEY-----';
const RSA = '-----BEGIN RSA PRIVATE KEY-----\nMIIEhunter2\n-----END RSA PRIVATE KEY-----';
const PGP = '-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nxVghunter2\n-----END PGP PRIVATE KEY BLOCK-----';
const JWT = 'eyJhbGciOiJSUzI1NiJ9';

const SECRETS: readonly (readonly [name: string, text: string, redacted: string])[] = [
  ['a PEM key', `got ${KEY} here`, 'got [private key] here'],
  ['a PEM key with escapes', `{"private_key":"${KEY.replaceAll('\n', '\\n')}"}`, '{"private_key":"[private key]"}'],
  ['a PEM key cut short', 'got -----BEGIN RSA PRIVATE KEY-----\nMIIEhunter2', 'got [private key]'],
  ['several keys', `${RSA} ${KEY}, ${PGP}.`, '[private key] [private key], [private key].'],
  ['base64 of a key', 'got LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCkhunter2+/_-= here', 'got [key] here'],
  ['a JWT', `assertion ${JWT}.hunter2hunter2.hunter2 here`, 'assertion [token] here'],
  ['a JWT without a signature', `assertion ${JWT}.hunter2. and ${JWT}.hunter2 here`, 'assertion [token] and [token] here'],
  ['an access token', 'got ya29.c.hunter2-_ here', 'got [access token] here'],
  ['a refresh token', 'got 1//0ghunter2hunter2hunter2 here', 'got [refresh token] here'],
  ...['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_', 'github_pat_', 'glpat-', 'CCIPAT_', 'dckr_pat_', 'dckr_oat_'].map(
    (prefix) => [`a token ${prefix}…`, `got ${prefix}11AA-hunter2_hunter2, here`, 'got [token], here'] as const,
  ),
  ['a bearer', 'Authorization: Bearer hunter2hunter', 'Authorization: Bearer [redacted]'],
  ['a bearer made of letters', 'Authorization: Bearer hunter, x', 'Authorization: Bearer [redacted], x'],
  ['a header without spaces', 'authorization=bearer hunter', 'authorization=bearer [redacted]'],
  ['a header with many spaces', 'AUTHORIZATION  :   Basic   hunter', 'AUTHORIZATION  :   Basic   [redacted]'],
  ['a header in JSON', '{"authorization":"Basic hunter","x":1}', '{"authorization":"Basic [redacted]","x":1}'],
  ["a header in a shell's quotes", "'authorization': 'Bearer hunter'", "'authorization': 'Bearer [redacted]'"],
  ['a bearer outside a header', 'sent Bearer abcdefhunter2 here', 'sent Bearer [redacted] here'],
  ['a bearer of many letters', 'sent bearer   abcdefghijklmnopqrsthunter here', 'sent bearer [redacted] here'],
  ['a bearer with a dot', 'sent Bearer hunter.hunter', 'sent Bearer [redacted]'],
  ['a bearer with a colon', 'sent Bearer hunter:hunter', 'sent Bearer [redacted]'],
  ['a bearer that ends with equals signs', 'sent Bearer hunter==', 'sent Bearer [redacted]'],
  ['a bearer that begins with a digit', 'sent Bearer 1hunter', 'sent Bearer [redacted]'],
  ['a basic password', `Basic ${Buffer.from('u:hunter2').toString('base64')}`, 'Basic [redacted]'],
  ['an emulator identity', 'Bearer as:hunter2@example.com', 'Bearer [redacted]'],
  ['a password in a URL', 'https://u:hunter2@example.com/x', 'https://[redacted]@example.com/x'],
  ['a password with @ in it', 'https://u:p@hunter2@example.com/x', 'https://[redacted]@example.com/x'],
  ['a user of one character', 'https://h@example.com', 'https://[redacted]@example.com'],
  ['another scheme', 'oci://u:hunter2@example.com/x', 'oci://[redacted]@example.com/x'],
  ['a URL in capitals', 'HTTPS://example.com/x?sig=hunter2', 'HTTPS://example.com/x?…'],
  ['a URL query', 'see https://example.com/x?sig=hunter2&a=?b here', 'see https://example.com/x?… here'],
  ['a URL query without TLS', '<http://example.com/?hunter2>', '<http://example.com/?…>'],
  ['an empty URL query', 'is it http://example.com? yes', 'is it http://example.com?… yes'],
  ['a token answer', '{"access_token": "hunter2hunter2", "x": 1}', '{"access_token": "[redacted]", "x": 1}'],
  ...['access_token', 'refresh_token', 'id_token', 'identitytoken', 'client_secret', 'subject_token'].flatMap((name) => [
    [`a form with ${name}`, `a=b&${name}=hunter2&grant=x`, `a=b&${name}=[redacted]&grant=x`] as const,
    [`JSON with ${name}`, `{"${name}":"hunter2"}`, `{"${name}":"[redacted]"}`] as const,
    [`an object with ${name}`, `{ ${name} :  'hunter2' }`, `{ ${name} :  '[redacted]' }`] as const,
  ]),
];

describe('redact', () => {
  it.each(SECRETS)('takes out %s', (_name, text, redacted) => {
    expect(redact(text)).toBe(redacted);
    const error = new BinauthzError('INTERNAL', text, { resource: text, hint: text });
    expect([error.message, error.resource, error.hint]).toEqual([redacted, redacted, redacted]);
  });

  it.each([
    'Basic authentication is off.',
    'Basic authentication.',
    'Bearer authentication: none',
    'expected a bearer token, got none',
    'the registry asks for Bearer realm="https://example.com/token",service="x"',
    'the registry asks for Bearer realm=x',
    'Basic credentials',
    'a bearerabcdefgh123 and Basic x1',
    'https://gcr.io/p/x@sha256:abc',
    'gcr.io/p/x@sha256:abc',
    'curl -H "Authorization: Bearer $(gcloud auth print-access-token)" https://example.com/v1/projects/p',
    'see https://example.com/page#part',
    'ftp://example.com/x?y',
    '-----BEGIN PUBLIC KEY-----',
    '--access-token-env VAR',
    'xeyJhbGciOiJSUzI1NiJ9.abc',
    'eyJabc.abc',
    'xya29.abc 1//0short ghp_short ghx_aaaaaaaaaaaaaaaaaaaa dckr_xat_aaaaaaaaaaaaaaaaaaaa',
  ])('leaves alone: %s', (text) => {
    expect(redact(text)).toBe(text);
  });
});

describe('oneLine', () => {
  it.each([
    ['a \r\n\n b', 'a b'],
    ['a\nb\rc\u2028d\u2029e', 'a b c d e'],
    ['a\u2028::error::b', 'a ::error::b'],
    ['a\u001b[31mb\u0007', 'a [31mb'],
    ['a\u0007\u001b\u0000b', 'a b'],
    ['a\u202eb\u2066c\u200ed', 'a b c d'],
    ['a  b', 'a  b'],
    ['a\tb', 'a\tb'],
    [' a ', 'a'],
  ])('%j is %j', (text, line) => expect(oneLine(text)).toBe(line));
});

describe('time', () => {
  const long = (part: string): string => part.repeat(Math.ceil(200_000 / part.length));
  const hostile = [
    'https://',
    ' ',
    '\n',
    'a',
    '://a@',
    'Bearer ',
    'eyJaaaaaaaa-',
    'ya29.',
    'access_token ',
    '-----BEGIN PRIVATE KEY-----',
    'gh',
    '=',
    '@',
  ];
  it.each([
    ...hostile.map(long),
    `-----BEGIN ${long('PRIVATE KEY')}`,
    `-----BEGIN PRIVATE KEY-----${long('-----END PRIVATE KEY')}`,
    `a${long(' ')}b`,
  ])('is linear', (text) => {
    const startedAt = performance.now();
    oneLine(redact(text));
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });
});
