// SPDX-License-Identifier: Apache-2.0
// Policies in few words, as the API's JSON and as they read.
import { parsePolicy } from '../../src/core/policy/parse.js';
import type { Policy } from '../../src/core/policy/policy.js';

export const A = 'projects/p/attestors/a';
export const B = 'projects/p/attestors/b';

export const allow = { evaluationMode: 'ALWAYS_ALLOW', enforcementMode: 'ENFORCED_BLOCK_AND_AUDIT_LOG' };
export const deny = { evaluationMode: 'ALWAYS_DENY', enforcementMode: 'ENFORCED_BLOCK_AND_AUDIT_LOG' };
export const require = (...attestors: string[]): object => ({
  ...deny,
  evaluationMode: 'REQUIRE_ATTESTATION',
  requireAttestationsBy: attestors,
});
export const logging = (rule: object): object => ({ ...rule, enforcementMode: 'DRYRUN_AUDIT_LOG_ONLY' });
export const patterns = (...names: string[]): object => ({ admissionWhitelistPatterns: names.map((namePattern) => ({ namePattern })) });

export function policy(defaultAdmissionRule: object, more: object = {}): Policy {
  const parsed = parsePolicy({ defaultAdmissionRule, updateTime: '2026-01-01T00:00:00Z', ...more });
  if (!parsed.policy) throw new Error(parsed.problems.join());
  return parsed.policy;
}

export const ON = { globalPolicyEvaluationMode: 'ENABLE' };
export const OFF = { globalPolicyEvaluationMode: 'DISABLE' };
export const clusters = (rules: object): object => ({ clusterAdmissionRules: rules });
export const namespaces = (rules: object): object => ({ kubernetesNamespaceAdmissionRules: rules });
export const accounts = (rules: object): object => ({ kubernetesServiceAccountAdmissionRules: rules });
export const identities = (rules: object): object => ({ istioServiceIdentityAdmissionRules: rules });
