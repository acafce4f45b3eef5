// SPDX-License-Identifier: Apache-2.0
import type { Reporter } from '../../ports/reporter.js';
import { printable, type Style } from './terminal.js';

/** How much is said. */
export type Loudness = 'silent' | 'quiet' | 'normal' | 'verbose';

/** Says what goes on, one line each, on standard error. Warnings are said even when quiet. */
export function createReporter(write: (text: string) => void, loudness: Loudness, style: Style): Reporter {
  const line = (text: string): void => write(`${text}\n`);
  const isChatty = loudness === 'normal' || loudness === 'verbose';
  const normal = (text: string): void => (isChatty ? line(text) : undefined);
  return {
    step: (message) => normal(printable(message)),
    info: (message) => normal(style.faint(`  ${printable(message)}`)),
    warn: (message) => (loudness === 'silent' ? undefined : line(`${style.doubtful('warning:')} ${printable(message)}`)),
    debug: (message) => (loudness === 'verbose' ? line(style.faint(`  debug: ${printable(message)}`)) : undefined),
  };
}
