// SPDX-License-Identifier: Apache-2.0
// Where images would run: whether the policy is asked there at all.
import type { TargetRef } from '../deployment/target.js';
import type { BinauthzError } from '../errors.js';
import type { ProjectId } from '../names.js';
import { ruleOf } from '../policy/policy.js';
import { advised, unread } from './access.js';
import type { DoctorFacts, Question, TargetFacts, TargetState } from './facts.js';
import type { Finding } from './findings.js';
import { enforce, listTargets, nounOf, resourceOf, TARGET_KINDS } from './target-kinds.js';

/** What is wrong with the place that was named. */
export function judgeTarget(facts: DoctorFacts): readonly Finding[] {
  const { target, question } = facts;
  if (!target) return [];
  const { ref, state } = target;
  if (!state.ok) return isMissing(state.error) ? judgeMissing(ref, facts) : judgeUnread(target, state.error, question);
  return [...judgeEnforcement(ref, state.value, question.project), ...judgeBreakGlass(ref, state.value, question.project)];
}

/** What was taken for granted because the place could not be read. */
export function assumptionsOfTarget({ target }: DoctorFacts): readonly string[] {
  if (!target || target.state.ok || isMissing(target.state.error)) return [];
  return [`the ${nounOf(target.ref)} asks the policy: it could not be read`];
}

function judgeEnforcement(ref: TargetRef, { enforcement }: TargetState, project: ProjectId): readonly Finding[] {
  const { isEnforced, because } = enforcement;
  if (isEnforced === true) return [];
  const { open, undecided } = TARGET_KINDS[ref.kind];
  const base = { resource: resourceOf(project, ref), fix: enforce(project, ref) };
  if (isEnforced === undefined)
    return [{ ...base, ...undecided, message: `whether the ${nounOf(ref)} asks the project’s policy is not known: ${because}` }];
  return [{ ...base, code: open, message: `the ${nounOf(ref)} does not ask the policy (${because}): every image runs there` }];
}

// gcloud takes the justification away with whatever it changes; what runs already is not looked at again.
function judgeBreakGlass(ref: TargetRef, { cloudRun }: TargetState, project: ProjectId): readonly Finding[] {
  if (cloudRun?.breakGlass === undefined) return [];
  const message = `the ${nounOf(ref)} carries the break-glass justification "${cloudRun.breakGlass}": what is deployed there now went past the policy; the command takes the justification away, and the next deployment is judged again`;
  return [{ code: 'CLOUD_RUN_BREAK_GLASS', resource: resourceOf(project, ref), message, fix: enforce(project, ref) }];
}

// A place that cannot be read is taken for one that asks.
function judgeUnread({ ref, tested }: TargetFacts, error: BinauthzError, question: Question): readonly Finding[] {
  const isTold = error.disabledApi === undefined && tested?.missing.ok === true && tested.missing.value.length > 0;
  return isTold ? [] : [advised(unread(error, `the ${nounOf(ref)}`, question))];
}

function judgeMissing(ref: TargetRef, { question, policy }: DoctorFacts): readonly Finding[] {
  const { project } = question;
  const base = { code: TARGET_KINDS[ref.kind].missing, resource: resourceOf(project, ref), fix: listTargets(project, ref) };
  if (ref.kind !== 'cluster') {
    const message = `there is no ${nounOf(ref)} in ${project}: write REGION.NAME, which the command lists; one that is yet to be deployed opts in with --binary-authorization=default`;
    return [{ ...base, message }];
  }
  // Fleet and attached clusters are no GKE clusters, and have rules all the same.
  if (ref.location === 'global' || (policy.ok && ruleOf(policy.value, 'clusterAdmissionRules', ref.key))) return [];
  const message = `there is no cluster ${ref.key} in ${project}, and the policy has no rule of that key: write LOCATION.NAME with the cluster’s own zone or region, which the command lists`;
  return [{ ...base, message }];
}

function isMissing({ code }: BinauthzError): boolean {
  return code === 'NOT_FOUND' || code === 'PROJECT_NOT_FOUND';
}
