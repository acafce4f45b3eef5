// SPDX-License-Identifier: Apache-2.0
import type { Attestation, StoredAttestation } from '../core/attestation/attestation.js';
import type { Digest } from '../core/image/digest.js';
import type { NoteName, OccurrenceName, ProjectId } from '../core/names.js';

/** Container Analysis, as far as attestations go. */
export interface AttestationStore {
  /**
   * Stores an attestation in a project; one request, never repeated by itself. ATTESTATION_CONFLICT where the service
   * says that it exists, NOTE_NOT_FOUND, PERMISSION_DENIED, and a transient error where the outcome is unknown.
   */
  create(project: ProjectId, attestation: Attestation): Promise<OccurrenceName>;
  /**
   * The attestations of a note, from every project, as the enforcer reads them; only those for `digest` where one is
   * given. With a `deadline` (milliseconds since the epoch, by the run's clock) no attempt outlives it.
   */
  listOfNote(note: NoteName, digest?: Digest, deadline?: number): Promise<readonly StoredAttestation[]>;
  /** One attestation by its name, which the service gives before it lists it; undefined where it is something else. */
  read(occurrence: OccurrenceName, deadline?: number): Promise<StoredAttestation | undefined>;
  /** The attestations stored in a project; only those for `digest` where one is given. */
  listInProject(project: ProjectId, digest?: Digest): Promise<readonly StoredAttestation[]>;
}
