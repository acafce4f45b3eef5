// SPDX-License-Identifier: Apache-2.0

/** The only way anything is said while a run goes on. Results go another way. */
export interface Reporter {
  /** A step that begins, e.g. "Resolving 3 images". */
  step(message: string): void;
  /** A fact worth a line. */
  info(message: string): void;
  /** Something that may hurt later; shown even when quiet. */
  warn(message: string): void;
  /** A detail for --verbose. */
  debug(message: string): void;
}
