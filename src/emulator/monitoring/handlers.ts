// SPDX-License-Identifier: Apache-2.0
// Cloud Monitoring v3: alerting policies, the channels that they notify, and descriptors of log-based metrics. Nothing is
// measured, so nothing ever fires.
import { maskOf, merged } from '../field-mask.js';
import type { LogMetric } from '../logging/metrics.js';
import { jsonBody, param, route, type Call, type Route } from '../router.js';
import { ApiError, listMember, timestamp, type JsonObject } from '../wire.js';
import type { World } from '../world.js';
import { parseChannel } from './channels.js';
import type { Condition } from './conditions.js';
import { listed } from './listing.js';
import { MetricDescriptors } from './metric-descriptors.js';
import { parsePolicy } from './policies.js';
import { invalidField } from './parse.js';
import { Named, newId } from './state.js';

const POLICIES = '/v3/projects/{project}/alertPolicies';
const CHANNELS = '/v3/projects/{project}/notificationChannels';
const MAPS = ['userLabels', 'labels', 'labelExtractors'];
const CHANNEL_NAME = /^projects\/[^/]+\/notificationChannels\/[^/]+$/;

interface Monitoring {
  readonly world: World;
  readonly policies: Named;
  readonly channels: Named;
  readonly descriptors: MetricDescriptors;
}

/** Cloud Monitoring with no policies and no channels. */
export function createMonitoring(
  world: World,
  metricsIn: (project: string) => readonly LogMetric[],
): { readonly routes: readonly Route[]; reset(): void } {
  const monitoring: Monitoring = {
    world,
    policies: new Named('Alert policy'),
    channels: new Named('Notification channel'),
    descriptors: new MetricDescriptors(world, metricsIn),
  };
  return {
    routes: [...policyRoutes(monitoring), ...channelRoutes(monitoring), ...monitoring.descriptors.routes()],
    reset: () => {
      monitoring.policies.reset();
      monitoring.channels.reset();
    },
  };
}

function policyRoutes(monitoring: Monitoring): Route[] {
  const { world, policies } = monitoring;
  const permitted = (call: Call, verb: string) => world.iam.require(call, `monitoring.alertPolicies.${verb}`, parentOf(world, call));
  const nameOf = (call: Call) => `${parentOf(world, call)}/alertPolicies/${param(call, 'policy')}`;
  const fields = { member: 'alertPolicies', fields: ['name', 'displayName', 'enabled', 'combiner', 'severity'], maps: ['userLabels'] };
  return [
    route('POST', POLICIES, (call) => {
      permitted(call, 'create');
      const name = `${parentOf(world, call)}/alertPolicies/${newId()}`;
      const record = recordOf(world, call);
      const policy = settled(monitoring, call, { body: jsonBody(call, MAPS), name });
      return { json: policies.put(name, { name, ...policy, creationRecord: record, mutationRecord: record }) };
    }),
    route('GET', POLICIES, (call) => {
      permitted(call, 'list');
      return listed(call, policies.list(parentOf(world, call)), fields);
    }),
    route('GET', `${POLICIES}/{policy}`, (call) => {
      permitted(call, 'get');
      return { json: policies.get(nameOf(call)) };
    }),
    route('PATCH', `${POLICIES}/{policy}`, (call) => {
      permitted(call, 'update');
      const current = policies.get(nameOf(call));
      const name = nameOf(call);
      const body = merged(current, jsonBody(call, MAPS), maskOf(call));
      const policy = settled(monitoring, call, { body, name, current });
      return {
        json: policies.put(name, { name, ...policy, creationRecord: current['creationRecord'], mutationRecord: recordOf(world, call) }),
      };
    }),
    route('DELETE', `${POLICIES}/{policy}`, (call) => {
      permitted(call, 'delete');
      policies.get(nameOf(call));
      policies.delete(nameOf(call));
      return { json: {} };
    }),
  ];
}

interface Sent {
  readonly body: JsonObject;
  readonly name: string;
  readonly current?: JsonObject;
}

/** The policy as it is kept: its conditions named, and everything that it names found. */
function settled({ world, channels, descriptors }: Monitoring, call: Call, { body, name, current = {} }: Sent): JsonObject {
  const { content, conditions, notificationChannels } = parsePolicy(body);
  const known = listMember(current, 'conditions').map((condition) => (condition as JsonObject)['name']);
  const named = conditions.map((condition, index) => ({
    name: conditionName(condition, { index, policy: name, known }),
    ...condition.content,
  }));
  const channelNames = notificationChannels.map((channel) => channelOf(world, channels, channel));
  for (const type of conditions.flatMap(({ metricTypes }) => metricTypes))
    descriptors.require(world.projectId(param(call, 'project')), type);
  return { ...content, conditions: named, ...(channelNames.length > 0 ? { notificationChannels: channelNames } : {}) };
}

/** Names are the server's: a condition comes with the one that it has, or with none. */
function conditionName(
  { name }: Condition,
  { index, policy, known }: { readonly index: number; readonly policy: string; readonly known: readonly unknown[] },
): string {
  if (name === '') return `${policy}/conditions/${newId()}`;
  if (!known.includes(name))
    throw invalidField(`alert_policy.conditions[${index}].name`, name, 'is not the name of a condition of this policy');
  return name;
}

function channelOf(world: World, channels: Named, sent: string): string {
  if (!CHANNEL_NAME.test(sent))
    throw new ApiError('INVALID_ARGUMENT', `Name must begin with 'projects/{project_id}/notificationChannels/{channel_id}', got: ${sent}`);
  const name = sent.replace(/^projects\/([^/]+)/, (_, project: string) => `projects/${world.projectId(project)}`);
  channels.get(name);
  return name;
}

function channelRoutes({ world, channels, policies }: Monitoring): Route[] {
  const permitted = (call: Call, verb: string) => world.iam.require(call, `monitoring.notificationChannels.${verb}`, parentOf(world, call));
  const nameOf = (call: Call) => `${parentOf(world, call)}/notificationChannels/${param(call, 'channel')}`;
  const fields = {
    member: 'notificationChannels',
    fields: ['name', 'type', 'displayName', 'description', 'enabled'],
    maps: ['labels', 'userLabels'],
  };
  return [
    route('POST', CHANNELS, (call) => {
      permitted(call, 'create');
      const name = `${parentOf(world, call)}/notificationChannels/${newId()}`;
      const record = recordOf(world, call);
      return {
        json: channels.put(name, { name, ...parseChannel(jsonBody(call, MAPS)), creationRecord: record, mutationRecords: [record] }),
      };
    }),
    route('GET', CHANNELS, (call) => {
      permitted(call, 'list');
      return listed(call, channels.list(parentOf(world, call)), fields);
    }),
    route('GET', `${CHANNELS}/{channel}`, (call) => {
      permitted(call, 'get');
      return { json: channels.get(nameOf(call)) };
    }),
    route('PATCH', `${CHANNELS}/{channel}`, (call) => {
      permitted(call, 'update');
      const current = channels.get(nameOf(call));
      const content = parseChannel(merged(current, jsonBody(call, MAPS), maskOf(call)));
      const mutationRecords = [...listMember(current, 'mutationRecords'), recordOf(world, call)];
      return {
        json: channels.put(nameOf(call), { name: nameOf(call), ...content, creationRecord: current['creationRecord'], mutationRecords }),
      };
    }),
    route('DELETE', `${CHANNELS}/{channel}`, (call) => {
      permitted(call, 'delete');
      channels.get(nameOf(call));
      detach(policies, nameOf(call), call.query.get('force') === 'true');
      channels.delete(nameOf(call));
      return { json: {} };
    }),
  ];
}

/** A channel in use stays, unless it is deleted by force: then its policies notify it no longer. */
function detach(policies: Named, channel: string, isForced: boolean): void {
  const users = policies
    .list(channel.split('/').slice(0, 2).join('/'))
    .filter((policy) => listMember(policy, 'notificationChannels').includes(channel));
  if (users.length > 0 && !isForced)
    throw new ApiError(
      'FAILED_PRECONDITION',
      `Notification channel ${channel} is used by ${String(users[0]?.['name'])}, and "force" is not set.`,
    );
  for (const policy of users) {
    const left = listMember(policy, 'notificationChannels').filter((name) => name !== channel);
    const rest = Object.entries(policy).filter(([member]) => member !== 'notificationChannels');
    policies.put(String(policy['name']), { ...Object.fromEntries(rest), ...(left.length > 0 ? { notificationChannels: left } : {}) });
  }
}

function parentOf(world: World, call: Call): string {
  return `projects/${world.projectId(param(call, 'project'))}`;
}

function recordOf({ clock }: World, { caller }: Call): JsonObject {
  return { mutateTime: timestamp(clock.now()), mutatedBy: caller };
}
