// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { dearmor, describeKeyForm, labelsIn, readKeyContent } from '../../src/signers/key-text.js';

const PEM = '-----BEGIN PRIVATE KEY-----\nMIIB\nAAAA\n-----END PRIVATE KEY-----\n';
const DER = new Uint8Array([0x30, 0x82, 1, 2, 3, 250]);

function base64(data: string | Uint8Array): string {
  return Buffer.from(data).toString('base64');
}

describe('readKeyContent', () => {
  it.each([
    ['as it is', PEM, 'the key text itself'],
    ['with CRLF', PEM.replaceAll('\n', '\r\n'), 'the key text itself'],
    ['indented by YAML', PEM.replaceAll('\n', '\n    '), 'the key text itself'],
    ['with a byte order mark', `\uFEFF${PEM}`, 'the key text itself'],
    ['on one line with \\n', PEM.replaceAll('\n', '\\n'), 'the key text with \\n escapes'],
    ['on one line with \\r\\n', PEM.replaceAll('\n', '\\r\\n'), 'the key text with \\n escapes'],
    ['as a JSON string', JSON.stringify(PEM), 'the key text with \\n escapes'],
    ['as base64', base64(PEM), 'base64 of the key text'],
    ['as wrapped base64', base64(PEM).replace(/(.{40})/g, '$1\n'), 'base64 of the key text'],
    ['as wrapped base64 with \\n', base64(PEM).replace(/(.{40})/g, '$1\\n'), 'base64 of the key text'],
    ['as base64 without padding', base64(PEM).replace(/=+$/, ''), 'base64 of the key text'],
  ])('reads text %s', (_name, value, form) => {
    expect(readKeyContent(value)).toEqual({
      form,
      text: expect.stringMatching(/^-----BEGIN PRIVATE KEY-----\nMIIB\nAAAA\n-----END PRIVATE KEY-----\n+$/),
    });
    expect(describeKeyForm(value)).toBe(form);
  });

  it('reads bytes from base64', () => {
    expect(readKeyContent(` ${base64(DER)}\n`)).toEqual({ form: 'base64 of the binary key', binary: DER });
  });

  it.each(['', ' \n', 'not a key', '$PGP_KEY', 'äöü', '=', 'AAAAA', '{"a":1}'])('recognises nothing in "%s"', (value) => {
    expect(readKeyContent(value)).toBeUndefined();
    expect(describeKeyForm(value)).toBe('not recognised as a key');
  });
});

describe('labelsIn', () => {
  it('shows known labels only', () => {
    expect(labelsIn(`${PEM}-----BEGIN MYSECRET-----\n-----BEGIN PGP MESSAGE-----`)).toEqual([
      'PRIVATE KEY',
      'an unknown block',
      'PGP MESSAGE',
    ]);
  });
});

describe('dearmor', () => {
  const armor = (headers: string, body: string): string =>
    `-----BEGIN PGP PRIVATE KEY BLOCK-----\n${headers}${body}\n-----END PGP PRIVATE KEY BLOCK-----\n`;

  it.each([
    ['plain', armor('\n', 'AQIDBA==')],
    ['with a checksum', armor('\n', 'AQID\nBA==\n=twTO')],
    ['with headers', armor('Version: GnuPG v2\nComment:\n\n', 'AQIDBA==\n=twTO')],
    ['with CRLF', armor('\n', 'AQIDBA==').replaceAll('\n', '\r\n')],
    ['without the blank line', armor('', 'AQIDBA==')],
    ['with text around it', `pub\n${armor('\n', 'AQIDBA==')}\nend`],
  ])('takes a key out of armor %s', (_name, text) => {
    expect(dearmor(text)).toEqual(new Uint8Array([1, 2, 3, 4]));
  });

  it.each([
    ['no end', armor('\n', 'AQIDBA==').slice(0, 60)],
    ['no body', armor('\n', '')],
    ['a foreign character', armor('\n', 'AQ!DBA==')],
    ['no armor', 'AQIDBA=='],
  ])('finds nothing where there is %s', (_name, text) => {
    expect(dearmor(text)).toBeUndefined();
  });
});
