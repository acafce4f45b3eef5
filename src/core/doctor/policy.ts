// SPDX-License-Identifier: Apache-2.0
// The project's policy: whether it asks for the attestors at all, and what of it is rarely meant.
import { placeOf } from '../deployment/place.js';
import type { BinauthzError } from '../errors.js';
import type { AttestorName } from '../names.js';
import { fixedPart } from '../policy/allowlist.js';
import { filledMaps, type Policy } from '../policy/policy.js';
import { shellLine } from '../provisioning/gcloud.js';
import { chooseRule, type Choice, type ChosenRule } from '../policy/rules.js';
import { advised, isForbidden, refused, ungranted, unread } from './access.js';
import { clusterOf, type DoctorFacts, type Question, type TestedResource } from './facts.js';
import type { Finding } from './findings.js';
import {
  change,
  enforceRule,
  forgetAttestor,
  keepOnly,
  moveRule,
  replacePattern,
  replaceRule,
  requireAttestor,
  USE_SYSTEM_POLICY,
} from './policy-edits.js';

const BLOCK = 'ENFORCED_BLOCK_AND_AUDIT_LOG';

/** A policy in its question, and how to say something about it. */
interface Matter {
  readonly policy: Policy;
  readonly question: Question;
  readonly resource: string;
}

/** What is wrong with the policy, or dubious about it. */
export function judgePolicy({ question, policy, attestors, others, tested }: DoctorFacts): readonly Finding[] {
  if (!policy.ok) {
    const findings = judgeUnread(
      policy.error,
      tested.filter(({ resource }) => resource.endsWith('/policy')),
      question,
    );
    // Attest goes on without the policy.
    return question.eyes === 'attest' ? findings.map(advised) : findings;
  }
  const matter = { policy: policy.value, question, resource: `projects/${question.project}/policy` };
  const missing = [...attestors, ...others].flatMap(({ name, attestor }) =>
    !attestor.ok && attestor.error.code === 'ATTESTOR_NOT_FOUND' ? [name] : [],
  );
  return [...judgeWhole(matter), ...judgeRules(matter), ...judgeMissing(matter, missing), ...judgePatterns(matter)];
}

function judgeUnread(error: BinauthzError, tested: readonly TestedResource[], question: Question): readonly Finding[] {
  const { project } = question;
  const what = `the policy of ${project}`;
  const look = shellLine(['gcloud', 'container', 'binauthz', 'policy', 'export', `--project=${project}`]);
  // It was read, and is not understood: which is for a person to look at.
  if (error.code === 'UNDECIDED') return [{ ...unread(error, what, question), fix: look }];
  const isKnown = tested.some(({ missing }) => missing.ok);
  if (isKnown || !isForbidden(error)) return refused(error, what, tested, question);
  return [ungranted(error, what, { resource: `projects/${project}/policy`, permission: 'binaryauthorization.policy.get' }, question)];
}

/** Where the images run. */
export type Whereabouts = Pick<Question, 'platform' | 'target' | 'namespace' | 'serviceAccount'>;

/** The rules that may decide: several where no cluster was named, and none may be chosen among several kinds. */
export function choiceOf(question: Whereabouts, policy: Policy): Choice | undefined {
  if (filledMaps(policy).length > 1) return undefined;
  return chooseRule(policy, { image: '', platform: question.platform }, placeOf({}, question), clusterOf(question.target)?.key);
}

function judgeWhole({ policy, question, resource }: Matter): readonly Finding[] {
  const maps = filledMaps(policy);
  const [kept, ...dropped] = maps;
  const conflict: readonly Finding[] =
    kept === undefined || dropped.length === 0
      ? []
      : [
          {
            code: 'POLICY_RULE_MAPS_CONFLICT',
            resource,
            message: `the policy has ${maps.join(' and ')}: only one kind may hold rules, and what the enforcer does with more is not published; the command keeps ${kept} and drops ${dropped.join(', ')}`,
            fix: change(question.project, keepOnly(kept)),
          },
        ];
  if (question.platform !== 'gke' || policy.usesSystemPolicy) return conflict;
  const state = policy.namesSystemPolicy ? 'is DISABLE' : 'is not set, which means DISABLE';
  return [
    ...conflict,
    {
      code: 'SYSTEM_POLICY_OFF',
      resource,
      message: `globalPolicyEvaluationMode ${state}: images that Google’s own components run on a cluster are not exempt, and a cluster may start and then lose its system Pods`,
      fix: change(question.project, USE_SYSTEM_POLICY),
    },
  ];
}

function judgeRules(matter: Matter): readonly Finding[] {
  const { policy, question, resource } = matter;
  const choice = choiceOf(question, policy);
  if (!choice) return [];
  const moved = choice.warnings.flatMap((message): readonly Finding[] => {
    const from = /^the policy has a rule for (\S+),/.exec(message)?.[1];
    const cluster = clusterOf(question.target);
    if (from === undefined || !cluster) return [];
    return [
      {
        code: 'POLICY_KEY_SIMILAR',
        resource,
        message,
        fix: change(question.project, moveRule(from, cluster.key)),
      },
    ];
  });
  return [...moved, ...choice.rules.flatMap((chosen) => judgeRule(chosen, matter))];
}

function judgeRule(chosen: ChosenRule, matter: Matter): readonly Finding[] {
  const { policy, question, resource } = matter;
  const { rule, name } = chosen;
  const { attestors } = question;
  const requiring = (names: readonly AttestorName[]): string =>
    change(
      question.project,
      replaceRule(chosen, {
        evaluationMode: names.length > 0 ? 'REQUIRE_ATTESTATION' : 'ALWAYS_DENY',
        enforcementMode: BLOCK,
        requireAttestationsBy: names,
      }),
    );
  const base = { resource };
  if (rule.evaluationMode === 'ALWAYS_ALLOW') {
    const isNever = policy.isNeverSet && chosen.map === undefined;
    const message = isNever
      ? 'no policy was ever set: every image is admitted, attested or not'
      : `${name} admits every image, attested or not (ALWAYS_ALLOW)`;
    return [{ ...base, code: isNever ? 'POLICY_NEVER_SET' : 'POLICY_ALLOWS_ALL', message, fix: requiring(attestors) }];
  }
  if (rule.evaluationMode === 'ALWAYS_DENY') {
    const message = `${name} denies every image, attested or not (ALWAYS_DENY)`;
    if (attestors.length > 0) return [{ ...base, code: 'POLICY_DENIES_ALL', message, fix: requiring(attestors) }];
    const ask = shellLine(['binauthz', 'doctor', '--project', question.project, '--attestor', 'ATTESTOR']);
    const more = 'name the attestor that is to decide instead, and the command that has the rule require it is printed';
    return [{ ...base, code: 'POLICY_DENIES_ALL', message: `${message}; ${more}`, fix: ask }];
  }
  const unasked = attestors.filter((attestor) => !rule.requireAttestationsBy.includes(attestor));
  return [
    ...dryRun(chosen, matter),
    ...unasked.map((attestor): Finding => ({
      ...base,
      code: 'POLICY_WITHOUT_ATTESTOR',
      message: `${name} does not require ${attestor}, only ${rule.requireAttestationsBy.join(', ')}: its attestations decide nothing there`,
      fix: change(question.project, requireAttestor(chosen, attestor)),
    })),
  ];
}

function dryRun(chosen: ChosenRule, { question, resource }: Matter): readonly Finding[] {
  const { rule, name } = chosen;
  if (rule.enforcementMode !== 'DRYRUN_AUDIT_LOG_ONLY') return [];
  return [
    {
      code: 'POLICY_DRY_RUN',
      resource,
      message: `${name} only logs what it would deny (DRYRUN_AUDIT_LOG_ONLY): it blocks nothing`,
      fix: change(question.project, enforceRule(chosen, BLOCK)),
    },
  ];
}

function judgeMissing({ policy, question, resource }: Matter, missing: readonly AttestorName[]): readonly Finding[] {
  const rules = [policy.defaultAdmissionRule, ...Object.values(policy.rules).flatMap((map) => Object.values(map))];
  const named = new Set(rules.flatMap(({ requireAttestationsBy }) => requireAttestationsBy));
  const instead = question.attestors.find((name) => !missing.includes(name));
  return [...new Set(missing)]
    .filter((name) => named.has(name))
    .map((name) => ({
      code: 'POLICY_ATTESTOR_MISSING',
      resource,
      message: `the policy requires ${name}, which does not exist: what the enforcer does then is not published; make it again, or take it out as the command does`,
      fix: change(question.project, forgetAttestor(name, instead)),
    }));
}

// A wildcard is a bare prefix (docs policy-yaml-reference, Caution); and what ends behind the registry is everybody's.
function judgePatterns({ policy, question, resource }: Matter): readonly Finding[] {
  const patterns = policy.admissionWhitelistPatterns;
  return patterns.flatMap((pattern): readonly Finding[] => {
    const fixed = fixedPart(pattern);
    if (fixed === pattern) return [];
    const isWholeRegistry = /^[^/]+\/$/.test(fixed);
    if (!isWholeRegistry && /[/:@]$/.test(fixed)) return [];
    const message = isWholeRegistry
      ? `the pattern ${pattern} exempts every image of the registry, whoever pushed it; the command takes it out`
      : `the pattern ${pattern} also exempts every name that goes on after "${fixed}", such as ${fixed}-other/image of somebody else; the command closes it with a slash`;
    const fix = change(question.project, replacePattern(pattern, isWholeRegistry ? undefined : `${fixed}/**`));
    return [{ code: 'ALLOWLIST_TOO_BROAD', resource, message, fix }];
  });
}
