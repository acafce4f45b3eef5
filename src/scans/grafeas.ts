// SPDX-License-Identifier: Apache-2.0
// Occurrences of Grafeas from a file: the REST API's listing, gcloud's lists, and gcloud's description of an image.
import { isWhole, type Finding, type Scan, type ScanReport, type ScanState } from '../core/vulnerabilities/finding.js';
import { digestIn, readOccurrence, SCAN_NOTE, type ReadOccurrence } from '../core/vulnerabilities/occurrence.js';

type Fields = { readonly [member: string]: unknown };

/** A listing of findings alone, such as that of On-Demand Scanning, which exists only once the scan is at its end. */
const ASSUMED: Scan = { state: 'FINISHED_SUCCESS', isAssumed: true };
/** A listing that exists while the scan goes on, and leaves out how far it is: what it holds may be half of the findings. */
const UNTOLD: Scan = {
  state: 'UNSPECIFIED',
  errors: ['the listing leaves it out; give gcloud artifacts docker images describe IMAGE --show-package-vulnerability --format=json'],
};

const UNFINISHED: ReadonlySet<ScanState> = new Set<ScanState>(['PENDING', 'SCANNING', 'UNSPECIFIED']);

type ReadScan = Extract<ReadOccurrence, { kind: 'scan' }>;

interface Gathered {
  readonly findings: Finding[];
  /** The newest that is told of, by the note under which it is announced. */
  readonly scans: Map<string, ReadScan>;
  /** What its scan is taken for where none is told of. */
  untold: Scan;
}

/** The reports in a document, one for each digest; what is wrong with it is added to the problems. */
export function readGrafeas(document: unknown, problems: string[]): readonly ScanReport[] {
  const byDigest = new Map<string, Gathered>();
  const isDescription = isFields(document) && isDescriptionOfImage(document);
  for (const value of occurrencesOf(document, problems)) {
    // gcloud artifacts vulnerabilities list wraps each of them.
    const wrapped = isFields(value) && isFields(value['occurrence']) ? value['occurrence'] : undefined;
    const read = readOccurrence(wrapped ?? value);
    if (read?.kind === 'problem') problems.push(`Grafeas report: ${read.problem}`);
    else if (read) gather(byDigest, read, wrapped !== undefined || isDescription ? UNTOLD : ASSUMED);
  }
  return [...byDigest]
    .filter(([, { findings, scans }]) => findings.length > 0 || scans.size > 0)
    .map(([digest, gathered]) => reportOf(digest, gathered));
}

function gather(byDigest: Map<string, Gathered>, read: Exclude<ReadOccurrence, { kind: 'problem' }>, untold: Scan): void {
  // A resource without a digest is no image that could be compared; it must not vanish.
  const digest = digestIn(read.resourceUri) ?? '';
  const gathered = byDigest.get(digest) ?? { findings: [], scans: new Map<string, ReadScan>(), untold };
  byDigest.set(digest, gathered);
  if (untold === UNTOLD) gathered.untold = UNTOLD;
  if (read.kind === 'findings') for (const finding of read.findings) gathered.findings.push(finding);
  else if (isOfVulnerabilities(read.note)) gathered.scans.set(read.note, newer(gathered.scans.get(read.note), read));
}

// Of two from the same time, the one that is not done counts.
function newer(known: ReadScan | undefined, read: ReadScan): ReadScan {
  if (!known || read.at > known.at) return read;
  return known.at > read.at || !isWhole(known.scan) ? known : read;
}

function reportOf(digest: string, gathered: Gathered): ScanReport {
  const scan = scanIn(gathered);
  // A file stays as it is, however long one waits.
  const hint = UNFINISHED.has(scan.state) ? { hint: 'write the file again once the scan has come to its end' } : {};
  return { digests: digest === '' ? [] : [digest], scan: { ...scan, ...hint }, findings: gathered.findings };
}

// Google announces scans of other kinds too, under other notes of the same project; other scanners have notes of their own.
function isOfVulnerabilities(note: string): boolean {
  return note === SCAN_NOTE || !note.startsWith('projects/goog-analysis/');
}

// Whoever may write occurrences can announce a scan under a note of their own, which must not outdo what Google's scanner
// says. Of several other scanners, each must have come to a good end.
function scanIn({ scans, untold }: Gathered): Scan {
  const google = scans.get(SCAN_NOTE);
  if (google) return google.scan;
  const others = untold === UNTOLD ? [] : [...scans.values()].map(({ scan }) => scan);
  return others.find((scan) => !isWhole(scan)) ?? others[0] ?? untold;
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
  if (isDescriptionOfImage(document)) return describedIn(document, problems);
  if ('resourceUri' in document) return [document];
  problems.push('expected a report of Trivy (SchemaVersion) or occurrences of Grafeas (a list, or a member "occurrences")');
  return [];
}

function isDescriptionOfImage(document: Fields): boolean {
  return 'package_vulnerability_summary' in document || 'discovery_summary' in document;
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
