// SPDX-License-Identifier: Apache-2.0
// Attestations that were tampered with: none is ever taken for a good one.
import { sign as signBytes } from 'node:crypto';
import { createMessage, readPrivateKey, sign } from 'openpgp';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Attestation } from '../../src/core/attestation/attestation.js';
import { verifyAttestation } from '../../src/core/attestation/verify.js';
import { parseDigest } from '../../src/core/image/digest.js';
import { parseNoteName } from '../../src/core/names.js';
import { decodePayload, encodePayload, PAYLOAD_TYPE } from '../../src/core/payload/payload.js';
import type { AttestorKey } from '../../src/core/signing/public-key.js';
import { createVerifier } from '../../src/signers/verifier.js';
import { makePgpKey } from '../support/pgp-keys.js';
import { algorithmNamed, keyPairFor, publicPem } from '../support/pkix-keys.js';
import { mutatedBytes } from './arbitraries.js';
import { forEachInput } from './fuzz.js';

const DIGEST = parseDigest(`sha256:${'1'.repeat(64)}`)!;
const NOTE = parseNoteName('projects/p-project/notes/n')!;
const PAYLOAD = encodePayload({ dockerReference: 'gcr.io/p/x', digest: DIGEST, type: PAYLOAD_TYPE });
const verifier = createVerifier({ now: () => Date.now() });
const attestation = (payload: Uint8Array, bytes: Uint8Array, publicKeyId: string): Attestation => ({
  note: NOTE,
  resourceUri: `https://gcr.io/p/x@${DIGEST}`,
  payload,
  signatures: [{ publicKeyId, bytes }],
});
const same = (one: Uint8Array, other: Uint8Array): boolean => Buffer.compare(one, other) === 0;

describe('a payload', () => {
  it('is what an ordinary JSON parser reads in it, or none', () =>
    forEachInput(mutatedBytes([PAYLOAD]), (bytes) => {
      const payload = decodePayload(bytes);
      if (!payload) return;
      const read = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as { critical: { image: Record<string, unknown> } };
      expect(read.critical.image['docker-manifest-digest']).toBe(payload.digest);
    }));
});

describe('a PKIX signature', () => {
  const { privateKey, publicKey } = keyPairFor(algorithmNamed('ECDSA_P256_SHA256'));
  const good = signBytes('sha256', PAYLOAD, privateKey);
  const key: AttestorKey = { kind: 'pkix', id: 'k', pem: publicPem(publicKey), algorithm: 'ECDSA_P256_SHA256' };
  it('verifies untouched', async () => {
    expect(await verifyAttestation(attestation(PAYLOAD, good, 'k'), DIGEST, [key], verifier)).toHaveProperty('verified');
  });
  it('verifies under nothing else than its own bytes', () =>
    forEachInput(mutatedBytes([good]), async (bytes) => {
      const verdict = await verifyAttestation(attestation(PAYLOAD, bytes, 'k'), DIGEST, [key], verifier);
      if ('verified' in verdict) expect(same(bytes, good)).toBe(true);
    }));
  it('holds for nothing else than its payload', () =>
    forEachInput(mutatedBytes([PAYLOAD]), async (bytes) => {
      const verdict = await verifyAttestation(attestation(bytes, good, 'k'), DIGEST, [key], verifier);
      if ('verified' in verdict) expect(same(bytes, PAYLOAD)).toBe(true);
    }));
});

describe('a PGP message', () => {
  let good: Uint8Array;
  let armored: Uint8Array;
  let key: AttestorKey;
  beforeAll(async () => {
    const pair = await makePgpKey();
    const message = await createMessage({ binary: PAYLOAD });
    const signingKeys = await readPrivateKey({ armoredKey: pair.secret });
    armored = new TextEncoder().encode(String(await sign({ message, signingKeys, format: 'armored' })));
    good = (await sign({ message: await createMessage({ binary: PAYLOAD }), signingKeys, format: 'binary' })) as Uint8Array;
    key = { kind: 'pgp', id: pair.fingerprint, armored: pair.public } as unknown as AttestorKey;
  });
  it('verifies untouched', async () => {
    expect(await verifyAttestation(attestation(PAYLOAD, armored, key.id), DIGEST, [key], verifier)).toHaveProperty('verified');
  });
  it('of broken packets is refused, without a crash, and never for another payload', async () => {
    const other = encodePayload({ dockerReference: 'gcr.io/p/x', digest: parseDigest(`sha256:${'2'.repeat(64)}`)!, type: PAYLOAD_TYPE });
    await forEachInput(
      mutatedBytes([good, armored]),
      async (bytes) => {
        await verifyAttestation(attestation(PAYLOAD, bytes, key.id), DIGEST, [key], verifier);
        const verdict = await verifyAttestation(
          attestation(other, bytes, key.id),
          parseDigest(`sha256:${'2'.repeat(64)}`)!,
          [key],
          verifier,
        );
        expect(verdict).not.toHaveProperty('verified');
      },
      0.3,
    );
  });
});
