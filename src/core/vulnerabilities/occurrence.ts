// SPDX-License-Identifier: Apache-2.0
// Vulnerability and discovery occurrences of Grafeas, in the JSON of the REST API as in that of Google's client library:
// that one writes what is absent as an empty value, and times as seconds. Written from grafeas/v1/vulnerability.proto.
import { cvssOf, isScoreOrNone, scanStateOf, severityOf, type CvssScore, type Finding, type Scan } from './finding.js';

/** What an occurrence says, and of which resource; undefined for a kind that is none of ours. */
export type ReadOccurrence =
  | { readonly kind: 'findings'; readonly resourceUri: string; readonly findings: readonly Finding[] }
  | { readonly kind: 'scan'; readonly resourceUri: string; readonly note: string; readonly at: number; readonly scan: Scan }
  | { readonly kind: 'problem'; readonly problem: string };

/** The note under which Google's scanner announces its scans for vulnerabilities. Nobody else may attach to it. */
export const SCAN_NOTE = 'projects/goog-analysis/notes/PACKAGE_VULNERABILITY';

type Fields = { readonly [member: string]: unknown };

/** Reads an occurrence. What claims to be one of ours and cannot be read is a problem: it is never skipped. */
export function readOccurrence(value: unknown): ReadOccurrence | undefined {
  if (!isFields(value)) return { kind: 'problem', problem: 'an occurrence is not an object' };
  const kind = kindOf(value);
  if (kind === undefined) return { kind: 'problem', problem: 'an occurrence does not say of which kind it is' };
  if (kind !== 'VULNERABILITY' && kind !== 'DISCOVERY') return undefined;
  const details = value[kind.toLowerCase()];
  const name = textOf(value['name']) || 'an occurrence without a name';
  const resourceUri = textOf(value['resourceUri']);
  if (!isFields(details)) return { kind: 'problem', problem: `${name} is of kind ${kind} but has no ${kind.toLowerCase()}` };
  const note = textOf(value['noteName']);
  if (kind === 'VULNERABILITY') return findingsOf(details, { name, note, resourceUri });
  const at = Math.max(...[value['updateTime'], value['createTime']].map((time) => Date.parse(timeOf(time) ?? '') || 0));
  return { kind: 'scan', resourceUri, note, at, scan: scanOf(details) };
}

/** The digest that a resource's URI ends in; undefined for a tag. */
export function digestIn(resourceUri: string): string | undefined {
  return /@(sha256:[0-9a-f]{64})$/.exec(resourceUri)?.[1];
}

// The details decide: a vulnerability whose kind is missing, or spelt in another way, is a vulnerability.
function kindOf(value: Fields): string | undefined {
  if (isFields(value['vulnerability'])) return 'VULNERABILITY';
  if (isFields(value['discovery'])) return 'DISCOVERY';
  const { kind } = value;
  return typeof kind === 'string' && kind !== '' && kind !== 'NOTE_KIND_UNSPECIFIED' ? kind : undefined;
}

interface Named {
  readonly name: string;
  readonly note: string;
  readonly resourceUri: string;
}

function findingsOf(details: Fields, { name, note, resourceUri }: Named): ReadOccurrence {
  const id = note.slice(note.lastIndexOf('/') + 1) || textOf(details['shortDescription']);
  if (id === '') return { kind: 'problem', problem: `${name} names no vulnerability` };
  const listed = details['packageIssue'];
  // gcloud flattens the list into one record for each issue.
  const given: readonly unknown[] = Array.isArray(listed) ? listed : isFields(listed) ? [listed] : [];
  if (!given.every(isFields)) return { kind: 'problem', problem: `${name} has a package issue that is not an object` };
  // One without a package is a finding all the same.
  const issues = given.length === 0 ? [{}] : given;
  const hasFixOfItsOwn = issues.some((issue) => isFixable(issue, false));
  const isFixedElsewhere = details['fixAvailable'] === true && !hasFixOfItsOwn;
  const scores = scoresOf(details);
  if (!scores.every(({ score }) => isScoreOrNone(score)))
    return { kind: 'problem', problem: `${name} has a CVSS score that is no number from 0 to 10` };
  const cvss = cvssOf(scores);
  const findings = issues.map((issue): Finding => {
    const fixable = isFixable(issue, isFixedElsewhere);
    const fixedVersion = fixable ? versionOf(issue['fixedVersion']) : '';
    return {
      id,
      package: textOf(issue['affectedPackage']),
      version: versionOf(issue['affectedVersion']),
      fixedVersion: fixedVersion === '' ? null : fixedVersion,
      fixable,
      severity: ratingOf(issue, details),
      cvss,
    };
  });
  return { kind: 'findings', resourceUri, findings };
}

// The package's own rating decides; the occurrence's is the highest of them, and the provider's is the last resort.
function ratingOf(issue: Fields, details: Fields): Finding['severity'] {
  const ratings = [issue['effectiveSeverity'], details['effectiveSeverity'], details['severity']].map(severityOf);
  return ratings.find((rating) => rating !== 'UNKNOWN') ?? 'UNKNOWN';
}

// A fixed version of MAXIMUM is Grafeas for "no fix yet", whatever else is said.
function isFixable(issue: Fields, isFixedElsewhere: boolean): boolean {
  const fixed = issue['fixedVersion'];
  const kind = isFields(fixed) ? fixed['kind'] : undefined;
  if (kind === 'MAXIMUM') return false;
  return issue['fixAvailable'] === true || versionOf(fixed) !== '' || isFixedElsewhere;
}

function versionOf(version: unknown): string {
  if (!isFields(version) || version['kind'] === 'MAXIMUM' || version['kind'] === 'MINIMUM') return '';
  const full = textOf(version['fullName']);
  if (full !== '') return full;
  const { epoch, name, revision } = version;
  const main = textOf(name);
  if (main === '') return '';
  return `${typeof epoch === 'number' && epoch > 0 ? `${epoch}:` : ''}${main}${textOf(revision) === '' ? '' : `-${textOf(revision)}`}`;
}

function scoresOf(details: Fields): readonly CvssScore[] {
  const versions: Readonly<Record<string, number>> = { CVSS_VERSION_2: 2, CVSS_VERSION_3: 3, CVSS_VERSION_4: 4 };
  return [
    { version: 4, score: baseScore(details['cvssv4'] ?? details['cvssV4']) },
    { version: 3, score: baseScore(details['cvssv3'] ?? details['cvssV3']) },
    { version: 2, score: baseScore(details['cvssV2'] ?? details['cvssv2']) },
    { version: versions[textOf(details['cvssVersion'])] ?? 0, score: details['cvssScore'] },
  ];
}

function baseScore(cvss: unknown): unknown {
  if (isFields(cvss)) return cvss['baseScore'];
  return cvss === undefined || cvss === null ? undefined : Number.NaN;
}

function scanOf(discovery: Fields): Scan {
  const { continuousAnalysis: continuous } = discovery;
  const lastScanTime = timeOf(discovery['lastScanTime']);
  const listed = discovery['analysisError'];
  const errors = [...(Array.isArray(listed) ? (listed as readonly unknown[]) : []), discovery['analysisStatusError']].flatMap(errorOf);
  return {
    state: scanStateOf(discovery['analysisStatus']),
    ...(lastScanTime === undefined ? {} : { lastScanTime }),
    ...(continuous === 'ACTIVE' || continuous === 'INACTIVE' ? { continuous } : {}),
    ...(timeOf(discovery['archiveTime']) === undefined ? {} : { isArchived: true }),
    ...(errors.length === 0 ? {} : { errors }),
  };
}

function errorOf(status: unknown): readonly string[] {
  if (!isFields(status)) return [];
  const message = textOf(status['message']);
  const code = typeof status['code'] === 'number' ? status['code'] : 0;
  return message === '' && code === 0 ? [] : [message === '' ? `status ${code}` : message];
}

function timeOf(time: unknown): string | undefined {
  if (typeof time === 'string') return time === '' ? undefined : time;
  if (!isFields(time)) return undefined;
  const seconds = Number(time['seconds']);
  const nanos = typeof time['nanos'] === 'number' ? time['nanos'] : 0;
  if (!Number.isSafeInteger(seconds) || seconds === 0 || Math.abs(seconds) > 1e11) return undefined;
  return new Date(seconds * 1000 + Math.floor(nanos / 1e6)).toISOString();
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
