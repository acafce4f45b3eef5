// SPDX-License-Identifier: Apache-2.0
import { BinauthzError } from '../../src/core/errors.js';
import type { PinnedReference } from '../../src/core/image/reference.js';
import type { Finding, Scan } from '../../src/core/vulnerabilities/finding.js';
import type { VulnerabilityStore } from '../../src/ports/vulnerability-store.js';

/** What a look at a scan meets: its state, none yet, or a failure. */
export type ScanStep = Scan | undefined | BinauthzError;

/** Artifact Analysis in memory: the states of each digest's scan, one for each look; the last one stays. */
export class MemoryScans implements VulnerabilityStore {
  readonly steps = new Map<string, ScanStep[]>();
  readonly found = new Map<string, readonly Finding[]>();
  readonly asked: string[] = [];
  isCovering = true;

  covers(): boolean {
    return this.isCovering;
  }

  scan(image: PinnedReference): Promise<Scan | undefined> {
    this.asked.push(`scan ${image.digest}`);
    const steps = this.steps.get(image.digest) ?? [];
    const step = steps.length > 1 ? steps.shift() : steps[0];
    return step instanceof BinauthzError ? Promise.reject(step) : Promise.resolve(step);
  }

  findings(image: PinnedReference): Promise<readonly Finding[]> {
    this.asked.push(`findings ${image.digest}`);
    return Promise.resolve(this.found.get(image.digest) ?? []);
  }
}
