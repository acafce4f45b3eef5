// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { Attestation, AttestationSignature } from '../../src/core/attestation/attestation.js';
import { verifyAttestation, type RejectionCode } from '../../src/core/attestation/verify.js';
import { parseDigest } from '../../src/core/image/digest.js';
import { parseNoteName } from '../../src/core/names.js';
import { encodePayload, PAYLOAD_TYPE } from '../../src/core/payload/payload.js';
import type { AttestorKey } from '../../src/core/signing/public-key.js';
import type { Verifier } from '../../src/core/signing/verifier.js';

const DIGEST = parseDigest(`sha256:${'1'.repeat(64)}`)!;
const OTHER = parseDigest(`sha256:${'2'.repeat(64)}`)!;

function key(id: string, pem = id): AttestorKey {
  return { kind: 'pkix', id, pem, algorithm: 'ECDSA_P256_SHA256' };
}

// A toy scheme: a signature is good when it spells the key's pem and the payload.
function sign(pem: string, payload: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(pem), payload]);
}

const verifier: Verifier = {
  verify: (payload, signature, listed) => {
    const good = listed.kind === 'pkix' && Buffer.compare(signature, sign(listed.pem, payload)) === 0;
    if (!good) return Promise.resolve({ verified: false, reason: `no signature of ${listed.id}` });
    return Promise.resolve(listed.id === 'doubtful' ? { verified: true, warning: 'odd salt' } : { verified: true });
  },
};

function payload(digest = DIGEST, type: string = PAYLOAD_TYPE): Uint8Array {
  return encodePayload({ dockerReference: 'gcr.io/p/x', digest, type });
}

function attestation(signatures: readonly AttestationSignature[], bytes = payload()): Attestation {
  return { note: parseNoteName('projects/p-project/notes/n')!, resourceUri: `https://gcr.io/p/x@${DIGEST}`, payload: bytes, signatures };
}

function signedBy(id: string, pem = id, bytes = payload()): AttestationSignature {
  return { publicKeyId: id, bytes: sign(pem, bytes) };
}

describe('verifyAttestation', () => {
  it('accepts a good signature by a trusted key, without warnings', async () => {
    const verdict = await verifyAttestation(attestation([signedBy('a')]), DIGEST, [key('b'), key('a')], verifier);
    expect(verdict).toMatchObject({ verified: { digest: DIGEST, publicKeyId: 'a', warnings: [] } });
  });

  it('needs one good signature only', async () => {
    const verdict = await verifyAttestation(
      attestation([signedBy('stranger'), signedBy('a', 'forged'), signedBy('b')]),
      DIGEST,
      [key('a'), key('b')],
      verifier,
    );
    expect(verdict).toMatchObject({ verified: { publicKeyId: 'b' } });
  });

  it('does not compare the image name', async () => {
    const bytes = encodePayload({ dockerReference: 'elsewhere.example/x', digest: DIGEST, type: PAYLOAD_TYPE });
    expect(await verifyAttestation(attestation([signedBy('a', 'a', bytes)], bytes), DIGEST, [key('a')], verifier)).toHaveProperty(
      'verified',
    );
  });

  it('tries every key that has the id', async () => {
    expect(
      await verifyAttestation(attestation([signedBy('a', 'second')]), DIGEST, [key('a', 'first'), key('a', 'second')], verifier),
    ).toHaveProperty('verified');
  });

  it('passes on the warnings of the verifier and of an unusual type', async () => {
    const bytes = payload(DIGEST, 'atomic container signature');
    const verdict = await verifyAttestation(
      attestation([signedBy('doubtful', 'doubtful', bytes)], bytes),
      DIGEST,
      [key('doubtful')],
      verifier,
    );
    expect(verdict).toMatchObject({
      verified: {
        warnings: ['odd salt', 'its payload type is "atomic container signature", which is not one that Google publishes'],
      },
    });
  });

  it.each<[RejectionCode, string, Attestation, readonly AttestorKey[]]>([
    ['ATTESTOR_HAS_NO_KEY', 'the attestor trusts no key, so no attestation of it is ever valid', attestation([signedBy('a')]), []],
    ['NO_SIGNATURE', 'it holds no signature', attestation([]), [key('a')]],
    [
      'PAYLOAD_NOT_PARSEABLE',
      'the signed payload is not a Binary Authorization payload with a sha256 digest',
      attestation([signedBy('a', 'a', Buffer.from('x'))], Buffer.from('x')),
      [key('a')],
    ],
    [
      'OTHER_DIGEST',
      `it was signed for ${OTHER}, expected ${DIGEST}`,
      attestation([signedBy('a', 'a', payload(OTHER))], payload(OTHER)),
      [key('a')],
    ],
    [
      'UNKNOWN_KEY_ID',
      'it was signed by stranger, which the attestor does not trust; it trusts a, b',
      attestation([signedBy('stranger')]),
      [key('a'), key('b')],
    ],
    [
      'TRUSTED_KEY_UNDER_OTHER_ID',
      'it was signed by the trusted key //cloudkms.googleapis.com/v1/k/1, but under the id k/1; the ids must be equal',
      attestation([signedBy('k/1', 'pem')]),
      [key('another'), key('//cloudkms.googleapis.com/v1/k/1', 'pem')],
    ],
    ['BAD_SIGNATURE', 'its signature by a does not verify: no signature of a', attestation([signedBy('a', 'forged')]), [key('a')]],
    ['BAD_SIGNATURE', 'its signature by a does not verify: no signature of a', attestation([signedBy('a', 'b')]), [key('a'), key('b')]],
    [
      'BAD_SIGNATURE',
      'its signature by a does not verify: no signature of a; no signature of a',
      attestation([signedBy('A', 'A'), signedBy('a', 'forged')]),
      [key('a', 'first'), key('a', 'second')],
    ],
    [
      'TRUSTED_KEY_UNDER_OTHER_ID',
      'it was signed by the trusted key a, but under the id A; the ids must be equal',
      attestation([signedBy('a', 'forged'), signedBy('A', 'a')]),
      [key('a')],
    ],
  ])('rejects with %s: %s', async (code, message, stored, keys) => {
    expect(await verifyAttestation(stored, DIGEST, keys, verifier)).toEqual({ rejected: { code, message } });
  });

  it('rejects a signature over other bytes than those stored', async () => {
    const compact = Buffer.from(JSON.stringify(JSON.parse(Buffer.from(payload()).toString())));
    expect(await verifyAttestation(attestation([signedBy('a')], compact), DIGEST, [key('a')], verifier)).toMatchObject({
      rejected: { code: 'BAD_SIGNATURE' },
    });
    expect(await verifyAttestation(attestation([signedBy('a', 'a', compact)], compact), DIGEST, [key('a')], verifier)).toHaveProperty(
      'verified',
    );
  });

  it.each([
    ['a'.repeat(200), 'a'.repeat(200)],
    ['a'.repeat(201), `${'a'.repeat(200)}…`],
    ['two\nlines', 'two lines'],
  ])('quotes the id %j as %j', async (id, quoted) => {
    expect(await verifyAttestation(attestation([signedBy(id)]), DIGEST, [key('a')], verifier)).toMatchObject({
      rejected: { message: `it was signed by ${quoted}, which the attestor does not trust; it trusts a` },
    });
  });
});
