// SPDX-License-Identifier: Apache-2.0
// The shape of a command, as help and parsing know it; each command's row is in its folder, commands.ts lists them.

/** A command of this version. */
export type Command = 'attest' | 'check' | 'list' | 'vulnerabilities' | 'setup' | 'audit' | 'rotate' | 'doctor' | 'emulator' | 'demo';

/** A command and how help describes it. */
export interface CommandRow {
  readonly name: Command;
  /** What follows the command's name in its usage line. */
  readonly usage: string;
  readonly summary: string;
  /** More for the command's own help. */
  readonly details: readonly string[];
  readonly examples: readonly string[];
  /** Whether IMAGE arguments may follow. */
  readonly takesImages: boolean;
}
