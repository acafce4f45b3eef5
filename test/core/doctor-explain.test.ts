// SPDX-License-Identifier: Apache-2.0
// What a rejected attestation is a case of. Signatures are a toy: one is good for a key if it spells the key and the bytes.
import { describe, expect, it, test } from 'vitest';
import type { AttestationSignature, StoredAttestation } from '../../src/core/attestation/attestation.js';
import type { RejectionCode } from '../../src/core/attestation/verify.js';
import { explain, type ExplainedAttestation } from '../../src/core/doctor/explain.js';
import type { FindingCode } from '../../src/core/doctor/findings.js';
import type { OccurrenceName } from '../../src/core/names.js';
import type { AttestorKey } from '../../src/core/signing/public-key.js';
import type { Verifier } from '../../src/core/signing/verifier.js';
import { FINGERPRINT, NOTE } from '../support/doctor-facts.js';

const DIGEST = `sha256:${'a1'.repeat(32)}`;
const MEMBERS = {
  identity: { 'docker-reference': 'gcr.io/p/x' },
  image: { 'docker-manifest-digest': DIGEST },
  type: 'atomic container signature',
};
const PAYLOAD = { critical: MEMBERS };
const PKIX: AttestorKey = { kind: 'pkix', id: 'k', pem: 'pem of k', algorithm: 'ECDSA_P256_SHA256' };
const PGP: AttestorKey = { kind: 'pgp', id: FINGERPRINT, armored: 'armored' };

const secretOf = (key: AttestorKey): string => (key.kind === 'pkix' ? key.pem : key.armored);
const sign = (key: AttestorKey, bytes: string): Uint8Array => Buffer.from(`${secretOf(key)}|${bytes}`);
const verifier: Verifier = {
  verify: (payload, signature, key) =>
    Promise.resolve(
      Buffer.compare(signature, Buffer.concat([Buffer.from(`${secretOf(key)}|`), payload])) === 0
        ? { verified: true }
        : { verified: false, reason: 'bad' },
    ),
};
const signature = (bytes: Uint8Array | string, publicKeyId = 'k'): AttestationSignature => ({ publicKeyId, bytes: Buffer.from(bytes) });

/** The case of an attestation of this payload. */
async function caseOf(
  code: RejectionCode,
  signatures: readonly AttestationSignature[],
  keys: readonly AttestorKey[] = [PKIX],
  payload = JSON.stringify(PAYLOAD),
): Promise<ExplainedAttestation> {
  const occurrence = 'projects/p/occurrences/1' as OccurrenceName;
  const attestation: StoredAttestation = { occurrence, note: NOTE, resourceUri: '', payload: Buffer.from(payload), signatures };
  const explained = await explain({ attestation, rejection: { code, message: 'as rejected' } }, keys, verifier);
  expect(explained.attestation).toBe(attestation);
  return explained;
}

describe('a rejection', () => {
  const bad = [signature('bad')];
  test.each<[RejectionCode, FindingCode]>([
    ['ATTESTOR_HAS_NO_KEY', 'ATTESTOR_WITHOUT_KEYS'],
    ['OTHER_DIGEST', 'ATTESTATION_OF_OTHER_DIGEST'],
    ['UNKNOWN_KEY_ID', 'ATTESTED_BY_UNTRUSTED_KEY'],
    ['TRUSTED_KEY_UNDER_OTHER_ID', 'ATTESTED_UNDER_OTHER_KEY_ID'],
    ['BAD_SIGNATURE', 'ATTESTATION_BROKEN'],
    ['NO_SIGNATURE', 'ATTESTATION_BROKEN'],
    ['PAYLOAD_NOT_PARSEABLE', 'ATTESTATION_BROKEN'],
  ])('of %s is %s, in its own words', async (code, finding) =>
    expect(await caseOf(code, bad)).toMatchObject({ code: finding, message: 'as rejected' }),
  );
});

describe('a trusted key under another id', () => {
  const spelt = async (id: string, keys: readonly AttestorKey[] = [PKIX, PGP], others: readonly string[] = []) =>
    (
      await caseOf(
        'TRUSTED_KEY_UNDER_OTHER_ID',
        [...others, id].map((one) => signature('s', one)),
        keys,
      )
    ).code;
  const inBlocks = FINGERPRINT.replace(/(.{4})(?=.)/g, '$1 ');
  test.each([
    `openpgp4fpr:${FINGERPRINT}`,
    `OPENPGP4FPR:${FINGERPRINT}`,
    FINGERPRINT.toLowerCase(),
    inBlocks,
    FINGERPRINT.slice(-16),
    `0x${FINGERPRINT.slice(-16)}`,
    `0X${FINGERPRINT.slice(-8).toLowerCase()}`,
    FINGERPRINT.slice(-8),
  ])('is the PGP key spelt otherwise: %s', async (id) => expect(await spelt(id)).toBe('ATTESTED_UNDER_PGP_SPELLING'));
  test.each([
    FINGERPRINT.slice(-7),
    FINGERPRINT.slice(0, 16),
    `${FINGERPRINT.slice(-16, -8)}0x${FINGERPRINT.slice(-8)}`,
    `x:openpgp4fpr:${FINGERPRINT}`,
    '',
    'k',
  ])('is no spelling of the PGP key: %s', async (id) => expect(await spelt(id)).toBe('ATTESTED_UNDER_OTHER_KEY_ID'));
  it('may be any of several signatures', async () =>
    expect(await spelt(FINGERPRINT.slice(-8), [PGP], ['x'])).toBe('ATTESTED_UNDER_PGP_SPELLING'));
  it('is a matter of PGP keys alone', async () => {
    expect(await spelt(FINGERPRINT.slice(-8), [{ ...PKIX, id: FINGERPRINT }])).toBe('ATTESTED_UNDER_OTHER_KEY_ID');
    expect(await spelt('12345678', [PGP])).toBe('ATTESTED_UNDER_OTHER_KEY_ID');
  });
});

const EITHER = ['UNKNOWN_KEY_ID', 'BAD_SIGNATURE'] as const;

describe.each(EITHER)('a PGP signature in another form, rejected for %s', (code) => {
  const clear = signature('-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n{}\n-----BEGIN PGP SIGNATURE-----\n');
  const detached = signature(`Comment: x\n-----BEGIN PGP SIGNATURE-----\n\niQ==`);
  test.each([
    ['clear-signed', [clear]],
    ['detached', [signature('other'), detached]],
  ])('is %s', async (form, signatures) => {
    const expected = {
      code: 'ATTESTATION_PGP_NOT_ATTACHED',
      message: expect.stringContaining(`its PGP signature is ${form}, expected an armored attached one (gpg --armor --sign)`) as unknown,
    };
    expect(await caseOf(code, signatures, [PKIX, PGP])).toMatchObject(expected);
  });
  test.each([
    ['an attached one', [signature('-----BEGIN PGP MESSAGE-----\n')], [PGP]],
    ['one that says so far from its beginning', [signature(' '.repeat(200) + '-----BEGIN PGP SIGNATURE-----')], [PGP]],
    ['one for an attestor that trusts no PGP key', [clear, detached], [PKIX]],
  ])('is not %s', async (_title, signatures, keys) =>
    expect((await caseOf(code, signatures, keys)).code).toBe(code === 'BAD_SIGNATURE' ? 'ATTESTATION_BROKEN' : 'ATTESTED_BY_UNTRUSTED_KEY'),
  );
});

// https://github.com/secure-systems-lab/dsse/blob/master/protocol.md, written once more by itself.
function pae(type: string, payload: string): string {
  const [typeLength, length] = [type, payload].map((text) => Buffer.byteLength(text));
  return `DSSEv1 ${typeLength} ${type} ${length} ${payload}`;
}

describe.each(EITHER)('a signature over the DSSE encoding, rejected for %s', (code) => {
  const types = ['application/vnd.dev.cosign.simplesigning.v1+json', 'application/vnd.in-toto+json'];
  test.each(types)('is found: %s', async (type) => {
    for (const payload of [JSON.stringify(PAYLOAD), '{"ü":1}']) {
      const found = await caseOf(code, [signature(sign(PKIX, pae(type, payload)))], [PGP, PKIX], payload);
      expect(found).toMatchObject({
        code: 'ATTESTATION_PAE',
        message: expect.stringMatching(`DSSE encoding \\(PAE, type ${type.replace('+', '\\+')}\\)`) as unknown,
      });
    }
  });
  it('is none of another type or another payload', async () => {
    const payload = JSON.stringify(PAYLOAD);
    for (const bytes of [pae('text/plain', payload), pae(types[0]!, `${payload}\n`), pae('', payload)])
      expect((await caseOf(code, [signature(sign(PKIX, bytes))])).code).not.toBe('ATTESTATION_PAE');
  });
});

describe('a signature over the payload in another formatting', () => {
  const reserialised = {
    code: 'ATTESTATION_RESERIALISED',
    message: 'its signature is over the same payload in another formatting: it was formatted anew after it was signed',
  };
  const gcloud = JSON.stringify({ critical: { identity: MEMBERS.identity, image: MEMBERS.image, type: MEMBERS.type } }, null, 2);
  const disordered = { optional: null, critical: { type: MEMBERS.type, image: MEMBERS.image, identity: MEMBERS.identity } };
  const whole = { ...disordered, list: ['a b', 1], empty: {} };
  const python = `{"optional": null, "critical": {"type": "${MEMBERS.type}", "image": {"docker-manifest-digest": "${DIGEST}"}, "identity": {"docker-reference": "gcr.io/p/x"}}, "list": ["a b",1], "empty": {}}`;
  const sorted = `{"critical":{"identity":{"docker-reference":"gcr.io/p/x"},"image":{"docker-manifest-digest":"${DIGEST}"},"type":"${MEMBERS.type}"},"empty":{},"list":["a b",1],"optional":null}`;
  const signed = (bytes: string): readonly AttestationSignature[] => [signature(sign(PKIX, bytes))];

  describe.each([
    ['as gcloud writes it', disordered, gcloud],
    ['compact', whole, JSON.stringify(whole)],
    ['indented by two', whole, JSON.stringify(whole, null, 2)],
    ['indented by four', whole, JSON.stringify(whole, null, 4)],
    ['as Python writes it', whole, python],
    ['sorted', whole, sorted],
  ])('%s', (_title, value, text) => {
    const stored = JSON.stringify(value, null, 3);
    test.each(EITHER)('is found where it was rejected for %s', async (code) => {
      expect(await caseOf(code, signed(text), [PGP, PKIX], stored)).toMatchObject(reserialised);
      expect(await caseOf(code, signed(`${text}\n`), [PGP, PKIX], stored)).toMatchObject(reserialised);
    });
    it('is none with another line feed, or by another key', async () => {
      expect((await caseOf('BAD_SIGNATURE', signed(`${text}\n\n`), [PKIX], stored)).code).toBe('ATTESTATION_BROKEN');
      expect((await caseOf('BAD_SIGNATURE', signed(text), [PGP], stored)).code).toBe('ATTESTATION_BROKEN');
    });
  });
  it('has gcloud’s type where the payload has none, and only there', async () => {
    const typed = (type?: string): string => JSON.stringify({ critical: { ...MEMBERS, type } }, null, 2);
    const stored = JSON.stringify({ critical: { ...MEMBERS, type: undefined } });
    expect(await caseOf('BAD_SIGNATURE', signed(typed('Google cloud binauthz container signature')), [PKIX], stored)).toMatchObject(
      reserialised,
    );
    expect((await caseOf('BAD_SIGNATURE', signed(typed('Google cloud binauthz container signature')))).code).toBe('ATTESTATION_BROKEN');
  });
  it('is none of another payload, or where nothing can be read', async () => {
    expect((await caseOf('BAD_SIGNATURE', signed(gcloud.replace('a1', 'a2')))).code).toBe('ATTESTATION_BROKEN');
    expect((await caseOf('BAD_SIGNATURE', signed('{}'), [PKIX], '{ }')).code).toBe('ATTESTATION_BROKEN');
    expect((await caseOf('BAD_SIGNATURE', signed('1'), [PKIX], 'no JSON')).code).toBe('ATTESTATION_BROKEN');
  });
  it('is looked for in three signatures at most: trying is work, and whoever attests chooses their number', async () => {
    const [bad, good] = [signature('bad'), signature(sign(PKIX, gcloud))];
    expect((await caseOf('BAD_SIGNATURE', [bad, bad, good])).code).toBe('ATTESTATION_RESERIALISED');
    expect((await caseOf('BAD_SIGNATURE', [bad, bad, bad, good])).code).toBe('ATTESTATION_BROKEN');
  });
});
