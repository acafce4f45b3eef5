// SPDX-License-Identifier: Apache-2.0

/** What a program printed and how it ended. */
export interface ProgramResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs Docker's credential programs. */
export interface Program {
  /** Runs a program found on PATH without a shell, with this standard input; its output is never echoed. UNAVAILABLE where it cannot be started or does not end. */
  run(command: string, args: readonly string[], stdin: string): Promise<ProgramResult>;
}
