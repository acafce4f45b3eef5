// SPDX-License-Identifier: Apache-2.0
// Why a scan proves nothing: each state in its own words, since each asks for another next step.
import { formatAge } from '../duration.js';
import type { Scan, ScanState } from './finding.js';

/** Every reason code of a vulnerability verdict with its meaning. A closed list: codes are added, never renamed. */
export const VULNERABILITY_REASON_CODES = {
  SEVERITY_DENIED: 'A finding reaches the severity from which the policy denies it.',
  SEVERITY_UNKNOWN: 'A finding has no severity, and the policy does not allow that.',
  CVSS_DENIED: 'A finding reaches the CVSS score from which the policy denies it.',
  CVSS_UNKNOWN: 'A finding has no CVSS score, scores are judged, and the policy does not allow that.',
  WAIVER_EXPIRED: 'The waiver of a finding that the policy denies has expired.',
  SCAN_NOT_FOUND: 'No scan of the image was found. Not scanned is not clean.',
  SCAN_PENDING: 'The scan is known but has not begun.',
  SCAN_RUNNING: 'The scan has not come to its end.',
  SCAN_FAILED: 'The scan came to a bad end.',
  SCAN_UNSUPPORTED: 'The scanner cannot read the image.',
  SCAN_STATE_UNKNOWN: 'The scanner does not say how far the scan is.',
  SCAN_ARCHIVED: 'The findings of the scan were archived, so that none are left to be judged.',
  SCAN_INCOMPLETE: 'The scan ended well but met errors: findings may be missing.',
  SCAN_TOO_OLD: 'The image was last scanned longer ago than the policy allows.',
  SCAN_AGE_UNKNOWN: 'The policy bounds the age of the scan, which is not known.',
  SCAN_NOT_READABLE: 'The scan, or its findings, could not be read.',
} as const;

export type VulnerabilityReasonCode = keyof typeof VULNERABILITY_REASON_CODES;

/** One reason, in words for a person, with the next step where there is one. */
export interface VulnerabilityReason {
  readonly code: VulnerabilityReasonCode;
  readonly message: string;
  /** The id of the finding that it is about. */
  readonly finding?: string;
  readonly hint?: string;
}

interface Part {
  readonly digest: string;
  readonly platform?: string;
  readonly scan: Scan;
}

type Doubt = Omit<VulnerabilityReason, 'finding'>;

/** How far apart the clocks of a scanner and of this run may be. */
const CLOCK_SKEW_MS = 300_000;
const LONGEST_TEXT = 300;
const LATER = 'raise --scan-timeout, or run again later';
const OTHER_SCANNER = 'scan it with another scanner and give its report with --findings';

const STATES: Readonly<Record<Exclude<ScanState, 'FINISHED_SUCCESS'>, Doubt>> = {
  NOT_FOUND: {
    code: 'SCAN_NOT_FOUND',
    message: 'no scan was found',
    hint: `enable automatic scanning (gcloud services enable containerscanning.googleapis.com) before the image is pushed, or ${OTHER_SCANNER}`,
  },
  PENDING: { code: 'SCAN_PENDING', message: 'the scan has not begun', hint: LATER },
  SCANNING: { code: 'SCAN_RUNNING', message: 'the scan has not come to its end', hint: LATER },
  FINISHED_FAILED: { code: 'SCAN_FAILED', message: 'the scan failed', hint: `push the image again, or ${OTHER_SCANNER}` },
  FINISHED_UNSUPPORTED: { code: 'SCAN_UNSUPPORTED', message: 'the scanner does not support the image', hint: OTHER_SCANNER },
  UNSPECIFIED: { code: 'SCAN_STATE_UNKNOWN', message: 'the scanner does not say how far the scan is', hint: LATER },
};

const UNREADABLE: Doubt = { code: 'SCAN_NOT_READABLE', message: 'the scan or its findings could not be read' };

/** Why the scan of a part does not count; nothing where it does. */
export function scanReasons(part: Part, maxAgeMs: number | undefined, now: number): readonly VulnerabilityReason[] {
  const { state } = part.scan;
  const doubts =
    state === 'FINISHED_SUCCESS'
      ? [...completeness(part.scan), ...age(part.scan, maxAgeMs, now)]
      : [part.scan.isUnreadable ? UNREADABLE : { ...STATES[state], ...hintOf(part.scan) }];
  const said = state === 'FINISHED_SUCCESS' ? '' : errorsOf(part.scan);
  return doubts.map((doubt) => ({ ...doubt, message: `${nameOf(part)}: ${doubt.message}${said}` }));
}

/** What is worth knowing about a scan that counts. */
export function scanWarnings(part: Part): readonly string[] {
  const { state, continuous, lastScanTime, isAssumed } = part.scan;
  if (state !== 'FINISHED_SUCCESS') return [];
  const last = lastScanTime === undefined ? 'at a time that is not known' : `at ${lastScanTime}`;
  return [
    ...(continuous === 'INACTIVE'
      ? [`${nameOf(part)} is no longer scanned continuously; it was last scanned ${last}, and vulnerabilities known since then are missing`]
      : []),
    ...(isAssumed ? [`${nameOf(part)}: the report does not say that the scan came to its end; it is taken at its word`] : []),
  ];
}

function completeness({ isArchived = false, errors = [] }: Scan): readonly Doubt[] {
  return [
    ...(isArchived
      ? [
          {
            code: 'SCAN_ARCHIVED' as const,
            message: 'the findings were archived',
            hint: 'push or pull the image, so that it is scanned again',
          },
        ]
      : []),
    ...(errors.length > 0
      ? [
          {
            code: 'SCAN_INCOMPLETE' as const,
            message: `the scan ended well but met errors${errorsOf({ errors })}`,
            hint: OTHER_SCANNER,
          },
        ]
      : []),
  ];
}

function age({ lastScanTime = '' }: Scan, maxAgeMs: number | undefined, now: number): readonly Doubt[] {
  if (maxAgeMs === undefined) return [];
  const bound = `the policy allows at most ${formatAge(maxAgeMs)} (maxScanAge)`;
  const at = Date.parse(lastScanTime);
  if (Number.isNaN(at)) return [{ code: 'SCAN_AGE_UNKNOWN', message: `the scan does not say when it was made; ${bound}` }];
  if (at > now + CLOCK_SKEW_MS)
    return [{ code: 'SCAN_AGE_UNKNOWN', message: `the scan says that it was made at ${lastScanTime}, which is in the future; ${bound}` }];
  if (now - at <= maxAgeMs) return [];
  const message = `it was last scanned at ${lastScanTime}, ${formatAge(now - at)} ago; ${bound}`;
  return [{ code: 'SCAN_TOO_OLD', message, hint: 'push or pull the image, so that it is scanned again' }];
}

function hintOf({ hint }: Scan): Pick<Doubt, 'hint'> {
  return hint === undefined ? {} : { hint };
}

function errorsOf({ errors = [] }: Pick<Scan, 'errors'>): string {
  return errors.length === 0 ? '' : `: ${errors.join('; ').slice(0, LONGEST_TEXT)}`;
}

function nameOf({ digest, platform }: Part): string {
  return platform === undefined ? digest : `${platform} (${digest})`;
}
