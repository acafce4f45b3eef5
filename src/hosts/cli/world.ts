// SPDX-License-Identifier: Apache-2.0
import type { Clock } from '../../ports/clock.js';
import type { SignalSource } from '../cancellation.js';

/** A stream of text that people or programs read. */
export interface TextStream {
  write(text: string): void;
  readonly isTerminal: boolean;
}

/** The process as the CLI sees it. */
export interface CliWorld {
  readonly argv: readonly string[];
  /** The environment itself: variables that hold secrets are deleted from it. */
  readonly env: Record<string, string | undefined>;
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  /** Everything on standard input, for manifests. */
  readonly readStdin: () => Promise<string>;
  readonly cwd: string;
  readonly signals: SignalSource;
  /** Another time than the machine’s. */
  readonly clock?: Clock;
}
