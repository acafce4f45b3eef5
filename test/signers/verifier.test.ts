// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { AttestorKey } from '../../src/core/signing/public-key.js';
import { createVerifier } from '../../src/signers/verifier.js';
import { PAYLOAD } from '../contracts/signer.js';
import { fakePace } from '../support/fake-pace.js';
import { makePgpKey } from '../support/pgp-keys.js';
import { algorithmNamed, keyPairFor, publicPem } from '../support/pkix-keys.js';

const P256 = algorithmNamed('ECDSA_P256_SHA256');

// A small generator, so that a failure can be repeated.
function randomBytes(seed: number, length: number): Uint8Array {
  let state = seed + 1;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
}

function armor(label: string, bytes: Uint8Array): string {
  return `-----BEGIN PGP ${label}-----\n\n${Buffer.from(bytes).toString('base64')}\n-----END PGP ${label}-----\n`;
}

describe('the verifier', () => {
  it('never throws, and never accepts, whatever it is given', async () => {
    const verifier = createVerifier(fakePace());
    const pgp = await makePgpKey();
    const pem = publicPem(keyPairFor(P256).publicKey);
    for (let seed = 0; seed < 150; seed++) {
      const bytes = randomBytes(seed, seed * 3);
      const keys: readonly AttestorKey[] = [
        { kind: 'pkix', id: 'i', pem, algorithm: P256.name },
        {
          kind: 'pkix',
          id: 'i',
          pem: `-----BEGIN PUBLIC KEY-----\n${Buffer.from(bytes).toString('base64')}\n-----END PUBLIC KEY-----\n`,
          algorithm: P256.name,
        },
        { kind: 'pkix', id: '', pem: '', algorithm: '' },
        { kind: 'pgp', id: pgp.fingerprint, armored: pgp.public },
        { kind: 'pgp', id: pgp.fingerprint, armored: armor('PUBLIC KEY BLOCK', bytes) },
        { kind: 'pgp', id: '', armored: '' },
      ];
      const signatures = [
        bytes,
        Buffer.from(armor('MESSAGE', bytes)),
        Buffer.from(armor('MESSAGE', new Uint8Array([0xcb, bytes.length & 127, ...bytes]))),
      ];
      for (const key of keys) {
        for (const signature of signatures) {
          expect(await verifier.verify(PAYLOAD, signature, key)).toEqual({ verified: false, reason: expect.stringMatching(/^[^\n]+$/) });
        }
      }
    }
  });
});
