// SPDX-License-Identifier: Apache-2.0

/** Calls of validateAttestationOccurrence in one run; the quota of reads is 100 a minute, and others use it too. */
const MOST_VALIDATIONS = 60;

/** Says whether Google may be asked once more: about the first use of each (attestor, key) always, about others while the allowance lasts. */
export class ValidationAllowance {
  private readonly seen = new Set<string>();
  private asked = 0;

  /** The calls of one run, or of one of several runs at once that share them. */
  constructor(private readonly runs = 1) {}

  /** Takes one call from the allowance; false where the local verdict has to do. */
  take(attestor: string, publicKeyId: string): boolean {
    const use = `${attestor} ${publicKeyId}`;
    if (this.seen.has(use) && this.asked >= MOST_VALIDATIONS / this.runs) return false;
    this.seen.add(use);
    this.asked += 1;
    return true;
  }
}
