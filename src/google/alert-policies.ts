// SPDX-License-Identifier: Apache-2.0
// Cloud Monitoring's alert policies through its REST API.
import type { ProjectId } from '../core/names.js';
import type { NewAlertPolicy } from '../core/provisioning/desired.js';
import type { AlertWrite, FoundAlert } from '../core/provisioning/monitoring.js';
import type { AlertPolicies } from '../ports/provisioning.js';
import type { Google } from './clients.js';
import type { Call } from './errors.js';
import { list, member } from './json.js';
import { pathOf } from './rest.js';

/** Alert policies through REST. */
export function createAlertPolicies(google: Google): AlertPolicies {
  return {
    read: (project, displayName) => readAlert(google, project, displayName),
    write: (project, write) => (write.kind === 'create' ? createAlert(google, project, write.alert) : addChannels(google, write)),
    requireChannel: (name) => requireChannel(google, name),
  };
}

async function readAlert(google: Google, project: ProjectId, displayName: string): Promise<FoundAlert | undefined> {
  const resource = `projects/${project}`;
  const need = { permission: 'monitoring.alertPolicies.list', role: 'roles/monitoring.viewer' };
  return google.call.repeat(callOn(resource, 'cannot list the alert policies of', need), () => findAlert(google, resource, displayName));
}

async function findAlert(google: Google, project: string, displayName: string): Promise<FoundAlert | undefined> {
  const query = new URLSearchParams({ filter: `display_name="${displayName}"` });
  const reply = await google.rest('monitoring').request('GET', `v3/${pathOf(project)}/alertPolicies?${query}`);
  // The filter is the service's to apply. Names are not unique: of several, any one tells.
  const found = list(member(reply, 'alertPolicies')).find((policy) => member(policy, 'displayName') === displayName);
  const name = member(found, 'name');
  if (typeof name !== 'string') return undefined;
  return {
    name,
    channels: list(member(found, 'notificationChannels')).map(String),
    // Left out, it is on.
    isOn: member(found, 'enabled') !== false,
    filters: list(member(found, 'conditions')).flatMap((condition) => {
      const filter = member(member(condition, 'conditionThreshold'), 'filter');
      return typeof filter === 'string' ? [filter] : [];
    }),
  };
}

async function createAlert(google: Google, project: ProjectId, { displayName, document }: NewAlertPolicy): Promise<void> {
  const resource = `projects/${project}`;
  const need = { permission: 'monitoring.alertPolicies.create', role: 'roles/monitoring.alertPolicyEditor' };
  let attempts = 0;
  await google.call.repeat(callOn(resource, `cannot make the alert policy "${displayName}" in`, need), async () => {
    // Names are no keys: a second request would make a second policy where only the answer to the first was lost.
    attempts += 1;
    if (attempts > 1 && (await findAlert(google, resource, displayName)) !== undefined) return;
    await google.rest('monitoring').request('POST', `v3/${pathOf(resource)}/alertPolicies`, document);
  });
}

async function addChannels(google: Google, { name, channels }: Extract<AlertWrite, { kind: 'channels' }>): Promise<void> {
  const need = { permission: 'monitoring.alertPolicies.update', role: 'roles/monitoring.alertPolicyEditor' };
  const call = callOn(name, 'cannot change the alert policy', need);
  const path = `v3/${pathOf(name)}?${new URLSearchParams({ updateMask: 'notificationChannels' })}`;
  await google.call.repeat(call, () => google.rest('monitoring').request('PATCH', path, { notificationChannels: channels }));
}

async function requireChannel(google: Google, name: string): Promise<void> {
  const need = { permission: 'monitoring.notificationChannels.get', role: 'roles/monitoring.notificationChannelViewer' };
  const call: Call = {
    ...callOn(name, 'cannot read the notification channel', need),
    hint: (code) => (code === 'NOT_FOUND' ? 'list what is there: gcloud beta monitoring channels list' : undefined),
  };
  await google.call.repeat(call, () => google.rest('monitoring').request('GET', `v3/${pathOf(name)}`));
}

function callOn(resource: string, what: string, need: { readonly permission: string; readonly role: string }): Call {
  const on = resource.split('/').slice(0, 2).join('/');
  return { what, resource, needs: [{ ...need, on }], notFound: 'NOT_FOUND', refused: 'CHANGE_REFUSED' };
}
