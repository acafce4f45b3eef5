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
  /** Absent where the policy was never set. */
  readonly updateTime?: string;
}
