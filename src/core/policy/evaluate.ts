// SPDX-License-Identifier: Apache-2.0
// First version: a GKE target under the default rule or a cluster rule. Whatever it does not know ends UNKNOWN.
import type { AttestorName } from '../names.js';
import { exemptingPattern } from './allowlist.js';
import { RULE_MAPS, type AdmissionRule, type Policy } from './policy.js';
import type { Reason, Verdict } from './verdict.js';

/** The rule that decides for a target, with the name that reports give it. */
export interface ChosenRule {
  readonly name: string;
  readonly rule: AdmissionRule;
}

/** What is known about one attestor and one image: an attestation that verifies, none, or no answer. */
export interface Evidence {
  readonly attestor: AttestorName;
  readonly found: 'verified' | 'none' | 'no-answer';
  /** What was found, or why nothing was, in words for a person. */
  readonly what: string;
}

/** The verdict on one image, with its reasons. */
export interface Evaluation {
  readonly verdict: Verdict;
  readonly rule: string;
  readonly reasons: readonly Reason[];
}

/** What has to be known before an image can be judged: its exemption, or the rule and the attestors to ask. */
export type Question = { readonly decided: Evaluation } | { readonly chosen: ChosenRule; readonly attestors: readonly AttestorName[] };

/** Decides what can be decided without evidence, and names the attestors whose evidence is needed otherwise. */
export function pose(policy: Policy, image: string, cluster: string | undefined): Question {
  const pattern = exemptingPattern(policy.admissionWhitelistPatterns, image);
  if (pattern !== undefined) {
    return {
      decided: {
        verdict: 'ALLOWED',
        rule: 'admissionWhitelistPatterns',
        reasons: [{ code: 'EXEMPT_BY_PATTERN', message: `the pattern ${pattern} exempts ${image}` }],
      },
    };
  }
  const chosen = chooseRule(policy, cluster);
  if (!chosen) return { decided: undecidable('the policy has rules that this version cannot choose between') };
  switch (chosen.rule.evaluationMode) {
    case 'ALWAYS_ALLOW':
      return {
        decided: {
          verdict: 'ALLOWED',
          rule: chosen.name,
          reasons: [{ code: 'POLICY_ALLOWS_ALL', message: `${chosen.name} admits every image` }],
        },
      };
    case 'ALWAYS_DENY':
      return { decided: violation(policy, chosen, [{ code: 'POLICY_DENIES_ALL', message: `${chosen.name} denies every image` }]) };
    case 'REQUIRE_ATTESTATION':
      return { chosen, attestors: chosen.rule.requireAttestationsBy };
  }
}

/** The verdict under a rule that requires attestations: every listed attestor must be satisfied. */
export function evaluate(policy: Policy, chosen: ChosenRule, isPinned: boolean, evidence: readonly Evidence[]): Evaluation {
  if (!isPinned) {
    return violation(policy, chosen, [
      {
        code: 'IMAGE_NOT_PINNED',
        message: 'Expected digest with sha256 scheme, but got tag or malformed digest',
        hint: 'deploy the image by its digest: GKE does not resolve tags',
      },
    ]);
  }
  const required = chosen.rule.requireAttestationsBy;
  const answers = required.map(
    (attestor) =>
      evidence.find((entry) => entry.attestor === attestor) ?? { attestor, found: 'no-answer' as const, what: 'it was not asked' },
  );
  const missing = answers.filter((answer) => answer.found === 'none');
  if (missing.length > 0)
    return violation(
      policy,
      chosen,
      missing.map((answer) => missingReason(answer, required.length)),
    );
  const open = answers.filter((answer) => answer.found === 'no-answer');
  if (open.length > 0)
    return {
      verdict: 'UNKNOWN',
      rule: chosen.name,
      reasons: open.map(({ attestor, what }) => ({ code: 'EVIDENCE_MISSING', message: what, attestor })),
    };
  return {
    verdict: 'ALLOWED',
    rule: chosen.name,
    reasons: answers.map(({ attestor, what }) => ({ code: 'ATTESTED', message: what, attestor })),
  };
}

function chooseRule(policy: Policy, cluster: string | undefined): ChosenRule | undefined {
  const filled = RULE_MAPS.filter((name) => Object.keys(policy.rules[name]).length > 0);
  if (filled.length === 0) return { name: 'defaultAdmissionRule', rule: policy.defaultAdmissionRule };
  if (filled.length > 1 || filled[0] !== 'clusterAdmissionRules' || cluster === undefined) return undefined;
  const rule = policy.rules.clusterAdmissionRules[cluster];
  return rule ? { name: `clusterAdmissionRules[${cluster}]`, rule } : { name: 'defaultAdmissionRule', rule: policy.defaultAdmissionRule };
}

// The system policy only exempts: a violation is final only where it is off, because this version does not read it.
function violation(policy: Policy, chosen: ChosenRule, reasons: readonly Reason[]): Evaluation {
  if (chosen.rule.enforcementMode === 'DRYRUN_AUDIT_LOG_ONLY') return { verdict: 'ALLOWED_DRY_RUN', rule: chosen.name, reasons };
  if (!policy.usesSystemPolicy) return { verdict: 'DENIED', rule: chosen.name, reasons };
  return {
    verdict: 'UNKNOWN',
    rule: chosen.name,
    reasons: [
      ...reasons,
      { code: 'POLICY_NOT_DECIDABLE', message: 'the system policy, which this version does not read, may exempt the image' },
    ],
  };
}

function undecidable(message: string): Evaluation {
  return { verdict: 'UNKNOWN', rule: '', reasons: [{ code: 'POLICY_NOT_DECIDABLE', message }] };
}

function missingReason(answer: Evidence, required: number): Reason {
  return {
    code: 'NO_TRUSTED_ATTESTATION',
    message: `No attestations found that were valid and signed by a key trusted by the attestor (${answer.what}; ${required} of ${required} attestors required)`,
    attestor: answer.attestor,
    hint: `attest the image: binauthz attest IMAGE --attestor ${answer.attestor} …`,
  };
}
