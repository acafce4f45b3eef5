// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { execFileSync, spawnSync } from 'node:child_process';
import { constants, sign, createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as openpgp from 'openpgp';
import { startTestEmulator, type TestEmulator } from '../support/emulator.js';
import { signingKey, simpleSigningPayload } from '../support/keys.js';

let emulator: TestEmulator;
let now = Date.parse('2026-01-01T00:00:00Z');
beforeAll(async () => {
  emulator = await startTestEmulator({ clock: { now: () => now, sleep: () => Promise.resolve() } });
});
beforeEach(async () => {
  now = Date.parse('2026-01-01T00:00:00Z');
  await emulator.api('POST', '/_emulator/reset');
});
afterAll(async () => {
  expect(emulator.lastErrors).toEqual([]);
  await emulator.close();
});

const NOTE = 'projects/notes-project/notes/n';
const D = `sha256:${'0'.repeat(60)}abcd`;
const IMAGE = `https://gcr.io/p/x@${D}`;
const PAYLOAD = simpleSigningPayload('gcr.io/p/x', D);
const EC = signingKey('ECDSA_P256_SHA256');
const OTHER = signingKey('ECDSA_P256_SHA256');
const ID = 'urn:key';

interface Case {
  readonly payload?: Buffer;
  readonly signatures?: readonly { readonly publicKeyId: string; readonly signature: Buffer }[];
  readonly note?: string;
  readonly uri?: string;
}

const entry = (key: { pem: string; algorithm: string }, id = ID) => ({
  id,
  pkixPublicKey: { publicKeyPem: key.pem, signatureAlgorithm: key.algorithm },
});

async function withKeys(...publicKeys: unknown[]) {
  const made = await emulator.api('POST', '/v1/projects/p/attestors?attestorId=a', {
    userOwnedGrafeasNote: { noteReference: NOTE, publicKeys },
  });
  expect(made.status).toBe(200);
  const agent: string = made.json.userOwnedGrafeasNote.delegationServiceAccountEmail;
  const bindings = [{ role: 'roles/containeranalysis.notes.occurrences.viewer', members: [`serviceAccount:${agent}`] }];
  await emulator.api('POST', '/v1/projects/notes-project:setIamPolicy', { policy: { bindings } });
  return { agent, ids: (made.json.userOwnedGrafeasNote.publicKeys ?? []).map(({ id }: { id: string }) => id) as string[] };
}

async function validate(
  { payload = PAYLOAD, signatures = [{ publicKeyId: ID, signature: EC.sign(payload) }], note = NOTE, uri = IMAGE }: Case = {},
  version = 'v1',
) {
  const body = {
    attestation: {
      serializedPayload: payload.toString('base64url'),
      signatures: signatures.map(({ publicKeyId, signature }) => ({ publicKeyId, signature: signature.toString('base64') })),
    },
    occurrenceNote: note,
    occurrenceResourceUri: uri,
  };
  return (await emulator.api('POST', `/${version}/projects/p/attestors/a:validateAttestationOccurrence`, body)).json;
}

const refused = (text: string) => ({ result: 'ATTESTATION_NOT_VERIFIABLE', denialReason: expect.stringContaining(text) });

describe('PKIX', () => {
  it.each([
    'RSA_PSS_2048_SHA256',
    'RSA_PSS_3072_SHA256',
    'RSA_PSS_4096_SHA256',
    'RSA_PSS_4096_SHA512',
    'RSA_SIGN_PKCS1_2048_SHA256',
    'RSA_SIGN_PKCS1_3072_SHA256',
    'RSA_SIGN_PKCS1_4096_SHA256',
    'RSA_SIGN_PKCS1_4096_SHA512',
    'ECDSA_P256_SHA256',
    'ECDSA_P384_SHA384',
    'ECDSA_P521_SHA512',
  ])('%s verifies, and one changed bit does not', async (algorithm) => {
    const key = signingKey(algorithm);
    await withKeys(entry(key));
    const signature = key.sign(PAYLOAD);
    expect(await validate({ signatures: [{ publicKeyId: ID, signature }] })).toEqual({ result: 'VERIFIED' });
    signature[signature.length - 1] = (signature.at(-1) ?? 0) ^ 1;
    expect(await validate({ signatures: [{ publicKeyId: ID, signature }] })).toEqual(refused('does not match the payload'));
  });

  it.each(['v1', 'v1beta1', 'v1alpha2'])('answers in %s', async (version) => {
    await withKeys(entry(EC));
    expect(await validate({}, version)).toEqual({ result: 'VERIFIED' });
  });

  it('refuses another encoding, padding or salt than the algorithm says', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
    const spki = (await import('node:crypto')).createPublicKey(createPrivateKey(pem)).export({ type: 'spki', format: 'pem' }).toString();
    await withKeys(entry({ pem: spki, algorithm: 'ECDSA_P256_SHA256' }));
    const raw = sign('sha256', PAYLOAD, { key: privateKey, dsaEncoding: 'ieee-p1363' });
    expect(await validate({ signatures: [{ publicKeyId: ID, signature: raw }] })).toEqual(refused('does not match'));
    await emulator.api('DELETE', '/v1/projects/p/attestors/a');
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
    await withKeys(entry({ pem: rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString(), algorithm: 'RSA_PSS_2048_SHA256' }));
    for (const options of [{ padding: constants.RSA_PKCS1_PADDING }, { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 20 }]) {
      const signature = sign('sha256', PAYLOAD, { key: rsa.privateKey, ...options });
      expect(await validate({ signatures: [{ publicKeyId: ID, signature }] })).toEqual(refused('does not match'));
    }
  });

  it('cannot verify ML-DSA and says so', async () => {
    const der = Buffer.concat([Buffer.from('308207b2300b0609608648016503040312038207a100', 'hex'), Buffer.alloc(1952)]);
    await withKeys(
      entry({ pem: `-----BEGIN PUBLIC KEY-----\n${der.toString('base64')}\n-----END PUBLIC KEY-----\n`, algorithm: 'ML_DSA_65' }),
    );
    expect(await validate()).toEqual(refused('ML_DSA_65 cannot be verified'));
  });
});

describe('key ids', () => {
  it('select the key exactly', async () => {
    await withKeys(entry(EC, ID), entry(OTHER, 'urn:other'));
    const by = (publicKeyId: string, key = EC) => validate({ signatures: [{ publicKeyId, signature: key.sign(PAYLOAD) }] });
    expect(await by(ID)).toEqual({ result: 'VERIFIED' });
    expect(await by('urn:other', OTHER)).toEqual({ result: 'VERIFIED' });
    expect(await by('urn:other')).toEqual(refused('does not match'));
    expect(await by(`${ID}/`)).toEqual(refused('the attestor has no such key'));
    expect(await by('')).toEqual(refused('the attestor has no such key'));
  });

  it('one good signature is enough', async () => {
    await withKeys(entry(EC));
    const bad = { publicKeyId: 'urn:unknown', signature: Buffer.from('x') };
    expect(await validate({ signatures: [bad, { publicKeyId: ID, signature: EC.sign(PAYLOAD) }] })).toEqual({ result: 'VERIFIED' });
    expect(await validate({ signatures: [bad] })).toEqual(refused('No attestations found'));
    expect(await validate({ signatures: [] })).toEqual(refused('no signatures'));
  });

  it('an attestor without keys verifies nothing', async () => {
    await withKeys();
    expect(await validate()).toEqual(refused('the attestor has no such key'));
  });
});

describe('what was signed', () => {
  beforeEach(() => withKeys(entry(EC)));
  const compact = (digest: string, type: string) =>
    Buffer.from(JSON.stringify({ critical: { type, image: { 'docker-manifest-digest': digest } } }));
  it.each([
    ['another docker reference', simpleSigningPayload('docker.io/library/other', D), undefined],
    ["the continuous-validation guide's type, compact", compact(D, 'Google Cloud BinAuthz container signature'), undefined],
    ['another digest', simpleSigningPayload('gcr.io/p/x', D.replace('abcd', 'abce')), "the payload's digest is"],
    ['an unknown type', compact(D, 'atomic container signature'), "the payload's type is"],
    ['no JSON', Buffer.from('hello'), 'not JSON'],
    ['no object', Buffer.from('null'), "the payload's digest is none"],
    ['nothing', Buffer.alloc(0), 'not JSON'],
  ])('%s', async (_name, payload, reason) => {
    expect(await validate({ payload })).toEqual(reason === undefined ? { result: 'VERIFIED' } : refused(reason));
  });

  it.each([
    [`gcr.io/p/x@${D}`, undefined],
    [`http://example.com:5000/a/b:v1@${D}`, undefined],
    ['https://gcr.io/p/x:v1', 'Expected digest'],
    [`https://gcr.io/p/x@${D}0`, 'Expected digest'],
    [`https://gcr.io/p/x@${D.toUpperCase()}`, 'Expected digest'],
    [`https://gcr.io/p/x@${D.replace('abcd', 'abce')}`, "the payload's digest is"],
  ])('resource %s', async (uri, reason) => {
    expect(await validate({ uri })).toEqual(reason === undefined ? { result: 'VERIFIED' } : refused(reason));
  });

  it('belongs to the note of the attestor', async () => {
    expect(await validate({ note: 'projects/notes-project/notes/other' })).toEqual(
      refused("the attestor's note is projects/notes-project/notes/n"),
    );
  });

  it.each([
    ['attestation', { occurrenceNote: NOTE, occurrenceResourceUri: IMAGE }],
    ['occurrence_note', { attestation: {}, occurrenceResourceUri: IMAGE }],
    ['occurrence_resource_uri', { attestation: {}, occurrenceNote: NOTE }],
    ['Base64', { attestation: { serializedPayload: '!' }, occurrenceNote: NOTE, occurrenceResourceUri: IMAGE }],
  ])('a call without %s is refused', async (text, body) => {
    const answer = await emulator.api('POST', '/v1/projects/p/attestors/a:validateAttestationOccurrence', body);
    expect(answer.json.error).toMatchObject({ status: 'INVALID_ARGUMENT', message: expect.stringContaining(text) });
  });

  it('is asked of an attestor that exists', async () => {
    expect((await emulator.api('POST', '/v1/projects/p/attestors/none:validateAttestationOccurrence', {})).status).toBe(404);
  });
});

describe('the service agent', () => {
  it('must be able to list the occurrences of the note', async () => {
    const { agent } = await withKeys(entry(EC));
    const set = (resource: string, bindings: unknown[]) => emulator.api('POST', `/v1/${resource}:setIamPolicy`, { policy: { bindings } });
    await set('projects/notes-project', []);
    const { result, denialReason } = await validate();
    expect(result).toBe('ATTESTATION_NOT_VERIFIABLE');
    for (const part of [agent, NOTE, 'containeranalysis.notes.listOccurrences', 'roles/containeranalysis.notes.occurrences.viewer'])
      expect(denialReason).toContain(part);
    await emulator.api('POST', '/v1/projects/notes-project/notes?noteId=n', { attestation: { hint: { human_readable_name: 'n' } } });
    await set(NOTE, [{ role: 'roles/containeranalysis.notes.occurrences.viewer', members: [`serviceAccount:${agent}`] }]);
    expect(await validate()).toEqual({ result: 'VERIFIED' });
  });
});

const HAS_GPG = spawnSync('gpg', ['--version']).status === 0;

describe.skipIf(!HAS_GPG)(HAS_GPG ? 'GnuPG' : 'GnuPG (skipped: gpg is not on the PATH)', () => {
  // The agent's socket lives in this folder and its path must be short.
  const home = mkdtempSync(join(tmpdir(), 'gpg-'));
  const gpg = (args: string[], input?: Buffer) =>
    execFileSync('gpg', ['--homedir', home, '--batch', '--quiet', '--pinentry-mode', 'loopback', '--passphrase', '', ...args], {
      input,
      stdio: ['pipe', 'pipe', 'ignore'],
    });
  afterAll(() => {
    spawnSync('gpgconf', ['--homedir', home, '--kill', 'all']);
    rmSync(home, { recursive: true, force: true });
  });

  it.each([
    ['ed25519', 'attached', ['--armor', '--sign'], undefined],
    ['rsa2048', 'attached', ['--armor', '--sign'], undefined],
    ['rsa2048', 'detached', ['--armor', '--detach-sign'], 'not'],
    ['rsa2048', 'clear-signed', ['--clearsign'], 'not'],
    ['rsa2048', 'binary', ['--sign'], 'not'],
  ])('%s, %s', async (algorithm, form, options, reason) => {
    const user = `${algorithm}-${form}@example.com`;
    gpg(['--faked-system-time', '20251201T000000', '--quick-generate-key', user, algorithm, 'sign', 'never']);
    const { ids } = await withKeys({ asciiArmoredPgpPublicKey: gpg(['--armor', '--export', user]).toString() });
    const listed = gpg(['--with-colons', '--fingerprint', user]).toString();
    expect(listed).toContain(`fpr:::::::::${ids[0]}:`);
    const signature = gpg(['--faked-system-time', '20251215T000000', '--local-user', user, ...options], PAYLOAD);
    const answer = await validate({ signatures: [{ publicKeyId: ids[0] ?? '', signature }] });
    expect(answer).toEqual(reason === undefined ? { result: 'VERIFIED' } : refused(reason));
  });
});

describe('PGP', () => {
  const generate = (options: object = {}) =>
    openpgp.generateKey({ userIDs: [{ name: 'signer' }], format: 'object', date: new Date('2025-12-01'), ...options });
  const armored = async (key: openpgp.PrivateKey, payload: Buffer, date = new Date('2025-12-31')) =>
    Buffer.from(String(await openpgp.sign({ message: await openpgp.createMessage({ binary: payload }), signingKeys: key, date })));

  it.each([
    ['elliptic curve', {}],
    ['RSA', { type: 'rsa' as const, rsaBits: 2048 }],
    ['a signing subkey', { subkeys: [{ sign: true }] }],
  ])('%s: an attached message verifies', async (_name, options) => {
    const { privateKey, publicKey } = await generate(options);
    const { ids } = await withKeys({ asciiArmoredPgpPublicKey: publicKey.armor() });
    expect(ids).toEqual([publicKey.getFingerprint().toUpperCase()]);
    expect(await validate({ signatures: [{ publicKeyId: ids[0] ?? '', signature: await armored(privateKey, PAYLOAD) }] })).toEqual({
      result: 'VERIFIED',
    });
  });

  it('everything else does not', async () => {
    const { privateKey, publicKey } = await generate();
    const stranger = await generate();
    const { ids } = await withKeys({ asciiArmoredPgpPublicKey: publicKey.armor() });
    const by = (signature: Buffer) => validate({ signatures: [{ publicKeyId: ids[0] ?? '', signature }] });
    const clear = await openpgp.sign({
      message: await openpgp.createCleartextMessage({ text: PAYLOAD.toString() }),
      signingKeys: privateKey,
      date: new Date('2025-12-31'),
    });
    const detached = await openpgp.sign({
      message: await openpgp.createMessage({ binary: PAYLOAD }),
      signingKeys: privateKey,
      detached: true,
      date: new Date('2025-12-31'),
    });
    const unsigned = (await openpgp.createMessage({ binary: PAYLOAD })).armor();
    expect(await by(await armored(privateKey, Buffer.from('other')))).toEqual(refused('not the payload'));
    expect(await by(await armored(stranger.privateKey, PAYLOAD))).toEqual(refused('not valid'));
    expect(await by(Buffer.from(String(clear)))).toEqual(refused('not valid'));
    expect(await by(Buffer.from(String(detached)))).toEqual(refused('not'));
    expect(await by(Buffer.from(unsigned))).toEqual(refused('no signature'));
    expect(await by(Buffer.from('text'))).toEqual(refused('not valid'));
  });

  it('a key that expired since, or was revoked, vouches for nothing', async () => {
    const { privateKey, publicKey } = await generate({ keyExpirationTime: 60 * 86_400 });
    const { ids } = await withKeys({ asciiArmoredPgpPublicKey: publicKey.armor() });
    const signatures = [{ publicKeyId: ids[0] ?? '', signature: await armored(privateKey, PAYLOAD) }];
    expect(await validate({ signatures })).toEqual({ result: 'VERIFIED' });
    now = Date.parse('2026-03-01T00:00:00Z');
    expect(await validate({ signatures })).toEqual(refused('expired'));
    now = Date.parse('2026-01-01T00:00:00Z');
    const revoked = await openpgp.revokeKey({ key: privateKey, format: 'object', date: new Date('2025-12-31') });
    await emulator.api('DELETE', '/v1/projects/p/attestors/a');
    await withKeys({ asciiArmoredPgpPublicKey: revoked.publicKey.armor() });
    expect(await validate({ signatures })).toEqual(refused('revoked'));
  });
});
