// SPDX-License-Identifier: Apache-2.0
import type { StoredAttestation, VerifiedAttestation } from '../../core/attestation/attestation.js';
import type { Attestor } from '../../core/attestation/attestor.js';
import { verifyAttestation, type Rejection } from '../../core/attestation/verify.js';
import type { Digest } from '../../core/image/digest.js';
import type { Verifier } from '../../core/signing/verifier.js';
import type { AttestationStore } from '../../ports/attestation-store.js';

/** What an attestor's note holds for a digest: attestations that count, and others with the reason why they do not. */
export interface FoundAttestations {
  readonly verified: readonly VerifiedAttestation[];
  readonly rejected: readonly RejectedAttestation[];
}

/** An attestation that does not count, and why. */
export interface RejectedAttestation {
  readonly attestation: StoredAttestation;
  readonly rejection: Rejection;
}

/**
 * How long a look may take that begins with less than this left. Cut off sooner, a healthy listing would pass for one
 * that does not answer.
 */
export const FAIR_LOOK_MS = 3_000;

export interface FindPorts {
  readonly attestations: AttestationStore;
  readonly verifier: Verifier;
}

/** Lists what the enforcer would read for this digest, and verifies each under the keys that the attestor trusts now. */
export async function findAttestations(
  attestor: Attestor,
  digest: Digest,
  ports: FindPorts,
  deadline?: number,
): Promise<FoundAttestations> {
  const stored = await ports.attestations.listOfNote(attestor.note, digest, deadline);
  return judge(stored, digest, attestor, ports.verifier);
}

/** Sorts stored attestations into those that count and those that do not. */
export async function judge(
  stored: readonly StoredAttestation[],
  digest: Digest,
  attestor: Attestor,
  verifier: Verifier,
): Promise<FoundAttestations> {
  const verified: VerifiedAttestation[] = [];
  const rejected: RejectedAttestation[] = [];
  for (const attestation of stored) {
    const verdict = await verifyAttestation(attestation, digest, attestor.keys, verifier);
    if ('verified' in verdict) verified.push(verdict.verified);
    else rejected.push({ attestation, rejection: verdict.rejected });
  }
  return { verified, rejected };
}
