// SPDX-License-Identifier: Apache-2.0
import { oneLine, redact } from './redact.js';
import { ERROR_CODES, type ErrorCode } from './error-codes.js';

export type { ErrorCode } from './error-codes.js';

/** Says that the same call may succeed later, and when the service asked to be called again (milliseconds). */
export interface Transient {
  readonly kind: 'quota' | 'unavailable';
  readonly retryAfterMs?: number;
}

/** What an error carries besides its message. */
export interface ErrorDetails {
  /** The resource that the failure is about, by its full name. */
  readonly resource?: string;
  /** The next step in the imperative, with the exact permission, role, option or command. */
  readonly hint?: string;
  readonly cause?: unknown;
  readonly transient?: Transient;
  /** The service of the API that is switched off, where that is why. */
  readonly disabledApi?: string;
}

/**
 * The one error of the product. The message is one line: what failed, on which resource, expected and got. Anything
 * that looks like a secret, and the query of every URL, is taken out here, so that no caller can forget to.
 */
export class BinauthzError extends Error {
  override readonly name = 'BinauthzError';
  readonly resource: string | undefined;
  readonly hint: string | undefined;
  readonly transient: Transient | undefined;
  readonly disabledApi: string | undefined;

  constructor(
    readonly code: ErrorCode,
    message: string,
    details: ErrorDetails = {},
  ) {
    super(clean(message), details.cause === undefined ? {} : { cause: details.cause });
    this.resource = details.resource === undefined ? undefined : clean(details.resource);
    this.hint = details.hint === undefined ? undefined : redact(details.hint);
    this.transient = details.transient;
    this.disabledApi = details.disabledApi;
  }

  /** The exit code of the contract that belongs to this error's code. */
  get exitCode(): number {
    return ERROR_CODES[this.code].exit;
  }
}

/** Several failures of one run, or all that is wrong with the input. */
export class BinauthzErrors extends Error {
  override readonly name = 'BinauthzErrors';

  constructor(readonly errors: readonly [BinauthzError, ...BinauthzError[]]) {
    super(errors.map((error) => error.message).join('; '));
  }
}

/** The exit codes that failures may have, the one that wins first (interface contract, "Exit codes"). */
const PRECEDENCE: readonly number[] = [130, 2, 1, 7, 5, 6, 9, 8, 3, 4];

/** The exit code of a run with these failures; 0 for none. */
export function exitCodeOf(errors: readonly BinauthzError[]): number {
  const codes = new Set(errors.map((error) => error.exitCode));
  return PRECEDENCE.find((code) => codes.has(code)) ?? 0;
}

/** Any thrown value as a list of our errors; a foreign one is a bug and becomes INTERNAL. */
export function asErrors(thrown: unknown): readonly [BinauthzError, ...BinauthzError[]] {
  if (thrown instanceof BinauthzErrors) return thrown.errors;
  return [asError(thrown)];
}

/** Any thrown value as one of our errors; a foreign one is a bug and becomes INTERNAL. */
export function asError(thrown: unknown): BinauthzError {
  if (thrown instanceof BinauthzError) return thrown;
  if (thrown instanceof BinauthzErrors) return thrown.errors[0];
  return new BinauthzError('INTERNAL', `unexpected failure: ${textOf(thrown)}`, {
    cause: thrown,
    hint: 'this is a bug in binauthz: please report it with the output of a run with --verbose (on GitHub: with debug logging enabled)',
  });
}

// Not everything that can be thrown has a text: Object.create(null) has none.
function textOf(thrown: unknown): string {
  try {
    return String(thrown);
  } catch {
    return 'a value without a text was thrown';
  }
}

function clean(text: string): string {
  return oneLine(redact(text));
}
