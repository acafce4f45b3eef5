// SPDX-License-Identifier: Apache-2.0
// What the filters let through, by the emulator's reading of Cloud Logging's language: a filter that it cannot read is refused.
import { describe, expect, it } from 'vitest';
import { CLUSTER_LOGS, METRIC_FILTERS, POD_METHODS, READ_FILTERS, within } from '../../src/core/audit/filters.js';
import type { AuditEventType } from '../../src/core/operation-results.js';
import { compileFilter } from '../../src/emulator/logging/query/compile.js';
import { Searchable } from '../../src/emulator/logging/query/texts.js';
import { EVENTS, NEAR_MISSES } from '../support/audit-cases.js';
import {
  ANNOTATION,
  blocked,
  cut,
  denied,
  FAILED_OPEN,
  FLEET_HOOK,
  GKE_HOOK,
  LABEL,
  pod,
  revision,
  RUN_ANNOTATION,
  type Entry,
} from '../support/log-entries.js';

const FILTERS = Object.entries(METRIC_FILTERS).flatMap(([platform, filters]) =>
  Object.entries(filters).map(([type, filter]) => [platform, type as AuditEventType, filter] as const),
);
const admits = (filter: string, entry: Entry): boolean => compileFilter(filter)(new Searchable(entry));
const typeOf = (entry: Entry): string => (entry['resource'] as { type: string }).type;
const isOf = (platform: string, entry: Entry): boolean => (typeOf(entry) === 'k8s_cluster') === (platform === 'gke');
const isRead = (entry: Entry): boolean => admits(READ_FILTERS.gke, entry) || admits(READ_FILTERS['cloud-run'], entry);
const metered = (entry: Entry): readonly string[] => FILTERS.filter(([, , filter]) => admits(filter, entry)).map(([, type]) => type);
const inMethod = (entry: Entry, methodName: string): Entry => ({
  ...entry,
  protoPayload: { ...(entry['protoPayload'] as Entry), methodName },
});

describe('the filters of a read', () => {
  it.each(EVENTS)('let through %s, for its own platform alone', (_, __, make) => {
    const entry = make(7);
    for (const [platform, filter] of Object.entries(READ_FILTERS)) expect(admits(filter, entry)).toBe(isOf(platform, entry));
  });

  it.each<[string, Entry]>([
    ['an image that was admitted', pod(7)],
    ['a revision that was admitted', revision(7)],
    ['another kind of refusal', pod(7, { refusal: { reason: 'Forbidden', message: 'pods "web-7" is forbidden: exceeded quota' } })],
    ['a denial in the log of data access', denied(7, { log: 'cloudaudit.googleapis.com%2Fdata_access' })],
    ['a denial of another resource', { ...denied(7), resource: { type: 'gce_instance', labels: {} } }],
    ['a denial of a deletion', denied(7, { method: 'delete' })],
    ['a denial of another kind of object', inMethod(denied(7), 'io.k8s.apps.v1.deployments.create')],
    ['a denial on Cloud Run in another log', blocked(7, { log: 'cloudaudit.googleapis.com%2Factivity' })],
    ['a denial of another resource in that log', { ...blocked(7), resource: { type: 'gce_instance', labels: {} } }],
  ])('keep out %s', (_, entry) => expect(isRead(entry)).toBe(false));

  it.each(CLUSTER_LOGS)('read the log %s', (id) => expect(isRead(denied(7, { log: encodeURIComponent(id) }))).toBe(true));

  it.each(POD_METHODS)('read %s', (method) => expect(isRead(inMethod(denied(7), method))).toBe(true));

  it.each([
    ['the reason alone', { reason: 'VIOLATES_POLICY', message: 'no' }],
    ...[
      `admission webhook "${GKE_HOOK}" denied the request`,
      `admission webhook "${FLEET_HOOK}" denied the request`,
      'image policy webhook backend denied one or more images',
      'Image x denied by Binary Authorization default admission rule',
      'Image x denied by attestor projects/p/attestors/a: no',
      'Image x denied by projects/p/attestors/a: no',
    ].map((message) => [`“${message}”`, { reason: 'Forbidden', message }] as const),
  ] as const)('find a denial by %s', (_, refusal) => {
    expect(isRead(pod(7, { refusal }))).toBe(true);
    expect(isRead(pod(7, { pod: { reason: refusal.reason, message: refusal.message } }))).toBe(false);
  });

  it.each<[string, Entry]>([
    ['a denial in a status', cut(denied(7))],
    ['a denial by the reason of the v2 API', blocked(7, { conditions: [{ reason: 'CONTAINER_IMAGE_UNAUTHORIZED', status: 'False' }] })],
    ['the break-glass annotation', pod(7, { annotations: { [ANNOTATION]: 'true' } })],
    ['a break-glass label that came from elsewhere', answered({ labels: { [LABEL]: 'true' } })],
    ['a break-glass annotation that came from elsewhere', answered({ annotations: { [ANNOTATION]: 'true' } })],
    ['a webhook on Distributed Cloud that failed open', pod(7, { labels: { [`${FAILED_OPEN}/round_1_index_9`]: FLEET_HOOK } })],
    ['what the webhook notes itself', pod(7, { labels: { 'image-policy.k8s.io/failed-open': 'true' } })],
    ['break-glass on Cloud Run by a word', revision(7, { message: 'deployed with breakglass' })],
    ['a dry run on Cloud Run by two', revision(7, { message: 'would be denied (dry run)' })],
  ])('find %s', (_, entry) => expect(isRead(entry)).toBe(true));

  it('are of a time with its beginning and without its end', () => {
    const filter = within(READ_FILTERS.gke, '2026-11-20T00:00:00Z', '2026-11-21T00:00:00Z');
    const at = (timestamp: string): boolean => admits(filter, { ...denied(7), timestamp });
    expect(['2026-11-19T23:59:59.9Z', '2026-11-20T00:00:00Z', '2026-11-20T23:59:59.9Z', '2026-11-21T00:00:00Z'].map(at)).toEqual([
      false,
      true,
      true,
      false,
    ]);
    expect(admits(filter, { ...pod(7), timestamp: '2026-11-20T00:00:00Z' })).toBe(false);
  });
});

describe('the filter of a metric', () => {
  const cases = [
    ...EVENTS.map(([what, types, make]) => [what, types as readonly string[], make] as const),
    ...NEAR_MISSES.map(([what, make]) => [what, [] as readonly string[], make] as const),
  ];

  it.each(FILTERS)('of %s %s counts its events and nothing else', (platform, type, filter) => {
    const expected = cases.filter(([, types, make]) => types.includes(type) && isOf(platform, make(7)));
    expect(expected.length).toBeGreaterThan(0);
    expect(cases.filter(([, , make]) => admits(filter, make(7))).map(([what]) => what)).toEqual(expected.map(([what]) => what));
  });

  it.each(FILTERS)('of %s %s has a line for each condition', (_, __, filter) => expect(filter.split('\n').length).toBeGreaterThan(2));

  it.each(Array.from({ length: 16 }, (_, index) => [index]))('counts the webhook of index %i that failed open', (index) => {
    for (const hook of [GKE_HOOK, FLEET_HOOK])
      expect(metered(pod(7, { labels: { [`${FAILED_OPEN}/round_0_index_${index}`]: hook } }))).toEqual(['FAIL_OPEN']);
  });

  it.each<[string, readonly AuditEventType[], Entry]>([
    [
      'a denial by its words alone',
      ['DENIED'],
      pod(7, { refusal: { reason: 'Forbidden', message: 'Image gcr.io/p/app:v1 denied by projects/p/attestors/ci: no' } }),
    ],
    ['break-glass by a word in any case', ['BREAK_GLASS'], revision(7, { message: 'Deployed with BreakGlass.' })],
    ['break-glass of a job', ['BREAK_GLASS'], ofJob({ [RUN_ANNOTATION]: 'INC-7' })],
    ['an empty justification', [], ofJob({ [RUN_ANNOTATION]: '' })],
    ['a dry run by words in any case', ['DRY_RUN'], revision(7, { message: 'Dry Run: it would be denied' })],
    ['a denial that says dry run', ['DENIED'], blocked(7, { message: 'denied (dry run)' })],
    ['the older break-glass that is off', [], pod(7, { annotations: { [ANNOTATION]: 'not true' } })],
    ['a label that is nearly true', [], pod(7, { podLabels: { [LABEL]: 'untrue' } })],
    ['another webhook’s refusal in the status', [], cut(pod(7, { refusal: { reason: 'x', message: 'admission webhook "a.b" denied' } }))],
    [
      'a denial that a long answer hides, and a status that quotes it',
      [],
      pod(7, { refusal: { reason: 'x', message: `admission webhook "a.b" said: admission webhook "${GKE_HOOK}" denied the request` } }),
    ],
  ])('counts %s as %j', (_, types, entry) => expect(metered(entry)).toEqual(types));
});

/** A Pod that became what nobody sent. */
function answered(metadata: Entry): Entry {
  const entry = pod(7);
  const payload = entry['protoPayload'] as { response: { metadata: Entry } };
  return {
    ...entry,
    protoPayload: { ...payload, response: { ...payload.response, metadata: { ...payload.response.metadata, ...metadata } } },
  };
}

function ofJob(annotations: Record<string, string>): Entry {
  return { ...revision(7, { annotations }), resource: { type: 'cloud_run_job', labels: { project_id: 'p', job_name: 'nightly' } } };
}
