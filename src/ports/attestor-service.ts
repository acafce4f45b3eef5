// SPDX-License-Identifier: Apache-2.0
import type { Attestation } from '../core/attestation/attestation.js';
import type { Attestor } from '../core/attestation/attestor.js';
import type { AttestorName, ProjectId } from '../core/names.js';

/** What validateAttestationOccurrence answered; `unspecified` is neither good nor bad. */
export type ValidationResult =
  { readonly result: 'verified' } | { readonly result: 'not-verifiable' | 'unspecified'; readonly reason: string };

/** Binary Authorization's attestors. */
export interface AttestorService {
  /** An attestor with its note and keys as of now. ATTESTOR_NOT_FOUND, PERMISSION_DENIED, UNAVAILABLE. */
  attestor(name: AttestorName): Promise<Attestor>;
  /** All attestors of a project. PROJECT_NOT_FOUND, PERMISSION_DENIED, UNAVAILABLE. */
  attestorsIn(project: ProjectId): Promise<readonly Attestor[]>;
  /** Google's own opinion of an attestation, which need not be stored. PERMISSION_DENIED where the caller may not ask. */
  validate(attestor: AttestorName, attestation: Attestation): Promise<ValidationResult>;
}
