// SPDX-License-Identifier: Apache-2.0

/** The formats of `--report`. */
export const REPORT_FORMATS = ['json', 'sarif', 'junit', 'markdown'] as const;

/** A form that a verdict can be reported in. */
export type ReportFormat = (typeof REPORT_FORMATS)[number];

/** A report that was asked for. */
export interface ReportTarget {
  readonly format: ReportFormat;
  /** As the user gave it, relative to the working folder. */
  readonly path: string;
}
