// SPDX-License-Identifier: Apache-2.0
import type { AttestorName } from '../names.js';

export type EvaluationMode = 'ALWAYS_ALLOW' | 'REQUIRE_ATTESTATION' | 'ALWAYS_DENY';
export type EnforcementMode = 'ENFORCED_BLOCK_AND_AUDIT_LOG' | 'DRYRUN_AUDIT_LOG_ONLY';

/** What a matching image must satisfy, and what happens when it does not. */
export interface AdmissionRule {
  readonly evaluationMode: EvaluationMode;
  readonly enforcementMode: EnforcementMode;
  readonly requireAttestationsBy: readonly AttestorName[];
}

/** The rule maps of a policy; a valid one has at most one that is not empty. */
export const RULE_MAPS = [
  'clusterAdmissionRules',
  'kubernetesNamespaceAdmissionRules',
  'kubernetesServiceAccountAdmissionRules',
  'istioServiceIdentityAdmissionRules',
] as const;

export type RuleMapName = (typeof RULE_MAPS)[number];

/** A project's policy, the one that blocks. */
export interface Policy {
  readonly admissionWhitelistPatterns: readonly string[];
  readonly rules: Readonly<Record<RuleMapName, Readonly<Record<string, AdmissionRule>>>>;
  readonly defaultAdmissionRule: AdmissionRule;
  /** Whether Google's system policy is evaluated as well; it only ever exempts images. */
  readonly usesSystemPolicy: boolean;
  /** Whether `globalPolicyEvaluationMode` says so itself; left out, it means DISABLE. */
  readonly namesSystemPolicy: boolean;
  /** A live policy without an update time: what the API answers where none was ever set. */
  readonly isNeverSet: boolean;
  /** Absent where the policy was never set, or is from a file that does not say. */
  readonly updateTime?: string;
}

/** The rule maps that are not empty: at most one, except in a state that the API excludes. */
export function filledMaps(policy: Policy): readonly RuleMapName[] {
  return RULE_MAPS.filter((name) => Object.keys(policy.rules[name]).length > 0);
}

/** The rule of exactly this key, never something that every object has. */
export function ruleOf(policy: Policy, map: RuleMapName, key: string): AdmissionRule | undefined {
  return Object.hasOwn(policy.rules[map], key) ? policy.rules[map][key] : undefined;
}
