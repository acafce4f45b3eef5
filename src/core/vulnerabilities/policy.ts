// SPDX-License-Identifier: Apache-2.0
// The vulnerability policy file, `binauthz.vulnerability-policy/v1`.
import { parseDuration } from '../duration.js';
import { SEVERITIES, type Severity } from './finding.js';

/** A finding that somebody answers for, until a day. */
export interface Waiver {
  readonly id: string;
  /** Without it, the waiver is for every package. */
  readonly package?: string;
  readonly owner: string;
  readonly reason: string;
  /** `2027-01-31`: the last day, in UTC, on which it counts. */
  readonly expires: string;
}

/** From which value on findings are denied; what is left out is not judged. */
export interface Thresholds {
  readonly fixable?: Severity;
  readonly unfixable?: Severity;
  readonly cvss?: number;
}

/** What an image may hold, and how old the scan that says so may be. */
export interface VulnerabilityPolicy {
  readonly deny: Thresholds;
  /** What becomes of a finding without severity, or without score where scores are judged. */
  readonly unknownSeverity: 'deny' | 'allow';
  readonly maxScanAgeMs?: number;
  readonly waivers: readonly Waiver[];
}

/** The way to a value of the document: members, and positions in lists. */
export type PolicyPath = readonly (string | number)[];

/** What is wrong with a policy, and with which of its values; the message names it: `waivers[0].expires: expected …`. */
export interface PolicyProblem {
  readonly path: PolicyPath;
  readonly message: string;
}

/** A policy, or everything that is wrong with the document. */
export type ParsedVulnerabilityPolicy =
  | { readonly policy: VulnerabilityPolicy; readonly problems?: undefined }
  | { readonly policy?: undefined; readonly problems: readonly PolicyProblem[] };

/** The schema that a policy file names. */
export const VULNERABILITY_POLICY_SCHEMA = 'binauthz.vulnerability-policy/v1';

type Fields = { readonly [member: string]: unknown };

const MEMBERS = ['schema', 'deny', 'unknownSeverity', 'maxScanAge', 'waivers'];
const THRESHOLDS = ['fixable', 'unfixable', 'cvss'];
const WAIVER_MEMBERS = ['id', 'package', 'owner', 'reason', 'expires'];
const LONGEST_QUOTE = 80;

/** Reads a policy from a parsed YAML or JSON document. What it does not know, it refuses: a misspelt threshold judges nothing. */
export function parseVulnerabilityPolicy(document: unknown): ParsedVulnerabilityPolicy {
  const problems = new Problems();
  if (!isFields(document)) {
    problems.add([], `expected a mapping with schema: ${VULNERABILITY_POLICY_SCHEMA}, got ${quote(document)}`);
    return { problems: problems.all };
  }
  problems.refuseUnknown(document, [], MEMBERS);
  if (document['schema'] !== VULNERABILITY_POLICY_SCHEMA)
    problems.add(['schema'], `expected ${VULNERABILITY_POLICY_SCHEMA}, got ${quote(document['schema'])}`);
  const deny = parseThresholds(document['deny'], problems);
  const unknownSeverity = parseUnknown(document['unknownSeverity'], problems);
  const maxScanAgeMs = parseAge(document['maxScanAge'], problems);
  const waivers = parseWaivers(document['waivers'], problems);
  if (problems.all.length > 0) return { problems: problems.all };
  return { policy: { deny, unknownSeverity, ...(maxScanAgeMs === undefined ? {} : { maxScanAgeMs }), waivers } };
}

/** Everything that is wrong with a document, in the order in which it was found. */
class Problems {
  readonly all: PolicyProblem[] = [];

  add(path: PolicyPath, message: string): undefined {
    const name = path.map((step, index) => (typeof step === 'number' ? `[${step}]` : `${index === 0 ? '' : '.'}${step}`)).join('');
    this.all.push({ path, message: name === '' ? message : `${name.slice(0, LONGEST_QUOTE)}: ${message}` });
    return undefined;
  }

  refuseUnknown(fields: Fields, path: PolicyPath, known: readonly string[]): void {
    for (const name of Object.keys(fields))
      if (!known.includes(name)) this.add([...path, name], `is not known here; expected ${known.join(', ')}`);
  }
}

function parseThresholds(deny: unknown, problems: Problems): Thresholds {
  const wanted = `expected at least one of ${THRESHOLDS.join(', ')}, because a policy without thresholds denies nothing`;
  if (!isFields(deny)) {
    problems.add(['deny'], `${wanted}; got ${quote(deny)}`);
    return {};
  }
  problems.refuseUnknown(deny, ['deny'], THRESHOLDS);
  if (Object.keys(deny).length === 0) problems.add(['deny'], wanted);
  const fixable = parseSeverity(deny, 'fixable', problems);
  const unfixable = parseSeverity(deny, 'unfixable', problems);
  const cvss = parseScore(deny, problems);
  return {
    ...(fixable === undefined ? {} : { fixable }),
    ...(unfixable === undefined ? {} : { unfixable }),
    ...(cvss === undefined ? {} : { cvss }),
  };
}

// A member without a value is a slip of the pen, not a threshold that is left out.
function parseSeverity(deny: Fields, name: string, problems: Problems): Severity | undefined {
  if (!Object.hasOwn(deny, name)) return undefined;
  const severity = SEVERITIES.find((known) => known === deny[name]);
  if (severity === undefined) problems.add(['deny', name], `expected ${SEVERITIES.join(', ')}, got ${quote(deny[name])}`);
  return severity;
}

function parseScore(deny: Fields, problems: Problems): number | undefined {
  if (!Object.hasOwn(deny, 'cvss')) return undefined;
  const score = deny['cvss'];
  if (typeof score === 'number' && score >= 0 && score <= 10) return score;
  return problems.add(['deny', 'cvss'], `expected a number from 0 to 10, got ${quote(score)}`);
}

function parseUnknown(value: unknown, problems: Problems): 'deny' | 'allow' {
  if (value === 'allow') return 'allow';
  if (value !== undefined && value !== 'deny') problems.add(['unknownSeverity'], `expected deny or allow, got ${quote(value)}`);
  return 'deny';
}

function parseAge(value: unknown, problems: Problems): number | undefined {
  if (value === undefined) return undefined;
  const age = typeof value === 'string' ? parseDuration(value) : undefined;
  if (age === undefined || age <= 0) problems.add(['maxScanAge'], `expected a duration such as 12h or 30d, got ${quote(value)}`);
  return age;
}

function parseWaivers(value: unknown, problems: Problems): readonly Waiver[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) {
    problems.add(['waivers'], `expected a list, got ${quote(value)}`);
    return [];
  }
  const seen = new Set<string>();
  return value.flatMap((entry: unknown, index) => {
    const waiver = parseWaiver(entry, ['waivers', index], problems);
    if (!waiver) return [];
    const { id, package: name } = waiver;
    const key = JSON.stringify([id, name ?? null]);
    if (seen.has(key)) problems.add(['waivers', index], `${id}${name === undefined ? '' : ` in ${quote(name)}`} is waived twice`);
    seen.add(key);
    return [waiver];
  });
}

function parseWaiver(entry: unknown, at: PolicyPath, problems: Problems): Waiver | undefined {
  if (!isFields(entry)) return problems.add(at, `expected id, owner, reason and expires, got ${quote(entry)}`);
  problems.refuseUnknown(entry, at, WAIVER_MEMBERS);
  const id = parseText(entry, 'id', at, problems);
  if (id !== undefined && !/^[A-Za-z0-9][A-Za-z0-9._:-]*$/.test(id))
    problems.add([...at, 'id'], `expected one vulnerability such as CVE-2026-1 (a waiver has no patterns), got ${quote(id)}`);
  const owner = parseText(entry, 'owner', at, problems);
  const reason = parseText(entry, 'reason', at, problems);
  const name = parsePackage(entry, at, problems);
  const expires = entry['expires'];
  if (!isDay(expires)) problems.add([...at, 'expires'], `expected a day such as 2027-01-31, got ${quote(expires)}`);
  if (id === undefined || owner === undefined || reason === undefined || !isDay(expires)) return undefined;
  return { id, ...(name === undefined ? {} : { package: name }), owner, reason, expires };
}

function parsePackage(entry: Fields, at: PolicyPath, problems: Problems): string | undefined {
  if (!Object.hasOwn(entry, 'package')) return undefined;
  const name = parseText(entry, 'package', at, problems);
  if (name === undefined || (name === name.trim() && !name.includes('*'))) return name;
  return problems.add(
    [...at, 'package'],
    `expected the name of one package as scanners write it (a waiver has no patterns), got ${quote(name)}`,
  );
}

function parseText(entry: Fields, name: string, at: PolicyPath, problems: Problems): string | undefined {
  const text = entry[name];
  if (typeof text === 'string' && text.trim() !== '') return text;
  return problems.add([...at, name], `expected a text, got ${quote(text)}`);
}

function isDay(value: unknown): value is string {
  if (typeof value !== 'string' || !/^\d{4}-\d{2}-\d{2}$/.test(value)) return false;
  const time = Date.parse(`${value}T00:00:00Z`);
  // `2027-02-30` would otherwise be another day.
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(value);
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function quote(value: unknown): string {
  if (value === undefined) return 'nothing';
  // JSON has no NaN and no infinity, which YAML has.
  return (typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value))).slice(0, LONGEST_QUOTE);
}
