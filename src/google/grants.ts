// SPDX-License-Identifier: Apache-2.0
import { grantRoles } from '../core/provisioning/commands.js';
import type { Need } from './failures.js';

const MEMBER = 'MEMBER';
const WHO = '(MEMBER is the identity of this run, e.g. serviceAccount:EMAIL or principalSet://…)';

/** The command that grants a missing permission on the kind of resource that it is checked on. */
export function grantHint(need: Need): string {
  const command = grantCommand(need.on, need.role);
  return `grant ${need.role} on ${need.on}: ${command} ${WHO}`;
}

/** The gcloud command that switches an API on. */
export function enableHint(service: string, project: string): string {
  return `switch the API on, then wait a minute: gcloud services enable ${service} --project=${project}`;
}

function grantCommand(name: string, role: string): string {
  if (/^projects\/[^/]+\/notes\/[^/]+$/.test(name)) return grantOnNote(name, role);
  return grantRoles(name, [{ role, member: MEMBER }]);
}

// gcloud has no command for IAM on notes. Writing without reading first would drop everybody else's bindings.
function grantOnNote(note: string, role: string): string {
  const url = `https://containeranalysis.googleapis.com/v1/${note}`;
  return (
    `gcloud has no command for notes; use Terraform's google_container_analysis_note_iam_member, or read the policy with ` +
    `curl -X POST -H "Authorization: Bearer $(gcloud auth print-access-token)" ${url}:getIamPolicy, add {"role":"${role}","members":["${MEMBER}"]} to its bindings, ` +
    `and send {"policy":…} with its etag to ${url}:setIamPolicy`
  );
}
