// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { BinauthzError, type ErrorCode } from '../../src/core/errors.js';
import { annotationsOf } from '../../src/hosts/action/annotations.js';
import { closingLine } from '../../src/hosts/action/closing-line.js';
import { logLine } from '../../src/hosts/log-line.js';
import { masksOfKey, masksOfText } from '../../src/hosts/action/masking.js';
import { outputsOf } from '../../src/hosts/action/outputs.js';
import { variableOf } from '../../src/hosts/action/inputs.js';
import { optionsOf } from '../../src/hosts/options.js';
import { endingOf } from '../../src/hosts/outcome.js';
import { actionOptions } from './world.js';

describe('inputs', () => {
  test('are found where the runner puts them', () =>
    expect(
      optionsOf('attest', 'action')
        .filter(({ kind }) => kind === 'secret')
        .map(variableOf),
    ).toEqual(['INPUT_PGP-PRIVATE-KEY', 'INPUT_PGP-PASSPHRASE', 'INPUT_PKIX-PRIVATE-KEY', 'INPUT_ACCESS-TOKEN', 'INPUT_GITHUB-TOKEN']));
  test('that hold a secret know where it came from, and do not show it', () => {
    const [secret] = actionOptions({ 'pgp-passphrase': 'hunter2' }).secrets.get('pgp-passphrase') ?? [];
    expect([secret?.source, String(secret), JSON.stringify(secret)]).toEqual([
      'input pgp-passphrase',
      '[secret from input pgp-passphrase]',
      '"[secret from input pgp-passphrase]"',
    ]);
  });
});

describe('masks', () => {
  const body = [
    'lQOYBGFirstLineOfTheKeyBody0123456789+/AAAAAAAAAAAAAAAAAAAAAAAAAA',
    'SecondLineOfTheKeyBody9876543210+/BBBBBBBBBBBBBBBBBBBBBBBBBBBBBB',
  ];
  const armored = `-----BEGIN PGP PRIVATE KEY BLOCK-----\nComment: made for a test\n\n${body.join('\n')}\n=abcd\n-----END PGP PRIVATE KEY BLOCK-----\n`;
  const base64 = Buffer.from(armored).toString('base64');

  test.each<[string, string]>([
    ['armored', armored],
    ['with Windows line ends', armored.replaceAll('\n', '\r\n')],
    ['in one line with escapes', armored.replaceAll('\n', '\\n')],
    ['base64', base64],
    ['base64 in lines', base64.replace(/(.{76})/g, '$1\n')],
  ])('a key that is given %s is masked in every form', (_, given) => {
    const masks = masksOfKey(given);
    const masked = (text: string) => masks.reduce((left, mask) => left.replaceAll(mask, '***'), text);
    for (const line of body) expect(masks).toContain(line);
    expect(masks).toContain(body.join(''));
    for (const form of [armored, given, base64]) expect(masked(form)).not.toMatch(/FirstLineOf|SecondLineOf|Rmlyc3RMaW5l|U2Vjb25kTGluZ/);
    expect(masks.filter((mask) => mask.length < 8 || mask.includes('-----') || mask.startsWith('Comment') || /[\r\n]/.test(mask))).toEqual(
      [],
    );
  });
  test.each<[string, string]>([
    ['quotes', `"${base64}"`],
    ['escaped line ends in base64', base64.replace(/(.{76})/g, '$1\\n')],
    ['a byte order mark', `\uFEFF${base64}`],
    ['quotes and escapes', `'${armored.replaceAll('\n', '\\r\\n')}'`],
  ])('a key with %s around it is masked all the same', (_, given) => {
    const masks = masksOfKey(given);
    for (const line of body) expect(masks).toContain(line);
    expect(masks).toContain(base64);
  });
  test('a binary key is masked as its base64, wrapped or not', () => {
    const binary = Buffer.from(Array.from({ length: 120 }, (_, index) => (index * 89) % 256)).toString('base64');
    const masks = masksOfKey(binary.replace(/(.{76})/g, '$1\n'));
    expect(masks).toEqual(expect.arrayContaining([binary, binary.slice(0, 76), binary.slice(76, 152)]));
  });
  test('a passphrase, short or with spaces, and what it becomes on the way', () => {
    expect(masksOfText('a b')).toEqual(['a b', Buffer.from('a b').toString('base64'), 'a%20b']);
    expect(masksOfText('one\ntwo').filter((mask) => mask.includes('\n'))).toEqual([]);
  });
});

describe('the log', () => {
  test.each([
    ['::add-mask::x', ': :add-mask::x'],
    ['  ::set-env name=x::y', '  : :set-env name=x::y'],
    ['fine\n::error::injected\r::warning::too', 'fine\n: :error::injected\n: :warning::too'],
    ['text ##[add-path]/evil', 'text ## [add-path]/evil'],
    ['std::string a::b', 'std::string a::b'],
  ])('%j obeys nothing', (text, expected) => expect(logLine(text)).toBe(expected));
});

const error = (code: ErrorCode, text: string) => new BinauthzError(code, text, { hint: `hint for ${text}` });
const failed = (count: number) =>
  endingOf(
    { schema: 'binauthz.attest/v1', images: [], attestations: [] },
    Array.from({ length: count }, (_, index) => error('NOT_FOUND', `thing ${index}`)),
    { onEmulator: false },
  );

describe('annotations', () => {
  test('one error is one annotation', () =>
    expect(annotationsOf('attest', failed(1))).toEqual({
      aggregate: expect.stringMatching(
        /^binauthz attest failed with exit code 6 \(not found: .*\)\nerror\[NOT_FOUND\]: thing 0\n {2}hint: hint for thing 0$/,
      ),
      details: [],
      logged: [],
    }));
  test('several are one for all and each in detail', () => {
    const { aggregate, details, logged } = annotationsOf('attest', failed(3));
    expect([aggregate, details.length, logged]).toEqual([expect.stringMatching(/: 3 errors$/), 3, []]);
  });
  test('the runner keeps ten, so there are never more', () => {
    const { aggregate, details, logged } = annotationsOf('attest', failed(20));
    expect([aggregate, details.length, logged.length]).toEqual([
      expect.stringMatching(/20 errors; the first 8 follow, the log and the report have all of them$/),
      8,
      12,
    ]);
  });
  test('the runner cuts at 4096 characters, so we do before', () => {
    const ending = endingOf(
      { schema: 'binauthz.attest/v1', images: [], attestations: [] },
      [error('NOT_FOUND', 'x'.repeat(9000)), error('NOT_FOUND', 'y'.repeat(9000))],
      { onEmulator: false },
    );
    const { aggregate, details } = annotationsOf('attest', ending);
    expect([aggregate, ...details].map(({ length }) => length).filter((length) => length > 4096)).toEqual([]);
  });
});

describe('the closing line', () => {
  const row = { image: 'i', attestor: 'a', note: 'n', publicKeyId: 'k' } as const;
  test('counts what became of the attestations', () => {
    const ending = endingOf(
      {
        schema: 'binauthz.attest/v1',
        images: [],
        attestations: [
          { ...row, status: 'created' },
          { ...row, status: 'existing' },
          { ...row, status: 'created' },
        ],
      },
      [],
      { onEmulator: false },
    );
    expect(closingLine('attest', ending, '/tmp/r.json')).toBe('binauthz attest: done; 2 created, 1 existing; report: /tmp/r.json');
  });
  test('of a failure without a report', () =>
    expect(closingLine('attest', failed(1), undefined)).toBe('binauthz attest: failed with exit code 6'));
});

describe('outputs', () => {
  const image = (character: string) => ({
    image: `h.example/app@sha256:${character.repeat(64)}`,
    digest: `sha256:${character.repeat(64)}`,
    mediaType: 'm',
    children: [],
  });
  const attestation = { image: 'i', attestor: 'a', note: 'n', publicKeyId: 'k' } as const;
  test('of a run', () => {
    const ending = endingOf(
      {
        schema: 'binauthz.attest/v1',
        images: [image('a'), image('b')],
        attestations: [
          { ...attestation, status: 'created', occurrence: 'o1' },
          { ...attestation, status: 'failed' },
          { ...attestation, status: 'existing', occurrence: 'o2' },
        ],
      },
      [],
      { onEmulator: false },
    );
    expect(outputsOf('attest', { ending, report: '/tmp/r.json', firstAsked: image('a').image })).toEqual({
      digest: image('a').digest,
      digests: `${image('a').digest}\n${image('b').digest}`,
      images: `${image('a').image}\n${image('b').image}`,
      attestations: 'o1\no2',
      verdict: '',
      report: '/tmp/r.json',
      'exit-code': '0',
    });
  });
  test.each([
    ['its digest', image('a').image, image('a').digest],
    ['its tag', 'https://h.example/app:1', image('a').digest],
    ['its tag and digest', `h.example/app:9@${image('a').digest}`, image('a').digest],
    ['another digest', image('b').image, ''],
    ['another tag', 'h.example/app:2', ''],
    ['another name', `h.example/other@${image('a').digest}`, ''],
    ['nothing', '', ''],
  ])('the digest is that of the first image asked for: %s', (_, asked, expected) => {
    const ending = endingOf({ schema: 'binauthz.attest/v1', images: [{ ...image('a'), tag: '1' }, image('b')], attestations: [] }, [], {
      onEmulator: false,
    });
    expect(outputsOf('attest', { ending, report: undefined, firstAsked: asked }).digest).toBe(expected);
  });
  test('of a refused one', () => {
    const ending = endingOf({ schema: 'binauthz.attest/v1', images: [], attestations: [] }, [error('INVALID_INPUT', 'x')], {
      onEmulator: false,
    });
    expect(outputsOf('attest', { ending, report: undefined, firstAsked: '' })).toEqual({
      digest: '',
      digests: '',
      images: '',
      attestations: '',
      verdict: '',
      report: '',
      'exit-code': '2',
    });
  });
});
