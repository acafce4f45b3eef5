// SPDX-License-Identifier: Apache-2.0
import { formatDuration } from '../../core/duration.js';
import { asError, type BinauthzError } from '../../core/errors.js';
import { pinnedName, type PinnedReference } from '../../core/image/reference.js';
import { backoff } from '../../core/retry.js';
import type { Scan, ScanState } from '../../core/vulnerabilities/finding.js';
import type { Clock } from '../../ports/clock.js';
import type { Reporter } from '../../ports/reporter.js';
import type { VulnerabilityStore } from '../../ports/vulnerability-store.js';

export interface ScanPorts {
  readonly vulnerabilities: VulnerabilityStore;
  readonly clock: Clock;
  readonly reporter: Reporter;
}

// A scan takes from seconds to minutes, and reads are counted by the minute.
const POLL = { firstMs: 1_000, longestMs: 15_000 } as const;
// How long a look may take that begins with less than this left.
const FAIR_LOOK_MS = 3_000;

const UNFINISHED: ReadonlySet<ScanState> = new Set<ScanState>(['NOT_FOUND', 'PENDING', 'SCANNING', 'UNSPECIFIED']);
const NOT_FOUND: Scan = { state: 'NOT_FOUND' };
const SAID: Readonly<Partial<Record<ScanState, string>>> = {
  NOT_FOUND: 'no scan is known yet',
  PENDING: 'its scan has not begun',
  SCANNING: 'it is being scanned',
  UNSPECIFIED: 'the scanner does not say how far its scan is',
};

/**
 * Polls until a manifest's scan has come to an end, good or bad, or until the deadline (by the run's clock); answers how
 * far it is then. Not found yet is a wait like any other. UNAVAILABLE where the listing itself does not answer.
 */
export async function awaitScan(image: PinnedReference, deadline: number, ports: ScanPorts): Promise<Scan> {
  let said: ScanState | undefined;
  for (let attempt = 1; ; attempt++) {
    const answer = await look(image, Math.max(deadline, ports.clock.now() + FAIR_LOOK_MS), ports);
    if (answer.scan && !UNFINISHED.has(answer.scan.state)) return answer.scan;
    const leftMs = deadline - ports.clock.now();
    if (leftMs <= 0) {
      if (answer.error) throw answer.error;
      return answer.scan ?? NOT_FOUND;
    }
    const state = answer.scan?.state;
    if (state !== undefined && state !== said)
      ports.reporter.info(`waiting for ${pinnedName(image)}: ${SAID[state] ?? state} (at most ${formatDuration(leftMs)} more)`);
    said = state ?? said;
    // The last look is at the deadline, not up to a pause before it.
    await ports.clock.sleep(Math.min(leftMs, backoff(attempt, ports.clock.random(), POLL)));
  }
}

type Answer = { readonly scan: Scan; readonly error?: undefined } | { readonly scan?: undefined; readonly error: BinauthzError };

// A hiccup of the listing is waited out like a scan that is not there yet; at the deadline they differ.
async function look(image: PinnedReference, deadline: number, ports: ScanPorts): Promise<Answer> {
  try {
    return { scan: (await ports.vulnerabilities.scan(image, deadline)) ?? NOT_FOUND };
  } catch (thrown) {
    const error = asError(thrown);
    if (!error.transient) throw thrown;
    return { error };
  }
}
