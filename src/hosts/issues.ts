// SPDX-License-Identifier: Apache-2.0
// How everything that is wrong with the input is worded, in the spelling of the host that it was given to.
import { BinauthzError, BinauthzErrors } from '../core/errors.js';
import { nameOn, type Host, type OptionRow } from './options.js';

const LONGEST_SHOWN = 160;

/** An option as messages name it: `--attestor`, `IMAGE`, `input attestors`. */
export function spell(option: OptionRow, host: Host): string {
  if (host === 'action') return `input ${nameOn(option, host)}`;
  return option.positional && option.value !== undefined ? option.value : `--${nameOn(option, host)}`;
}

/** Something wrong with the input. */
export function inputError(message: string, details: { readonly hint?: string; readonly resource?: string } = {}): BinauthzError {
  return new BinauthzError('INVALID_INPUT', message, details);
}

/** One line: which option, what was expected, what was given instead. */
export function expectedButGot(spelled: string, expected: string, got: string, hint?: string): BinauthzError {
  return inputError(`${spelled}: expected ${expected}, got ${got}`, { resource: spelled, ...(hint === undefined ? {} : { hint }) });
}

/** The error with this next step, unless it has one already. */
export function withHint(error: BinauthzError, hint: string): BinauthzError {
  if (error.hint !== undefined) return error;
  return new BinauthzError(error.code, error.message, {
    hint,
    cause: error.cause,
    ...(error.resource === undefined ? {} : { resource: error.resource }),
  });
}

/** A value as a message shows it: quoted, on one line, and not endless. Never called with a secret. */
export function show(value: string): string {
  if (value === '') return 'nothing';
  return JSON.stringify(value.length > LONGEST_SHOWN ? `${value.slice(0, LONGEST_SHOWN)}…` : value);
}

/** Everything that is wrong as one thing to throw; undefined where nothing is. Repeated messages are said once. */
export function asFailure(issues: readonly BinauthzError[]): BinauthzErrors | undefined {
  const [first, ...rest] = [...new Map(issues.map((issue) => [issue.message, issue])).values()];
  return first && new BinauthzErrors([first, ...rest]);
}
