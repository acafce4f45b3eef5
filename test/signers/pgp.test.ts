// SPDX-License-Identifier: Apache-2.0
import { inspect } from 'node:util';
import { config, createCleartextMessage, createMessage, enums, readPrivateKey, revokeKey, sign, encrypt } from 'openpgp';
import { beforeAll, describe, expect, it } from 'vitest';
import { Secret } from '../../src/core/secret.js';
import type { AttestorKey } from '../../src/core/signing/public-key.js';
import type { Signer } from '../../src/core/signing/signer.js';
import { openPgpKey, readPublicKey, verifyPgp } from '../../src/signers/pgp.js';
import { createVerifier } from '../../src/signers/verifier.js';
import { describeSigner, PAYLOAD } from '../contracts/signer.js';
import { fakePace } from '../support/fake-pace.js';
import { makePgpKey, PGP_KINDS, WEAK, type PgpKeyPair } from '../support/pgp-keys.js';

const SOURCE = 'PGP_KEY';
const PASSPHRASE = 'correct horse battery staple ü';
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

type PgpListed = Extract<AttestorKey, { kind: 'pgp' }>;

function listedAs(key: PgpKeyPair): PgpListed {
  return { kind: 'pgp', id: key.fingerprint, armored: key.public };
}

function open(value: string, passphrase?: string, nowMs = Date.now()): Promise<Signer> {
  return openPgpKey(
    new Secret(value, SOURCE),
    passphrase === undefined ? undefined : new Secret(passphrase, 'PGP_PASSPHRASE'),
    fakePace(nowMs),
  );
}

let key: PgpKeyPair;
let other: PgpKeyPair;
let locked: PgpKeyPair;

beforeAll(async () => {
  [key, other, locked] = await Promise.all([
    makePgpKey(),
    makePgpKey(),
    makePgpKey({ ...PGP_KINDS['ed25519Legacy'], passphrase: PASSPHRASE }),
  ]);
});

for (const [kind, options] of Object.entries(PGP_KINDS)) {
  for (const passphrase of [undefined, PASSPHRASE]) {
    const made = (async () =>
      [await makePgpKey(passphrase === undefined ? options : { ...options, passphrase }), await makePgpKey(options)] as const)();
    describeSigner(`PGP ${kind}${passphrase === undefined ? '' : ', protected'}`, async () => {
      const [mine, foreign] = await made;
      return {
        signer: await open(mine.secret, passphrase),
        listed: [listedAs(mine)],
        // Another key under the same id: the id alone must not suffice, nor the key alone.
        others: [listedAs(foreign)],
        verifier: createVerifier(fakePace()),
        secrets: [PASSPHRASE, ...mine.secret.split('\n').filter((line) => line.length > 30 && !line.startsWith('-'))],
      };
    });
  }
}

describe('openPgpKey', () => {
  const binary = async (armored: string): Promise<string> =>
    Buffer.from((await readPrivateKey({ armoredKey: armored })).write()).toString('base64');

  it.each<[string, (armored: string) => string | Promise<string>]>([
    ['armored', (armored) => armored],
    ['armored with CRLF', (armored) => armored.replaceAll('\n', '\r\n')],
    ['armored and indented', (armored) => armored.replaceAll('\n', '\n  ')],
    ['on one line with \\n', (armored) => armored.replaceAll('\n', '\\n')],
    ['base64 of armored', (armored) => Buffer.from(armored).toString('base64')],
    ['base64 of binary', binary],
    ['wrapped base64 of binary', async (armored) => (await binary(armored)).replace(/(.{76})/g, '$1\n')],
  ])('reads a key that is %s', async (_name, write) => {
    const signer = await open(await write(key.secret));
    expect(signer.name).toBe(key.fingerprint);
    expect(signer.publicKeys).toEqual([{ kind: 'pgp', fingerprint: key.fingerprint }]);
  });

  it.each<[string, () => string | Promise<string>, RegExp]>([
    ['a public key', () => key.public, /PGP PUBLIC KEY BLOCK/],
    [
      'base64 of a binary public key',
      async () => Buffer.from((await readPrivateKey({ armoredKey: key.secret })).toPublic().write()).toString('base64'),
      /is the public key [0-9A-F]{40}/,
    ],
    ['two armored keys', () => key.secret + other.secret, /PGP PRIVATE KEY BLOCK and PGP PRIVATE KEY BLOCK/],
    ['both halves', () => key.public + key.secret, /PGP PUBLIC KEY BLOCK and PGP PRIVATE KEY BLOCK/],
    [
      'two keys in one block',
      async () =>
        Buffer.concat([
          (await readPrivateKey({ armoredKey: key.secret })).write(),
          (await readPrivateKey({ armoredKey: other.secret })).write(),
        ]).toString('base64'),
      /2 keys/,
    ],
    ['a PKIX key', () => '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----', /holds PRIVATE KEY/],
    ['a broken body', () => key.secret.replace(/\n\n.{20}/, '\n\nAAAAAAAAAAAAAAAAAAAA'), /cannot be read/],
    ['a key cut short', () => key.secret.slice(0, 200), /cannot be read/],
    ['a binary key cut short', async () => (await binary(key.secret)).slice(0, 80), /cannot be read/],
    ['base64 of nothing', () => Buffer.from('nothing at all').toString('base64'), /cannot be read/],
    ['words', () => '$PGP_KEY', /neither/],
    ['nothing', () => '', /neither/],
  ])('refuses %s', async (_name, value, says) => {
    await expect(open(await value())).rejects.toMatchObject({
      code: 'SECRET_UNUSABLE',
      exitCode: 2,
      resource: SOURCE,
      message: expect.stringMatching(says),
      hint: expect.stringContaining(SOURCE),
    });
  });

  it('asks for a passphrase where the key is protected', async () => {
    await expect(open(locked.secret)).rejects.toMatchObject({
      code: 'PASSPHRASE_REJECTED',
      exitCode: 2,
      message: expect.stringContaining('is protected'),
      hint: expect.stringContaining('pgp-passphrase'),
    });
    await expect(open(locked.secret, '')).rejects.toMatchObject({
      code: 'PASSPHRASE_REJECTED',
      message: expect.stringContaining('PGP_PASSPHRASE is empty'),
    });
  });

  it.each(['wrong', `${PASSPHRASE}\n`, PASSPHRASE.toUpperCase()])('refuses the wrong passphrase %j', async (passphrase) => {
    await expect(open(locked.secret, passphrase)).rejects.toMatchObject({
      code: 'PASSPHRASE_REJECTED',
      exitCode: 2,
      message: expect.stringContaining('PGP_PASSPHRASE'),
    });
  });

  it('does not mind a passphrase that is not needed, and says so', async () => {
    const notes: string[] = [];
    await openPgpKey(new Secret(key.secret, SOURCE), new Secret(PASSPHRASE, 'PGP_PASSPHRASE'), fakePace(), (note) => notes.push(note));
    expect(notes).toEqual([expect.stringContaining('not needed')]);
    expect(notes.join()).not.toContain(PASSPHRASE);
  });

  it.each<[string, () => Promise<string>, RegExp, number?]>([
    [
      'an expired key',
      async () =>
        (await makePgpKey({ ...PGP_KINDS['ed25519Legacy'], date: new Date(Date.now() - 2 * DAY_MS), keyExpirationTime: 86_400 })).secret,
      /expired since \d{4}-/,
    ],
    ['a key from the future', async () => key.secret, /not valid before its creation/, Date.now() - DAY_MS],
    ['a revoked key', () => revoked(key, enums.reasonForRevocation.keyCompromised), /revoked/],
    ['a superseded key', () => revoked(key, enums.reasonForRevocation.keySuperseded), /revoked/],
    ['a key of algorithm 27', async () => (await makePgpKey({ type: 'curve25519' })).secret, /number 27/],
    [
      'a key of algorithm 27 with an older subkey',
      async () => (await makePgpKey({ type: 'curve25519', subkeys: [{ type: 'ecc', curve: 'ed25519Legacy', sign: true }] })).secret,
      /number 27/,
    ],
    ['a version 6 key', async () => (await makePgpKey({ type: 'curve25519', config: { v6Keys: true } })).secret, /version 6/],
    ['RSA 1024', async () => (await makePgpKey({ type: 'rsa', rsaBits: 1024, config: WEAK })).secret, /1024 bits/],
  ])('refuses %s', async (_name, make, says, nowMs) => {
    await expect(open(await make(), undefined, nowMs)).rejects.toMatchObject({
      code: 'KEY_UNUSABLE',
      exitCode: 7,
      message: expect.stringMatching(says),
      hint: expect.any(String),
    });
    // Its public half tells as much.
    const half = (await readPrivateKey({ armoredKey: await make(), config: WEAK })).toPublic().armor();
    expect((await readPublicKey(half, new Date(nowMs ?? Date.now())))?.unusable).toMatch(says);
  });

  it('refuses to sign once the key has expired', async () => {
    const short = await makePgpKey({ ...PGP_KINDS['ed25519Legacy'], keyExpirationTime: 2 * 3600 });
    const pace = fakePace();
    const signer = await openPgpKey(new Secret(short.secret, SOURCE), undefined, pace);
    pace.advance(2 * HOUR_MS);
    await expect(signer.sign(PAYLOAD, signer.publicKeys[0])).rejects.toMatchObject({ code: 'KEY_UNUSABLE', resource: short.fingerprint });
  });
});

async function revoked(pair: PgpKeyPair, flag: enums.reasonForRevocation): Promise<string> {
  const { privateKey } = await revokeKey({
    key: await readPrivateKey({ armoredKey: pair.secret }),
    reasonForRevocation: { flag },
    date: new Date(Date.now() - 1000),
    format: 'object',
  });
  return privateKey.armor();
}

describe('a PGP signature', () => {
  it('is an armored attached message around the very payload, and dated by the pace', async () => {
    const signer = await open(key.secret, undefined, Date.now() - 60_000);
    const armored = new TextDecoder().decode(await signer.sign(PAYLOAD, signer.publicKeys[0]));
    expect(armored).toMatch(/^-----BEGIN PGP MESSAGE-----\n\n[A-Za-z0-9+/=\n]+-----END PGP MESSAGE-----\n$/);
  });

  it('is the same for the same payload at the same time', async () => {
    const rsa = await makePgpKey(PGP_KINDS['rsa3072']);
    const signer = await openPgpKey(new Secret(rsa.secret, SOURCE), undefined, fakePace());
    const [first, second] = await Promise.all([signer.sign(PAYLOAD, signer.publicKeys[0]), signer.sign(PAYLOAD, signer.publicKeys[0])]);
    expect(first).toEqual(second);
  });
});

describe('verifyPgp', () => {
  const verify = (signature: string | Uint8Array, listed: PgpListed = listedAs(key), nowMs = Date.now()): ReturnType<typeof verifyPgp> =>
    verifyPgp(PAYLOAD, typeof signature === 'string' ? Buffer.from(signature) : signature, listed, nowMs);
  const signed = async (pair: PgpKeyPair = key, at = Date.now()): Promise<Uint8Array> => {
    const signer = await open(pair.secret, undefined, at);
    return signer.sign(PAYLOAD, signer.publicKeys[0]);
  };
  const privateKey = (pair: PgpKeyPair = key): ReturnType<typeof readPrivateKey> => readPrivateKey({ armoredKey: pair.secret });

  it('accepts the id in lower case, and one key of several', async () => {
    expect(await verify(await signed(), { ...listedAs(key), id: key.fingerprint.toLowerCase() })).toEqual({ verified: true });
    const { readKey } = await import('openpgp');
    const both = Buffer.concat([
      (await readKey({ armoredKey: other.public })).write(),
      (await readKey({ armoredKey: key.public })).write(),
    ]);
    const armored = `-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n${both.toString('base64').replace(/(.{64})/g, '$1\n')}\n-----END PGP PUBLIC KEY BLOCK-----\n`;
    expect(await verify(await signed(), { ...listedAs(key), armored })).toEqual({ verified: true });
    expect(await verify(await signed(), { ...listedAs(other), armored })).toMatchObject({ verified: false });
  });

  it.each<[string, () => Promise<Partial<PgpListed>>, RegExp]>([
    ['another key under the id', () => Promise.resolve({ armored: other.public }), /is not the fingerprint/],
    ['another id on the key', () => Promise.resolve({ id: other.fingerprint }), /is not the fingerprint/],
    ['the short id', () => Promise.resolve({ id: key.fingerprint.slice(24) }), /is not the fingerprint/],
    ['no armored key', () => Promise.resolve({ armored: 'nothing' }), /no readable/],
    ['a damaged key', () => Promise.resolve({ armored: key.public.replace(/\n\n.{40}/, `\n\n${'A'.repeat(40)}`) }), /no readable/],
    [
      'a revoked key',
      async () => ({
        armored: (await readPrivateKey({ armoredKey: await revoked(key, enums.reasonForRevocation.keyRetired) })).toPublic().armor(),
      }),
      /not valid now: .*revoked/,
    ],
  ])('rejects %s', async (_name, change, says) => {
    expect(await verify(await signed(), { ...listedAs(key), ...(await change()) })).toEqual({
      verified: false,
      reason: expect.stringMatching(says),
    });
  });

  it('rejects a key that expired after it signed, and accepts it before', async () => {
    const short = await makePgpKey({ ...PGP_KINDS['ed25519Legacy'], keyExpirationTime: 2 * 3600 });
    const signature = await signed(short);
    expect(await verify(signature, listedAs(short))).toEqual({ verified: true });
    expect(await verify(signature, listedAs(short), Date.now() + 2 * HOUR_MS)).toEqual({
      verified: false,
      reason: expect.stringMatching(/not valid now: .*expired/),
    });
  });

  it('bears a clock that is a little behind the signer, and no more', async () => {
    expect(await verify(await signed(key, Date.now() + 60_000))).toEqual({ verified: true });
    expect(await verify(await signed(key, Date.now() + HOUR_MS))).toMatchObject({ verified: false });
  });

  it.each<[string, () => Promise<string>, RegExp]>([
    [
      'a clear-signed message',
      async () =>
        sign({ message: await createCleartextMessage({ text: Buffer.from(PAYLOAD).toString() }), signingKeys: await privateKey() }),
      /clear-signed/,
    ],
    [
      'a detached signature',
      async () =>
        sign({ message: await createMessage({ binary: PAYLOAD }), signingKeys: await privateKey(), detached: true }) as Promise<string>,
      /detached/,
    ],
    [
      'an attached message around another payload',
      async () => sign({ message: await createMessage({ binary: PAYLOAD.slice(1) }), signingKeys: await privateKey() }) as Promise<string>,
      /other bytes/,
    ],
    [
      'an attached text message',
      async () => sign({ message: await createMessage({ text: `${Buffer.from(PAYLOAD).toString()}x` }), signingKeys: await privateKey() }),
      /other bytes/,
    ],
    ['a message without a signature', async () => (await createMessage({ binary: PAYLOAD })).armor(), /no signature/],
    [
      'an encrypted message',
      async () => encrypt({ message: await createMessage({ binary: PAYLOAD }), passwords: 'x', format: 'armored' }) as Promise<string>,
      /other bytes/,
    ],
    ['a signature by another key', async () => Buffer.from(await signed(other)).toString(), /Could not find signing key/],
    ['the public key', () => Promise.resolve(key.public), /PGP PUBLIC KEY BLOCK/],
    [
      'a message cut short',
      async () =>
        Buffer.from(await signed())
          .toString()
          .slice(0, 150),
      /cannot be read/,
    ],
    [
      'a message with a broken body',
      async () =>
        Buffer.from(await signed())
          .toString()
          .replace(/\n\n.{40}/, `\n\n${'A'.repeat(40)}`),
      /cannot be read/,
    ],
    ['words', () => Promise.resolve('nothing'), /no armored text/],
    ['nothing', () => Promise.resolve(''), /no armored text/],
    ['too much', () => Promise.resolve('A'.repeat(2 * 1024 * 1024)), /bytes/],
  ])('rejects %s', async (_name, make, says) => {
    expect(await verify(await make())).toEqual({ verified: false, reason: expect.stringMatching(says) });
  });

  it('accepts one good signature beside one by a stranger', async () => {
    const message = await createMessage({ binary: PAYLOAD });
    const both = (await sign({ message, signingKeys: [await privateKey(other), await privateKey()] })) as string;
    expect(await verify(both)).toEqual({ verified: true });
  });

  it('rejects every flipped byte of the body', async () => {
    const text = Buffer.from(await signed()).toString();
    const [head = '', body = ''] = text.split(/\n\n/);
    const bytes = Buffer.from(body.slice(0, body.lastIndexOf('\n=')), 'base64');
    for (let at = 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes);
      changed[at]! ^= 0x01;
      const verdict = await verify(`${head}\n\n${changed.toString('base64')}\n-----END PGP MESSAGE-----\n`);
      // Literal name and date, and the unhashed part of the signature, are not signed and do not matter.
      if (verdict.verified) expect(unsignedParts(bytes, changed)).toBe(true);
    }
  });

  it('warns of keys that are too new to be sure of', async () => {
    const modern = await makePgpKey({ type: 'curve25519' });
    const message = (await sign({ message: await createMessage({ binary: PAYLOAD }), signingKeys: await privateKey(modern) })) as string;
    expect(await verify(message, listedAs(modern))).toEqual({ verified: true, warning: expect.stringContaining('27') });
  });

  it('leaves the global configuration of openpgp alone', () => {
    expect(config.nonDeterministicSignaturesViaNotation).toBe(true);
    expect(config.maxDecompressedMessageSize).toBe(Infinity);
  });
});

// A change that leaves the literal data and everything hashed as it was.
function unsignedParts(before: Uint8Array, after: Uint8Array): boolean {
  const payload = Buffer.from(PAYLOAD);
  return Buffer.from(before).includes(payload) && Buffer.from(after).includes(payload);
}

describe('readPublicKey', () => {
  it('is that of the primary key, upper case', async () => {
    expect((await readPublicKey(key.public, new Date()))?.fingerprint).toBe(key.fingerprint);
    expect((await readPublicKey(`${key.public.replaceAll('\n', '\r\n')}`, new Date()))?.fingerprint).toBe(key.fingerprint);
    expect(key.fingerprint).toMatch(/^[0-9A-F]{40}$/);
  });

  it.each(['', 'nothing', '-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END PGP PUBLIC KEY BLOCK-----\n'])(
    'finds none in %j',
    async (text) => {
      expect(await readPublicKey(text, new Date())).toBeUndefined();
    },
  );

  it('can sign', async () => {
    expect(await readPublicKey(key.public, new Date())).toEqual({ fingerprint: key.fingerprint });
  });

  it('finds none in a private key', async () => {
    expect(await readPublicKey(key.secret, new Date())).toBeUndefined();
  });
});

describe('a signer in a log', () => {
  it('shows its fingerprint and nothing else', async () => {
    expect(inspect(await open(key.secret))).toContain(key.fingerprint);
  });
});
