// SPDX-License-Identifier: Apache-2.0
// The verdict of the enforcer on one image in one place, in its order (facts 5.2): enforcement, break-glass, system
// policy, allowlist, rule, mode. Whatever cannot be decided is UNKNOWN.
import type { AttestorName } from '../names.js';
import { oneLine } from '../redact.js';
import { admissionOf, glassOf } from './admission.js';
import { exemptingPattern, matchesPattern } from './allowlist.js';
import { weigh } from './attestations.js';
import type { Evaluation, Evidence, PlacedUse, PolicyContext, Question } from './context.js';
import { denialText, NO_ATTESTATIONS, NOT_A_DIGEST } from './denial.js';
import { withPatternHints } from './hints.js';
import { filledMaps } from './policy.js';
import { chooseRule, type ChosenRule } from './rules.js';
import { subjectOf, type Subject } from './subject.js';
import type { Reason, Verdict } from './verdict.js';

export type { ClusterState, Evaluation, Evidence, Needs, PlacedUse, PolicyContext, Question, Resolution, SystemPolicy } from './context.js';

/** One image with all that its evaluation looks at. */
interface Matter {
  readonly context: PolicyContext;
  readonly placed: PlacedUse;
  readonly subject: Subject;
  /** Why a violation might be none after all: an exemption that could not be read. */
  readonly doubt?: Reason;
}

interface Finding {
  readonly verdict: Verdict;
  readonly rule: string;
  readonly reasons: readonly Reason[];
  readonly denial?: string;
  readonly warnings?: readonly string[];
}

interface Notes {
  readonly reasons: readonly Reason[];
  readonly assumptions: readonly string[];
  readonly warnings: readonly string[];
}

/** Decides what can be decided without evidence, and otherwise says what is needed and how to judge it. */
export function pose(context: PolicyContext, placed: PlacedUse): Question {
  const { use } = placed;
  const glass = glassOf(use);
  const admission = admissionOf(context, use);
  const notes: Notes = { reasons: glass ? [glass.reason] : [], assumptions: admission.assumptions, warnings: admission.warnings };
  if (admission.stopped) {
    const { verdict, reason } = admission.stopped;
    return { decided: conclude({ verdict, rule: '', reasons: [reason] }, notes) };
  }
  if (glass?.isEffective) {
    const warnings = ['break-glass admits a workload whatever the policy says'];
    return { decided: conclude({ verdict: 'ALLOWED_BREAK_GLASS', rule: '', reasons: [], warnings }, notes) };
  }
  const subject = subjectOf(placed);
  const exempt = exemption(context, placed, subject);
  if (exempt) return { decided: conclude(exempt, notes) };
  return poseRules({ context, placed, subject, ...doubtOf(context, placed, subject) }, notes);
}

// The system policy comes before the policy and does not depend on it; the policy's own patterns belong to a policy
// whose meaning is not published when it has two kinds of rules (facts 5.2).
function exemption({ policy, system }: PolicyContext, { use }: PlacedUse, subject: Subject): Finding | undefined {
  if (use.platform === 'gke' && policy.usesSystemPolicy && system.kind === 'read') {
    const pattern = exemptingPattern(system.patterns, subject.text);
    if (pattern !== undefined) {
      const message = `the pattern ${pattern} of Google’s system policy exempts ${subject.text}`;
      return { verdict: 'ALLOWED', rule: 'systemPolicy', reasons: [{ code: 'EXEMPT_BY_SYSTEM_POLICY', message }] };
    }
  }
  const maps = filledMaps(policy);
  if (maps.length > 1) {
    const message = `the policy has ${maps.join(' and ')}: only one kind may hold rules, and what the enforcer does with more is not published`;
    const hint = 'keep the rules of one kind, and import the policy again';
    return { verdict: 'UNKNOWN', rule: '', reasons: [{ code: 'RULE_MAPS_CONFLICT', message, hint }] };
  }
  const pattern = exemptingByPattern(policy.admissionWhitelistPatterns, subject);
  if (pattern === undefined) return undefined;
  const message = `the pattern ${pattern} exempts ${subject.text}`;
  return { verdict: 'ALLOWED', rule: 'admissionWhitelistPatterns', reasons: [{ code: 'EXEMPT_BY_PATTERN', message }] };
}

// Cloud Run evaluates a digest that may not be known; a pattern that takes the lowest and the highest takes them all.
function exemptingByPattern(patterns: readonly string[], subject: Subject): string | undefined {
  if (subject.unresolved === undefined) return exemptingPattern(patterns, subject.text);
  const extremes = ['0', 'f'].map((digit) => `${subject.name}@sha256:${digit.repeat(64)}`);
  return patterns.find((pattern) => extremes.every((text) => matchesPattern(pattern, text)));
}

function doubtOf({ policy, system }: PolicyContext, { use }: PlacedUse, subject: Subject): { doubt?: Reason } {
  if (use.platform === 'gke' && policy.usesSystemPolicy && system.kind !== 'read') {
    const why = system.kind === 'unreadable' ? system.why : 'it was not asked for';
    const message = `Google’s system policy, which may exempt the image, could not be read: ${why}`;
    return { doubt: { code: 'EVIDENCE_MISSING', message, hint: 'run again; or have the image attested or exempted, which settles it' } };
  }
  const pattern = policy.admissionWhitelistPatterns.find((entry) => entry.startsWith(`${subject.name}@`));
  if (subject.unresolved === undefined || pattern === undefined) return {};
  const message = `the pattern ${pattern} may exempt the image, whose digest is not known: ${subject.unresolved}`;
  return { doubt: { code: 'IMAGE_NOT_RESOLVED', message } };
}

function poseRules(matter: Matter, admission: Notes): Question {
  const { context, placed, subject } = matter;
  const choice = chooseRule(context.policy, placed.use, placed.place, context.cluster?.ref.key);
  const notes: Notes = {
    reasons: admission.reasons,
    assumptions: [...admission.assumptions, ...subject.assumptions, ...choice.assumptions],
    warnings: [...admission.warnings, ...choice.warnings],
  };
  const judge = (evidence: readonly Evidence[]): Evaluation => {
    const [first, ...others] = choice.rules;
    const finding = judgeUnder(first, matter, evidence);
    return agree(
      finding,
      others.map((rule) => judgeUnder(rule, matter, evidence)),
      notes,
    );
  };
  const attestors = attestorsOf(choice.rules);
  const { digest, index } = subject;
  if (digest === undefined || attestors.length === 0) return { decided: judge([]) };
  return { needs: { attestors, digest, ...(index === undefined ? {} : { index }) }, judge };
}

// The other modes require none: a policy where they do is not read.
function attestorsOf(rules: readonly ChosenRule[]): readonly AttestorName[] {
  return [...new Set(rules.flatMap(({ rule }) => rule.requireAttestationsBy))];
}

function agree(first: Finding, others: readonly Finding[], notes: Notes): Evaluation {
  if (others.length === 0) return conclude(first, notes);
  if (others.every(({ verdict }) => verdict === first.verdict)) {
    const assumption = 'every cluster rule of the policy gives the same verdict as the default rule, so no cluster had to be named';
    const warnings = others.flatMap((other) => other.warnings ?? []);
    const merged = { ...first, warnings: [...new Set([...(first.warnings ?? []), ...warnings])] };
    return conclude(merged, { ...notes, assumptions: [...notes.assumptions, assumption] });
  }
  const verdicts = [first, ...others].map(({ rule, verdict }) => `${rule}: ${verdict}`);
  const message = `the verdict depends on the cluster: ${verdicts.slice(0, 10).join(', ')}${verdicts.length > 10 ? ', …' : ''}`;
  const reason: Reason = { code: 'CLUSTER_UNKNOWN', message, hint: 'name the cluster: --cluster LOCATION.NAME' };
  return conclude({ verdict: 'UNKNOWN', rule: '', reasons: [reason] }, notes);
}

function judgeUnder(chosen: ChosenRule, matter: Matter, evidence: readonly Evidence[]): Finding {
  switch (chosen.rule.evaluationMode) {
    case 'ALWAYS_ALLOW': {
      const never = matter.context.policy.isNeverSet ? ': no policy was ever set' : '';
      const message = `${chosen.name} admits every image${never}`;
      return { verdict: 'ALLOWED', rule: chosen.name, reasons: [{ code: 'POLICY_ALLOWS_ALL', message }], warnings: [message] };
    }
    case 'ALWAYS_DENY': {
      const message = `${chosen.name} denies every image`;
      const hint = 'exempt the image with a pattern in admissionWhitelistPatterns, or change the rule';
      return violation(chosen, matter, [{ code: 'POLICY_DENIES_ALL', message, hint }], []);
    }
    case 'REQUIRE_ATTESTATION':
      return judgeAttestations(chosen, matter, evidence);
  }
}

function judgeAttestations(chosen: ChosenRule, matter: Matter, evidence: readonly Evidence[]): Finding {
  const { subject, placed } = matter;
  const required = chosen.rule.requireAttestationsBy;
  if (subject.unresolved !== undefined) {
    const message = `the digest that Cloud Run would evaluate is not known: ${subject.unresolved}`;
    const hint = 'deploy the digest of a linux/amd64 image that exists, and let this run read it (roles/artifactregistry.reader)';
    return { verdict: 'UNKNOWN', rule: chosen.name, reasons: [{ code: 'IMAGE_NOT_RESOLVED', message, hint }] };
  }
  if (subject.digest === undefined) {
    const denying = required.map((attestor) => ({ attestor, reason: NOT_A_DIGEST }));
    return violation(chosen, matter, [notPinned(placed, subject)], denying);
  }
  const { standing, reasons, denying } = weigh(required, subject, evidence);
  switch (standing) {
    case 'satisfied':
      return { verdict: 'ALLOWED', rule: chosen.name, reasons };
    case 'open':
      return { verdict: 'UNKNOWN', rule: chosen.name, reasons };
    case 'violated':
      return violation(
        chosen,
        matter,
        reasons,
        denying.map((attestor) => ({ attestor, reason: NO_ATTESTATIONS })),
      );
  }
}

function notPinned({ resolved }: PlacedUse, subject: Subject): Reason {
  const known = resolved && 'digest' in resolved ? `${subject.name}@${resolved.digest}` : undefined;
  const hint = `deploy the image by its digest, because GKE does not resolve tags: write ${known ?? `${subject.name}@sha256:…`}`;
  return { code: 'IMAGE_NOT_PINNED', message: NOT_A_DIGEST, hint };
}

// The selected rule's own mode decides what a violation does (facts 5.2, step 8).
function violation(
  chosen: ChosenRule,
  matter: Matter,
  found: readonly Reason[],
  attestors: readonly { readonly attestor: string; readonly reason: string }[],
): Finding {
  const { context, placed, subject, doubt } = matter;
  const reasons = withPatternHints(found, context, placed.use, subject);
  if (chosen.rule.enforcementMode === 'DRYRUN_AUDIT_LOG_ONLY') {
    const warnings = [`${chosen.name} only logs violations (DRYRUN_AUDIT_LOG_ONLY): it blocks nothing`];
    return { verdict: 'ALLOWED_DRY_RUN', rule: chosen.name, reasons, warnings };
  }
  if (doubt) return { verdict: 'UNKNOWN', rule: chosen.name, reasons: [...reasons, doubt] };
  const denial = denialText({ platform: placed.use.platform, image: subject.text, map: chosen.map, key: chosen.key, attestors });
  return { verdict: 'DENIED', rule: chosen.name, reasons, denial };
}

// Names of images, keys and values come from files and from Google; a line break in a log may begin a command to CI.
function conclude(finding: Finding, notes: Notes): Evaluation {
  const reasons = [...finding.reasons, ...notes.reasons].map((reason) => ({
    ...reason,
    message: oneLine(reason.message),
    ...(reason.hint === undefined ? {} : { hint: oneLine(reason.hint) }),
  }));
  return {
    verdict: finding.verdict,
    rule: oneLine(finding.rule),
    reasons,
    assumptions: notes.assumptions.map(oneLine),
    warnings: [...notes.warnings, ...(finding.warnings ?? [])].map(oneLine),
    ...(finding.denial === undefined ? {} : { denial: oneLine(finding.denial) }),
  };
}
