// SPDX-License-Identifier: Apache-2.0
// Whatever is wrong with a secret, no piece of it may be in anything that an error can show.
import { inspect } from 'node:util';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { asErrors } from '../../src/core/errors.js';
import { Secret } from '../../src/core/secret.js';
import type { KeySource } from '../../src/core/signing/given-key.js';
import { FakeKeyService } from '../support/fake-key-service.js';
import { fakePace } from '../support/fake-pace.js';
import { algorithmNamed, keyPairFor, privatePem } from '../support/pkix-keys.js';

// openpgp decides at its first import whether to print what it stumbles over; this is the talkative way.
vi.hoisted(() => {
  process.env['NODE_ENV'] = 'development';
});

const PASSPHRASE = 'Tr0ub4dor&3-and-more-of-it';
const WRONG = 'xkcd936-wrong-passphrase';

// The longest prefix and suffix that may be shown by accident of a common word.
const PIECE = 12;

function piecesOf(secret: string): readonly string[] {
  const lines = secret.split(/\s+|\\r|\\n/).filter((line) => !line.startsWith('-----'));
  return lines
    .flatMap((line) => Array.from({ length: Math.ceil(line.length / PIECE) }, (_, i) => line.slice(i * PIECE, (i + 1) * PIECE)))
    .filter((piece) => piece.length === PIECE);
}

function shown(error: unknown): string {
  const all = asErrors(error).flatMap((each) => [each, each.cause]);
  return (
    all.map((each) => `${String(each)} ${JSON.stringify(each)} ${inspect(each, { depth: 20, showHidden: true })}`).join('\n') +
    inspect(error, { depth: 20, showHidden: true }) +
    asErrors(error)
      .map(({ message, hint, stack }) => `${message}${hint ?? ''}${stack ?? ''}`)
      .join('\n')
  );
}

const printed: string[] = [];
let pgp = '';
let lockedPgp = '';
const pem = privatePem(keyPairFor(algorithmNamed('ECDSA_P256_SHA256')).privateKey);
const lockedPem = keyPairFor(algorithmNamed('ECDSA_P256_SHA256'))
  .privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: PASSPHRASE })
  .toString();

beforeAll(async () => {
  for (const method of ['log', 'error', 'warn', 'info', 'debug'] as const) {
    vi.spyOn(console, method).mockImplementation((...words: unknown[]) => {
      printed.push(words.map((word) => inspect(word)).join(' '));
    });
  }
  const { makePgpKey, PGP_KINDS } = await import('../support/pgp-keys.js');
  pgp = (await makePgpKey()).secret;
  lockedPgp = (await makePgpKey({ ...PGP_KINDS['ed25519Legacy'], passphrase: PASSPHRASE })).secret;
});

/** Ways to spoil a key's text. */
const SPOILERS: readonly (readonly [string, (text: string) => string])[] = [
  ['cut in the middle', (text) => text.slice(0, text.length >> 1)],
  ['without its begin', (text) => text.slice(text.indexOf('\n'))],
  ['without its end', (text) => text.slice(0, text.lastIndexOf('-----END'))],
  ['without its blank lines', (text) => text.replace(/\n\n/g, '\n')],
  ['twice', (text) => text + text],
  ['with another label', (text) => text.replaceAll('PRIVATE', 'SECRET')],
  ['with itself as the label', (text) => `-----BEGIN ${Buffer.from(text).toString('hex').toUpperCase()}-----\n${text}`],
  ['with a broken body', (text) => text.replace(/\n([A-Za-z0-9+/]{20})/, '\n@$1')],
  ['with another body', (text) => text.replace(/\n([A-Za-z0-9+/]{4})/, '\nAAAA')],
  ['on one line', (text) => text.replaceAll('\n', ' ')],
  ['as hex', (text) => Buffer.from(text).toString('hex')],
  ['as base64 of base64', (text) => Buffer.from(Buffer.from(text).toString('base64')).toString('base64')],
  ['as base64, cut', (text) => Buffer.from(text).toString('base64').slice(0, 100)],
  ['as a header', (text) => text.replace('\n', `\n${text.replaceAll('\n', '').replaceAll('-', '')}: x\n`)],
  ['as a URL', (text) => `https://user:${text.replaceAll('\n', '')}@example.com/`],
  ['as JSON', (text) => JSON.stringify({ key: text })],
];

describe('errors about secrets', () => {
  const values: [string, (key: string) => string][] = SPOILERS.map(([name, spoil]) => [name, spoil]);

  async function failure(source: KeySource): Promise<unknown> {
    const { openKeys } = await import('../../src/signers/given-keys.js');
    return openKeys([source], { keys: new FakeKeyService([]), pace: fakePace() }).then(
      () => undefined,
      (error: unknown) => error,
    );
  }

  async function check(value: string, expected: 'must fail' | 'may work' = 'may work'): Promise<void> {
    const secret = new Secret(value, 'THE_VARIABLE');
    const passphrase = new Secret(WRONG, 'THE_PASSPHRASE');
    for (const source of [
      { kind: 'pkix', key: secret },
      { kind: 'pgp', key: secret },
      { kind: 'pgp', key: secret, passphrase },
    ] as const) {
      const error = await failure(source);
      if (expected === 'must fail') expect(error).toBeDefined();
      if (error === undefined) continue;
      const text = `${shown(error)}${printed.join('\n')}`;
      expect(text).toContain('THE_VARIABLE');
      for (const piece of [...piecesOf(value), WRONG, PASSPHRASE]) expect(text).not.toContain(piece);
    }
  }

  it.each(values)('show nothing of a key %s', async (_name, spoil) => {
    for (const text of [pem, lockedPem, pgp, lockedPgp]) await check(spoil(text));
  });

  it('show nothing of a protected key, given with the wrong passphrase or none', async () => {
    await check(lockedPgp, 'must fail');
    await check(lockedPem, 'must fail');
    await check(Buffer.from(lockedPgp).toString('base64'), 'must fail');
  });

  it('show nothing of random text', async () => {
    for (let seed = 1; seed < 60; seed++) {
      const bytes = Buffer.from(Array.from({ length: 40 + seed * 3 }, (_, i) => (Math.imul(seed * 7919 + i, 2654435761) >>> 13) & 0xff));
      for (const text of [
        bytes.toString('base64'),
        bytes.toString('hex'),
        bytes.toString('base64url'),
        `-----BEGIN PGP PRIVATE KEY BLOCK-----\n${bytes.toString('base64')}\n-----END PGP PRIVATE KEY BLOCK-----`,
        `-----BEGIN PRIVATE KEY-----\n${bytes.toString('base64')}\n-----END PRIVATE KEY-----`,
      ]) {
        await check(text, 'must fail');
      }
    }
  });
});
