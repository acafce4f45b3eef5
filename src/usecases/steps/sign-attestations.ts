// SPDX-License-Identifier: Apache-2.0
import type { Attestation, VerifiedAttestation } from '../../core/attestation/attestation.js';
import { verifyAttestation } from '../../core/attestation/verify.js';
import { BinauthzError } from '../../core/errors.js';
import { pinnedName, type PinnedReference } from '../../core/image/reference.js';
import { encodePayload, payloadFor } from '../../core/payload/payload.js';
import type { Pair } from '../../core/signing/pairing.js';
import type { PublicKey } from '../../core/signing/public-key.js';
import type { Signer } from '../../core/signing/signer.js';
import type { Verifier } from '../../core/signing/verifier.js';

/** One digest for one attestor: the unit of work of attest. */
export interface Assignment {
  readonly image: PinnedReference;
  readonly pair: Pair;
}

/** An attestation that we made and that verifies under the attestor's own entry for the key. */
export interface SignedAssignment extends Assignment {
  readonly signed: VerifiedAttestation<Attestation>;
}

/** Signs assignments, each payload once per key: attestors that share a key share the signature, and the quota. */
export class AttestationSigner {
  private readonly signatures = new Map<PublicKey, Map<string, Promise<Uint8Array>>>();

  constructor(private readonly verifier: Verifier) {}

  /** The attestation for an assignment, verified with the attestor's key. SIGNATURE_INVALID where it does not verify. */
  async sign(assignment: Assignment): Promise<SignedAssignment> {
    const { image, pair } = assignment;
    const payload = encodePayload(payloadFor(image));
    const bytes = await this.signatureOf(pair.signer, pair.publicKey, payload, pinnedName(image));
    const attestation: Attestation = {
      note: pair.attestor.note,
      resourceUri: `https://${pinnedName(image)}`,
      payload,
      signatures: [{ publicKeyId: pair.attestorKey.id, bytes }],
    };
    const verdict = await verifyAttestation(attestation, image.digest, pair.attestor.keys, this.verifier);
    if ('verified' in verdict) return { ...assignment, signed: verdict.verified };
    throw new BinauthzError(
      'SIGNATURE_INVALID',
      `cannot attest ${pinnedName(image)}: the signature of ${pair.signer.name} does not verify for ${pair.attestor.name}: ${verdict.rejected.message}`,
      {
        resource: pair.signer.name,
        hint: 'nothing was posted; run again, and if it stays so compare the key on the attestor with the key that signs (gcloud container binauthz attestors describe)',
      },
    );
  }

  private signatureOf(signer: Signer, publicKey: PublicKey, payload: Uint8Array, name: string): Promise<Uint8Array> {
    const ofKey = this.signatures.get(publicKey) ?? new Map<string, Promise<Uint8Array>>();
    this.signatures.set(publicKey, ofKey);
    const signature = ofKey.get(name) ?? signer.sign(payload, publicKey);
    ofKey.set(name, signature);
    return signature;
  }
}
