// SPDX-License-Identifier: Apache-2.0
// Google's own accounts: nobody grants their roles by themselves, and no check from CI runs as one of them.
import type { ReadIamPolicy } from './facts.js';

/** Whether an account holds one of the roles, by the IAM policies of a resource and of what is above it. */
export type Access = 'granted' | 'missing' | 'unknown';

/** Roles that let an attestor's account list the attestations of a note. */
export const NOTE_READERS: ReadonlySet<string> = new Set([
  'roles/containeranalysis.notes.occurrences.viewer',
  'roles/containeranalysis.admin',
  'roles/binaryauthorization.serviceAgent',
  ...['roles/viewer', 'roles/editor', 'roles/owner'],
]);

/** Roles that let a project's account verify with an attestor. */
export const VERIFIERS: ReadonlySet<string> = new Set([
  'roles/binaryauthorization.attestorsVerifier',
  'roles/binaryauthorization.attestorsEditor',
  'roles/binaryauthorization.attestorsAdmin',
  'roles/binaryauthorization.serviceAgent',
  ...['roles/editor', 'roles/owner'],
]);

/**
 * What IAM policies say about a member. A role of somebody's own making, a condition and a group may grant it or not:
 * that is unknown here, and so is what could not be read, and what folders and organizations grant is never seen.
 */
export function accessOf(member: string, roles: ReadonlySet<string>, policies: readonly ReadIamPolicy[]): Access {
  let isOpen = policies.some(({ policy }) => !policy.ok);
  for (const binding of policies.flatMap(({ policy }) => (policy.ok ? (policy.value?.bindings ?? []) : []))) {
    const certainty = holds(binding.members, member);
    if (certainty === 'no') continue;
    const isCertain = certainty === 'yes' && binding.condition === undefined;
    if (roles.has(binding.role) && isCertain) return 'granted';
    if (roles.has(binding.role) || !binding.role.startsWith('roles/')) isOpen = true;
  }
  return isOpen ? 'unknown' : 'missing';
}

function holds(members: readonly string[], member: string): 'yes' | 'no' | 'perhaps' {
  const wanted = member.toLowerCase();
  if (members.some((other) => other.toLowerCase() === wanted || other === 'allUsers' || other === 'allAuthenticatedUsers')) return 'yes';
  return members.some((other) => /^(?:group|principalSet):/.test(other)) ? 'perhaps' : 'no';
}
