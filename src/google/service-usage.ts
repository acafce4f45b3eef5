// SPDX-License-Identifier: Apache-2.0
// Service Usage's REST API: which of Google's APIs a project has switched on, and the accounts as which they act.
import { BinauthzError } from '../core/errors.js';
import type { ProjectId } from '../core/names.js';
import { backoff, type Pace } from '../core/retry.js';
import type { ServiceSwitches } from '../ports/provisioning.js';
import type { Google } from './clients.js';
import type { Call } from './errors.js';
import { member } from './json.js';
import { pathOf } from './rest.js';

/** How long a switched service or a new account is waited for; Google finishes within seconds, seldom a minute. */
const PATIENCE_MS = 180_000;
const BILLING = 'a project needs a billing account for some APIs, and an organization may forbid others: see the message, then run again';

/** Service Usage through REST. */
export function createServiceSwitches(google: Google, pace: Pace): ServiceSwitches {
  return {
    switchedOff: (project, services) => switchedOff(google, project, services),
    switchOn: (project, services) => switchOn(google, pace, { project, services }),
    makeAgent: (project, service) => makeAgent(google, pace, { project, service }),
  };
}

async function switchedOff(google: Google, project: ProjectId, services: readonly string[]): Promise<readonly string[]> {
  const call = callOn(project, 'cannot read which APIs are on in', {
    permission: 'serviceusage.services.get',
    role: 'roles/serviceusage.serviceUsageViewer',
  });
  const query = new URLSearchParams(services.map((service): [string, string] => ['names', `projects/${project}/services/${service}`]));
  const reply = await google.call.repeat(call, () =>
    google.rest('serviceusage').request('GET', `v1/${pathOf(`projects/${project}`)}/services:batchGet?${query}`),
  );
  const found = member(reply, 'services');
  const on = new Set(
    (Array.isArray(found) ? found : []).flatMap((service: unknown) => (member(service, 'state') === 'ENABLED' ? [nameOf(service)] : [])),
  );
  return services.filter((service) => !on.has(service));
}

async function switchOn(
  google: Google,
  pace: Pace,
  { project, services }: { readonly project: ProjectId; readonly services: readonly string[] },
): Promise<void> {
  const call = callToChange(project, 'cannot switch APIs on in');
  const path = `v1/${pathOf(`projects/${project}`)}/services:batchEnable`;
  const operation = await google.call.repeat(call, () => google.rest('serviceusage').request('POST', path, { serviceIds: services }));
  await finished(google, pace, call, operation);
}

async function makeAgent(
  google: Google,
  pace: Pace,
  { project, service }: { readonly project: ProjectId; readonly service: string },
): Promise<void> {
  const call = callToChange(project, `cannot have the account made as which ${service} acts in`);
  const path = `v1beta1/${pathOf(`projects/${project}/services/${service}`)}:generateServiceIdentity`;
  await finished(google, pace, call, await google.call.repeat(call, () => google.rest('serviceusage').request('POST', path, {})));
}

async function finished(google: Google, pace: Pace, call: Call, started: unknown): Promise<void> {
  const deadline = pace.now() + PATIENCE_MS;
  let operation = started;
  for (let attempt = 1; member(operation, 'done') !== true; attempt++) {
    const name = member(operation, 'name');
    if (typeof name !== 'string' || pace.now() > deadline)
      throw new BinauthzError('UNAVAILABLE', `${call.what} ${call.resource}: the operation did not end in time`, {
        resource: call.resource,
      });
    await pace.sleep(backoff(attempt, pace.random(), { firstMs: 500, longestMs: 5_000 }));
    operation = await google.call.repeat(call, () => google.rest('serviceusage').request('GET', `v1/${pathOf(name)}`));
  }
  const failure = member(operation, 'error');
  if (failure === undefined || failure === null) return;
  const code = isLasting(member(failure, 'code')) ? 'CHANGE_REFUSED' : 'UNAVAILABLE';
  throw new BinauthzError(code, `${call.what} ${call.resource}: ${String(member(failure, 'message') ?? 'it failed')}`, {
    resource: call.resource,
    hint: BILLING,
  });
}

// An operation fails with the codes of gRPC: INVALID_ARGUMENT, PERMISSION_DENIED and FAILED_PRECONDITION stay what they are.
function isLasting(code: unknown): boolean {
  return code === 3 || code === 7 || code === 9;
}

function callToChange(project: ProjectId, what: string): Call {
  const need = { permission: 'serviceusage.services.enable', role: 'roles/serviceusage.serviceUsageAdmin' };
  return {
    ...callOn(project, what, need),
    refused: 'CHANGE_REFUSED',
    hint: (code) => (code === 'CHANGE_REFUSED' ? BILLING : undefined),
  };
}

function callOn(project: ProjectId, what: string, need: { readonly permission: string; readonly role: string }): Call {
  const resource = `projects/${project}`;
  return { what, resource, needs: [{ ...need, on: resource }], notFound: 'PROJECT_NOT_FOUND' };
}

// `projects/NUMBER/services/SERVICE`
function nameOf(service: unknown): string {
  const name = member(service, 'name');
  return typeof name === 'string' ? name.slice(name.lastIndexOf('/') + 1) : '';
}
