// SPDX-License-Identifier: Apache-2.0
// May the identity of this run do what it must, and are the APIs on; and what to make of a read that failed.
import type { BinauthzError } from '../errors.js';
import type { ProjectId } from '../names.js';
import { enableServices } from '../provisioning/commands.js';
import { askAgain, grant, MEMBER } from './commands.js';
import type { DoctorFacts, Question, TestedResource } from './facts.js';
import type { Finding } from './findings.js';
import { needOf, type Need } from './needs.js';
import { apiOf } from './target-kinds.js';

/** APIs that are off where they are called. */
export function judgeServices({ services, question }: DoctorFacts): readonly Finding[] {
  // A place whose API is off cannot be read, and is taken for one that asks the policy.
  const ofTarget = question.target && apiOf(question.target);
  return services.flatMap(({ project, off }) =>
    (off.ok ? off.value : []).map((service) => (service === ofTarget ? advised(disabled(service, project)) : disabled(service, project))),
  );
}

/** Permissions that the identity of this run lacks, one finding for each role on each resource. */
export function judgePermissions({ question, tested, attestors, keys, target }: DoctorFacts): readonly Finding[] {
  const all = [
    ...tested,
    ...attestors.flatMap((attestor) => attestor.tested),
    ...keys.flatMap(({ kms }) => (kms ? [kms.tested] : [])),
    ...(target?.tested ? [target.tested] : []),
  ];
  return all.flatMap((resource) => lacking(resource, question));
}

// What attest and check read, doctor reads as well, so that a test which fails is no loss. But it signs nothing, attaches nothing
// and stores nothing: whether that may be done on a key, a note or a project, the test alone tells.
const ONLY_TESTED = /\/cryptoKeys\/|\/notes\/|^projects\/[^/]+$/;

function lacking({ resource, missing }: TestedResource, question: Question): readonly Finding[] {
  if (!missing.ok) {
    const finding = unread(missing.error, `which permissions there are on ${resource}`, question);
    return [question.eyes === 'attest' && ONLY_TESTED.test(resource) ? finding : advised(finding)];
  }
  const needs = missing.value.flatMap((permission) => needOf(permission) ?? []);
  const roles = [...new Set(needs.map(({ role }) => role))];
  return roles.map((role) =>
    missingRole(
      resource,
      role,
      needs.filter((need) => need.role === role),
      question,
    ),
  );
}

/** A finding that is worth a warning only. */
export function advised(finding: Finding): Finding {
  return finding.code === 'NOT_SIGNED_IN' ? finding : { ...finding, error: 'none' };
}

/**
 * A read that was refused: told already by a permission that is known to be missing on the resource, or else, because it may
 * be a deny rule or a perimeter, a finding of its own.
 */
export function refused(error: BinauthzError, what: string, tested: readonly TestedResource[], question: Question): readonly Finding[] {
  const isTold = tested.some(
    ({ resource, missing }) =>
      missing.ok && missing.value.some(isNeeded) && (error.resource === resource || error.resource?.startsWith(`${resource}/`)),
  );
  return isForbidden(error) && isTold ? [] : [unread(error, what, question)];
}

/** Whether a read was refused for want of a permission, or of what looks like one. */
export function isForbidden(error: BinauthzError): boolean {
  return error.code === 'PERMISSION_DENIED' && error.disabledApi === undefined;
}

/** What was refused where nothing tells whether the permission is there: the repair is that of one that is missing. */
export function ungranted(error: BinauthzError, what: string, { resource, permission }: Wanted, question: Question): Finding {
  const finding = unread(error, what, question);
  const need = needOf(permission);
  if (!need) return finding;
  const message = `${what} could not be checked: ${error.message}; the role ${need.role} carries ${permission}${whoIsMeant(question.signer)}`;
  return { ...finding, resource, message, fix: grant(resource, need.role, question.signer) };
}

/** A permission on a resource. */
interface Wanted {
  readonly resource: string;
  readonly permission: string;
}

// Without a permission that is only advised, less is checked, and nothing is refused.
function isNeeded(permission: string): boolean {
  const need = needOf(permission);
  return need !== undefined && need.isAdvice !== true;
}

function missingRole(resource: string, role: string, needs: readonly Need[], { signer }: Question): Finding {
  const isAdvice = needs.every((need) => need.isAdvice);
  const what = needs.map(({ permission, why }) => `${permission} (${why})`).join(' and ');
  return {
    code: isAdvice ? 'PERMISSION_ADVISED' : 'PERMISSION_MISSING',
    resource,
    message: `the identity of this run lacks ${what} on ${resource}; the role ${role} carries it${whoIsMeant(signer)}`,
    fix: grant(resource, role, signer),
  };
}

function whoIsMeant(signer: string | undefined): string {
  return signer === undefined ? `; ${MEMBER} in the command is that identity: name it with --signer to have it filled in` : '';
}

/** What an error says, and what it advises: for a person to read, and no command to be run as it stands. */
export function withHint({ message, hint }: BinauthzError, more = ''): string {
  return `${message}${more}${hint === undefined ? '' : ` (${hint})`}`;
}

/** What could not be read: for want of an API, of credentials, or of an answer. What lacks a permission is told by the permissions. */
export function unread(error: BinauthzError, what: string, question: Question): Finding {
  const resource = error.resource ?? what;
  if (error.disabledApi !== undefined) return disabled(error.disabledApi, projectOfResource(resource));
  if (error.code === 'UNAUTHENTICATED') {
    return {
      code: 'NOT_SIGNED_IN',
      resource: 'the Google credentials',
      message: `Google takes no credentials of this run: ${withHint(error)}`,
      fix: 'gcloud auth application-default login',
    };
  }
  return {
    code: 'NOT_CHECKED',
    resource,
    message: `${what} could not be checked: ${withHint(error)}`,
    fix: askAgain(question),
    error: error.code,
  };
}

function disabled(service: string, project: string): Finding {
  return {
    code: 'API_DISABLED',
    resource: `projects/${project}/services/${service}`,
    message: `the API ${service} is switched off in ${project}, so every call of it there is refused`,
    fix: enableServices(project as ProjectId, [service]),
  };
}

function projectOfResource(resource: string): string {
  return /projects\/([^/]+)/.exec(resource)?.[1] ?? 'PROJECT';
}
