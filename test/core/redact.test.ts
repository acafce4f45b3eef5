// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { BinauthzError } from '../../src/core/errors.js';
import { oneLine, redact } from '../../src/core/redact.js';

const KEY = '-----BEGIN PRIVATE KEY-----\nMIIEhunter2\nAAAA\n-----END PRIVATE KEY-----';
const SECRETS: readonly (readonly [string, string])[] = [
  ['a PEM key', `got ${KEY}`],
  ['a PEM key with escapes', `{"private_key":"${KEY.replaceAll('\n', '\\n')}"}`],
  ['a PEM key cut short', 'got -----BEGIN RSA PRIVATE KEY-----\nMIIEhunter2'],
  ['a PGP key', '-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nxVghunter2\n-----END PGP PRIVATE KEY BLOCK-----'],
  ['base64 of a key', `LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCkhunter2`],
  ['a JWT', 'assertion eyJhbGciOiJSUzI1NiJ9.hunter2hunter2.c2ln'],
  ['an access token', 'ya29.c.hunter2'],
  ['a refresh token', '1//0ghunter2hunter2hunter2hunter2'],
  ['a GitHub token', 'ghs_hunter2hunter2hunter2hunter2hunter2'],
  ['a fine-grained GitHub token', 'github_pat_11AAAhunter2_hunter2hunter2'],
  ['a bearer', 'Authorization: Bearer hunter2hunter'],
  ['a bearer made of letters', 'Authorization: Bearer hunter'],
  ['a bearer outside a header', 'sent Bearer abcdefhunter2'],
  ['a basic password', `Basic ${Buffer.from('u:hunter2').toString('base64')}`],
  ['an emulator identity', 'Bearer as:hunter2@example.com'],
  ['a password in a URL', 'https://u:hunter2@example.com/x'],
  ['a password with @ in it', 'https://u:p@hunter2@example.com/x'],
  ['a URL in capitals', 'HTTPS://example.com/x?sig=hunter2'],
  ['another scheme', 'oci://u:hunter2@example.com/x'],
  ['a URL query', 'https://example.com/x?sig=hunter2'],
  ['a token answer', '{"access_token": "hunter2hunter2"}'],
  ['a form', 'refresh_token=hunter2&grant=x'],
];

describe('redact', () => {
  it.each(SECRETS)('takes out %s', (_name, text) => {
    expect(redact(text)).not.toContain('hunter');
    expect(redact(text)).not.toContain('aHVudGVy');
    const error = new BinauthzError('INTERNAL', text, { resource: text, hint: text });
    expect([error.message, error.resource, error.hint].join()).not.toContain('hunter');
  });

  it.each([
    'Basic authentication is off.',
    'expected a bearer token, got none',
    'the registry asks for Bearer realm="https://example.com/token",service="x"',
    'Basic credentials',
    'https://gcr.io/p/x@sha256:abc',
    'gcr.io/p/x@sha256:abc',
    'curl -H "Authorization: Bearer $(gcloud auth print-access-token)" https://example.com/v1/projects/p',
    'see https://example.com/page#part',
    '-----BEGIN PUBLIC KEY-----',
    '--access-token-env VAR',
  ])('leaves alone: %s', (text) => {
    expect(redact(text)).toBe(text);
  });
});

describe('oneLine', () => {
  it.each([
    ['a \r\n\n b', 'a b'],
    ['a\u2028::error::b', 'a ::error::b'],
    ['a\u001b[31mb\u0007', 'a [31mb'],
    ['a\u202eb', 'a b'],
    ['a  b', 'a  b'],
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
