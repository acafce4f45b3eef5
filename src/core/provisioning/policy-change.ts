// SPDX-License-Identifier: Apache-2.0
// The project's policy: found and desired → the document to write, what it changes, and whether it may be written.
import { BinauthzError } from '../errors.js';
import type { AttestorName } from '../names.js';
import { parsePolicy, POLICY_MEMBERS, RULE_MEMBERS } from '../policy/parse.js';
import { RULE_MAPS, type AdmissionRule, type Policy } from '../policy/policy.js';
import { policyWarnings } from '../policy/warnings.js';
import * as commands from './commands.js';
import type { Decision } from './decision.js';
import type { Desired, DesiredPolicy, PolicyDocument } from './desired.js';
import { comparePolicies, describeRule } from './policy-diff.js';

const MOST_LISTED = 10;

/** A policy that replaces another; `found` is the document that it was planned upon. */
export interface PolicyWrite {
  readonly document: PolicyDocument;
  readonly found: PolicyDocument;
}

/**
 * The policy of a file, or the live one with the attestor required by its default rule. UNDECIDED where the live policy
 * cannot be understood, CHANGED_MEANWHILE where the file was exported before somebody else's change.
 */
export function decidePolicy(desired: Desired, found: PolicyDocument): Decision<PolicyWrite> {
  const live = understood(desired, found);
  const target = desired.policy ? fromFile(desired, desired.policy, found) : requiring(desired, live, found);
  if (isSame(found, target))
    return {
      action: 'none',
      summary: `the policy is as wanted: ${describeRule(live.defaultAdmissionRule)}`,
      warnings: warningsOf(desired, live),
    };
  const after = understood(desired, target);
  const { changes, weakenings: known } = comparePolicies(live, after);
  const weakenings = [...known, ...unknownWeakenings(found, target)];
  const refusal = weakenings.length > 0 && !desired.allowWeakening ? refused(desired, weakenings) : undefined;
  return {
    action: live.isNeverSet ? 'create' : 'update',
    summary: desired.policy
      ? `replace the policy with that of ${desired.policy.file}`
      : `by default ${describeRule(after.defaultAdmissionRule)}`,
    details: [...changes, ...weakenings.map((weakening) => `weaker: ${weakening}`)],
    gcloud: commands.importPolicy(desired.project, target),
    write: { document: target, found },
    warnings: warningsOf(desired, after),
    ...(refusal === undefined ? {} : { refusal }),
  };
}

/** Whether two answers are the same policy in the same state. */
export function isUnchanged(planned: PolicyDocument, now: PolicyDocument): boolean {
  return planned['etag'] === now['etag'] && planned['updateTime'] === now['updateTime'] && isSame(planned, now);
}

/** Every attestor that a policy refers to: each must exist before the policy can be written. */
export function attestorsOf(policy: Policy): readonly AttestorName[] {
  const rules = [policy.defaultAdmissionRule, ...Object.values(policy.rules).flatMap((map) => Object.values(map))];
  return [...new Set(rules.flatMap((rule) => rule.requireAttestationsBy))];
}

function understood({ project }: Desired, document: PolicyDocument): Policy {
  const parsed = parsePolicy(document);
  if (parsed.policy) return parsed.policy;
  const resource = `projects/${project}/policy`;
  throw new BinauthzError('UNDECIDED', `cannot tell what a change of ${resource} would do: ${parsed.problems.join('; ')}`, {
    resource,
    hint: `look at it: gcloud container binauthz policy export --project=${project}`,
  });
}

// The file's own etag, as exported, guards what its author saw; without one, what is seen now is guarded.
function fromFile({ project }: Desired, { document, file }: DesiredPolicy, found: PolicyDocument): PolicyDocument {
  const { etag } = document;
  if (typeof etag === 'string' && etag !== '' && etag !== found['etag'] && !isSame(found, document)) {
    throw new BinauthzError(
      'CHANGED_MEANWHILE',
      `cannot replace projects/${project}/policy: ${file} was exported before its last change (expected etag ${etag}, got ${text(found['etag'])})`,
      {
        resource: `projects/${project}/policy`,
        hint: `export it again and repeat your change (gcloud container binauthz policy export --project=${project}), or take the etag out of the file to replace what is there`,
      },
    );
  }
  return withEtag({ ...without(document, ['etag', 'updateTime']), name: `projects/${project}/policy` }, found);
}

// Everything of the live policy stays, the default rule's other attestors included.
function requiring({ attestor, dryRunRollout }: Desired, live: Policy, found: PolicyDocument): PolicyDocument {
  const { evaluationMode, requireAttestationsBy } = live.defaultAdmissionRule;
  const mode: AdmissionRule['enforcementMode'] = dryRunRollout ? 'DRYRUN_AUDIT_LOG_ONLY' : 'ENFORCED_BLOCK_AND_AUDIT_LOG';
  const others = evaluationMode === 'REQUIRE_ATTESTATION' ? requireAttestationsBy : [];
  const rule: AdmissionRule = {
    evaluationMode: 'REQUIRE_ATTESTATION',
    enforcementMode: mode,
    requireAttestationsBy: [...new Set([...others, attestor])],
  };
  return { ...without(found, ['updateTime']), defaultAdmissionRule: { ...objectOf(found['defaultAdmissionRule']), ...rule } };
}

/** What is rarely meant of the policy as it will be. Without a file the default rule alone is changed, and others decide without the attestor. */
function warningsOf({ attestor, policy: file }: Desired, policy: Policy): readonly string[] {
  const rules = file
    ? []
    : RULE_MAPS.flatMap((map) => Object.entries(policy.rules[map]).map(([key, rule]) => [`${map}[${key}]`, rule] as const));
  const others = rules.filter(
    ([, rule]) => rule.evaluationMode === 'REQUIRE_ATTESTATION' && !rule.requireAttestationsBy.includes(attestor),
  );
  return [
    ...policyWarnings({ ...policy, isNeverSet: false }),
    ...others.map(([name, rule]) => `${name} does not ask ${attestor}, and stays so: ${describeRule(rule)}; to change it give --policy`),
  ];
}

/** What the policy holds that is not understood here, and would be another or gone: nobody can say that this opens nothing. */
function unknownWeakenings(found: PolicyDocument, target: PolicyDocument): readonly string[] {
  const [before, after] = [unknownMembers(found), unknownMembers(target)];
  const changed = [...before].filter(([name, value]) => after.get(name) !== value);
  return changed.map(([name]) => `${name} is not understood here, and would be ${after.has(name) ? 'changed' : 'gone'}`);
}

function unknownMembers(document: PolicyDocument): ReadonlyMap<string, string> {
  const rules = RULE_MAPS.flatMap((map) =>
    Object.entries(objectOf(document[map])).map(([key, rule]) => [`${map}[${key}].`, rule] as const),
  );
  const parts = [['defaultAdmissionRule.', document['defaultAdmissionRule']] as const, ...rules];
  return new Map([
    ...unknownIn(document, '', POLICY_MEMBERS),
    ...parts.flatMap(([prefix, rule]) => unknownIn(objectOf(rule), prefix, RULE_MEMBERS)),
  ]);
}

function unknownIn(part: object, prefix: string, known: ReadonlySet<string>): readonly (readonly [string, string])[] {
  return Object.entries(part)
    .filter(([name, value]) => !known.has(name) && !isEmpty(value))
    .map(([name, value]) => [`${prefix}${name}`, JSON.stringify(sorted(value))]);
}

function objectOf(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {};
}

function withEtag(document: PolicyDocument, { etag }: PolicyDocument): PolicyDocument {
  return etag === undefined ? document : { ...document, etag };
}

function refused({ project }: Desired, weakenings: readonly string[]): BinauthzError {
  const resource = `projects/${project}/policy`;
  return new BinauthzError('POLICY_WEAKENED', `refusing to change ${resource}: it would admit what is denied now: ${listed(weakenings)}`, {
    resource,
    hint: 'leave that change out, or give --allow-weakening where it is meant; nothing was changed',
  });
}

/** Without what the API fills in, and without what means the same left out. */
function isSame(one: PolicyDocument, other: PolicyDocument): boolean {
  return JSON.stringify(meaningOf(one)) === JSON.stringify(meaningOf(other));
}

function meaningOf(document: PolicyDocument): unknown {
  return sorted(without(document, ['name', 'etag', 'updateTime']));
}

function without(document: PolicyDocument, names: readonly string[]): PolicyDocument {
  return Object.fromEntries(Object.entries(document).filter(([name]) => !names.includes(name)));
}

// Neither the order of members nor that of lists means anything in a policy; an empty value and one left out are the same.
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return [...new Set(value.map((entry) => JSON.stringify(sorted(entry))))].sort();
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([name, entry]) => [name, sorted(entry)] as const);
  return Object.fromEntries(entries.filter(([, entry]) => !isEmpty(entry)).sort(([one], [two]) => (one < two ? -1 : 1)));
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === 'GLOBAL_POLICY_EVALUATION_MODE_UNSPECIFIED') return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

// Policies may have hundreds of rules; a message is one line, and the plan has all of it.
function listed(sentences: readonly string[]): string {
  const more = sentences.length > MOST_LISTED ? `; and ${sentences.length - MOST_LISTED} more` : '';
  return `${sentences.slice(0, MOST_LISTED).join('; ')}${more}`;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : 'none';
}
