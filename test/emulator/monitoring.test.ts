// SPDX-License-Identifier: Apache-2.0
// Cloud Monitoring v3: alerting policies, notification channels, descriptors of log-based metrics.
// proto google/monitoring/v3/{alert,notification}.proto.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestEmulator, type TestEmulator } from '../support/emulator.js';

const START = Date.parse('2026-03-01T12:00:00Z');
const DELAY = 10_000;
let now = START;
let emulator: TestEmulator;
beforeAll(
  async () =>
    void (emulator = await startTestEmulator({ propagationDelayMs: DELAY, clock: { now: () => now, sleep: () => Promise.resolve() } })),
);
beforeEach(async () => {
  now = START;
  await emulator.api('POST', '/_emulator/reset');
  await emulator.api('POST', '/v2/projects/p/metrics', { name: 'blocked', filter: 'severity>=ERROR', description: 'Blocked' });
});
afterAll(async () => {
  expect(emulator.lastErrors).toEqual([]);
  await emulator.close();
});

const POLICIES = '/v3/projects/p/alertPolicies';
const CHANNELS = '/v3/projects/p/notificationChannels';
const DESCRIPTORS = '/v3/projects/p/metricDescriptors';
const TYPE = 'logging.googleapis.com/user/blocked';
const EMAIL = { type: 'email', displayName: 'On call', labels: { email_address: 'oncall@example.com' } };
const THRESHOLD = {
  filter: `metric.type="${TYPE}" AND resource.type="k8s_cluster"`,
  comparison: 'COMPARISON_GT',
  thresholdValue: 0,
  duration: '0s',
  aggregations: [{ alignmentPeriod: '60s', perSeriesAligner: 'ALIGN_SUM' }],
};
const CONDITION = { displayName: 'Any', conditionThreshold: THRESHOLD };
const POLICY = { displayName: 'Blocked deployments', combiner: 'OR', conditions: [CONDITION] };
const LOG_MATCH = { displayName: 'Any', conditionMatchedLog: { filter: 'severity>=ERROR' } };

const post = (path: string, body: unknown) => emulator.api('POST', path, body);
/** After the metric's descriptor has appeared. */
const make = (change: object = {}) => {
  now = START + DELAY;
  return post(POLICIES, { ...POLICY, ...change });
};

describe('a metric descriptor', () => {
  it('appears some time after its metric, and goes with it', async () => {
    expect((await emulator.api('GET', `${DESCRIPTORS}/${TYPE}`)).json.error).toMatchObject({ code: 404, status: 'NOT_FOUND' });
    expect((await emulator.api('GET', DESCRIPTORS)).json).toEqual({});
    now += DELAY - 1;
    expect((await emulator.api('GET', `${DESCRIPTORS}/${TYPE}`)).status).toBe(404);
    now += 1;
    const descriptor = {
      name: `projects/p/metricDescriptors/${TYPE}`,
      type: TYPE,
      metricKind: 'DELTA',
      valueType: 'INT64',
      unit: '1',
      description: 'Blocked',
      displayName: 'logging/user/blocked',
    };
    expect((await emulator.api('GET', `${DESCRIPTORS}/${TYPE}`)).json).toEqual(descriptor);
    for (const filter of ['', `metric.type="${TYPE}"`, 'metric.type = starts_with("logging.googleapis.com/user/")'])
      expect((await emulator.api('GET', `${DESCRIPTORS}?filter=${encodeURIComponent(filter)}`)).json).toEqual({
        metricDescriptors: [descriptor],
      });
    expect((await emulator.api('GET', `${DESCRIPTORS}?filter=${encodeURIComponent('metric.type="x"')}`)).json).toEqual({});
    expect((await emulator.api('GET', `${DESCRIPTORS}?filter=nonsense`)).json.error).toMatchObject({ code: 400 });
    await emulator.api('DELETE', '/v2/projects/p/metrics/blocked');
    expect((await emulator.api('GET', `${DESCRIPTORS}/${TYPE}`)).status).toBe(404);
  });

  it('is what a policy waits for', async () => {
    const early = await post(POLICIES, POLICY);
    expect(early.json.error).toMatchObject({
      code: 404,
      status: 'NOT_FOUND',
      message: expect.stringMatching(
        /^Cannot find metric\(s\) that match type = "logging\.googleapis\.com\/user\/blocked"\. If a metric was created recently/,
      ),
    });
    expect((await emulator.api('GET', POLICIES)).json).toEqual({});
    now += DELAY;
    expect((await post(POLICIES, POLICY)).status).toBe(200);
  });

  it('of Google’s own metrics are always there', async () => {
    const conditionThreshold = { ...THRESHOLD, filter: 'metric.type="logging.googleapis.com/log_entry_count" resource.type="global"' };
    expect((await post(POLICIES, { ...POLICY, conditions: [{ displayName: 'x', conditionThreshold }] })).status).toBe(200);
  });
});

describe('an alerting policy', () => {
  it('gets its names and records from the server, and is enabled', async () => {
    const made = (await make({ name: 'projects/p/alertPolicies/mine', userLabels: { managed_by: 'binauthz' } })).json;
    expect(made).toEqual({
      name: expect.stringMatching(/^projects\/p\/alertPolicies\/\d{19}$/),
      displayName: 'Blocked deployments',
      combiner: 'OR',
      userLabels: { managed_by: 'binauthz' },
      conditions: [
        {
          name: expect.stringMatching(new RegExp(`^${made.name}/conditions/\\d{19}$`)),
          displayName: 'Any',
          conditionThreshold: expect.objectContaining({ filter: THRESHOLD.filter, comparison: 'COMPARISON_GT', duration: '0s' }),
        },
      ],
      enabled: true,
      creationRecord: { mutateTime: '2026-03-01T12:00:10.000Z', mutatedBy: 'owner' },
      mutationRecord: { mutateTime: '2026-03-01T12:00:10.000Z', mutatedBy: 'owner' },
    });
    expect((await emulator.api('GET', `/v3/${made.name}`)).json).toEqual(made);
    expect((await emulator.api('GET', POLICIES)).json).toEqual({ alertPolicies: [made] });
    expect((await emulator.api('GET', '/v3/projects/q/alertPolicies')).json).toEqual({});
    expect(await emulator.api('DELETE', `/v3/${made.name}`)).toMatchObject({ status: 200, json: {} });
    for (const method of ['GET', 'PATCH', 'DELETE'])
      expect((await emulator.api(method, `/v3/${made.name}`, method === 'PATCH' ? POLICY : undefined)).json.error).toMatchObject({
        code: 404,
      });
  });

  it('is changed as its mask says, or as a whole', async () => {
    const made = (await make({ userLabels: { a: 'b' } })).json;
    now += 1000;
    const patch = (query: string, body: unknown) => emulator.api('PATCH', `/v3/${made.name}${query}`, body);
    const named = (await patch('?updateMask=display_name,enabled', { displayName: 'New', enabled: false, combiner: 'AND' })).json;
    expect(named).toEqual({
      ...made,
      displayName: 'New',
      enabled: false,
      mutationRecord: { mutateTime: '2026-03-01T12:00:11.000Z', mutatedBy: 'owner' },
    });
    expect((await patch('?updateMask=documentation.content', { documentation: { content: 'Look' } })).json.documentation).toEqual({
      content: 'Look',
      mimeType: 'text/markdown',
    });
    const whole = (await patch('', { ...POLICY, conditions: [{ ...made.conditions[0], displayName: 'Renamed' }] })).json;
    expect(whole).toMatchObject({ displayName: 'Blocked deployments', enabled: true, creationRecord: made.creationRecord });
    expect(whole.conditions).toEqual([{ ...made.conditions[0], displayName: 'Renamed' }]);
    expect(whole).not.toHaveProperty('userLabels');
    expect(whole).not.toHaveProperty('documentation');
    const fresh = (await patch('?updateMask=conditions', { conditions: [CONDITION] })).json;
    expect(fresh.conditions[0].name).not.toBe(made.conditions[0].name);
    expect(
      (await patch('?updateMask=conditions', { conditions: [{ ...CONDITION, name: `${made.name}/conditions/1` }] })).json.error,
    ).toMatchObject({ code: 400 });
  });

  it('is found by its labels and its name, in an order', async () => {
    await make({ displayName: 'b', userLabels: { managed_by: 'binauthz' } });
    await make({ displayName: 'a', userLabels: { managed_by: 'binauthz' } });
    await make({ displayName: 'c', enabled: false });
    const names = async (query: string) =>
      ((await emulator.api('GET', `${POLICIES}?${query}`)).json.alertPolicies ?? []).map(
        ({ displayName }: { displayName: string }) => displayName,
      );
    expect(await names(`filter=${encodeURIComponent('user_labels.managed_by="binauthz"')}&orderBy=display_name`)).toEqual(['a', 'b']);
    expect(await names('orderBy=-display_name&pageSize=2')).toEqual(['c', 'b']);
    expect(await names('filter=enabled%3Dfalse')).toEqual(['c']);
    expect(await names(`filter=${encodeURIComponent('display_name="a" OR display_name:"C"')}`)).toEqual(['a', 'c']);
    for (const query of ['filter=colour%3D1', 'orderBy=colour'])
      expect((await emulator.api('GET', `${POLICIES}?${query}`)).status).toBe(400);
  });

  it('on log entries limits its notifications, one on metrics does not', async () => {
    const limited = { alertStrategy: { notificationRateLimit: { period: '300s' }, autoClose: '3600s' } };
    expect((await make({ conditions: [LOG_MATCH], ...limited })).json).toMatchObject(limited);
    expect((await make({ conditions: [LOG_MATCH] })).json.error).toMatchObject({
      code: 400,
      message: expect.stringContaining('notificationRateLimit'),
    });
    expect((await make(limited)).json.error.message).toContain('metric-based alert policies must not specify a notification rate limit');
    expect((await make({ conditions: [LOG_MATCH, CONDITION], ...limited })).json.error.message).toContain(
      'can only have a single condition',
    );
  });

  const threshold = (change: object) => ({ conditions: [{ displayName: 'x', conditionThreshold: { ...THRESHOLD, ...change } }] });
  it.each([
    ['an unknown member', { title: 'x' }],
    ['no display name', { displayName: '' }],
    ['no combiner', { combiner: undefined }],
    ['a combiner that is none', { combiner: 'XOR' }],
    ['no condition', { conditions: [] }],
    ['seven conditions', { conditions: Array.from({ length: 7 }, () => CONDITION) }],
    ['a condition without kind', { conditions: [{ displayName: 'x' }] }],
    ['a condition of two kinds', { conditions: [{ ...CONDITION, ...LOG_MATCH }] }],
    ['a condition without display name', { conditions: [{ conditionThreshold: THRESHOLD }] }],
    ['a condition with a name', { conditions: [{ ...CONDITION, name: 'projects/p/alertPolicies/1/conditions/1' }] }],
    ['an unknown member of a condition', threshold({ value: 1 })],
    ['a comparison that is not supported', threshold({ comparison: 'COMPARISON_GE' })],
    ['no comparison', threshold({ comparison: undefined })],
    ['a duration that is no number of minutes', threshold({ duration: '90s' })],
    ['a duration without unit', threshold({ duration: '60' })],
    ['a filter without metric', threshold({ filter: 'resource.type="global"' })],
    ['a filter without resource', threshold({ filter: `metric.type="${TYPE}"` })],
    ['a filter that cannot be read', threshold({ filter: `metric.type="${TYPE}" AND resource.type=` })],
    ['a filter on a field that there is not', threshold({ filter: `metric.type="${TYPE}" resource.type="global" colour="red"` })],
    ['an aligner that there is not', threshold({ aggregations: [{ alignmentPeriod: '60s', perSeriesAligner: 'ALIGN_ALL' }] })],
    ['an alignment of less than a minute', threshold({ aggregations: [{ alignmentPeriod: '10s', perSeriesAligner: 'ALIGN_SUM' }] })],
    ['a threshold that is a text', threshold({ thresholdValue: '1' })],
    ['a condition on log entries whose filter is wrong', { conditions: [{ displayName: 'x', conditionMatchedLog: { filter: 'thud=1' } }] }],
    ['an early auto-close', { alertStrategy: { autoClose: '60s' } }],
    ['documentation in another form', { documentation: { content: 'x', mimeType: 'text/html' } }],
    ['labels in capitals', { userLabels: { A: 'b' } }],
    ['a switch that is none', { enabled: 'yes' }],
    ['a severity that is none', { severity: 'HIGH' }],
    ['a channel by another name', { notificationChannels: ['my-channel'] }],
  ])('is refused with %s', async (_, change) => {
    expect((await make(change)).json.error).toMatchObject({ code: 400, status: 'INVALID_ARGUMENT' });
    expect((await emulator.api('GET', POLICIES)).json).toEqual({});
  });

  it('is refused with a channel that does not exist', async () => {
    const name = 'projects/p/notificationChannels/1';
    expect((await make({ notificationChannels: [name] })).json.error).toMatchObject({ code: 404, message: expect.stringContaining(name) });
  });
});

describe('a notification channel', () => {
  it('is made, changed, listed, and used', async () => {
    const made = (await post(CHANNELS, EMAIL)).json;
    expect(made).toEqual({
      name: expect.stringMatching(/^projects\/p\/notificationChannels\/\d{19}$/),
      ...EMAIL,
      enabled: true,
      creationRecord: { mutateTime: '2026-03-01T12:00:00.000Z', mutatedBy: 'owner' },
      mutationRecords: [{ mutateTime: '2026-03-01T12:00:00.000Z', mutatedBy: 'owner' }],
    });
    now += 1000;
    const changed = (await emulator.api('PATCH', `/v3/${made.name}?updateMask=enabled`, { enabled: false })).json;
    expect(changed).toMatchObject({ ...EMAIL, enabled: false, mutationRecords: [{}, { mutateTime: '2026-03-01T12:00:01.000Z' }] });
    expect((await emulator.api('GET', `/v3/${made.name}`)).json).toEqual(changed);
    for (const [filter, count] of [
      ['type="email"', 1],
      ['type="sms"', undefined],
      ['labels.email_address="oncall@example.com"', 1],
    ] as const)
      expect((await emulator.api('GET', `${CHANNELS}?filter=${encodeURIComponent(filter)}`)).json.notificationChannels?.length).toBe(count);
    expect((await make({ notificationChannels: [made.name] })).json.notificationChannels).toEqual([made.name]);
  });

  it('in use is deleted by force only, and its policies lose it', async () => {
    const { name } = (await post(CHANNELS, EMAIL)).json;
    const policy = (await make({ notificationChannels: [name] })).json;
    expect((await emulator.api('DELETE', `/v3/${name}`)).json.error).toMatchObject({ code: 400, status: 'FAILED_PRECONDITION' });
    expect((await emulator.api('DELETE', `/v3/${name}?force=true`)).json).toEqual({});
    expect((await emulator.api('GET', `/v3/${policy.name}`)).json).not.toHaveProperty('notificationChannels');
    expect((await emulator.api('DELETE', `/v3/${name}`)).status).toBe(404);
  });

  it.each([
    ['no type', { type: '' }],
    ['a type that there is not', { type: 'pigeon' }],
    ['a missing label', { labels: {} }],
    ['a label of another type', { labels: { email_address: 'a@example.com', number: '1' } }],
    ['an address that is none', { labels: { email_address: 'oncall' } }],
    ['an unknown member', { address: 'x' }],
    ['a switch that is none', { enabled: 1 }],
  ])('is refused with %s', async (_, change) => {
    expect((await post(CHANNELS, { ...EMAIL, ...change })).json.error).toMatchObject({ code: 400, status: 'INVALID_ARGUMENT' });
  });
});

describe('permissions', () => {
  const who = 'as:someone@example.com';
  const grant = (role: string) =>
    emulator.api('POST', '/v1/projects/p:setIamPolicy', { policy: { bindings: [{ role, members: ['user:someone@example.com'] }] } });

  it.each([
    ['GET', 'policy', undefined, 'alertPolicyViewer', 'notificationChannelEditor'],
    ['PATCH', 'policy', POLICY, 'alertPolicyEditor', 'alertPolicyViewer'],
    ['DELETE', 'policy', undefined, 'alertPolicyEditor', 'viewer'],
    ['GET', 'channel', undefined, 'notificationChannelViewer', 'alertPolicyEditor'],
    ['PATCH', 'channel', EMAIL, 'notificationChannelEditor', 'notificationChannelViewer'],
    ['DELETE', 'channel', undefined, 'editor', 'alertPolicyEditor'],
  ])('%s of a %s', async (method, kind, body, enough, close) => {
    const { name } = kind === 'policy' ? (await make()).json : (await post(CHANNELS, EMAIL)).json;
    await grant(`roles/monitoring.${close}`);
    for (const path of [name, `${name}0`])
      expect((await emulator.api(method, `/v3/${path}`, body, who)).json.error).toMatchObject({ code: 403, status: 'PERMISSION_DENIED' });
    await grant(`roles/monitoring.${enough}`);
    expect((await emulator.api(method, `/v3/${name}`, body, who)).status).toBe(200);
  });
});

it('a reset forgets policies and channels', async () => {
  await make();
  await post(CHANNELS, EMAIL);
  await emulator.api('POST', '/_emulator/reset');
  expect((await emulator.api('GET', POLICIES)).json).toEqual({});
  expect((await emulator.api('GET', CHANNELS)).json).toEqual({});
});
