// SPDX-License-Identifier: Apache-2.0
// What a vulnerability policy says about a scanned image. It fails closed: what is not known never speaks for an image.
import { reaches, worstScan, type Finding, type Scan, type ScanState } from './finding.js';
import { findWaivers, type WaiverState } from './waivers.js';
import { scanReasons, scanWarnings, type VulnerabilityReason } from './scan-reasons.js';
import type { VulnerabilityPolicy, Waiver } from './policy.js';

export { VULNERABILITY_REASON_CODES, type VulnerabilityReason, type VulnerabilityReasonCode } from './scan-reasons.js';

/** What becomes of a finding; NOT_JUDGED where no policy was given. */
export type FindingVerdict = 'DENIED' | 'ALLOWED' | 'WAIVED' | 'NOT_JUDGED';

/** What becomes of an image, the best first; NOT_JUDGED where it is scanned and no policy was given. */
export const VULNERABILITY_VERDICTS = ['NOT_JUDGED', 'ALLOWED', 'UNKNOWN', 'DENIED'] as const;

export type VulnerabilityVerdict = (typeof VULNERABILITY_VERDICTS)[number];

/** A finding under a policy. */
export interface JudgedFinding extends Finding {
  readonly verdict: FindingVerdict;
  /** The waiver that saves it; or the expired one that no longer does. */
  readonly waiver?: Waiver;
  /** Why it is denied, or would be without its waiver. */
  readonly reasons: readonly VulnerabilityReason[];
  /** The platforms of an index in which it was found. */
  readonly platforms?: readonly string[];
}

/** What was scanned: an image, or one platform of an index. */
export interface ScannedPart {
  readonly digest: string;
  readonly platform?: string;
  readonly scan: Scan;
  readonly findings: readonly Finding[];
}

/** An image under a policy. */
export interface VulnerabilityJudgement {
  readonly verdict: VulnerabilityVerdict;
  readonly scan: ScanState;
  readonly reasons: readonly VulnerabilityReason[];
  readonly warnings: readonly string[];
  readonly findings: readonly JudgedFinding[];
}

/**
 * An image with all of its parts under a policy, at a time (milliseconds since the epoch). One denied finding denies the
 * image, whatever else is known; otherwise each part must have been scanned, with success and in time.
 */
export function evaluate(policy: VulnerabilityPolicy | undefined, parts: readonly ScannedPart[], now: number): VulnerabilityJudgement {
  const findings = merged(parts).map((finding) => judgeFinding(policy, finding, now));
  const denials = findings.filter(({ verdict }) => verdict === 'DENIED').flatMap(({ reasons }) => reasons);
  const doubts = parts.length === 0 ? [NOTHING_SCANNED] : parts.flatMap((part) => scanReasons(part, policy?.maxScanAgeMs, now));
  const warnings = [...parts.flatMap((part) => scanWarnings(part)), ...(policy ? waiverWarnings(policy, findings, now) : [])];
  return {
    verdict: verdictOf(denials.length > 0, doubts.length > 0, policy !== undefined),
    scan: worstScan(parts.map(({ scan }) => scan.state)),
    reasons: [...denials, ...doubts],
    warnings: [...new Set(warnings)],
    findings,
  };
}

/** The verdict over several images: the worst one wins; nothing at all is UNKNOWN, never allowed. */
export function worstVerdict(verdicts: readonly VulnerabilityVerdict[]): VulnerabilityVerdict {
  const rank = verdicts.reduce((highest, verdict) => Math.max(highest, VULNERABILITY_VERDICTS.indexOf(verdict)), -1);
  return VULNERABILITY_VERDICTS[rank] ?? 'UNKNOWN';
}

/** A finding under a policy at a time. */
export function judgeFinding(policy: VulnerabilityPolicy | undefined, finding: Finding, now: number): JudgedFinding {
  if (!policy) return { ...finding, verdict: 'NOT_JUDGED', reasons: [] };
  const reasons = denialsOf(policy, finding);
  if (reasons.length === 0) return { ...finding, verdict: 'ALLOWED', reasons };
  const waivers = findWaivers(policy.waivers, finding, now);
  const active = waivers.find(({ isExpired }) => !isExpired);
  if (active) return { ...finding, verdict: 'WAIVED', waiver: active.waiver, reasons };
  const [expired] = waivers;
  if (!expired) return { ...finding, verdict: 'DENIED', reasons };
  return { ...finding, verdict: 'DENIED', waiver: expired.waiver, reasons: [...reasons, expiredReason(finding, expired)] };
}

const NOTHING_SCANNED: VulnerabilityReason = { code: 'SCAN_NOT_FOUND', message: 'nothing that was scanned belongs to the image' };

function verdictOf(isDenied: boolean, isDoubtful: boolean, isJudged: boolean): VulnerabilityVerdict {
  if (isDenied) return 'DENIED';
  if (isDoubtful) return 'UNKNOWN';
  return isJudged ? 'ALLOWED' : 'NOT_JUDGED';
}

function denialsOf(policy: VulnerabilityPolicy, finding: Finding): readonly VulnerabilityReason[] {
  return [...bySeverity(policy, finding), ...byScore(policy, finding)];
}

function bySeverity({ deny, unknownSeverity }: VulnerabilityPolicy, finding: Finding): readonly VulnerabilityReason[] {
  const kind = finding.fixable ? 'fixable' : 'unfixable';
  const threshold = deny[kind];
  if (threshold === undefined) return [];
  const { severity } = finding;
  if (severity === 'UNKNOWN') {
    if (unknownSeverity === 'allow') return [];
    const message = `${nameOf(finding)} has no severity, which the policy denies (unknownSeverity: deny)`;
    return [{ code: 'SEVERITY_UNKNOWN', message, finding: finding.id }];
  }
  if (!reaches(severity, threshold)) return [];
  const fix = finding.fixedVersion === null ? '' : ` (fixed in ${finding.fixedVersion})`;
  return [
    {
      code: 'SEVERITY_DENIED',
      message: `${nameOf(finding)} is ${severity}${fix}; ${kind} ${threshold} and above is denied`,
      finding: finding.id,
    },
  ];
}

function byScore({ deny, unknownSeverity }: VulnerabilityPolicy, finding: Finding): readonly VulnerabilityReason[] {
  if (deny.cvss === undefined) return [];
  if (finding.cvss === null) {
    if (unknownSeverity === 'allow') return [];
    const message = `${nameOf(finding)} has no CVSS score, which the policy denies (unknownSeverity: deny)`;
    return [{ code: 'CVSS_UNKNOWN', message, finding: finding.id }];
  }
  if (finding.cvss < deny.cvss) return [];
  const message = `${nameOf(finding)} has a CVSS score of ${finding.cvss}; ${deny.cvss} and above is denied`;
  return [{ code: 'CVSS_DENIED', message, finding: finding.id }];
}

function expiredReason(finding: Finding, { waiver }: WaiverState): VulnerabilityReason {
  return {
    code: 'WAIVER_EXPIRED',
    message: `the waiver of ${nameOf(finding)} by ${waiver.owner} expired on ${waiver.expires}`,
    finding: finding.id,
    hint: `repair the package, or have ${waiver.owner} renew the waiver`,
  };
}

function waiverWarnings(policy: VulnerabilityPolicy, findings: readonly JudgedFinding[], now: number): readonly string[] {
  return findings.flatMap((finding) => {
    const states = findWaivers(policy.waivers, finding, now);
    // The first one lasts longest, and is the one that saves the finding.
    if (finding.verdict === 'WAIVED')
      return states
        .slice(0, 1)
        .filter(({ isEnding }) => isEnding)
        .map(({ waiver }) => `the waiver of ${nameOf(finding)} by ${waiver.owner} expires on ${waiver.expires}: it is denied from then on`);
    if (finding.verdict === 'ALLOWED')
      return states
        .filter(({ isExpired }) => isExpired)
        .map(({ waiver }) => `the waiver of ${nameOf(finding)} by ${waiver.owner} expired on ${waiver.expires}, and is not needed`);
    return [];
  });
}

function nameOf({ id, package: name, version }: Finding): string {
  return name === '' ? id : `${id} in ${name}${version === '' ? '' : ` ${version}`}`;
}

/** Each finding once, with the platforms that it is in. */
function merged(parts: readonly ScannedPart[]): readonly (Finding & { readonly platforms?: readonly string[] })[] {
  const byContent = new Map<string, { readonly finding: Finding; readonly platforms: Set<string> }>();
  for (const { platform, findings } of parts) {
    for (const finding of findings) {
      const { id, package: name, version, fixedVersion, fixable, severity, cvss } = finding;
      const key = JSON.stringify([id, name, version, fixedVersion, fixable, severity, cvss]);
      const entry = byContent.get(key) ?? { finding, platforms: new Set<string>() };
      byContent.set(key, entry);
      if (platform !== undefined) entry.platforms.add(platform);
    }
  }
  return [...byContent.values()].map(({ finding, platforms }) =>
    platforms.size === 0 ? finding : { ...finding, platforms: [...platforms] },
  );
}
