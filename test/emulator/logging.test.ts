// SPDX-License-Identifier: Apache-2.0
// Cloud Logging v2: entries and log-based metrics. proto google/logging/v2/{logging,logging_metrics,log_entry}.proto.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestEmulator, type TestEmulator } from '../support/emulator.js';

const START = Date.parse('2026-03-01T12:00:00Z');
let now = START;
let emulator: TestEmulator;
beforeAll(async () => void (emulator = await startTestEmulator({ clock: { now: () => now, sleep: () => Promise.resolve() } })));
beforeEach(async () => {
  now = START;
  await emulator.api('POST', '/_emulator/reset');
});
afterAll(async () => {
  expect(emulator.lastErrors).toEqual([]);
  await emulator.close();
});

const AUDIT = 'projects/p/logs/cloudaudit.googleapis.com%2Factivity';
const DATA = 'projects/p/logs/cloudaudit.googleapis.com%2Fdata_access';
const AUDIT_LOG = { '@type': 'type.googleapis.com/google.cloud.audit.AuditLog', methodName: 'io.k8s.core.v1.pods.create' };
const RESOURCE = { type: 'k8s_cluster', labels: { cluster_name: 'prod' } };
const GLOBAL = { type: 'global' };

const write = (body: object, token?: string) => emulator.api('POST', '/v2/entries:write', body, token);
const list = async (body: object = {}, token?: string) =>
  (await emulator.api('POST', '/v2/entries:list', { resourceNames: ['projects/p'], ...body }, token)).json;
const ids = async (body: object = {}, token?: string) =>
  ((await list(body, token)).entries ?? []).map(({ insertId }: { insertId: string }) => insertId);
const plant = (...entries: object[]) => write({ logName: 'projects/p/logs/app', resource: GLOBAL, entries });

describe('an entry', () => {
  it('is taken for an audit log too, with what the request says for all', async () => {
    const written = await write({
      logName: AUDIT,
      resource: RESOURCE,
      labels: { env: 'x', own: 'request' },
      entries: [
        {
          protoPayload: AUDIT_LOG,
          labels: { own: 'entry' },
          timestamp: '2026-02-28T10:00:00.120+01:00',
          severity: 'ERROR',
          insertId: 'one',
        },
      ],
    });
    expect(written).toMatchObject({ status: 200, json: {} });
    expect(await list()).toEqual({
      entries: [
        {
          protoPayload: AUDIT_LOG,
          insertId: 'one',
          logName: AUDIT,
          resource: RESOURCE,
          labels: { env: 'x', own: 'entry' },
          severity: 'ERROR',
          timestamp: '2026-02-28T09:00:00.120Z',
          receiveTimestamp: '2026-03-01T12:00:00.000Z',
        },
      ],
    });
  });

  it('gets an insertId and a time of its own, and no default severity is shown', async () => {
    await plant({ textPayload: 'a', severity: 0 }, { json_payload: { some_key: { other_key: 1 } }, http_request: { request_url: 'u' } });
    const { entries } = await list();
    expect(new Set(entries.map(({ insertId }: { insertId: string }) => insertId)).size).toBe(2);
    expect(entries.every(({ insertId }: { insertId: string }) => /^[a-z0-9]{12}$/.test(insertId))).toBe(true);
    expect(entries).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          jsonPayload: { some_key: { other_key: 1 } },
          httpRequest: { requestUrl: 'u' },
          timestamp: '2026-03-01T12:00:00Z',
        }),
      ]),
    );
    expect(entries.some((entry: object) => 'severity' in entry)).toBe(false);
  });

  it('is shown once for one project, timestamp and insertId, and the first one stays', async () => {
    const timestamp = '2026-03-01T00:00:00Z';
    await plant({ insertId: 'x', timestamp, textPayload: 'first' }, { insertId: 'x', timestamp, textPayload: 'second' });
    await plant({ insertId: 'x', timestamp: '2026-03-01T00:00:00.000000000Z', textPayload: 'third' });
    await plant({ insertId: 'x', timestamp: '2026-03-01T00:00:00.000000001Z', textPayload: 'later' });
    await write({ logName: 'projects/q/logs/app', resource: GLOBAL, entries: [{ insertId: 'x', timestamp, textPayload: 'elsewhere' }] });
    expect((await list()).entries.map(({ textPayload }: { textPayload: string }) => textPayload)).toEqual(['first', 'later']);
    expect(await ids({ resourceNames: ['projects/p', 'projects/q'] })).toEqual(['x', 'x', 'x']);
  });

  it('is kept under the id of a project that was given by its number', async () => {
    const { projectNumber } = (await emulator.api('GET', '/v1/projects/p')).json;
    await write({ logName: `projects/${projectNumber}/logs/app`, resource: GLOBAL, entries: [{ insertId: 'n', textPayload: 'x' }] });
    expect((await list()).entries[0].logName).toBe('projects/p/logs/app');
    expect(await ids({ resourceNames: [`projects/${projectNumber}`] })).toEqual(['n']);
  });

  it('is not kept by a dry run', async () => {
    expect((await write({ logName: AUDIT, resource: GLOBAL, dryRun: true, entries: [{ textPayload: 'x' }] })).status).toBe(200);
    expect(await list()).toEqual({});
  });

  it.each([
    ['no log name', { logName: '' }, {}],
    ['a log id with a slash', { logName: 'projects/p/logs/a/b' }, {}],
    ['no resource', { resource: {} }, {}],
    ['a resource without type', { resource: { labels: {} } }, {}],
    ['an unknown member of the request', { log: 'x' }, {}],
    ['an unknown member of an entry', {}, { text: 'x' }],
    ['an unknown member of a message', {}, { operation: { name: 'x' } }],
    ['two payloads', {}, { textPayload: 'x', jsonPayload: {} }],
    ['a payload of another type', {}, { protoPayload: { '@type': 'type.googleapis.com/my.Type' } }],
    ['a payload without type', {}, { protoPayload: { methodName: 'x' } }],
    ['an unknown severity', {}, { severity: 'BAD' }],
    ['a label that is no text', {}, { labels: { a: 1 } }],
    ['no time', {}, { timestamp: 'yesterday' }],
    ['a day alone', {}, { timestamp: '2026-03-01' }],
    ['the day after tomorrow', {}, { timestamp: '2026-03-03T00:00:00Z' }],
    ['a text for an entry', { entries: ['x'] }, {}],
  ])('is refused with %s', async (_, request, entry) => {
    const body = {
      logName: AUDIT,
      resource: GLOBAL,
      entries: [{ ...('textPayload' in entry || 'protoPayload' in entry ? {} : { textPayload: 'x' }), ...entry }],
    };
    expect((await write({ ...body, ...request })).json.error).toMatchObject({ code: 400, status: 'INVALID_ARGUMENT' });
    expect(await list()).toEqual({});
  });

  it('does not come alone: one wrong entry refuses all, unless partial success is asked for', async () => {
    const entries = [
      { insertId: 'a', textPayload: 'x' },
      { insertId: 'b', severity: 'BAD' },
      { insertId: 'c', textPayload: 'x' },
    ];
    expect((await plant(...entries)).json.error).toMatchObject({ code: 400 });
    expect(await ids()).toEqual([]);
    const partly = await write({ logName: AUDIT, resource: GLOBAL, entries, partialSuccess: true });
    expect(partly.json.error).toMatchObject({
      code: 400,
      details: [
        {
          '@type': 'type.googleapis.com/google.logging.v2.WriteLogEntriesPartialErrors',
          logEntryErrors: { 1: { code: 3, message: expect.stringContaining('severity') } },
        },
      ],
    });
    expect(await ids()).toEqual(['a', 'c']);
  });
});

describe('a listing', () => {
  const at = (second: number) => `2026-03-01T00:00:${String(second).padStart(2, '0')}Z`;

  it('goes by time, then by insertId, in either direction, page by page', async () => {
    await plant(...['d', 'b', 'a', 'c'].map((insertId, index) => ({ insertId, textPayload: 'x', timestamp: at(index < 2 ? 1 : 0) })));
    expect(await ids()).toEqual(['a', 'c', 'b', 'd']);
    expect(await ids({ orderBy: 'timestamp asc' })).toEqual(['a', 'c', 'b', 'd']);
    expect(await ids({ orderBy: 'timestamp desc' })).toEqual(['d', 'b', 'c', 'a']);
    for (const [orderBy, expected] of [
      ['', 'a c b d'],
      ['timestamp desc', 'd b c a'],
    ] as const) {
      const first = await list({ orderBy, pageSize: 3 });
      const second = await list({ orderBy, pageSize: 3, pageToken: first.nextPageToken });
      expect([...first.entries, ...second.entries].map(({ insertId }: { insertId: string }) => insertId).join(' ')).toBe(expected);
      expect(second).not.toHaveProperty('nextPageToken');
    }
  });

  it('goes on where it was, whatever is written meanwhile', async () => {
    await plant(...[1, 2, 3, 4].map((second) => ({ insertId: `i${second}`, textPayload: 'x', timestamp: at(second) })));
    const first = await list({ pageSize: 2 });
    await plant({ insertId: 'early', textPayload: 'x', timestamp: at(0) }, { insertId: 'late', textPayload: 'x', timestamp: at(9) });
    expect(await ids({ pageSize: 9, pageToken: first.nextPageToken })).toEqual(['i3', 'i4', 'late']);
  });

  it('answers an empty page with a token where it has looked at much and found nothing', async () => {
    const many = Array.from({ length: 5000 }, (_, index) => ({ insertId: `i${index}`, textPayload: 'hay', timestamp: at(index % 50) }));
    await plant(...many, { insertId: 'needle', textPayload: 'needle', timestamp: at(59) });
    const first = await list({ filter: 'needle' });
    expect(first).toEqual({ nextPageToken: expect.any(String) });
    const second = await list({ filter: 'needle', pageToken: first.nextPageToken });
    expect(second).toEqual({ entries: [expect.objectContaining({ insertId: 'needle' })] });
    expect(await ids({ filter: 'needle', orderBy: 'timestamp desc' })).toEqual(['needle']);
  });

  it('has pages of 50, and of 1000 at most', async () => {
    await plant(...Array.from({ length: 1100 }, (_, index) => ({ insertId: `i${index}`, textPayload: 'x' })));
    expect(await ids()).toHaveLength(50);
    expect(await ids({ pageSize: 5000 })).toHaveLength(1000);
  });

  it('is of the projects that are named, in snake_case too', async () => {
    await plant({ insertId: 'p', textPayload: 'x', timestamp: at(1) });
    await write({ logName: 'projects/q/logs/app', resource: GLOBAL, entries: [{ insertId: 'q', textPayload: 'x', timestamp: at(0) }] });
    expect(await ids({ resourceNames: ['projects/q'] })).toEqual(['q']);
    const both = await emulator.api('POST', '/v2/entries:list', { resource_names: ['projects/p', 'projects/q'], page_size: 9 });
    expect(both.json.entries.map(({ insertId }: { insertId: string }) => insertId)).toEqual(['q', 'p']);
  });

  it.each([
    ['no resource names', { resourceNames: [] }, 'resource_names'],
    ['a resource that is no project', { resourceNames: ['folders/1'] }, 'folders/1'],
    ['a wrong filter', { filter: 'severity>=' }, 'Unparseable filter'],
    ['an unknown field', { filter: 'nothing=1' }, 'Field not found'],
    ['another order', { orderBy: 'severity' }, 'order_by'],
    ['a negative page size', { pageSize: -1 }, 'page_size'],
    ['a token that is none', { pageToken: 'x' }, 'page_token'],
    ['an unknown member', { limit: 3 }, 'Unknown name'],
  ])('is refused with %s', async (_, body, message) => {
    expect((await list(body)).error).toMatchObject({ code: 400, status: 'INVALID_ARGUMENT', message: expect.stringContaining(message) });
  });

  it('is refused with the token of another one', async () => {
    await plant({ textPayload: 'a' }, { textPayload: 'b' });
    const { nextPageToken: pageToken } = await list({ pageSize: 1 });
    for (const other of [{ filter: 'a' }, { orderBy: 'timestamp desc' }, { resourceNames: ['projects/q'] }])
      expect((await list({ pageToken, ...other })).error).toMatchObject({ code: 400, message: expect.stringContaining("doesn't match") });
    expect((await list({ pageToken, pageSize: 7 })).entries).toHaveLength(1);
  });

  it('finds what was planted in ten thousand entries, in few calls', async () => {
    const entry = (index: number) => ({
      insertId: `i${index}`,
      timestamp: at(index % 60),
      protoPayload: {
        ...AUDIT_LOG,
        response: index % 1000 === 7 ? { status: 'Failure', reason: 'VIOLATES_POLICY' } : { status: 'Success' },
      },
    });
    await write({ logName: AUDIT, resource: RESOURCE, entries: Array.from({ length: 10_000 }, (_, index) => entry(index)) });
    const filter = 'resource.type="k8s_cluster" protoPayload.response.reason="VIOLATES_POLICY"';
    const found: unknown[] = [];
    let calls = 0;
    for (let pageToken: string | undefined = ''; pageToken !== undefined; calls += 1) {
      const page: { entries?: unknown[]; nextPageToken?: string } = await list({ filter, pageSize: 1000, pageToken });
      found.push(...(page.entries ?? []));
      pageToken = page.nextPageToken;
    }
    expect(found).toHaveLength(10);
    expect(calls).toBe(3);
  });
});

describe('private entries', () => {
  const who = 'as:someone@example.com';
  const grant = (role: string) =>
    emulator.api('POST', '/v1/projects/p:setIamPolicy', { policy: { bindings: [{ role, members: ['user:someone@example.com'] }] } });

  it.each([
    ['roles/logging.viewer', ['public']],
    ['roles/viewer', ['public']],
    ['roles/editor', ['public']],
    ['roles/logging.privateLogViewer', ['private', 'public']],
    ['roles/logging.admin', ['private', 'public']],
    ['roles/owner', ['private', 'public']],
  ])('for %s', async (role, expected) => {
    await write({ logName: AUDIT, resource: GLOBAL, entries: [{ insertId: 'public', textPayload: 'x' }] });
    await write({ logName: DATA, resource: GLOBAL, entries: [{ insertId: 'private', textPayload: 'x' }] });
    expect((await list({}, who)).error).toMatchObject({ code: 403, message: expect.stringContaining('logging.logEntries.list') });
    await grant(role);
    expect((await ids({}, who)).sort()).toEqual(expected);
  });
});

describe('a log-based metric', () => {
  const METRICS = '/v2/projects/p/metrics';
  const METRIC = { name: 'blocked', filter: 'severity>=ERROR', description: 'Blocked deployments' };
  const SHOWN = {
    ...METRIC,
    metricDescriptor: {
      name: 'projects/p/metricDescriptors/logging.googleapis.com/user/blocked',
      type: 'logging.googleapis.com/user/blocked',
      metricKind: 'DELTA',
      valueType: 'INT64',
      unit: '1',
      description: 'Blocked deployments',
    },
    createTime: '2026-03-01T12:00:00.000Z',
    updateTime: '2026-03-01T12:00:00.000Z',
    resourceName: 'projects/p/metrics/blocked',
  };

  it('is made, shown, listed, and deleted', async () => {
    expect((await emulator.api('POST', METRICS, METRIC)).json).toEqual(SHOWN);
    expect((await emulator.api('GET', `${METRICS}/blocked`)).json).toEqual(SHOWN);
    expect((await emulator.api('GET', METRICS)).json).toEqual({ metrics: [SHOWN] });
    expect((await emulator.api('GET', '/v2/projects/q/metrics')).json).toEqual({});
    expect((await emulator.api('POST', METRICS, METRIC)).json.error).toMatchObject({ code: 409, status: 'ALREADY_EXISTS' });
    expect(await emulator.api('DELETE', `${METRICS}/blocked`)).toMatchObject({ status: 200, json: {} });
    for (const method of ['GET', 'DELETE'])
      expect((await emulator.api(method, `${METRICS}/blocked`)).json.error).toMatchObject({ code: 404, status: 'NOT_FOUND' });
  });

  it('is replaced as a whole by what was read and changed, or made where there is none', async () => {
    await emulator.api('PUT', `${METRICS}/blocked`, METRIC);
    now += 5000;
    const read = (await emulator.api('GET', `${METRICS}/blocked`)).json;
    const changed = await emulator.api('PUT', `${METRICS}/blocked`, { ...read, filter: 'severity=ALERT', description: '' });
    expect(changed.json).toMatchObject({ filter: 'severity=ALERT', createTime: SHOWN.createTime, updateTime: '2026-03-01T12:00:05.000Z' });
    expect(changed.json).not.toHaveProperty('description');
  });

  it('may have a slash in its name', async () => {
    await emulator.api('POST', METRICS, { ...METRIC, name: 'binauthz/blocked' });
    for (const path of ['binauthz%2Fblocked', 'binauthz%252Fblocked'])
      expect((await emulator.api('GET', `${METRICS}/${path}`)).json).toMatchObject({
        resourceName: 'projects/p/metrics/binauthz%2Fblocked',
      });
  });

  it('keeps labels with their extractors, and distributions with theirs', async () => {
    const made = await emulator.api('POST', METRICS, {
      ...METRIC,
      value_extractor: 'REGEXP_EXTRACT(jsonPayload.request, ".*quantity=(\\d+).*")',
      label_extractors: { my_user: 'EXTRACT(protoPayload.authenticationInfo.principalEmail)' },
      metric_descriptor: { value_type: 'DISTRIBUTION', metric_kind: 'DELTA', labels: [{ key: 'my_user' }] },
    });
    expect(made.json).toMatchObject({
      labelExtractors: { my_user: 'EXTRACT(protoPayload.authenticationInfo.principalEmail)' },
      metricDescriptor: { valueType: 'DISTRIBUTION', labels: [{ key: 'my_user' }] },
    });
    expect((await emulator.api('PUT', `${METRICS}/blocked`, METRIC)).json.error).toMatchObject({ code: 400 });
  });

  it.each([
    ['no filter', { filter: '' }],
    ['a filter that cannot be read', { filter: 'severity>=' }],
    ['a filter on a field that no entry has', { filter: 'thud=1' }],
    ['no name', { name: '' }],
    ['a name that begins with a slash', { name: '/x' }],
    ['a name with blanks', { name: 'a b' }],
    ['an unknown member', { query: 'x' }],
    ['another kind', { metricDescriptor: { metricKind: 'GAUGE' } }],
    ['a label without extractor', { metricDescriptor: { labels: [{ key: 'a' }] } }],
    ['an extractor without label', { labelExtractors: { a: 'EXTRACT(textPayload)' } }],
    ['an extractor that is none', { metricDescriptor: { labels: [{ key: 'a' }] }, labelExtractors: { a: 'textPayload' } }],
    ['an extractor of no field', { metricDescriptor: { labels: [{ key: 'a' }] }, labelExtractors: { a: 'EXTRACT(thud)' } }],
    ['a value extractor on a counter', { valueExtractor: 'EXTRACT(jsonPayload.x)' }],
    ['two groups', { metricDescriptor: { valueType: 'DISTRIBUTION' }, valueExtractor: 'REGEXP_EXTRACT(textPayload, "(a)(b)")' }],
  ])('is refused with %s', async (_, change) => {
    expect((await emulator.api('POST', METRICS, { ...METRIC, ...change })).json.error).toMatchObject({
      code: 400,
      status: 'INVALID_ARGUMENT',
    });
  });

  it('is refused under the name of another', async () => {
    expect((await emulator.api('PUT', `${METRICS}/other`, METRIC)).json.error).toMatchObject({ code: 400 });
  });
});

it('a reset forgets entries and metrics', async () => {
  await plant({ textPayload: 'x' });
  await emulator.api('POST', '/v2/projects/p/metrics', { name: 'm', filter: 'x' });
  await emulator.api('POST', '/_emulator/reset');
  expect(await list()).toEqual({});
  expect((await emulator.api('GET', '/v2/projects/p/metrics')).json).toEqual({});
});
