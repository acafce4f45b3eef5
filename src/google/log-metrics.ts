// SPDX-License-Identifier: Apache-2.0
// Cloud Logging's log-based metrics through its REST API.
import { idOf } from '../core/names.js';
import type { NewLogMetric } from '../core/provisioning/desired.js';
import type { Provisioner } from '../ports/provisioning.js';
import type { Google } from './clients.js';
import type { Call } from './errors.js';
import { foundOrNot, madeOrThere } from './made.js';
import { pathOf } from './rest.js';

/** Log-based metrics through REST, by `projects/P/metrics/M`. */
export function createLogMetrics(google: Google): Provisioner<string, NewLogMetric, NewLogMetric> {
  return { read: (name) => readMetric(google, name), write: (name, metric) => createMetric(google, name, metric) };
}

async function readMetric(google: Google, name: string): Promise<NewLogMetric | undefined> {
  const call = callOn(name, 'cannot read the log-based metric', { permission: 'logging.logMetrics.get', role: 'roles/logging.viewer' });
  const request = (): Promise<unknown> => google.rest('logging').request('GET', `v2/${pathOf(name)}`);
  const reply = await foundOrNot('NOT_FOUND', google.call.repeat(call, request));
  if (typeof reply !== 'object' || reply === null) return undefined;
  const { description, filter } = reply as Record<string, unknown>;
  return { description: typeof description === 'string' ? description : '', filter: typeof filter === 'string' ? filter : '' };
}

function createMetric(google: Google, name: string, metric: NewLogMetric): Promise<void> {
  const need = { permission: 'logging.logMetrics.create', role: 'roles/logging.configWriter' };
  const what = 'cannot make the log-based metric';
  const call: Call = { ...callOn(name, what, need), refused: 'CHANGE_REFUSED', conflict: 'RESOURCE_MISMATCH' };
  const path = `v2/${pathOf(name.replace(/\/[^/]+$/, ''))}`;
  return madeOrThere(google.call.repeat(call, () => google.rest('logging').request('POST', path, { name: idOf(name), ...metric })));
}

function callOn(resource: string, what: string, need: { readonly permission: string; readonly role: string }): Call {
  return { what, resource, needs: [{ ...need, on: resource.split('/').slice(0, 2).join('/') }], notFound: 'NOT_FOUND' };
}
