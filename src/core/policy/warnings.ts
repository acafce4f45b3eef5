// SPDX-License-Identifier: Apache-2.0
// What is legal in a policy and probably not meant.
import { fixedPart } from './allowlist.js';
import { filledMaps, RULE_MAPS, type AdmissionRule, type Policy, type RuleMapName } from './policy.js';

// Facts 5.4. The namespace pattern of the proto lacks digits, so it is not used.
const KEY_FORMS: Readonly<Record<RuleMapName, { readonly form: RegExp; readonly expected: string }>> = {
  clusterAdmissionRules: { form: /^[a-z][a-z0-9-]*\.[^\s]+$/, expected: 'LOCATION.CLUSTER, or LOCATION.MEMBERSHIP for a fleet' },
  kubernetesNamespaceAdmissionRules: { form: /^[^:/\s]+$/, expected: 'NAMESPACE' },
  kubernetesServiceAccountAdmissionRules: { form: /^[^:/\s]+:[^:/\s]+$/, expected: 'NAMESPACE:SERVICEACCOUNT' },
  istioServiceIdentityAdmissionRules: {
    form: /^(?:spiffe:\/\/)?[^/\s]+\/ns\/[^/\s]+\/sa\/[^/\s]+$/,
    expected: 'DOMAIN/ns/NAMESPACE/sa/ACCOUNT',
  },
};

/** What in a policy is allowed and yet rarely meant: open wildcards, dry run, no system policy, keys that match nothing. */
export function policyWarnings(policy: Policy): readonly string[] {
  if (policy.isNeverSet && filledMaps(policy).length === 0 && policy.defaultAdmissionRule.evaluationMode === 'ALWAYS_ALLOW')
    return ['no policy was ever set: every image is admitted'];
  const rules = [
    ['defaultAdmissionRule', policy.defaultAdmissionRule] as const,
    ...RULE_MAPS.flatMap((map) => Object.entries(policy.rules[map]).map(([key, rule]) => [`${map}[${key}]`, rule] as const)),
  ];
  return [
    ...policy.admissionWhitelistPatterns.flatMap(patternWarnings),
    ...rules.flatMap(([name, rule]) => ruleWarnings(name, rule)),
    ...RULE_MAPS.flatMap((map) => keyWarnings(map, Object.keys(policy.rules[map]))),
    ...(policy.namesSystemPolicy
      ? []
      : ['globalPolicyEvaluationMode is not set, which means DISABLE: images that Google’s own components run are not exempt']),
  ];
}

function patternWarnings(pattern: string): readonly string[] {
  const fixed = fixedPart(pattern);
  if (fixed === pattern) return [];
  // A wildcard is a bare prefix: gcr.io/my-project** opens gcr.io/my-project-exploit (docs policy-yaml-reference, Caution).
  if (!/[/:@]$/.test(fixed))
    return [`the pattern ${pattern} also exempts every name that goes on after "${fixed}", such as ${fixed}-other/image`];
  if (fixed.endsWith('@'))
    return [
      `the pattern ${pattern} exempts digests only on GKE: an image with a tag is not matched (for tags write ${fixed.slice(0, -1)}:*)`,
    ];
  return [];
}

function ruleWarnings(name: string, rule: AdmissionRule): readonly string[] {
  return [
    ...(rule.enforcementMode === 'DRYRUN_AUDIT_LOG_ONLY' ? [`${name} only logs (DRYRUN_AUDIT_LOG_ONLY): it blocks nothing`] : []),
    ...(rule.evaluationMode === 'ALWAYS_ALLOW' ? [`${name} admits every image (ALWAYS_ALLOW)`] : []),
  ];
}

function keyWarnings(map: RuleMapName, keys: readonly string[]): readonly string[] {
  const { form, expected } = KEY_FORMS[map];
  return keys.filter((key) => !form.test(key)).map((key) => `${map}[${key}] applies to nothing: its key is not of the form ${expected}`);
}
