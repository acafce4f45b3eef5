// SPDX-License-Identifier: Apache-2.0
// Occurrences of Grafeas from a file: the REST API's listing, gcloud's lists, and gcloud's description of an image.
import type { Finding, Scan, ScanReport } from '../core/vulnerabilities/finding.js';
import { digestIn, readOccurrence, SCAN_NOTE, type ReadOccurrence } from '../core/vulnerabilities/occurrence.js';

type Fields = { readonly [member: string]: unknown };

/** A listing of findings alone, such as that of On-Demand Scanning, which exists only once the scan is at its end. */
const ASSUMED: Scan = { state: 'FINISHED_SUCCESS', isAssumed: true };

type ReadScan = Extract<ReadOccurrence, { kind: 'scan' }>;

interface Gathered {
  readonly findings: Finding[];
  scan?: ReadScan;
}

/** The reports in a document, one for each digest; what is wrong with it is added to the problems. */
export function readGrafeas(document: unknown, problems: string[]): readonly ScanReport[] {
  const byDigest = new Map<string, Gathered>();
  for (const value of occurrencesOf(document, problems)) {
    const read = readOccurrence(isFields(value) && isFields(value['occurrence']) ? value['occurrence'] : value);
    if (!read) continue;
    if (read.kind === 'problem') {
      problems.push(`Grafeas report: ${read.problem}`);
      continue;
    }
    // A resource without a digest is no image that could be compared; it must not vanish.
    const digest = digestIn(read.resourceUri) ?? '';
    const gathered = byDigest.get(digest) ?? { findings: [] };
    byDigest.set(digest, gathered);
    if (read.kind === 'findings') gathered.findings.push(...read.findings);
    else if (isOfVulnerabilities(read.note)) gathered.scan = newer(gathered.scan, read);
  }
  return [...byDigest]
    .filter(([, { findings, scan }]) => findings.length > 0 || scan)
    .map(([digest, gathered]) => reportOf(digest, gathered));
}

// Of two from the same time, the one that is not done counts.
function newer(known: ReadScan | undefined, read: ReadScan): ReadScan {
  if (!known || read.at > known.at) return read;
  return known.at > read.at || known.scan.state !== 'FINISHED_SUCCESS' ? known : read;
}

function reportOf(digest: string, { findings, scan }: Gathered): ScanReport {
  return { digests: digest === '' ? [] : [digest], scan: scan?.scan ?? ASSUMED, findings };
}

// Google announces scans of other kinds too, under other notes of the same project; other scanners have notes of their own.
function isOfVulnerabilities(note: string): boolean {
  return note === SCAN_NOTE || !note.startsWith('projects/goog-analysis/');
}

function occurrencesOf(document: unknown, problems: string[]): readonly unknown[] {
  if (Array.isArray(document)) return document;
  if (!isFields(document)) {
    problems.push('expected a report of Trivy or occurrences of Grafeas');
    return [];
  }
  const { nextPageToken } = document;
  if (nextPageToken !== undefined && nextPageToken !== null && nextPageToken !== '') {
    problems.push('Grafeas report: it is one page of a longer listing (nextPageToken); give all of it');
    return [];
  }
  if (Array.isArray(document['occurrences'])) return document['occurrences'];
  if ('package_vulnerability_summary' in document || 'discovery_summary' in document) return describedIn(document, problems);
  if ('resourceUri' in document) return [document];
  problems.push('expected a report of Trivy (SchemaVersion) or occurrences of Grafeas (a list, or a member "occurrences")');
  return [];
}

// gcloud artifacts docker images describe --show-package-vulnerability: occurrences by severity, and those of the scan.
function describedIn(document: Fields, problems: string[]): readonly unknown[] {
  const bySeverity = memberOf(memberOf(document, 'package_vulnerability_summary'), 'vulnerabilities') ?? {};
  const scans = memberOf(memberOf(document, 'discovery_summary'), 'discovery') ?? [];
  const lists = isFields(bySeverity) ? [...Object.values(bySeverity), scans] : [undefined];
  if (lists.every((list) => Array.isArray(list))) return lists.flat() as readonly unknown[];
  problems.push(
    'Grafeas report: expected lists of occurrences in package_vulnerability_summary.vulnerabilities and discovery_summary.discovery',
  );
  return [];
}

function memberOf(value: unknown, name: string): unknown {
  return isFields(value) ? value[name] : undefined;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
