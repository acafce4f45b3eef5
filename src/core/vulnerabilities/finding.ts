// SPDX-License-Identifier: Apache-2.0
// What a scanner says about an image, whichever scanner it was. What it did not say stays unknown: a missing severity is
// no low one, a missing score is no zero, and a scan that did not succeed is no clean one.

/** Severities, the mildest first, as Grafeas and the policy file name them. */
export const SEVERITIES = ['MINIMAL', 'LOW', 'MEDIUM', 'HIGH', 'CRITICAL'] as const;

/** A severity that can be compared. */
export type Severity = (typeof SEVERITIES)[number];

/** A known vulnerability in one package of an image. */
export interface Finding {
  /** `CVE-2026-1`, `GHSA-…` */
  readonly id: string;
  /** Empty where the scanner named none. */
  readonly package: string;
  readonly version: string;
  /** The version that repairs it; null where there is none, or none is named. */
  readonly fixedVersion: string | null;
  /** Whether a repair is available. */
  readonly fixable: boolean;
  /** The rating that counts: the distribution's where it has one, else the provider's. */
  readonly severity: Severity | 'UNKNOWN';
  /** The score of the newest CVSS version present; null where there is none. */
  readonly cvss: number | null;
}

/** States of a scan, the best first: one of them alone means that the image was scanned. */
export const SCAN_STATES = [
  'FINISHED_SUCCESS',
  'SCANNING',
  'PENDING',
  'UNSPECIFIED',
  'FINISHED_UNSUPPORTED',
  'FINISHED_FAILED',
  'NOT_FOUND',
] as const;

export type ScanState = (typeof SCAN_STATES)[number];

/** How far a scan of an image is, and how fresh. */
export interface Scan {
  readonly state: ScanState;
  /** RFC 3339. */
  readonly lastScanTime?: string;
  /** INACTIVE: the image is no longer scanned when new vulnerabilities become known. */
  readonly continuous?: 'ACTIVE' | 'INACTIVE';
  /** The findings were archived, so that their absence means nothing. */
  readonly isArchived?: boolean;
  /** How far it is could not be read, or its findings could not. */
  readonly isUnreadable?: boolean;
  /** What went wrong in a scan, also in one that calls itself successful. */
  readonly errors?: readonly string[];
  /** The report does not say itself that the scan came to its end. */
  readonly isAssumed?: boolean;
  /** What to do about it, where its state alone would say something else. */
  readonly hint?: string;
}

/** A scanner's report from a file. */
export interface ScanReport {
  /** The digests under which it names the scanned image; none where it names none. */
  readonly digests: readonly string[];
  /** `linux/arm64`: of an index, scanners read one platform at a time. */
  readonly platform?: string;
  readonly scan: Scan;
  readonly findings: readonly Finding[];
}

/** A score of a version of CVSS; 0 as the version where it is not said. */
export interface CvssScore {
  readonly version: number;
  readonly score: unknown;
}

/** A rating by its name; anything that cannot be compared is UNKNOWN. */
export function severityOf(name: unknown): Severity | 'UNKNOWN' {
  return SEVERITIES.find((severity) => severity === name) ?? 'UNKNOWN';
}

/** Whether a severity reaches a threshold, which is inclusive. */
export function reaches(severity: Severity, threshold: Severity): boolean {
  return SEVERITIES.indexOf(severity) >= SEVERITIES.indexOf(threshold);
}

/** A scan's state by Grafeas's name of it; a name that is not known is no success. */
export function scanStateOf(name: unknown): ScanState {
  // One number with two names in the API; the client library knows it by the older one.
  if (name === 'COMPLETE') return 'FINISHED_SUCCESS';
  return SCAN_STATES.find((state) => state === name && state !== 'NOT_FOUND') ?? 'UNSPECIFIED';
}

/** Whether a scan came to a good end, with nothing missing from what it found. */
export function isWhole({ state, isArchived = false, errors = [] }: Scan): boolean {
  return state === 'FINISHED_SUCCESS' && !isArchived && errors.length === 0;
}

/** The worst of several states; of none, that no scan was found. */
export function worstScan(states: readonly ScanState[]): ScanState {
  return states.toSorted((one, other) => SCAN_STATES.indexOf(other) - SCAN_STATES.indexOf(one))[0] ?? 'NOT_FOUND';
}

/** Whether a score is one, or is left out; what is neither might have been the score that denies. */
export function isScoreOrNone(score: unknown): boolean {
  return score === undefined || score === null || (typeof score === 'number' && score >= 0 && score <= 10);
}

/**
 * The score that decides: of the newest version present, the highest where several sources give one. A score without a
 * version may only raise it. Zero is how these formats write "no score".
 */
export function cvssOf(scores: readonly CvssScore[]): number | null {
  const given = scores.filter((entry): entry is { version: number; score: number } => typeof entry.score === 'number' && entry.score > 0);
  if (given.length === 0) return null;
  const newest = given.reduce((version, entry) => Math.max(version, entry.version), 0);
  const highest = Math.max(...given.filter(({ version }) => version === newest || version === 0).map(({ score }) => score));
  // Scores have one decimal; one that was a 32-bit float on its way, 7.0999999, must not fall below 7.1.
  return Math.max(highest, Math.round(highest * 10) / 10);
}
