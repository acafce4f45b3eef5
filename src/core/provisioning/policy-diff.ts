// SPDX-License-Identifier: Apache-2.0
// What one policy admits that another one denied. A change is called a weakening wherever that cannot be ruled out, for
// every place, image and attestation: so some changes that open nothing are called weakenings too, and never the other
// way round.
import { fixedPart, matchesPattern } from '../policy/allowlist.js';
import { filledMaps, RULE_MAPS, ruleOf, type AdmissionRule, type Policy, type RuleMapName } from '../policy/policy.js';

/** How a policy would change, in sentences for people. */
export interface PolicyDifference {
  /** Every change, weakening or not. */
  readonly changes: readonly string[];
  /** What would be admitted, or only logged, that is denied now. */
  readonly weakenings: readonly string[];
}

/** What becomes of everything that `before` denies, and every other change. */
export function comparePolicies(before: Policy, after: Policy): PolicyDifference {
  return {
    changes: [...ruleChanges(before, after), ...patternChanges(before, after), ...systemChanges(before, after)],
    weakenings: isOpen(before)
      ? []
      : [...ruleWeakenings(before, after), ...patternWeakenings(before, after), ...systemWeakenings(before, after)],
  };
}

/** A rule in a few words. */
export function describeRule({ evaluationMode, enforcementMode, requireAttestationsBy }: AdmissionRule): string {
  const mode = enforcementMode === 'DRYRUN_AUDIT_LOG_ONLY' ? ' (logs only)' : '';
  switch (evaluationMode) {
    case 'ALWAYS_ALLOW':
      return 'admit every image';
    case 'ALWAYS_DENY':
      return `deny every image${mode}`;
    case 'REQUIRE_ATTESTATION':
      return `require attestations by ${requireAttestationsBy.join(' and ')}${mode}`;
  }
}

// Nothing is denied where every rule admits everything, whatever the lists of exemptions say.
function isOpen(policy: Policy): boolean {
  const rules = [policy.defaultAdmissionRule, ...RULE_MAPS.flatMap((map) => Object.values(policy.rules[map]))];
  return rules.every(({ evaluationMode }) => evaluationMode === 'ALWAYS_ALLOW');
}

/** Where an image may be deployed, as far as rules tell places apart: a key of each map, or none of its keys. */
type Spot = Readonly<Partial<Record<RuleMapName, string>>>;

function ruleWeakenings(before: Policy, after: Policy): readonly string[] {
  const found = spotsOf(before, after).flatMap((spot) => {
    const [had, has] = [rulesAt(before, spot), rulesAt(after, spot)];
    if (had.length === has.length && had.every((rule, index) => isSameRule(rule, has[index]))) return [];
    // Of several rules that may decide, the strictest may be the one that denies now and the weakest the one that does then.
    return had.flatMap((was) => has.filter((is) => isWeaker(was, is)).map((is) => weakening(spot, was, is)));
  });
  return [...new Set(found)];
}

function weakening(spot: Spot, was: AdmissionRule, is: AdmissionRule): string {
  const where = RULE_MAPS.flatMap((map) => (spot[map] === undefined ? [] : [`${map}[${spot[map]}]`]));
  return `${where.length === 0 ? 'wherever the default rule decides' : `at ${where.join(' and ')}`}: "${describeRule(was)}" becomes "${describeRule(is)}"`;
}

// An account goes with its own namespace only; everything else goes with everything.
function spotsOf(before: Policy, after: Policy): readonly Spot[] {
  const keysOf = (map: RuleMapName): readonly Spot[] => {
    const keys = new Set([...Object.keys(before.rules[map]), ...Object.keys(after.rules[map])]);
    return [{}, ...[...keys].map((key) => ({ [map]: key }))];
  };
  const inNamespaces = keysOf('kubernetesServiceAccountAdmissionRules').flatMap((spot) => {
    const namespace = spot.kubernetesServiceAccountAdmissionRules?.split(':')[0];
    const namespaces =
      namespace === undefined ? keysOf('kubernetesNamespaceAdmissionRules') : [{ kubernetesNamespaceAdmissionRules: namespace }];
    return namespaces.map((own): Spot => ({ ...spot, ...own }));
  });
  const inClusters = keysOf('clusterAdmissionRules').flatMap((cluster) => inNamespaces.map((spot): Spot => ({ ...cluster, ...spot })));
  return inClusters.flatMap((spot) => keysOf('istioServiceIdentityAdmissionRules').map((identity): Spot => ({ ...spot, ...identity })));
}

// With rules of several kinds, what the enforcer does is not published: any that matches may decide, and the default rule.
// A mesh identity that the enforcer does not look at is a spot of its own: one without a key.
function rulesAt(policy: Policy, spot: Spot): readonly AdmissionRule[] {
  const maps = filledMaps(policy);
  const matching = maps.flatMap((map) => {
    const key = spot[map];
    const rule = key === undefined ? undefined : ruleOf(policy, map, key);
    return rule ? [rule] : [];
  });
  if (maps.length > 1) return [...matching, policy.defaultAdmissionRule];
  return matching.length > 0 ? matching : [policy.defaultAdmissionRule];
}

// A rule that only logs counts as if it denied: what it would have denied is what its roll-out is about.
function isWeaker(was: AdmissionRule, is: AdmissionRule): boolean {
  if (was.evaluationMode === 'ALWAYS_ALLOW') return false;
  if (was.enforcementMode === 'ENFORCED_BLOCK_AND_AUDIT_LOG' && is.enforcementMode === 'DRYRUN_AUDIT_LOG_ONLY') return true;
  switch (is.evaluationMode) {
    case 'ALWAYS_ALLOW':
      return true;
    case 'ALWAYS_DENY':
      return false;
    case 'REQUIRE_ATTESTATION':
      return was.evaluationMode === 'ALWAYS_DENY' || !was.requireAttestationsBy.every((name) => is.requireAttestationsBy.includes(name));
  }
}

function patternWeakenings(before: Policy, after: Policy): readonly string[] {
  const opened = after.admissionWhitelistPatterns.filter((pattern) => !isCovered(pattern, before.admissionWhitelistPatterns));
  return opened.map((pattern) => `the pattern ${pattern} exempts images that no pattern exempts now`);
}

// By one pattern alone: two that only together match everything of a third are called less than it.
function isCovered(pattern: string, patterns: readonly string[]): boolean {
  return patterns.some((other) => other === pattern || covers(other, pattern));
}

// What `**` matches may hold slashes, what `*` matches none.
function covers(wide: string, narrow: string): boolean {
  return wide.endsWith('*') && (wide.endsWith('**') || !narrow.endsWith('**')) && matchesPattern(wide, fixedPart(narrow));
}

// The system policy only ever exempts images.
function systemWeakenings(before: Policy, after: Policy): readonly string[] {
  if (before.usesSystemPolicy || !after.usesSystemPolicy) return [];
  return ['globalPolicyEvaluationMode ENABLE exempts the images of Google’s system policy, which are judged like all others now'];
}

function ruleChanges(before: Policy, after: Policy): readonly string[] {
  const named = (policy: Policy): ReadonlyMap<string, AdmissionRule> =>
    new Map([
      ['defaultAdmissionRule', policy.defaultAdmissionRule] as const,
      ...RULE_MAPS.flatMap((map) => Object.entries(policy.rules[map]).map(([key, rule]) => [`${map}[${key}]`, rule] as const)),
    ]);
  const [was, is] = [named(before), named(after)];
  return [...new Set([...was.keys(), ...is.keys()])].flatMap((name) => {
    if (isSameRule(was.get(name), is.get(name))) return [];
    const [old, now] = [was.get(name), is.get(name)].map((rule) => (rule === undefined ? undefined : describeRule(rule)));
    return [`${name}: ${old ?? 'no rule'} → ${now ?? 'no rule, so the default rule decides'}`];
  });
}

// What a rule that admits everything would do about violations makes no sentence, and yet is a difference.
function isSameRule(one: AdmissionRule | undefined, other: AdmissionRule | undefined): boolean {
  const shape = (rule: AdmissionRule | undefined): string =>
    JSON.stringify([rule?.evaluationMode, rule?.enforcementMode, [...new Set(rule?.requireAttestationsBy)].sort()]);
  return shape(one) === shape(other);
}

function patternChanges(before: Policy, after: Policy): readonly string[] {
  const added = after.admissionWhitelistPatterns.filter((pattern) => !before.admissionWhitelistPatterns.includes(pattern));
  const removed = before.admissionWhitelistPatterns.filter((pattern) => !after.admissionWhitelistPatterns.includes(pattern));
  return [
    ...[...new Set(added)].map((pattern) => `the pattern ${pattern} exempts images from now on`),
    ...[...new Set(removed)].map((pattern) => `the pattern ${pattern} exempts images no longer`),
  ];
}

function systemChanges(before: Policy, after: Policy): readonly string[] {
  if (before.usesSystemPolicy === after.usesSystemPolicy) return [];
  return [`Google’s system policy ${after.usesSystemPolicy ? 'exempts its images' : 'exempts nothing any more'}`];
}
