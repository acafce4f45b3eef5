// SPDX-License-Identifier: Apache-2.0
// How a run ends: its exit status, its lines, and the result as it is printed.
import { EXIT_CODES } from '../core/error-codes.js';
import { BinauthzError, exitCodeOf } from '../core/errors.js';
import {
  reportOf,
  type AttestResult,
  type CheckResult,
  type ErrorReport,
  type ErrorResult,
  type ListResult,
  type ResultBase,
  type VulnerabilitiesResult,
} from '../core/results.js';
import type { AuditResult, DoctorResult, PlanResult } from '../core/operation-results.js';
import type { Command } from './command-row.js';

/** A signal that cancels a run. */
export type CancelSignal = 'SIGINT' | 'SIGTERM';

/** A command that ends with a result. */
export type ResultCommand = Exclude<Command, 'emulator' | 'demo'>;

/** A result of a command that has one. */
export type CommandResult = AttestResult | CheckResult | ListResult | VulnerabilitiesResult | PlanResult | AuditResult | DoctorResult;

/** Says why a result must not pass, although nothing failed; undefined where it may. */
export type Refuse = (result: CommandResult) => BinauthzError | undefined;

/** A result of any command. */
export type AnyResult = CommandResult | ErrorResult;

/** The end of a run: what is printed, what failed, and the code that says so. */
export interface Ending {
  readonly result: AnyResult;
  readonly errors: readonly BinauthzError[];
  readonly exitCode: number;
  /** Why the gate is shut, where nothing failed but the verdict: the result says it at length, so it is none of its errors. */
  readonly refusal?: BinauthzError;
  /** Only ALLOWED let the run pass: whatever else was judged shows as failed in what is told of it. */
  readonly strict?: boolean;
}

/** The circumstances that every result of a run carries. */
export interface Circumstances {
  readonly cancelledBy?: CancelSignal;
  readonly onEmulator: boolean;
  /** What the result means for the exit code, in a run that judges. */
  readonly refuse?: Refuse;
}

/** What an exit code means, in the words of the contract. */
export function meaningOf(exitCode: number): string {
  return EXIT_CODES.find(({ code }) => code.split(', ').includes(String(exitCode)))?.meaning ?? 'failed';
}

/** The end of a run that got as far as this result. */
export function endingOf(result: CommandResult, errors: readonly BinauthzError[], circumstances: Circumstances): Ending {
  const { cancelledBy, onEmulator } = circumstances;
  const all = cancelledBy === undefined || errors.length === 0 ? errors : withCancellation(errors);
  const exitCode = statusOf(all, cancelledBy);
  const reports = all.map((error) => reportWith(error, cancelledBy));
  const base: ResultBase = { ...(reports.length === 0 ? {} : { errors: reports }), ...(onEmulator ? { emulator: true } : {}) };
  // The contract: bad input prints an error result, whatever the command would have printed.
  if (exitCode === 2) return { result: { schema: 'binauthz.error/v1', ...base, errors: reports }, errors: all, exitCode };
  const ending: Ending = { result: { ...withStatus(result, cancelledBy), ...base }, errors: all, exitCode };
  if (all.length > 0) return ending;
  // Whatever fails outranks a verdict (3 and 4 are the last codes of the contract), so it counts only where nothing did.
  const refusal = circumstances.refuse?.(ending.result as CommandResult);
  return refusal === undefined ? ending : { ...ending, exitCode: refusal.exitCode, refusal };
}

/** What was checked in a run, by itself or at the end of attest. */
export function checkOf(result: AnyResult): CheckResult | undefined {
  if (result.schema === 'binauthz.check/v1') return result;
  if (result.schema !== 'binauthz.attest/v1' || !result.check) return undefined;
  return result.emulator ? { ...result.check, emulator: true } : result.check;
}

/** The vulnerabilities that were judged in a run, by themselves or before attest signed. */
export function vulnerabilitiesOf(result: AnyResult): VulnerabilitiesResult | undefined {
  if (result.schema === 'binauthz.vulnerabilities/v1') return result;
  if (result.schema !== 'binauthz.attest/v1' || !result.vulnerabilities) return undefined;
  return result.emulator ? { ...result.vulnerabilities, emulator: true } : result.vulnerabilities;
}

/** The result of a command that did not get anywhere. */
export function emptyResult(command: ResultCommand): CommandResult {
  switch (command) {
    case 'attest':
      return { schema: 'binauthz.attest/v1', images: [], attestations: [] };
    case 'check':
      return UNDECIDED;
    case 'list':
      return { schema: 'binauthz.list/v1', attestations: [] };
    case 'vulnerabilities':
      return { schema: 'binauthz.vulnerabilities/v1', verdict: 'UNKNOWN', images: [] };
    case 'setup':
    case 'rotate':
      return { schema: 'binauthz.plan/v1', applied: false, changes: [] };
    case 'audit':
      return NOTHING_READ;
    case 'doctor':
      return { schema: 'binauthz.doctor/v1', ok: false, as: 'check', examined: [], findings: [], assumptions: [] };
  }
}

const UNDECIDED: CheckResult = {
  schema: 'binauthz.check/v1',
  verdict: 'UNKNOWN',
  policy: '',
  target: { platform: 'gke' },
  images: [],
  platformPolicies: [],
  assumptions: [],
};

const NOTHING_READ: AuditResult = {
  schema: 'binauthz.audit/v1',
  project: '',
  since: '',
  until: '',
  complete: false,
  events: [],
  groups: [],
  readiness: { wouldBeDenials: 0, since: '', complete: false, statement: 'unknown: the logs were not read' },
};

/** The error of a cancelled run. */
export function cancelled(): BinauthzError {
  return new BinauthzError('CANCELLED', 'the run was cancelled', {
    hint: 'run again: whatever was posted already is found and left alone',
  });
}

/** An error as people read it: what failed, and the next step. */
export function linesOf(error: BinauthzError): readonly string[] {
  const line = `error[${error.code}]: ${error.message}`;
  return error.hint === undefined
    ? [line]
    : [line, ...error.hint.split('\n').map((hint, index) => `${index === 0 ? '  hint: ' : '        '}${hint}`)];
}

/** The exit status of a run that failed so: cancelled by SIGTERM is 143, by SIGINT 130. */
export function statusOf(errors: readonly BinauthzError[], cancelledBy?: CancelSignal): number {
  const code = exitCodeOf(errors);
  return code === 130 && cancelledBy === 'SIGTERM' ? 143 : code;
}

// Requests that the signal cut off may have failed with anything; the reason is the signal, and it is said once.
function withCancellation(errors: readonly BinauthzError[]): readonly BinauthzError[] {
  return [cancelled(), ...errors.filter(({ code }) => code !== 'CANCELLED')];
}

// An attestation's own error says the same status as the run.
function withStatus(result: CommandResult, cancelledBy: CancelSignal | undefined): CommandResult {
  if (cancelledBy !== 'SIGTERM' || result.schema !== 'binauthz.attest/v1') return result;
  const attestations = result.attestations.map((attestation) =>
    attestation.error?.exitCode === 130 ? { ...attestation, error: { ...attestation.error, exitCode: 143 } } : attestation,
  );
  return { ...result, attestations };
}

function reportWith(error: BinauthzError, cancelledBy: CancelSignal | undefined): ErrorReport {
  return { ...reportOf(error), exitCode: statusOf([error], cancelledBy) };
}
