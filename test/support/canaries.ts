// SPDX-License-Identifier: Apache-2.0
// Secrets that are easy to find again, in whatever form they leak.
import { generateKeyPairSync } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import * as openpgp from 'openpgp';

/** The secrets of a run, with their public halves. */
export interface Canaries {
  readonly pgp: string;
  readonly pgpPublic: string;
  readonly passphrase: string;
  readonly pkix: string;
  readonly pkixPublic: string;
  readonly token: string;
}

/** A piece of a secret, and of which one. */
export interface Needle {
  readonly of: string;
  readonly text: string;
}

/** A text that must hold no secret, and where it was found. */
export interface Evidence {
  readonly where: string;
  readonly text: string;
}

const PIECE = 24;

/** Fresh secrets. The passphrase has characters that every encoding changes; `config` may make it quick to try. */
export async function makeCanaries(config: openpgp.PartialConfig = {}): Promise<Canaries> {
  const passphrase = 'Canary-Päss "phrase"/+&%41 71935';
  const pgp = await openpgp.generateKey({
    type: 'ecc',
    curve: 'ed25519Legacy',
    userIDs: [{ name: 'canary' }],
    passphrase,
    date: new Date(Date.now() - 3_600_000),
    format: 'armored',
    config,
  });
  const pkix = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    pgp: pgp.privateKey,
    pgpPublic: pgp.publicKey,
    passphrase,
    pkix: pkix.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    pkixPublic: pkix.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    token: 'canary.token-0123456789/abcdefghijklmnop+==',
  };
}

/** Every piece to look for. */
export async function needlesOf(canaries: Canaries): Promise<readonly Needle[]> {
  const { privateParams } = (
    await openpgp.decryptKey({ privateKey: await openpgp.readPrivateKey({ armoredKey: canaries.pgp }), passphrase: canaries.passphrase })
  ).keyPacket as unknown as { privateParams: Record<string, Uint8Array> };
  const pkixScalar = Buffer.from(canaries.pkix.split('\n').slice(1, -2).join(''), 'base64').subarray(36, 68);
  const found: readonly (readonly [string, readonly string[]])[] = [
    ['passphrase', formsOfText(canaries.passphrase)],
    ['access token', formsOfText(canaries.token)],
    ['PGP key', formsOfKey(canaries.pgp)],
    ['PGP secret number', Object.values(privateParams).flatMap((bytes) => formsOfBytes(Buffer.from(bytes)))],
    ['PKIX key', formsOfKey(canaries.pkix)],
    ['PKIX secret number', formsOfBytes(pkixScalar)],
  ];
  // A private key holds its public half, which may be shown.
  const published = [canaries.pgpPublic, canaries.pkixPublic].flatMap((armored) => {
    const joined = linesOf(armored).join('');
    return [joined, ...base64Of(Buffer.from(joined, 'base64'))];
  });
  return found.flatMap(([of, texts]) =>
    [...new Set(texts)].filter((text) => !published.some((shown) => shown.includes(text))).map((text) => ({ of, text })),
  );
}

function formsOfText(text: string): readonly string[] {
  return [
    text,
    JSON.stringify(text).slice(1, -1),
    encodeURIComponent(text),
    Buffer.from(text).toString('latin1'),
    ...formsOfBytes(Buffer.from(text)),
  ];
}

// A leak may be cut short or wrapped, so pieces are looked for. The pieces of the armored lines also find the key with
// \n escapes and on one line.
function formsOfKey(armored: string): readonly string[] {
  const lines = linesOf(armored);
  return [
    ...lines.flatMap(pieces),
    ...lines.map(encodeURIComponent).flatMap(pieces),
    ...formsOfBytes(Buffer.from(armored)),
    ...formsOfBytes(Buffer.from(lines.join(''))),
  ];
}

function linesOf(armored: string): readonly string[] {
  return armored.split('\n').filter((line) => line.length >= PIECE && !line.includes('-----'));
}

/** Base64 at each of the three places where bytes may begin in it, without the ends that depend on their neighbours. */
function base64Of(bytes: Buffer): readonly string[] {
  return [0, 1, 2].map((shift) =>
    Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .slice(4, -4),
  );
}

/** Hexadecimal, base64 and its URL-safe form. */
function formsOfBytes(bytes: Buffer): readonly string[] {
  const base64 = base64Of(bytes);
  return [
    ...pieces(bytes.toString('hex')),
    ...base64.flatMap(pieces),
    ...base64.flatMap((text) => pieces(text.replaceAll('+', '-').replaceAll('/', '_'))),
  ];
}

function pieces(text: string): readonly string[] {
  const found = text.match(new RegExp(`.{${PIECE}}`, 'gs')) ?? [];
  return found.length > 0 ? found : [text];
}

/** Which secrets are in which texts; base64 in a text is looked into as well. */
export function leaksIn(evidence: readonly Evidence[], needles: readonly Needle[]): readonly string[] {
  const leaks = evidence.flatMap(({ where, text }) => {
    const decoded = (text.match(/[A-Za-z0-9+/_-]{40,}={0,2}/g) ?? []).map((part) => Buffer.from(part, 'base64').toString('latin1'));
    const shown = [text, ...new Set(decoded)].join('\n');
    return needles.filter((needle) => shown.includes(needle.text)).map(({ of }) => `${of} in ${where}`);
  });
  return [...new Set(leaks)];
}

/** Every file below a folder. */
export async function filesIn(folder: string): Promise<readonly Evidence[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(files.flatMap((path) => [readFile(path, 'utf8').then((text) => ({ where: `file ${relative(folder, path)}`, text }))]));
}
