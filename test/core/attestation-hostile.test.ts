// SPDX-License-Identifier: Apache-2.0
// What somebody who may attach occurrences to a note can plant there.
import { describe, expect, it } from 'vitest';
import type { Attestation, AttestationSignature } from '../../src/core/attestation/attestation.js';
import { verifyAttestation, type Verdict } from '../../src/core/attestation/verify.js';
import { digestOf } from '../../src/core/image/digest.js';
import type { NoteName } from '../../src/core/names.js';
import { encodePayload, PAYLOAD_TYPE } from '../../src/core/payload/payload.js';
import type { AttestorKey } from '../../src/core/signing/public-key.js';
import { createVerifier } from '../../src/signers/verifier.js';
import { signingKey } from '../support/keys.js';

const DIGEST = digestOf(new Uint8Array([1]));
const trusted = signingKey('ECDSA_P256_SHA256');
const listed = (id: string): AttestorKey => ({ kind: 'pkix', id, pem: trusted.pem, algorithm: trusted.algorithm });
const payload = encodePayload({ dockerReference: 'gcr.io/p/x', digest: DIGEST, type: PAYLOAD_TYPE });
const good = new Uint8Array(trusted.sign(Buffer.from(payload)));
const counting = () => {
  const verifier = createVerifier({ now: () => 0 });
  const counted = { calls: 0, verify: (...args: Parameters<typeof verifier.verify>) => ((counted.calls += 1), verifier.verify(...args)) };
  return counted;
};

function judge(
  signatures: readonly AttestationSignature[],
  keys: readonly AttestorKey[] = [listed('a')],
  verifier = counting(),
  bytes = payload,
): Promise<Verdict<Attestation>> {
  return verifyAttestation(
    { note: 'projects/p/notes/n' as NoteName, resourceUri: `https://gcr.io/p/x@${DIGEST}`, payload: bytes, signatures },
    DIGEST,
    keys,
    verifier,
  );
}

/** The integers of a DER signature. */
function integersOf(der: Uint8Array): readonly [Buffer, Buffer] {
  const length = der[3] ?? 0;
  return [Buffer.from(der.subarray(4, 4 + length)), Buffer.from(der.subarray(6 + length))];
}

describe('a planted signature', () => {
  const [r, s] = integersOf(good);
  const der = (...parts: readonly Buffer[]): Buffer =>
    Buffer.concat([Buffer.from([0x30, parts.reduce((sum, part) => sum + part.length, 0)]), ...parts]);
  const integer = (bytes: Buffer): Buffer => Buffer.concat([Buffer.from([2, bytes.length]), bytes]);
  const zero = Buffer.from([0]);

  it.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array()],
    ['zeros', der(integer(zero), integer(zero))],
    ['trailing bytes', Buffer.concat([good, zero])],
    ['padded integers', der(integer(Buffer.concat([zero, zero, r])), integer(s))],
    ['a long form of the length', Buffer.concat([Buffer.from([0x30, 0x81]), good.subarray(1)])],
    ['an indefinite length', Buffer.concat([Buffer.from([0x30, 0x80]), good.subarray(2), zero, zero])],
    ['negative integers', der(integer(Buffer.from([0xff])), integer(Buffer.from([0xff])))],
    ['a megabyte', new Uint8Array(1_000_000).fill(0x30)],
  ])('of %s does not count', async (_name, bytes) => {
    expect(await judge([{ publicKeyId: 'a', bytes }])).toMatchObject({ rejected: { code: 'BAD_SIGNATURE' } });
  });

  it('does not keep a good one beside it from counting', async () => {
    expect(
      await judge([
        { publicKeyId: 'a', bytes: new Uint8Array(9) },
        { publicKeyId: 'a', bytes: good },
      ]),
    ).toHaveProperty('verified');
  });

  it('under an empty id counts for no key', async () => {
    expect(await judge([{ publicKeyId: '', bytes: good }])).toHaveProperty('rejected');
  });

  it('has an id that cannot begin a line of the log', async () => {
    const verdict = await judge([{ publicKeyId: 'x\n::error::y\u001b[2J\u2028', bytes: new Uint8Array() }]);
    expect('rejected' in verdict && verdict.rejected.message).not.toMatch(/[\p{Cc}\u2028]/u);
  });

  it('has an id that cannot fill the log', async () => {
    const verdict = await judge([{ publicKeyId: 'x'.repeat(1_000_000), bytes: new Uint8Array() }], [listed('a'.repeat(10_000))]);
    expect('rejected' in verdict && verdict.rejected.message.length).toBeLessThan(1_000);
  });
});

describe('many planted signatures', () => {
  const refusing = () => {
    const verifier = { calls: 0, verify: () => ((verifier.calls += 1), Promise.resolve({ verified: false as const, reason: 'no' })) };
    return verifier;
  };

  it.each([
    ['by strangers: every key for the first three', 'stranger', 300],
    ['under a trusted id: its key for the first twenty', 'k7', 20],
  ])('%s', async (_name, publicKeyId, verifications) => {
    const verifier = refusing();
    const keys = Array.from({ length: 100 }, (_, index) => listed(`k${String(index)}`));
    const signatures = Array.from({ length: 10_000 }, () => ({ publicKeyId, bytes: new Uint8Array(70) }));
    expect(await judge(signatures, keys, verifier)).toHaveProperty('rejected');
    expect(verifier.calls).toBe(verifications);
  });
});

describe('a planted payload', () => {
  it.each([
    [
      'of megabytes',
      Buffer.from(`{"critical":{"image":{"docker-manifest-digest":"${DIGEST}"}},"x":"${'y'.repeat(5e6)}"}`),
      'BAD_SIGNATURE',
    ],
    ['nested without end', Buffer.from('['.repeat(1e6)), 'PAYLOAD_NOT_PARSEABLE'],
    ['of nothing', Buffer.alloc(0), 'PAYLOAD_NOT_PARSEABLE'],
    [
      'for two digests',
      Buffer.from(
        `{"critical":{"image":{"docker-manifest-digest":"${digestOf(new Uint8Array([2]))}","docker-manifest-digest":"${DIGEST}"}}}`,
      ),
      'PAYLOAD_NOT_PARSEABLE',
    ],
  ])('%s does not count', async (_name, bytes, code) => {
    expect(await judge([{ publicKeyId: 'a', bytes: good }], [listed('a')], counting(), new Uint8Array(bytes))).toMatchObject({
      rejected: { code },
    });
  });
});
