// SPDX-License-Identifier: Apache-2.0
import { parseAttestorName, type AttestorName } from '../names.js';
import { isUsablePattern } from './allowlist.js';
import { RULE_MAPS, type AdmissionRule, type EnforcementMode, type EvaluationMode, type Policy, type RuleMapName } from './policy.js';

/** A policy, or everything about the document that the API would refuse. */
export type ParsedPolicy =
  { readonly policy: Policy; readonly problems?: undefined } | { readonly policy?: undefined; readonly problems: readonly string[] };

/** The patterns of a system policy, or why they cannot be used. */
export type ParsedSystemPolicy =
  | { readonly patterns: readonly string[]; readonly problems?: undefined }
  | { readonly patterns?: undefined; readonly problems: readonly string[] };

/**
 * Where a document comes from. A file is held against what gcloud and the API refuse before they store it; a live one
 * is only held against what can be evaluated, so that a member which is new at Google does not stop a check.
 */
export type PolicyOrigin = { readonly from: 'live' } | { readonly from: 'file'; readonly project: string };

type Fields = { readonly [member: string]: unknown };

const EVALUATION_MODES = ['ALWAYS_ALLOW', 'REQUIRE_ATTESTATION', 'ALWAYS_DENY'] as const satisfies readonly EvaluationMode[];
const ENFORCEMENT_MODES = ['ENFORCED_BLOCK_AND_AUDIT_LOG', 'DRYRUN_AUDIT_LOG_ONLY'] as const satisfies readonly EnforcementMode[];
const GLOBAL_MODES = ['GLOBAL_POLICY_EVALUATION_MODE_UNSPECIFIED', 'ENABLE', 'DISABLE'] as const;

const TEXTS = ['name', 'description', 'updateTime', 'etag'] as const;
/** Of the Policy message (proto ba/resources.proto). gcloud refuses any other member before it sends anything. */
export const POLICY_MEMBERS: ReadonlySet<string> = new Set([
  ...TEXTS,
  ...RULE_MAPS,
  'globalPolicyEvaluationMode',
  'admissionWhitelistPatterns',
  'defaultAdmissionRule',
]);
/** Of an AdmissionRule message. */
export const RULE_MEMBERS: ReadonlySet<string> = new Set(['evaluationMode', 'enforcementMode', 'requireAttestationsBy']);
const PATTERN_MEMBERS: ReadonlySet<string> = new Set(['namePattern']);

/** Collects problems, and knows how strict to be. */
interface Reading {
  readonly isFile: boolean;
  readonly problems: string[];
}

/** Reads a policy document (proto google/cloud/binaryauthorization/v1/resources.proto; facts 5.1). */
export function parsePolicy(document: unknown, origin: PolicyOrigin = { from: 'live' }): ParsedPolicy {
  const reading: Reading = { isFile: origin.from === 'file', problems: [] };
  // gcloud would ask whether to import an empty file, with yes as the default (traps 4).
  if (reading.isFile && isEmpty(document)) return { problems: ['the policy is empty, expected at least a defaultAdmissionRule'] };
  if (!isFields(document)) return { problems: ['the policy is not an object'] };
  refuseUnknown(document, POLICY_MEMBERS, '', reading);
  const texts = parseTexts(document, reading);
  const patterns = parsePatterns(document['admissionWhitelistPatterns'], reading);
  const defaultRule = parseRule(document['defaultAdmissionRule'], 'defaultAdmissionRule', reading);
  const maps = RULE_MAPS.map((name) => [name, parseRules(document[name], name, reading)] as const);
  const mode = document['globalPolicyEvaluationMode'] ?? GLOBAL_MODES[0];
  const globalMode = oneOf(mode, GLOBAL_MODES, 'globalPolicyEvaluationMode', reading);
  if (origin.from === 'file') holdAgainstProject(texts.name, maps, origin.project, reading);
  if (reading.problems.length > 0 || !defaultRule) return { problems: reading.problems };
  return {
    policy: {
      admissionWhitelistPatterns: patterns,
      rules: Object.fromEntries(maps) as Record<RuleMapName, Record<string, AdmissionRule>>,
      defaultAdmissionRule: defaultRule,
      usesSystemPolicy: globalMode === 'ENABLE',
      namesSystemPolicy: globalMode !== GLOBAL_MODES[0],
      isNeverSet: !reading.isFile && texts.updateTime === undefined,
      ...(texts.updateTime === undefined ? {} : { updateTime: texts.updateTime }),
    },
  };
}

/** Reads the document of Google's system policy: only its patterns count, because it only exempts (facts 5.2, step 3). */
export function parseSystemPolicy(document: unknown): ParsedSystemPolicy {
  if (!isFields(document)) return { problems: ['the system policy is not an object'] };
  const reading: Reading = { isFile: false, problems: [] };
  const patterns = parsePatterns(document['admissionWhitelistPatterns'], reading);
  return reading.problems.length > 0 ? { problems: reading.problems } : { patterns };
}

function isEmpty(document: unknown): boolean {
  return document === undefined || document === null || (isFields(document) && Object.keys(document).length === 0);
}

function parseTexts(document: Fields, { problems }: Reading): { readonly [Name in (typeof TEXTS)[number]]?: string } {
  const found = TEXTS.flatMap((name) => {
    const value = document[name];
    if (typeof value === 'string') return value === '' ? [] : [[name, value] as const];
    if (value !== undefined && value !== null) problems.push(`${name} is ${quoted(value)}, expected a text`);
    return [];
  });
  return Object.fromEntries(found);
}

// The API overwrites the name with that of the URL, so a file of another project would be imported without a word
// (traps 4); and it refuses more than one non-empty rule map (facts 5.1), which a live policy may have all the same.
function holdAgainstProject(
  name: string | undefined,
  maps: readonly (readonly [RuleMapName, object])[],
  project: string,
  { problems }: Reading,
): void {
  if (name !== undefined && name !== `projects/${project}/policy`) {
    problems.push(`name is ${quoted(name)}, expected projects/${project}/policy: the file is the policy of something else`);
  }
  const filled = maps.filter(([, rules]) => Object.keys(rules).length > 0).map(([map]) => map);
  if (filled.length > 1) problems.push(`${filled.join(' and ')} are both given, expected rules in at most one of the rule maps`);
}

function parsePatterns(value: unknown, reading: Reading): readonly string[] {
  const where = 'admissionWhitelistPatterns';
  return listOf(value, where, reading).flatMap((entry, index) => {
    const at = `${where}[${index}]`;
    if (isFields(entry)) refuseUnknown(entry, PATTERN_MEMBERS, `${at}.`, reading);
    const pattern = isFields(entry) ? entry['namePattern'] : undefined;
    if (typeof pattern === 'string' && isUsablePattern(pattern)) return [pattern];
    reading.problems.push(
      `${at}.namePattern is ${quoted(pattern)}, expected a name, with "*" or "**" at its end only, and only behind "registry/"`,
    );
    return [];
  });
}

function parseRules(value: unknown, map: string, reading: Reading): Record<string, AdmissionRule> {
  if (value === undefined || value === null) return {};
  if (!isFields(value)) {
    reading.problems.push(`${map} is ${quoted(value)}, expected a map of rules`);
    return {};
  }
  const entries = Object.entries(value).map(([key, rule]) => [key, parseRule(rule, `${map}[${key}]`, reading)] as const);
  return Object.fromEntries(entries.filter((entry): entry is readonly [string, AdmissionRule] => entry[1] !== undefined));
}

function parseRule(value: unknown, where: string, reading: Reading): AdmissionRule | undefined {
  const { problems } = reading;
  if (!isFields(value)) {
    problems.push(value === undefined || value === null ? `${where} is missing` : `${where} is ${quoted(value)}, expected a rule`);
    return undefined;
  }
  refuseUnknown(value, RULE_MEMBERS, `${where}.`, reading);
  const evaluationMode = oneOf(value['evaluationMode'], EVALUATION_MODES, `${where}.evaluationMode`, reading);
  const enforcementMode = oneOf(value['enforcementMode'], ENFORCEMENT_MODES, `${where}.enforcementMode`, reading);
  const named = listOf(value['requireAttestationsBy'], `${where}.requireAttestationsBy`, reading);
  const requireAttestationsBy = parseAttestors(named, `${where}.requireAttestationsBy`, reading);
  if (evaluationMode && (evaluationMode === 'REQUIRE_ATTESTATION') !== named.length > 0) {
    problems.push(
      `${where}.requireAttestationsBy has ${named.length} attestors with evaluationMode ${evaluationMode}: REQUIRE_ATTESTATION needs at least one, the other modes none`,
    );
  }
  if (!evaluationMode || !enforcementMode) return undefined;
  return { evaluationMode, enforcementMode, requireAttestationsBy };
}

function parseAttestors(entries: readonly unknown[], where: string, { problems }: Reading): readonly AttestorName[] {
  return entries.flatMap((entry) => {
    const name = typeof entry === 'string' ? parseAttestorName(entry) : undefined;
    if (!name) problems.push(`${where} holds ${quoted(entry)}, expected projects/PROJECT/attestors/ATTESTOR`);
    return name ? [name] : [];
  });
}

function oneOf<T extends string>(value: unknown, allowed: readonly T[], where: string, { problems }: Reading): T | undefined {
  const found = allowed.find((entry) => entry === value);
  if (found === undefined) problems.push(`${where} is ${quoted(value)}, expected one of ${allowed.join(', ')}`);
  return found;
}

function listOf(value: unknown, where: string, { problems }: Reading): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value;
  problems.push(`${where} is ${quoted(value)}, expected a list`);
  return [];
}

function refuseUnknown(fields: Fields, known: ReadonlySet<string>, prefix: string, { isFile, problems }: Reading): void {
  if (!isFile) return;
  for (const member of Object.keys(fields).filter((name) => !known.has(name))) {
    problems.push(`${prefix}${member} is not known, expected one of ${[...known].join(', ')}`);
  }
}

function quoted(value: unknown): string {
  const text = JSON.stringify(value) ?? 'missing';
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
