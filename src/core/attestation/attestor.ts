// SPDX-License-Identifier: Apache-2.0
import type { AttestorName, NoteName } from '../names.js';
import type { AttestorKey } from '../signing/public-key.js';

/** An attestor as Binary Authorization knows it now: its note, and the keys that it trusts. */
export interface Attestor {
  readonly name: AttestorName;
  readonly note: NoteName;
  readonly keys: readonly AttestorKey[];
  /** The identity that reads the note at enforcement; needs roles/containeranalysis.notes.occurrences.viewer there. */
  readonly serviceAgent?: string;
}
