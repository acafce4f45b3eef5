// SPDX-License-Identifier: Apache-2.0
// What a host gives to the composition root, and what it gets back.
import type { AttestResult, CheckResult, ListResult } from '../core/results.js';
import type { Clock } from '../ports/clock.js';
import type { Program } from '../ports/program.js';
import type { Reporter } from '../ports/reporter.js';
import type { Outcome } from '../usecases/outcome.js';

/** Environment variables by name. */
export type Env = Readonly<Record<string, string | undefined>>;

/** What a run has of its host. */
export interface RunContext {
  /** The environment without the variables that hold secrets. */
  readonly env: Env;
  /** Aborted once the run is cancelled. */
  readonly signal: AbortSignal;
  readonly reporter: Reporter;
  readonly program: Program;
  /** Another time than the machine’s; its sleeps end with the signal too. */
  readonly clock?: Clock;
}

/** How an attest run ended. */
export type AttestOutcome = Outcome<AttestResult>;

/** How a check ended. */
export type CheckOutcome = Outcome<CheckResult>;

/** How a list run ended. */
export type ListOutcome = Outcome<ListResult>;
