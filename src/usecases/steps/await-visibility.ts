// SPDX-License-Identifier: Apache-2.0
import { BinauthzError, asError } from '../../core/errors.js';
import { formatDuration } from '../../core/duration.js';
import { pinnedName } from '../../core/image/reference.js';
import { backoff } from '../../core/retry.js';
import type { Clock } from '../../ports/clock.js';
import type { Reporter } from '../../ports/reporter.js';
import { FAIR_LOOK_MS, findAttestations, type FindPorts, type FoundAttestations } from './find-attestations.js';
import type { Posted } from './post-attestation.js';
import type { SignedAssignment } from './sign-attestations.js';

export interface VisibilityPorts extends FindPorts {
  readonly clock: Clock;
  readonly reporter: Reporter;
}

// Short at first, because most attestations show at once; then often enough that none is noticed half a second late;
// and after some ten seconds seldom enough to leave the quota to others.
const POLL = { firstMs: 150, usualMs: 450, longestMs: 3_000, shareOfWait: 1 / 25 } as const;

/**
 * Polls the note's listing, which is what the enforcer reads, until the occurrence is there and verifies; answers
 * the milliseconds since it was posted. NOT_VISIBLE at the deadline (by the run's clock), UNAVAILABLE where the
 * listing itself did not answer, ATTESTATION_NOT_VERIFIABLE where what is stored is not what was posted.
 */
export async function awaitVisibility(
  assignment: SignedAssignment,
  posted: Posted,
  deadline: number,
  ports: VisibilityPorts,
): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    const answer = await listBefore(Math.max(deadline, ports.clock.now() + FAIR_LOOK_MS), assignment, ports);
    if (answer.found) {
      requireUnchanged(answer.found, assignment, posted);
      if (answer.found.verified.some(({ attestation }) => attestation.occurrence === posted.occurrence))
        return ports.clock.now() - posted.postedAt;
    }
    const leftMs = deadline - ports.clock.now();
    if (leftMs <= 0) throw answer.error ?? notVisible(assignment, posted, ports.clock);
    // The last look is at the deadline, not up to a pause before it.
    const waitedMs = ports.clock.now() - posted.postedAt;
    const pauseMs = Math.min(leftMs, pauseAfter(waitedMs, attempt, ports.clock.random()));
    if (pauseMs > POLL.usualMs) ports.reporter.info(`waiting for ${posted.occurrence} to become visible (${formatDuration(waitedMs)})`);
    await ports.clock.sleep(pauseMs);
  }
}

function pauseAfter(waitedMs: number, attempt: number, random: number): number {
  const patient = Math.min(POLL.longestMs, Math.max(POLL.usualMs, waitedMs * POLL.shareOfWait));
  return backoff(attempt, random, { firstMs: POLL.firstMs, longestMs: patient });
}

type Answer =
  { readonly found: FoundAttestations; readonly error?: undefined } | { readonly found?: undefined; readonly error: BinauthzError };

// A hiccup of the listing is waited out like an attestation that is not there yet; at the deadline they differ.
async function listBefore(deadline: number, assignment: SignedAssignment, ports: VisibilityPorts): Promise<Answer> {
  try {
    return { found: await findAttestations(assignment.pair.attestor, assignment.image.digest, ports, deadline) };
  } catch (thrown) {
    const error = asError(thrown);
    if (!error.transient) throw thrown;
    return { error };
  }
}

function requireUnchanged(found: FoundAttestations, assignment: SignedAssignment, posted: Posted): void {
  const broken = found.rejected.find(({ attestation }) => attestation.occurrence === posted.occurrence);
  if (!broken) return;
  throw new BinauthzError(
    'ATTESTATION_NOT_VERIFIABLE',
    `cannot rely on ${posted.occurrence}: what is stored for ${pinnedName(assignment.image)} does not verify: ${broken.rejection.message}`,
    {
      resource: posted.occurrence,
      hint: 'the attestor’s keys changed during this run, or the stored attestation differs from the posted one: run again',
    },
  );
}

function notVisible(assignment: SignedAssignment, posted: Posted, clock: Clock): BinauthzError {
  return new BinauthzError(
    'NOT_VISIBLE',
    `cannot see ${posted.occurrence} in the listing of ${assignment.pair.attestor.note} yet: expected it within the wait timeout, waited ${formatDuration(clock.now() - posted.postedAt)}`,
    {
      resource: posted.occurrence,
      hint: 'it is stored, and a re-run will find it; raise --wait-timeout (wait-timeout in the Action) if this happens often',
    },
  );
}
