// SPDX-License-Identifier: Apache-2.0
// What every signer promises, whatever its key lives in.
import { describe, expect, it } from 'vitest';
import { isTrustedAs, type AttestorKey } from '../../src/core/signing/public-key.js';
import type { Signer } from '../../src/core/signing/signer.js';
import type { Verifier } from '../../src/core/signing/verifier.js';

export interface SignerCase {
  readonly signer: Signer;
  /** The same key as an attestor lists it: one entry per public key of the signer, in their order. */
  readonly listed: readonly AttestorKey[];
  /** Another key of the same kind, size and declared algorithm, one for each of `listed`. */
  readonly others: readonly AttestorKey[];
  readonly verifier: Verifier;
  /** Words that must not appear in anything that can be printed of the signer. */
  readonly secrets: readonly string[];
}

export const PAYLOAD = new TextEncoder().encode('{\n  "critical": {\n    "image": "ü"\n  }\n}\n');

/** Runs the contract of signers on what a factory makes. */
export function describeSigner(name: string, make: () => Promise<SignerCase>): void {
  describe(`signer contract: ${name}`, () => {
    it('has at least one public key, and the attestor that lists it trusts exactly that', async () => {
      const { signer, listed, others } = await make();
      expect(signer.publicKeys.length).toBe(listed.length);
      signer.publicKeys.forEach((key, i) => {
        expect(isTrustedAs(key, listed[i]!)).toBe(true);
        expect(isTrustedAs(key, others[i]!)).toBe(false);
      });
    });

    it('makes signatures that verify under each of its public keys', async () => {
      const { signer, listed, verifier } = await make();
      for (const [i, key] of signer.publicKeys.entries()) {
        const signature = await signer.sign(PAYLOAD, key);
        expect(await verifier.verify(PAYLOAD, signature, listed[i]!)).toEqual({ verified: true });
      }
    });

    it('makes signatures that verify over no other payload and under no other key', async () => {
      const { signer, listed, others, verifier } = await make();
      const tampered = PAYLOAD.slice();
      tampered[10]! ^= 1;
      for (const [i, key] of signer.publicKeys.entries()) {
        const signature = await signer.sign(PAYLOAD, key);
        expect(await verifier.verify(tampered, signature, listed[i]!)).toMatchObject({ verified: false });
        expect(await verifier.verify(PAYLOAD.slice(0, -1), signature, listed[i]!)).toMatchObject({ verified: false });
        expect(await verifier.verify(PAYLOAD, signature, others[i]!)).toMatchObject({ verified: false });
      }
    });

    it('makes signatures of which no byte can be cut off', async () => {
      const { signer, listed, verifier } = await make();
      const [key] = signer.publicKeys;
      const signature = await signer.sign(PAYLOAD, key);
      for (const cut of [signature.slice(0, signature.length >> 1), new Uint8Array()]) {
        expect(await verifier.verify(PAYLOAD, cut, listed[0]!)).toMatchObject({ verified: false });
      }
    });

    it('signs an empty and a large payload, and several at a time', async () => {
      const { signer, listed, verifier } = await make();
      const payloads = [new Uint8Array(), new Uint8Array(60_000).fill(13), PAYLOAD];
      const signatures = await Promise.all(payloads.map((payload) => signer.sign(payload, signer.publicKeys[0])));
      for (const [i, payload] of payloads.entries()) {
        expect(await verifier.verify(payload, signatures[i]!, listed[0]!)).toEqual({ verified: true });
      }
    });

    it('shows no secret in its name or when printed', async () => {
      const { signer, secrets } = await make();
      const { inspect } = await import('node:util');
      const shown = `${signer.name} ${JSON.stringify(signer)} ${inspect(signer, { depth: 9 })}`;
      for (const secret of secrets) expect(shown).not.toContain(secret);
    });
  });
}
