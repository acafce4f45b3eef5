// SPDX-License-Identifier: Apache-2.0
import { parseAttestorName, type AttestorName } from '../names.js';
import { RULE_MAPS, type AdmissionRule, type EnforcementMode, type EvaluationMode, type Policy, type RuleMapName } from './policy.js';

/** A policy, or everything about the document that the API would refuse. */
export type ParsedPolicy =
  { readonly policy: Policy; readonly problems?: undefined } | { readonly policy?: undefined; readonly problems: readonly string[] };

type Fields = { readonly [member: string]: unknown };

const EVALUATION_MODES: readonly string[] = ['ALWAYS_ALLOW', 'REQUIRE_ATTESTATION', 'ALWAYS_DENY'] satisfies EvaluationMode[];
const ENFORCEMENT_MODES: readonly string[] = ['ENFORCED_BLOCK_AND_AUDIT_LOG', 'DRYRUN_AUDIT_LOG_ONLY'] satisfies EnforcementMode[];

/** Reads a policy document, live or from a file (proto google/cloud/binaryauthorization/v1/resources.proto). */
export function parsePolicy(document: unknown): ParsedPolicy {
  const problems: string[] = [];
  if (!isFields(document)) return { problems: ['the policy is not an object'] };
  const patterns = parsePatterns(document['admissionWhitelistPatterns'], problems);
  const defaultRule = parseRule(document['defaultAdmissionRule'], 'defaultAdmissionRule', problems);
  const maps = RULE_MAPS.map((name) => [name, parseRules(document[name], name, problems)] as const);
  if (problems.length > 0 || !defaultRule) return { problems };
  const updateTime = document['updateTime'];
  return {
    policy: {
      admissionWhitelistPatterns: patterns,
      rules: Object.fromEntries(maps) as Record<RuleMapName, Record<string, AdmissionRule>>,
      defaultAdmissionRule: defaultRule,
      usesSystemPolicy: document['globalPolicyEvaluationMode'] === 'ENABLE',
      ...(typeof updateTime === 'string' ? { updateTime } : {}),
    },
  };
}

function parsePatterns(value: unknown, problems: string[]): readonly string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) {
    problems.push('admissionWhitelistPatterns is not a list');
    return [];
  }
  return value.flatMap((entry: unknown, index) => {
    const pattern = isFields(entry) ? entry['namePattern'] : undefined;
    if (typeof pattern === 'string' && pattern !== '' && !/\*[^*]/.test(pattern) && !/\*{3}/.test(pattern)) return [pattern];
    problems.push(
      `admissionWhitelistPatterns[${index}].namePattern is ${JSON.stringify(pattern)}, expected a name with "*" or "**" at its end only`,
    );
    return [];
  });
}

function parseRules(value: unknown, map: string, problems: string[]): Record<string, AdmissionRule> {
  if (value === undefined) return {};
  if (!isFields(value)) {
    problems.push(`${map} is not a map`);
    return {};
  }
  const entries = Object.entries(value).map(([key, rule]) => [key, parseRule(rule, `${map}[${key}]`, problems)] as const);
  return Object.fromEntries(entries.filter((entry): entry is readonly [string, AdmissionRule] => entry[1] !== undefined));
}

function parseRule(value: unknown, where: string, problems: string[]): AdmissionRule | undefined {
  if (!isFields(value)) {
    problems.push(`${where} is missing`);
    return undefined;
  }
  const before = problems.length;
  const evaluationMode = oneOf<EvaluationMode>(value['evaluationMode'], EVALUATION_MODES, `${where}.evaluationMode`, problems);
  const enforcementMode = oneOf<EnforcementMode>(value['enforcementMode'], ENFORCEMENT_MODES, `${where}.enforcementMode`, problems);
  const requireAttestationsBy = parseAttestors(value['requireAttestationsBy'], `${where}.requireAttestationsBy`, problems);
  if (evaluationMode && (evaluationMode === 'REQUIRE_ATTESTATION') !== requireAttestationsBy.length > 0) {
    problems.push(
      `${where}.requireAttestationsBy has ${requireAttestationsBy.length} attestors with evaluationMode ${evaluationMode}: REQUIRE_ATTESTATION needs at least one, the other modes none`,
    );
  }
  if (problems.length > before || !evaluationMode || !enforcementMode) return undefined;
  return { evaluationMode, enforcementMode, requireAttestationsBy };
}

function oneOf<T extends string>(value: unknown, allowed: readonly string[], where: string, problems: string[]): T | undefined {
  if (typeof value === 'string' && allowed.includes(value)) return value as T;
  problems.push(`${where} is ${JSON.stringify(value) ?? 'missing'}, expected one of ${allowed.join(', ')}`);
  return undefined;
}

function parseAttestors(value: unknown, where: string, problems: string[]): readonly AttestorName[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) {
    problems.push(`${where} is not a list`);
    return [];
  }
  return value.flatMap((entry: unknown) => {
    const name = typeof entry === 'string' ? parseAttestorName(entry) : undefined;
    if (!name) problems.push(`${where} holds ${JSON.stringify(entry)}, expected projects/PROJECT/attestors/ATTESTOR`);
    return name ? [name] : [];
  });
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
