// SPDX-License-Identifier: Apache-2.0
// Forgeries that are almost right: the oracle of every other test must refuse each of them.
import { constants, createHash, createPublicKey, generateKeyPairSync, sign, type SigningOptions } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestEmulator, type TestEmulator } from '../support/emulator.js';
import { simpleSigningPayload } from '../support/keys.js';

let emulator: TestEmulator;
beforeAll(async () => void (emulator = await startTestEmulator()));
beforeEach(() => emulator.api('POST', '/_emulator/reset'));
afterAll(async () => {
  expect(emulator.lastErrors).toEqual([]);
  await emulator.close();
});

const NOTE = 'projects/p/notes/n';
const D = `sha256:${'0'.repeat(60)}abcd`;
const PAYLOAD = simpleSigningPayload('gcr.io/p/x', D);
const EC = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const RSA = generateKeyPairSync('rsa', { modulusLength: 2048 });
const pemOf = (key: { publicKey: Parameters<typeof createPublicKey>[0] }) =>
  (key.publicKey as ReturnType<typeof createPublicKey>).export({ type: 'spki', format: 'pem' }).toString();

function makeAttestor(publicKeyPem: string, signatureAlgorithm: string) {
  return emulator.api('POST', '/v1/projects/p/attestors?attestorId=a', {
    userOwnedGrafeasNote: { noteReference: NOTE, publicKeys: [{ id: 'urn:k', pkixPublicKey: { publicKeyPem, signatureAlgorithm } }] },
  });
}

async function withKey(publicKeyPem: string, signatureAlgorithm: string): Promise<void> {
  const made = await makeAttestor(publicKeyPem, signatureAlgorithm);
  expect(made.status).toBe(200);
  const members = [`serviceAccount:${made.json.userOwnedGrafeasNote.delegationServiceAccountEmail as string}`];
  await emulator.api('POST', '/v1/projects/p:setIamPolicy', {
    policy: { bindings: [{ role: 'roles/containeranalysis.notes.occurrences.viewer', members }] },
  });
}

async function verdict(signature: Buffer, payload = PAYLOAD, publicKeyId = 'urn:k'): Promise<string> {
  const attestation = {
    serializedPayload: payload.toString('base64'),
    signatures: [{ publicKeyId, signature: signature.toString('base64') }],
  };
  const body = { attestation, occurrenceNote: NOTE, occurrenceResourceUri: `https://gcr.io/p/x@${D}` };
  return (await emulator.api('POST', '/v1/projects/p/attestors/a:validateAttestationOccurrence', body)).json.result as string;
}

const der = (...parts: Buffer[]) => Buffer.concat(parts);
/** r and s of a DER signature. */
function integers(signature: Buffer): [Buffer, Buffer] {
  const end = 4 + (signature[3] ?? 0);
  return [signature.subarray(4, end), signature.subarray(end + 2)];
}

describe('ECDSA', () => {
  const good = sign('sha256', PAYLOAD, EC.privateKey);
  const [r, s] = integers(good);
  const integer = (value: Buffer) => der(Buffer.from([2, value.length]), value);
  const padded = (value: Buffer) => integer(der(Buffer.from([0, 0]), value));
  const sequence = (...parts: Buffer[]) => der(Buffer.from([0x30, Buffer.concat(parts).length]), ...parts);
  beforeEach(() => withKey(pemOf(EC), 'ECDSA_P256_SHA256'));

  it('takes the signature itself', async () => expect(await verdict(good)).toBe('VERIFIED'));
  it.each<[string, Buffer]>([
    ['a trailing byte', der(good, Buffer.from([0]))],
    ['a byte too few', good.subarray(0, -1)],
    ['BER: a length in the long form', der(Buffer.from([0x30, 0x81, good.length - 2]), good.subarray(2))],
    ['BER: an indefinite length', der(Buffer.from([0x30, 0x80]), good.subarray(2), Buffer.from([0, 0]))],
    ['integers with superfluous zeros', sequence(padded(r), padded(s))],
    ['r and s swapped', sequence(integer(s), integer(r))],
    ['three integers', sequence(integer(r), integer(s), integer(r))],
    ['zeros', sequence(integer(Buffer.from([0])), integer(Buffer.from([0])))],
    ['another hash', sign('sha384', PAYLOAD, EC.privateKey)],
    ['another key', sign('sha256', PAYLOAD, generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)],
    ['the hash signed instead of the payload', sign('sha256', createHash('sha256').update(PAYLOAD).digest(), EC.privateKey)],
    ['its own base64', Buffer.from(good.toString('base64'))],
    ['nothing', Buffer.alloc(0)],
  ])('refuses %s', async (_name, forged) => expect(await verdict(forged)).toBe('ATTESTATION_NOT_VERIFIABLE'));

  it.each(['urn:K', 'urn:k ', 'urn:kk', 'urn:', ''])('refuses the key id "%s"', async (id) =>
    expect(await verdict(good, PAYLOAD, id)).toBe('ATTESTATION_NOT_VERIFIABLE'),
  );
});

describe('RSA', () => {
  const PSS = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
  const by = (hash: string, options: SigningOptions) => sign(hash, PAYLOAD, { key: RSA.privateKey, ...options });
  const zero = Buffer.from([0]);

  it.each<[string, Buffer, string]>([
    ['itself', by('sha256', PSS), 'VERIFIED'],
    ['no salt', by('sha256', { ...PSS, saltLength: 0 }), 'ATTESTATION_NOT_VERIFIABLE'],
    ['the longest salt', by('sha256', { ...PSS, saltLength: constants.RSA_PSS_SALTLEN_MAX_SIGN }), 'ATTESTATION_NOT_VERIFIABLE'],
    ['another hash', by('sha512', { ...PSS, saltLength: 64 }), 'ATTESTATION_NOT_VERIFIABLE'],
    ['a leading zero', der(zero, by('sha256', PSS)), 'ATTESTATION_NOT_VERIFIABLE'],
  ])('PSS: %s', async (_name, signature, result) => {
    await withKey(pemOf(RSA), 'RSA_PSS_2048_SHA256');
    expect(await verdict(signature)).toBe(result);
  });

  it.each<[string, Buffer, string]>([
    ['itself', by('sha256', {}), 'VERIFIED'],
    ['PSS', by('sha256', PSS), 'ATTESTATION_NOT_VERIFIABLE'],
    ['another hash', by('sha512', {}), 'ATTESTATION_NOT_VERIFIABLE'],
    ['a trailing zero', der(by('sha256', {}), zero), 'ATTESTATION_NOT_VERIFIABLE'],
  ])('PKCS #1: %s', async (_name, signature, result) => {
    await withKey(pemOf(RSA), 'RSA_SIGN_PKCS1_2048_SHA256');
    expect(await verdict(signature)).toBe(result);
  });
});

describe('payloads', () => {
  const critical = (digest: unknown, type: unknown = 'Google cloud binauthz container signature') =>
    JSON.stringify({ critical: { image: { 'docker-manifest-digest': digest }, type } });
  it.each<[string, string, string]>([
    ['its digest', critical(D), 'VERIFIED'],
    ['a digest in a list', critical([D]), 'ATTESTATION_NOT_VERIFIABLE'],
    ['a digest in upper case', critical(D.toUpperCase()), 'ATTESTATION_NOT_VERIFIABLE'],
    ['a digest with a blank', critical(`${D} `), 'ATTESTATION_NOT_VERIFIABLE'],
    ['a type in a list', critical(D, ['Google cloud binauthz container signature']), 'ATTESTATION_NOT_VERIFIABLE'],
    ['no type', JSON.stringify({ critical: { image: { 'docker-manifest-digest': D } } }), 'ATTESTATION_NOT_VERIFIABLE'],
    ['a list around it', `[${critical(D)}]`, 'ATTESTATION_NOT_VERIFIABLE'],
    ['another value after it', `${critical(D)}{}`, 'ATTESTATION_NOT_VERIFIABLE'],
    ['a byte order mark before it', `\uFEFF${critical(D)}`, 'ATTESTATION_NOT_VERIFIABLE'],
  ])('%s', async (_name, text, result) => {
    await withKey(pemOf(EC), 'ECDSA_P256_SHA256');
    const payload = Buffer.from(text);
    expect(await verdict(sign('sha256', payload, EC.privateKey), payload)).toBe(result);
  });
});

describe('public keys', () => {
  const spki = createPublicKey(pemOf(EC)).export({ type: 'spki', format: 'der' });
  const pem = (bytes: Buffer, label = 'PUBLIC KEY') => `-----BEGIN ${label}-----\n${bytes.toString('base64')}\n-----END ${label}-----\n`;
  it.each<[string, string, string]>([
    ['bytes after the key', pem(der(spki, Buffer.from([0]))), 'ECDSA_P256_SHA256'],
    ['a private key', EC.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), 'ECDSA_P256_SHA256'],
    ['a private key under the wrong label', pem(EC.privateKey.export({ type: 'pkcs8', format: 'der' })), 'ECDSA_P256_SHA256'],
    ['two keys', pemOf(EC) + pemOf(EC), 'ECDSA_P256_SHA256'],
    ['a key of another curve', pemOf(generateKeyPairSync('ec', { namedCurve: 'secp256k1' })), 'ECDSA_P256_SHA256'],
    ['a key of another kind', pemOf(RSA), 'ECDSA_P256_SHA256'],
    ['a key of another size', pemOf(RSA), 'RSA_PSS_3072_SHA256'],
    ['an Ed25519 key', pemOf(generateKeyPairSync('ed25519')), 'ECDSA_P256_SHA256'],
  ])('%s: refused', async (_name, text, algorithm) => {
    const answer = await makeAttestor(text, algorithm);
    expect([answer.status, answer.json.error?.status]).toEqual([400, 'INVALID_ARGUMENT']);
  });
});
