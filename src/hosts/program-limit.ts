// SPDX-License-Identifier: Apache-2.0
import { formatDuration } from '../core/duration.js';
import { BinauthzError } from '../core/errors.js';

/** How long a credential program may take: one that asks a person for something would wait for ever on a CI. */
export const PROGRAM_LIMIT_MS = 30_000;

/** A program that does not end. */
export function overdue(command: string, limitMs: number): BinauthzError {
  return new BinauthzError('UNAVAILABLE', `cannot use ${command}: it did not end within ${formatDuration(limitMs)}`, {
    resource: command,
    hint: `run ${command} by hand: it may be waiting for somebody to answer`,
  });
}
