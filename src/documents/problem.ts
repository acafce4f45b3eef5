// SPDX-License-Identifier: Apache-2.0

/** What is wrong with a file, and where. One problem is enough to refuse the file: what cannot be read is never skipped. */
export interface Problem {
  readonly file: string;
  /** One-based. */
  readonly line: number;
  readonly message: string;
  readonly hint?: string;
}
