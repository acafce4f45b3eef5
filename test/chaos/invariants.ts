// SPDX-License-Identifier: Apache-2.0
// What must hold after every run, whatever went wrong in it. Each invariant looks at what a user sees (status and
// texts) and at what is stored (read and verified apart from the product), and answers with what is broken.
import { ERROR_CODES } from '../../src/core/error-codes.js';
import { leaksIn } from '../support/canaries.js';
import type { Passage } from './front.js';
import type { Finding } from './judge.js';
import type { Ran } from './product.js';
import { liesAboutListings, LONGEST_DELAY_MS } from './rules.js';
import type { Faults, Scenario, Schedule } from './schedule.js';
import type { ChaosStage } from './stage.js';

/** One run, and the world before and after it. */
export interface Observation {
  readonly run: 'first' | 'hasty' | 'second' | 'third';
  readonly schedule: Schedule;
  /** The faults of this run; undefined where it was left in peace. */
  readonly faults: Faults | undefined;
  readonly ran: Ran;
  /** Whether a signal was sent in time to matter. */
  readonly signal: 'SIGTERM' | 'SIGKILL' | undefined;
  /** Virtual, as the product's clock measured it. */
  readonly startedAt: number;
  readonly endedAt: number;
  readonly passages: readonly Passage[];
  readonly requestLog: string;
  /** What was stored when the run began, whether it was visible or not. */
  readonly earlier: readonly Finding[];
  /** What was listed when the run began, when it ended, and once everything stored was visible. */
  readonly before: readonly Finding[];
  readonly atEnd: readonly Finding[];
  readonly stored: readonly Finding[];
  readonly emulatorErrors: readonly string[];
}

/** What is broken, one sentence each. */
export type Invariant = (seen: Observation, stage: ChaosStage) => readonly string[];

const RETRY_MS = 70_000;
/** A Cloud KMS reply that was damaged on its way is asked for so often. */
const KMS_TRIES = 3;
const CONFLICT_PATIENCE_MS = 10_000;
const FAIR_LOOK_MS = 3_000;

/** a. Success is reported only where a valid attestation of every digest and attestor is there. */
const successIsTrue: Invariant = ({ ran, schedule, atEnd, stored }) => {
  if (ran.status !== 0) return [];
  // With --no-wait success means stored; otherwise it means listed at this moment.
  const proof = schedule.scenario.waitMs === null ? stored : atEnd;
  const missing = proof.filter(({ occurrences }) => occurrences.length === 0);
  const { attestations = [] } = resultOf(ran);
  const odd = attestations.filter(({ status }) => status !== 'created' && status !== 'existing');
  return [
    ...missing.map(({ signer, digest }) => `exit 0, but ${signer} holds no valid attestation of ${digest}`),
    ...odd.map(({ status }) => `exit 0 with an attestation that is ${status}`),
    ...(attestations.length === proof.length ? [] : [`exit 0 with ${attestations.length} attestations, expected ${proof.length}`]),
  ];
};

/**
 * b. A run adds at most one valid attestation of a digest by an attestor, whatever it was told: a repeated request is
 * preceded by a look, and carries the same signature, which the store refuses. And it adds none where one was visible
 * when it began, unless its listings lied with success, or its clock was behind the signature's: the enforcer of an
 * earlier time would not accept that one either.
 */
const nothingTwice: Invariant = ({ faults, earlier, before, stored }) => {
  const isMisled = faults !== undefined && (faults.rules.some(liesAboutListings) || faults.skewMs !== 0);
  return stored.flatMap(({ signer, digest, occurrences }, index) => {
    const added = occurrences.filter((name) => !earlier[index]?.occurrences.includes(name)).length;
    const wasVisible = (before[index]?.occurrences ?? []).length > 0;
    if (added > 1) return [`${added} attestations of ${digest} were added to ${signer} in one run`];
    if (added === 1 && wasVisible && !isMisled) return [`${digest} was attested for ${signer} already, and was attested again`];
    return [];
  });
};

/** c. A run without faults ends well, and another one finds nothing to do. */
const runsConverge: Invariant = ({ run, ran, faults, passages }) => {
  if (faults !== undefined) return [];
  const posts = passages.filter(isPost);
  const { attestations = [] } = resultOf(ran);
  return [
    ...(ran.status === 0 ? [] : [`a run without faults ended ${ran.status}: ${ran.stderr.slice(-600)}`]),
    ...(run === 'third' && posts.length > 0 ? [`the third run posted ${posts.length} times`] : []),
    ...(run === 'third' && attestations.some(({ status }) => status !== 'existing')
      ? ['the third run did not find everything existing']
      : []),
  ];
};

/** d. No call is repeated for longer than the contract allows, and the wait ends at its timeout. */
const deadlinesHold: Invariant = (seen) => [...callsEnd(seen), ...runEnds(seen)];

function callsEnd({ schedule, faults, passages }: Observation): readonly string[] {
  const first = passages.findIndex(isPost);
  const calls = repeatedCalls(first < 0 ? passages : passages.slice(0, first), schedule.scenario);
  return calls
    .filter(({ forMs, allowedMs }) => forMs > allowedMs + slackFor(faults))
    .map(({ path, forMs, allowedMs }) => `${path} was repeated for ${forMs} ms, expected at most ${allowedMs} ms`);
}

function runEnds({ schedule, faults, passages, startedAt, endedAt }: Observation): readonly string[] {
  const posts = passages.filter(isPost);
  const firstPost = posts[0]?.at;
  if (firstPost === undefined) {
    const tookMs = endedAt - startedAt;
    return tookMs > withoutPost(schedule.scenario) + slackFor(faults) ? [`the run took ${tookMs} ms without a post`] : [];
  }
  const lastPost = posts.at(-1)?.endedAt ?? endedAt;
  const [postingMs, afterMs] = [lastPost - firstPost, endedAt - lastPost];
  const allowedMs = afterPosting(schedule.scenario) + slackFor(faults);
  return [
    // All posts are made side by side: each for 70 s, with a look before the last, and the patience with a conflict.
    ...(postingMs > 3 * RETRY_MS + CONFLICT_PATIENCE_MS + slackFor(faults) ? [`the last post ended ${postingMs} ms after the first`] : []),
    ...(afterMs > allowedMs ? [`the run ended ${afterMs} ms after its last post, expected at most ${allowedMs} ms`] : []),
  ];
}

/** What answers may take that are slow by plan. */
function slackFor(faults: Faults | undefined): number {
  return 4 * (LONGEST_DELAY_MS + (faults?.latencyMs ?? 0));
}

/** Whether a request stores an attestation. */
export function isPost({ method, path }: Passage): boolean {
  return method === 'POST' && path.endsWith('/occurrences');
}

// A failed post may still be followed by the look, and the patience, of its conflict; a stored one by the wait.
function afterPosting({ waitMs, check }: Scenario): number {
  const settlingMs = CONFLICT_PATIENCE_MS + RETRY_MS;
  const checkMs = check === 'enforce' ? 4 * RETRY_MS : 0;
  return Math.max(settlingMs, (waitMs ?? 0) + FAIR_LOOK_MS) + checkMs;
}

// Keys, listing and signing, two rounds of validation; and the check at the end, where everything existed.
function withoutPost({ check }: Scenario): number {
  return (2 * KMS_TRIES + 2 + (check === 'enforce' ? 4 : 0)) * RETRY_MS;
}

/** How long each path was called for before anything was posted, and how long it may be. */
function repeatedCalls(passages: readonly Passage[], scenario: Scenario): readonly { path: string; forMs: number; allowedMs: number }[] {
  const byPath = new Map<string, Passage[]>();
  for (const passage of passages) {
    const path = `${passage.method} ${passage.path}`;
    byPath.set(path, [...(byPath.get(path) ?? []), passage]);
  }
  return [...byPath].map(([path, calls]) => {
    const forMs = (calls.at(-1)?.at ?? 0) - (calls[0]?.at ?? 0);
    return { path, forMs, allowedMs: RETRY_MS * roundsOf(path, scenario) };
  });
}

// Everything is called for once, side by side for all images and attestors; but a reply of Cloud KMS that came damaged
// is asked for again, and validation has two rounds.
function roundsOf(path: string, { check }: Scenario): number {
  if (path.includes('cryptoKeyVersions')) return KMS_TRIES;
  if (path.endsWith(':validateAttestationOccurrence')) return 2;
  // Where there is nothing to post, the check at the end follows, and reads these once more.
  return check === 'enforce' && /\/(attestors|notes)\//.test(path) ? 2 + KMS_TRIES : 1;
}

/** e. No secret is in anything that is printed or logged. */
const secretsStaySecret: Invariant = ({ ran, requestLog }, { needles }) =>
  leaksIn(
    [
      { where: 'stdout', text: ran.stdout },
      { where: 'stderr', text: ran.stderr },
      { where: 'the request log', text: requestLog },
    ],
    needles,
  );

const STATUSES: ReadonlySet<number> = new Set([0, 3, 4, 5, 6, 7, 8, 9]);

/** f. Every end is a documented one, and every failure says what failed and what to do. */
const endingsAreDocumented: Invariant = ({ ran, signal }) => {
  if (ran.status === null) return signal === 'SIGKILL' ? [] : ['the run ended by a signal that nobody sent'];
  if (!STATUSES.has(ran.status) && !(ran.status === 143 && signal === 'SIGTERM'))
    return [`the exit code is ${ran.status}: ${ran.stderr.slice(-600)}`];
  const result = resultOf(ran);
  if (result.schema !== 'binauthz.attest/v1') return [`stdout is no result: ${ran.stdout.slice(0, 200)}`];
  if (ran.status === 0) return (result.errors ?? []).map(({ code }) => `exit 0 with the error ${code}`);
  const errors = [...(result.errors ?? []), ...(result.attestations ?? []).flatMap(({ error }) => error ?? [])];
  const told = [...errors, ...(result.check?.images ?? []).flatMap(({ reasons }) => reasons)];
  return [
    ...(told.length === 0 ? [`exit ${ran.status} without a reason`] : []),
    ...errors
      .filter(({ code, message, hint }) => !(code in ERROR_CODES) || !message || !hint)
      .map((error) => `an error lacks a part: ${JSON.stringify(error)}`),
    ...(ran.stderr.includes('error[') ? [] : [`exit ${ran.status} without a line on stderr`]),
  ];
};

/** The judge itself is in order. That a connection ended in the middle of a request is what the runner did. */
const emulatorIsSound: Invariant = ({ emulatorErrors }) =>
  emulatorErrors.filter((error) => !error.includes('abortIncoming')).map((error) => `the emulator failed: ${error}`);

export const INVARIANTS: Readonly<Record<string, Invariant>> = {
  'success is true': successIsTrue,
  'nothing twice': nothingTwice,
  'runs converge': runsConverge,
  'deadlines hold': deadlinesHold,
  'secrets stay secret': secretsStaySecret,
  'endings are documented': endingsAreDocumented,
  'the emulator is sound': emulatorIsSound,
};

interface ToldError {
  readonly code: string;
  readonly message?: string;
  readonly hint?: string;
}

/** The result on standard output, as far as invariants look at it. */
interface Result {
  readonly schema?: string;
  readonly attestations?: readonly { readonly status: string; readonly error?: ToldError }[];
  readonly errors?: readonly ToldError[];
  readonly check?: { readonly images: readonly { readonly reasons: readonly unknown[] }[] };
}

function resultOf({ stdout }: Ran): Result {
  try {
    return JSON.parse(stdout) as Result;
  } catch {
    return {};
  }
}
