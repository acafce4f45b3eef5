// SPDX-License-Identifier: Apache-2.0
// The shape of an option table's row; the rows are in options.ts and check-options.ts.
import type { Command } from './command-row.js';

/** How users reach the product: by flags, or by Action inputs. */
export type Host = 'cli' | 'action';

/** What an option's value is. A list may be repeated, one value each; a secret is never on the command line. */
export type OptionKind = 'text' | 'list' | 'flag' | 'duration' | 'choice' | 'port' | 'secret';

/** An option, whichever host it is given to. */
export interface OptionRow {
  /** Kebab-case and singular; the CLI adds `--`, and `-env` behind a secret. */
  readonly name: string;
  readonly kind: OptionKind;
  /** What help shows for the value; none for a flag. */
  readonly value?: string;
  /** The input's name in the Action where it is a newline list. */
  readonly plural?: string;
  /** For a secret: whether the CLI takes several variables. The Action always takes one value. */
  readonly several?: true;
  readonly choices?: readonly string[];
  /** As a user would write it. */
  readonly default?: string;
  /** One full sentence. */
  readonly help: string;
  /** What only the Action's metadata adds to the sentence. */
  readonly actionHelp?: string;
  readonly commands: readonly Command[];
  readonly hosts: readonly Host[];
  /** The flag's one-letter form in the CLI, without the dash. */
  readonly short?: string;
  /** Given as an argument rather than as a flag, of which it is a synonym. */
  readonly positional?: true;
}

/** On both hosts. */
export const BOTH: readonly Host[] = ['cli', 'action'];
/** On the command line only. */
export const CLI: readonly Host[] = ['cli'];
/** In the Action only. */
export const ACTION: readonly Host[] = ['action'];
