// SPDX-License-Identifier: Apache-2.0
import { BinauthzError } from '../../core/errors.js';
import type { ResolvedImage } from '../../core/image/platform.js';
import { pin, pinnedName } from '../../core/image/reference.js';
import { reportOf, type VulnerabilitiesResult, type VulnerabilityFinding, type VulnerableImage } from '../../core/results.js';
import {
  evaluate,
  worstVerdict,
  type JudgedFinding,
  type ScannedPart,
  type VulnerabilityJudgement,
  type VulnerabilityVerdict,
} from '../../core/vulnerabilities/evaluate.js';
import type { Scan, ScanReport } from '../../core/vulnerabilities/finding.js';
import { INDEX_IN_INDEX, matchReports, subjectsOf, type Subject } from '../../core/vulnerabilities/match-reports.js';
import { refusalsOf } from '../../core/vulnerabilities/refusals.js';
import type { VulnerabilityGate } from '../requests.js';
import { awaitScan, type ScanPorts } from './await-scan.js';
import { concurrently, errorsOf } from './concurrently.js';

/** What became of the images, and what kept them from being judged. */
export interface JudgedImages {
  readonly verdict: VulnerabilityVerdict;
  readonly images: readonly VulnerableImage[];
  /** Failures to read, and reports about other images: never the verdict itself, which `refusalsOf` makes errors of. */
  readonly errors: readonly BinauthzError[];
}

const MOST_NAMED = 5;

/**
 * Judges the vulnerabilities of resolved images before anything is signed: waits for the scans, reads the findings once
 * a scan has succeeded, and holds both against the policy. An index is judged by all of its runnable manifests.
 */
export async function judgeVulnerabilities(
  images: readonly ResolvedImage[],
  gate: VulnerabilityGate,
  ports: ScanPorts,
): Promise<JudgedImages> {
  const { parts, errors } = gate.reports ? fromReports(images, gate.reports) : await fromStore(images, gate.scanTimeoutMs, ports);
  const now = ports.clock.now();
  const judged = images.map((image, index) => {
    const own = parts[index] ?? [];
    const judgement = evaluate(gate.policy, own, now);
    for (const warning of judgement.warnings) ports.reporter.warn(`${pinnedName(image.reference)}: ${warning}`);
    return resultOf(image, own, judgement);
  });
  const worst = worstVerdict(judged.map(({ verdict }) => verdict));
  // A report about another image, or a listing that failed, leaves no doubt that something is wrong.
  return { verdict: errors.length > 0 ? worstVerdict([worst, 'UNKNOWN']) : worst, images: judged, errors };
}

/** What a gate before signing came to: what was judged, and everything because of which nothing may be signed. */
export interface Passage {
  /** None without a gate. */
  readonly vulnerabilities?: VulnerabilitiesResult;
  readonly errors: readonly BinauthzError[];
}

/** Takes images through a gate, before anything is signed. Without a gate they pass. */
export async function passGate(images: readonly ResolvedImage[], gate: VulnerabilityGate | undefined, ports: ScanPorts): Promise<Passage> {
  if (!gate) return { errors: [] };
  ports.reporter.step(gate.reports ? 'Judging the findings that were given' : 'Judging vulnerabilities as Artifact Analysis knows them');
  const { verdict, images: judged, errors } = await judgeVulnerabilities(images, gate, ports);
  // What could not be read is an error already; that it cannot be judged would only say it again.
  const refusals = refusalsOf(judged).filter(({ code }) => errors.length === 0 || code === 'VULNERABILITIES_DENIED');
  const unread = errors.length > 0 ? { errors: errors.map(reportOf) } : {};
  return {
    vulnerabilities: { schema: 'binauthz.vulnerabilities/v1', verdict, images: judged, ...unread },
    errors: [...errors, ...refusals],
  };
}

interface Gathered {
  readonly parts: readonly (readonly ScannedPart[])[];
  readonly errors: readonly BinauthzError[];
}

function fromReports(images: readonly ResolvedImage[], reports: readonly ScanReport[]): Gathered {
  const { parts, strangers } = matchReports(images, reports);
  const wanted = [...new Set(images.flatMap((image) => [image.reference.digest, ...subjectsOf(image).map(({ digest }) => digest)]))];
  return { parts, errors: strangers.map((report) => mismatch(report, wanted)) };
}

function mismatch({ digests }: ScanReport, wanted: readonly string[]): BinauthzError {
  const named = digests.length === 0 ? 'no digest' : listed(digests);
  return new BinauthzError(
    'FINDINGS_MISMATCH',
    `cannot take the scanner’s report for that of the image: expected one about ${listed(wanted)}, got one about ${named}`,
    { hint: 'scan the image by its digest from the registry, e.g. trivy image --format json REGISTRY/NAME@sha256:…' },
  );
}

// All scans are awaited side by side, under one deadline.
async function fromStore(images: readonly ResolvedImage[], scanTimeoutMs: number, ports: ScanPorts): Promise<Gathered> {
  const deadline = ports.clock.now() + scanTimeoutMs;
  const wanted = images.flatMap((image, index) => subjectsOf(image).map((subject) => ({ image, index, subject })));
  const settled = await concurrently(wanted, ({ image, subject }) => readPart(image, subject, { deadline, ports }), wanted.length);
  const parts = images.map((_image, index) =>
    wanted.flatMap((entry, at): readonly ScannedPart[] => {
      const part = settled[at];
      if (entry.index !== index) return [];
      if (part?.ok) return [part.value];
      return [{ ...entry.subject, scan: unreadable(part?.errors ?? []), findings: [] }];
    }),
  );
  return { parts, errors: errorsOf(settled) };
}

function unreadable(errors: readonly BinauthzError[]): Scan {
  return { state: 'UNSPECIFIED', isUnreadable: true, errors: errors.map(({ message }) => message) };
}

interface Reading {
  readonly deadline: number;
  readonly ports: ScanPorts;
}

// Findings are read after the scan's state, never before or beside it: those of a scan that goes on are not all of them.
async function readPart(image: ResolvedImage, subject: Subject, { deadline, ports }: Reading): Promise<ScannedPart> {
  if (subject.isIndex) return { ...subject, scan: INDEX_IN_INDEX, findings: [] };
  const manifest = pin(image.reference, subject.digest);
  const scan = ports.vulnerabilities.covers(manifest) ? await awaitScan(manifest, deadline, ports) : UNCOVERED;
  // What is found before the end, or despite a bad end, is found all the same.
  const findings = scan === UNCOVERED ? [] : await ports.vulnerabilities.findings(manifest);
  return { ...subject, scan, findings };
}

const UNCOVERED: Scan = {
  state: 'NOT_FOUND',
  errors: ['Artifact Analysis scans Google’s registries only'],
  hint: 'scan it with another scanner and give its report with --findings',
};

function resultOf(image: ResolvedImage, parts: readonly ScannedPart[], judgement: VulnerabilityJudgement): VulnerableImage {
  return {
    image: pinnedName(image.reference),
    digest: image.reference.digest,
    scan: judgement.scan,
    verdict: judgement.verdict,
    reasons: judgement.reasons,
    findings: judgement.findings.map(findingResult),
    manifests: parts.map(({ digest, platform, scan }) => ({
      digest,
      ...(platform === undefined ? {} : { platform }),
      scan: scan.state,
      ...(scan.lastScanTime === undefined ? {} : { lastScanTime: scan.lastScanTime }),
    })),
  };
}

function findingResult(finding: JudgedFinding): VulnerabilityFinding {
  const { id, version, fixedVersion, severity, cvss, verdict, waiver, reasons, platforms } = finding;
  return {
    id,
    package: finding.package,
    version,
    fixedVersion,
    severity,
    cvss,
    verdict,
    ...(waiver ? { waiver: { owner: waiver.owner, reason: waiver.reason, expires: waiver.expires } } : {}),
    ...(reasons.length === 0 ? {} : { reasons }),
    ...(platforms === undefined ? {} : { platforms }),
  };
}

function listed(digests: readonly string[]): string {
  const left = digests.length - MOST_NAMED;
  return [...digests.slice(0, MOST_NAMED), ...(left > 0 ? [`${left} more`] : [])].join(', ');
}
