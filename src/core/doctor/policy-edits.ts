// SPDX-License-Identifier: Apache-2.0
// A policy with one thing changed, as the command that imports it. Everything else stays as it was read, its etag too, so
// that a change of somebody else is not overwritten.
import type { AttestorName, ProjectId } from '../names.js';
import { RULE_MAPS, type AdmissionRule, type RuleMapName } from '../policy/policy.js';
import type { ChosenRule } from '../policy/rules.js';
import { importPolicy } from '../provisioning/commands.js';
import type { PolicyDocument } from '../provisioning/desired.js';

/** Imports a project's policy after a change. */
export function change(project: ProjectId, document: PolicyDocument, changed: Readonly<Record<string, unknown>>): string {
  return importPolicy(project, { ...without(document, 'updateTime'), ...changed });
}

/** The members that a policy has with another rule in the place of this one. */
export function withRule(document: PolicyDocument, { map, key }: ChosenRule, rule: AdmissionRule): Readonly<Record<string, unknown>> {
  if (map === undefined) return { defaultAdmissionRule: ruleJson(rule) };
  return { [map]: { ...rulesOf(document, map), [key]: ruleJson(rule) } };
}

/** The members of a policy in which no rule requires an attestor that is gone; where it was the only one, another takes its place. */
export function withoutAttestor(
  document: PolicyDocument,
  gone: AttestorName,
  instead: AttestorName | undefined,
): Readonly<Record<string, unknown>> {
  const maps = RULE_MAPS.map((map) => {
    const rules = Object.entries(rulesOf(document, map)).map(([key, rule]) => [key, ruleWithout(rule, gone, instead)] as const);
    return [map, Object.fromEntries(rules)] as const;
  });
  const filled = maps.filter(([, rules]) => Object.keys(rules).length > 0);
  return { ...Object.fromEntries(filled), defaultAdmissionRule: ruleWithout(document['defaultAdmissionRule'], gone, instead) };
}

/** The members of a policy with the rules of only this kind. */
export function withOnlyMap(document: PolicyDocument, kept: RuleMapName): Readonly<Record<string, unknown>> {
  const others = RULE_MAPS.filter((map) => map !== kept && document[map] !== undefined);
  return Object.fromEntries(others.map((map) => [map, undefined]));
}

/** The members of a policy in which a cluster's rule has another key. */
export function withClusterKey(document: PolicyDocument, from: string, to: string): Readonly<Record<string, unknown>> {
  const rules = Object.entries(rulesOf(document, 'clusterAdmissionRules')).map(([key, rule]) => [key === from ? to : key, rule]);
  return { clusterAdmissionRules: Object.fromEntries(rules) as unknown };
}

/** The members of a policy with another pattern in the place of this one, or without it. */
export function withPattern(patterns: readonly string[], from: string, to: string | undefined): Readonly<Record<string, unknown>> {
  const kept = patterns.flatMap((pattern) => (pattern === from ? (to ?? []) : pattern));
  return { admissionWhitelistPatterns: kept.map((namePattern) => ({ namePattern })) };
}

function ruleWithout(rule: unknown, gone: AttestorName, instead: AttestorName | undefined): unknown {
  const required = member(rule, 'requireAttestationsBy');
  if (!Array.isArray(required) || !required.includes(gone)) return rule;
  const others = required.filter((name) => name !== gone);
  const left = others.length > 0 || instead === undefined ? others : [instead];
  const rest = without(rule as PolicyDocument, 'requireAttestationsBy');
  // Nothing is left to require: whatever the rule covers is denied rather than let in.
  return left.length > 0 ? { ...rest, requireAttestationsBy: left } : { ...rest, evaluationMode: 'ALWAYS_DENY' };
}

function without(document: PolicyDocument, name: string): PolicyDocument {
  return Object.fromEntries(Object.entries(document).filter(([other]) => other !== name));
}

function ruleJson({ evaluationMode, enforcementMode, requireAttestationsBy }: AdmissionRule): object {
  return { evaluationMode, enforcementMode, ...(requireAttestationsBy.length > 0 ? { requireAttestationsBy } : {}) };
}

function rulesOf(document: PolicyDocument, map: RuleMapName): Readonly<Record<string, unknown>> {
  const rules = document[map];
  return typeof rules === 'object' && rules !== null ? (rules as Record<string, unknown>) : {};
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
