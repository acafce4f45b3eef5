// SPDX-License-Identifier: Apache-2.0
// Trivy's JSON report, schema version 2 (`trivy image --format json`). Written from aquasecurity/trivy pkg/types/report.go.
import {
  cvssOf,
  isScoreOrNone,
  severityOf,
  type CvssScore,
  type Finding,
  type Scan,
  type ScanReport,
} from '../core/vulnerabilities/finding.js';
import { digestIn } from '../core/vulnerabilities/occurrence.js';

type Fields = { readonly [member: string]: unknown };

/** The classes of results that hold vulnerabilities; a report without any has looked for none. */
const CLASSES: ReadonlySet<unknown> = new Set(['os-pkgs', 'lang-pkgs']);
const LONGEST_NAME = 80;
const NOTHING_SEEN: Scan = {
  state: 'FINISHED_UNSUPPORTED',
  errors: ['Trivy found no packages in it (run it with --scanners vuln, and on an image whose packages it knows)'],
};

/** Whether a document is a report of Trivy, of whatever schema version. */
export function isTrivy(document: unknown): document is Fields {
  return isFields(document) && 'SchemaVersion' in document;
}

/** The report in a document; what is wrong with it is added to the problems. */
export function readTrivy(document: unknown, problems: string[]): readonly ScanReport[] {
  if (!isFields(document)) return refuse(problems, 'a report is not an object');
  const version = document['SchemaVersion'];
  if (version !== 2) return refuse(problems, `expected SchemaVersion 2, got ${quote(version)}`);
  const type = document['ArtifactType'];
  if (type !== 'container_image') return refuse(problems, `expected ArtifactType container_image (trivy image), got ${quote(type)}`);
  const metadata = isFields(document['Metadata']) ? document['Metadata'] : {};
  const results = listOf(document, 'Results', problems);
  const scanned = results.filter((result) => CLASSES.has(result['Class']) || 'Vulnerabilities' in result);
  // What somebody told Trivy to suppress is a finding like any other: waivers stand in the policy, with an owner.
  const detected = scanned.flatMap((result) => [...listOf(result, 'Vulnerabilities', problems), ...suppressedIn(result, problems)]);
  const findings = detected.flatMap((entry) => findingOf(entry, problems));
  const state = stateOf(scanned, metadata['OS']);
  const platform = platformOf(metadata['ImageConfig']);
  return [
    {
      digests: digestsOf(metadata),
      ...(platform === undefined ? {} : { platform }),
      scan: { ...state, ...timeOf(document['CreatedAt']) },
      findings,
    },
  ];
}

// A system whose packages were not compared (--pkg-types library, or a system that Trivy has no data of) is left out of the
// results without a word. Of one past its end of life, nobody publishes what is vulnerable any more.
function stateOf(scanned: readonly Fields[], system: unknown): Scan {
  if (scanned.length === 0) return NOTHING_SEEN;
  const { Family: family, Name: version, EOSL: isPastItsEnd } = isFields(system) ? system : {};
  const name = `its operating system (${[textOf(family), textOf(version)].join(' ').trim().slice(0, LONGEST_NAME)})`;
  const errors = [
    ...(textOf(family) === '' || scanned.some((result) => result['Class'] === 'os-pkgs')
      ? []
      : [`the packages of ${name} are not in the report: run Trivy without --pkg-types, on a system that it supports`]),
    ...(isPastItsEnd === true ? [`${name} is past its end of life: new vulnerabilities of it are no longer published`] : []),
  ];
  return { state: 'FINISHED_SUCCESS', ...(errors.length === 0 ? {} : { errors }) };
}

function timeOf(createdAt: unknown): Pick<Scan, 'lastScanTime'> {
  return typeof createdAt === 'string' && !Number.isNaN(Date.parse(createdAt)) ? { lastScanTime: createdAt } : {};
}

function digestsOf(metadata: Fields): readonly string[] {
  const named = metadata['RepoDigests'];
  const texts = Array.isArray(named) ? (named as readonly unknown[]) : [];
  return [...new Set(texts.flatMap((text) => (typeof text === 'string' ? (digestIn(text) ?? []) : [])))];
}

function platformOf(config: unknown): string | undefined {
  if (!isFields(config)) return undefined;
  const { os, architecture, variant } = config;
  if (typeof os !== 'string' || typeof architecture !== 'string') return undefined;
  return [os, architecture, ...(typeof variant === 'string' && variant !== '' ? [variant] : [])].join('/');
}

function suppressedIn(result: Fields, problems: string[]): readonly Fields[] {
  return listOf(result, 'ExperimentalModifiedFindings', problems)
    .filter(({ Type: type }) => type === 'vulnerability')
    .map(({ Finding: finding }) => (isFields(finding) ? finding : {}));
}

function findingOf(entry: Fields, problems: string[]): readonly Finding[] {
  const id = entry['VulnerabilityID'];
  if (typeof id !== 'string' || id === '') return refuse(problems, 'a vulnerability has no VulnerabilityID');
  const fixed = textOf(entry['FixedVersion']);
  const scores = scoresOf(entry['CVSS']);
  // A score that cannot be read might have been the one that denies.
  if (!scores.every(({ score }) => isScoreOrNone(score)))
    return refuse(problems, `${id.slice(0, LONGEST_NAME)} has a CVSS score that is no number from 0 to 10`);
  return [
    {
      id,
      package: textOf(entry['PkgName']),
      version: textOf(entry['InstalledVersion']),
      fixedVersion: fixed === '' ? null : fixed,
      fixable: fixed !== '' || entry['Status'] === 'fixed',
      severity: severityOf(entry['Severity']),
      cvss: cvssOf(scores),
    },
  ];
}

// By vendor: { nvd: { V2Score, V3Score, V40Score }, redhat: … }.
function scoresOf(cvss: unknown): readonly CvssScore[] {
  if (!isFields(cvss)) return [{ version: 0, score: cvss }];
  return Object.values(cvss).flatMap((vendor) =>
    isFields(vendor)
      ? [
          { version: 4, score: vendor['V40Score'] ?? vendor['V4Score'] },
          { version: 3, score: vendor['V3Score'] },
          { version: 2, score: vendor['V2Score'] },
        ]
      : [{ version: 0, score: vendor }],
  );
}

// Go leaves out an empty list, or writes null for it; anything else that is no list of objects is broken.
function listOf(fields: Fields, name: string, problems: string[]): readonly Fields[] {
  const list = fields[name];
  if (list === undefined || list === null) return [];
  if (Array.isArray(list) && list.every(isFields)) return list;
  return refuse(problems, `${name}: expected a list of objects`);
}

function refuse(problems: string[], problem: string): readonly never[] {
  problems.push(`Trivy report: ${problem}`);
  return [];
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function quote(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, 80);
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
