// SPDX-License-Identifier: Apache-2.0
// Which rule of a policy decides for a place (facts 5.2, step 5, and 5.4).
import type { Place } from '../deployment/place.js';
import type { ImageUse } from '../deployment/image-use.js';
import { filledMaps, ruleOf, type AdmissionRule, type Policy, type RuleMapName } from './policy.js';

/** A rule, with the name that reports give it. */
export interface ChosenRule {
  readonly name: string;
  readonly rule: AdmissionRule;
  /** Absent for the default rule. */
  readonly map?: RuleMapName;
  /** The key in the map; empty for the default rule. */
  readonly key: string;
}

/** The rule that decides; several where nobody said which cluster it is, and then all must agree. */
export interface Choice {
  readonly rules: readonly [ChosenRule, ...ChosenRule[]];
  readonly assumptions: readonly string[];
  readonly warnings: readonly string[];
}

/** Chooses the rule for a place. The policy has at most one kind of specific rule: with more, nothing may be chosen. */
export function chooseRule(policy: Policy, use: ImageUse, place: Place, cluster: string | undefined): Choice {
  const [map] = filledMaps(policy);
  if (map === undefined) return chosen(defaultRule(policy));
  if (use.platform === 'cloud-run')
    return chosen(defaultRule(policy), { warnings: [`Cloud Run knows the default rule only: the policy’s ${map} do not apply to it`] });
  switch (map) {
    case 'clusterAdmissionRules':
      return forCluster(policy, cluster);
    case 'kubernetesNamespaceAdmissionRules':
      return chosen(specificRule(policy, map, place.namespace), { assumptions: filled(place, ['namespace']) });
    case 'kubernetesServiceAccountAdmissionRules':
      return chosen(specificRule(policy, map, `${place.namespace}:${place.serviceAccount}`), {
        assumptions: filled(place, ['namespace', 'serviceAccount']),
      });
    case 'istioServiceIdentityAdmissionRules':
      // Not settled whether they act on a plain Pod (facts 5.4).
      return chosen(defaultRule(policy), {
        assumptions: [`${map} apply to no plain Pod, so the default rule decides; Google’s documents do not say so`],
      });
  }
}

function forCluster(policy: Policy, cluster: string | undefined): Choice {
  const map = 'clusterAdmissionRules';
  if (cluster !== undefined) return chosen(specificRule(policy, map, cluster), { warnings: similarKeys(policy, cluster) });
  const rules = Object.keys(policy.rules[map]).map((key) => specificRule(policy, map, key));
  return { rules: [defaultRule(policy), ...rules], assumptions: [], warnings: [] };
}

function specificRule(policy: Policy, map: RuleMapName, key: string): ChosenRule {
  const rule = ruleOf(policy, map, key);
  return rule ? { name: `${map}[${key}]`, rule, map, key } : defaultRule(policy);
}

function defaultRule(policy: Policy): ChosenRule {
  return { name: 'defaultAdmissionRule', rule: policy.defaultAdmissionRule, key: '' };
}

function chosen(rule: ChosenRule, notes: { assumptions?: readonly string[]; warnings?: readonly string[] } = {}): Choice {
  return { rules: [rule], assumptions: notes.assumptions ?? [], warnings: notes.warnings ?? [] };
}

function filled(place: Place, what: Place['assumed']): readonly string[] {
  return what
    .filter((part) => place.assumed.includes(part))
    .map((part) =>
      part === 'namespace'
        ? `the namespace is ${place.namespace}, which neither the manifest nor --namespace says`
        : `the service account is ${place.serviceAccount}, which neither the manifest nor --service-account says`,
    );
}

// A key of another form, e.g. a zone for a region, or a cluster's name for that of its membership, is ignored without a
// word by the enforcer (traps 4, "On-premises rule never matches").
function similarKeys(policy: Policy, cluster: string): readonly string[] {
  const keys = Object.keys(policy.rules.clusterAdmissionRules);
  if (keys.includes(cluster)) return [];
  const name = cluster.slice(cluster.indexOf('.') + 1);
  const similar = keys.filter((key) => key.toLowerCase() === cluster.toLowerCase() || key.slice(key.indexOf('.') + 1) === name);
  return similar.map(
    (key) => `the policy has a rule for ${key}, and none for ${cluster}: keys are LOCATION.CLUSTER, or LOCATION.MEMBERSHIP for a fleet`,
  );
}
