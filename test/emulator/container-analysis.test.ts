// SPDX-License-Identifier: Apache-2.0
// The emulator's Container Analysis over HTTP, and with Google's own client.
import { ContainerAnalysisClient } from '@google-cloud/containeranalysis/build/src/v1/container_analysis_client.js';
import { GrafeasClient } from '@google-cloud/grafeas/build/src/v1/grafeas_client.js';
import { GoogleAuth, PassThroughClient } from 'google-auth-library';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestEmulator, type Answer, type TestEmulator } from '../support/emulator.js';

const NOTE = 'projects/notes-p/notes/n';
const HEX = '0'.repeat(60);
const DIGEST = `sha256:${HEX}abcd`;
const IMAGE = `https://us-docker.pkg.dev/p/r/app@${DIGEST}`;
/** Bytes whose base64 differs between the alphabets. */
const AWKWARD = Buffer.from([0xfb, 0xff, 0xfe, 0x01]);

let emulator: TestEmulator;
/** The emulator's time; moves only where a test moves it. */
let now = Date.parse('2026-11-20T12:00:00.000Z');

beforeAll(async () => {
  emulator = await startTestEmulator({ clock: { now: () => now, sleep: () => Promise.resolve() } });
});
afterAll(async () => {
  expect(emulator.lastErrors).toEqual([]);
  await emulator.close();
});
beforeEach(async () => {
  await createNote('notes-p', 'n');
});
afterEach(async () => {
  await emulator.api('POST', '/_emulator/reset');
});

async function ask(method: string, path: string, body?: unknown, as?: string): Promise<{ status: number; body: Answer['json'] }> {
  const { status, json } = await emulator.api(method, path, body, as === undefined ? undefined : `as:${as}`);
  return { status, body: json };
}

const get = (path: string, as?: string) => ask('GET', path, undefined, as);
const post = (path: string, body: unknown, as?: string) => ask('POST', path, body, as);
const patch = (path: string, body: unknown, as?: string) => ask('PATCH', path, body, as);
const remove = (path: string, as?: string) => ask('DELETE', path, undefined, as);
const faults = (settings: object) => post('/_emulator/faults', settings);
const refused = (status: string, message = /./) => ({
  status: { INVALID_ARGUMENT: 400, PERMISSION_DENIED: 403, NOT_FOUND: 404, ALREADY_EXISTS: 409 }[status],
  body: { error: { status, message: expect.stringMatching(message) } },
});

function createNote(project: string, id: string, more: object = {}) {
  return post(`/v1/projects/${project}/notes?noteId=${id}`, { attestation: { hint: { humanReadableName: 'QA' } }, ...more });
}

interface Attestation {
  readonly note?: string;
  readonly resource?: string;
  readonly payload?: string;
  readonly signature?: string;
  readonly key?: string;
}

function attestation({
  note = NOTE,
  resource = IMAGE,
  payload = 'cGF5bG9hZA==',
  signature = 'c2ln',
  key = '//cloudkms.googleapis.com/v1/k',
}: Attestation = {}) {
  return {
    kind: 'ATTESTATION',
    noteName: note,
    resourceUri: resource,
    attestation: { serializedPayload: payload, signatures: [{ publicKeyId: key, signature }] },
  };
}

function attest(project: string, options: Attestation = {}, as?: string) {
  return post(`/v1/projects/${project}/occurrences`, attestation(options), as);
}

describe('notes', () => {
  it('are created as the guides do it: trailing slash, snake_case, output-only name', async () => {
    const body = { name: 'projects/p/notes/guide', attestation: { hint: { human_readable_name: 'Build attestor' } } };
    const created = await post('/v1/projects/p/notes/?noteId=guide', body);
    const expected = {
      name: 'projects/p/notes/guide',
      kind: 'ATTESTATION',
      attestation: { hint: { humanReadableName: 'Build attestor' } },
      createTime: '2026-11-20T12:00:00.000Z',
      updateTime: '2026-11-20T12:00:00.000Z',
    };
    expect(created).toEqual({ status: 200, body: expected });
    expect(await get('/v1/projects/p/notes/guide')).toEqual({ status: 200, body: expected });
  });

  it('are refused a second time', async () => {
    expect(await createNote('notes-p', 'n')).toMatchObject(refused('ALREADY_EXISTS', /projects\/notes-p\/notes\/n/));
  });

  it('have the kind of their details, whatever they say', async () => {
    const { body } = await post('/v1/projects/p/notes?noteId=CVE-2026-1', {
      kind: 'ATTESTATION',
      vulnerability: { severity: 4, details: [{ fixed_version: { kind: 3 } }] },
    });
    expect(body).toMatchObject({
      kind: 'VULNERABILITY',
      vulnerability: { severity: 'HIGH', details: [{ fixedVersion: { kind: 'MAXIMUM' } }] },
    });
    expect((await post('/v1/projects/p/notes?noteId=d', { discovery: { analysisKind: 'VULNERABILITY' } })).body.kind).toBe('DISCOVERY');
    expect((await post('/v1/projects/p/notes?noteId=s', { sbomReference: {} })).body.kind).toBe('SBOM_REFERENCE');
  });

  it.each([
    ['no id', '', { attestation: {} }],
    ['an id with a slash', '?noteId=a%2Fb', { attestation: {} }],
    ['no details', '?noteId=x', { shortDescription: 'x' }],
    ['two kinds', '?noteId=x', { attestation: {}, build: {} }],
    ['a hint without a name', '?noteId=x', { attestation: { hint: {} } }],
    ['an unknown member', '?noteId=x', { attestation: {}, colour: 'red' }],
    ['an unknown enum', '?noteId=x', { vulnerability: { severity: 'TERRIBLE' } }],
  ])('are refused with %s', async (_what, query, body) => {
    expect(await post(`/v1/projects/p/notes${query}`, body)).toMatchObject(refused('INVALID_ARGUMENT'));
    expect((await get('/v1/projects/p/notes')).body).toEqual({});
  });

  it('are listed by project, filtered and in pages', async () => {
    for (const id of ['a', 'b', 'c']) await createNote('listed', id);
    await post('/v1/projects/listed/notes?noteId=v', { vulnerability: {} });
    const first = (await get('/v1/projects/listed/notes?pageSize=3')).body;
    const second = (await get(`/v1/projects/listed/notes?pageSize=3&pageToken=${first.nextPageToken}`)).body;
    expect([...first.notes, ...second.notes].map(({ name }) => name.split('/').pop())).toEqual(['a', 'b', 'c', 'v']);
    expect(second.nextPageToken).toBeUndefined();
    expect((await get('/v1/projects/listed/notes?filter=kind%3D%22VULNERABILITY%22')).body.notes).toHaveLength(1);
    expect((await get('/v1/projects/other/notes')).body).toEqual({});
  });

  it('change only what the mask names', async () => {
    now += 1000;
    const body = { shortDescription: 'short', longDescription: 'long', attestation: { hint: { humanReadableName: 'Renamed' } } };
    const masked = await patch(`/v1/${NOTE}?updateMask=short_description`, body);
    expect(masked.body).toMatchObject({
      shortDescription: 'short',
      attestation: { hint: { humanReadableName: 'QA' } },
      updateTime: new Date(now).toISOString(),
    });
    expect(masked.body.longDescription).toBeUndefined();
    expect((await patch(`/v1/${NOTE}`, body)).body).toMatchObject({
      longDescription: 'long',
      attestation: { hint: { humanReadableName: 'Renamed' } },
    });
    expect(await patch(`/v1/${NOTE}?updateMask=vulnerability`, { vulnerability: {} })).toMatchObject(
      refused('INVALID_ARGUMENT', /vulnerability/),
    );
    expect(await patch(`/v1/${NOTE}?updateMask=name`, { name: 'x' })).toMatchObject(refused('INVALID_ARGUMENT'));
    expect(await patch('/v1/projects/p/notes/none', {})).toMatchObject(refused('NOT_FOUND', /projects\/p\/notes\/none/));
  });

  it('are deleted with their IAM policy', async () => {
    const policy = { bindings: [{ role: 'roles/containeranalysis.notes.viewer', members: ['user:a@example.com'] }] };
    expect((await post(`/v1/${NOTE}:setIamPolicy`, { policy })).status).toBe(200);
    expect((await get(`/v1/${NOTE}`, 'a@example.com')).status).toBe(200);
    expect(await remove(`/v1/${NOTE}`)).toEqual({ status: 200, body: {} });
    expect(await get(`/v1/${NOTE}`)).toMatchObject(refused('NOT_FOUND'));
    expect(await remove(`/v1/${NOTE}`)).toMatchObject(refused('NOT_FOUND'));
    await createNote('notes-p', 'n');
    expect((await get(`/v1/${NOTE}`, 'a@example.com')).status).toBe(403);
  });
});

describe('an attestation', () => {
  it('is stored as sent, under an id of its own, and read by name', async () => {
    const created = await attest('att-p');
    expect(created.status).toBe(200);
    expect(created.body).toEqual({
      name: expect.stringMatching(/^projects\/att-p\/occurrences\/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
      kind: 'ATTESTATION',
      noteName: NOTE,
      resourceUri: IMAGE,
      attestation: {
        serializedPayload: 'cGF5bG9hZA==',
        signatures: [{ publicKeyId: '//cloudkms.googleapis.com/v1/k', signature: 'c2ln' }],
      },
      createTime: new Date(now).toISOString(),
      updateTime: new Date(now).toISOString(),
    });
    expect(await get(`/v1/${created.body.name}`)).toEqual(created);
    expect((await get(`/v1/${created.body.name}/notes`)).body.name).toBe(NOTE);
  });

  it.each([
    ['URL-safe', AWKWARD.toString('base64url')],
    ['URL-safe with padding', '-__-AQ=='],
    ['standard', AWKWARD.toString('base64')],
  ])('is stored as the same bytes from %s base64', async (_what, text) => {
    const { body } = await attest('att-p', { payload: text, signature: text });
    expect(body.attestation).toMatchObject({ serializedPayload: '+//+AQ==', signatures: [{ signature: '+//+AQ==' }] });
    // Another spelling of the same bytes is the same attestation.
    expect(await attest('att-p', { payload: '+//+AQ==', signature: '-__-AQ' })).toMatchObject(refused('ALREADY_EXISTS'));
  });

  it('takes snake_case, a kind as a number, and a trailing slash', async () => {
    const body = {
      kind: 7,
      note_name: NOTE,
      resource_uri: IMAGE,
      attestation: { serialized_payload: 'cGF5bG9hZA', signatures: [{ public_key_id: 'ni:///x', signature: 'c2ln' }] },
    };
    expect((await post('/v1/projects/att-p/occurrences/', body)).body).toMatchObject({
      kind: 'ATTESTATION',
      attestation: { serializedPayload: 'cGF5bG9hZA==', signatures: [{ publicKeyId: 'ni:///x' }] },
    });
  });

  const valid = attestation();
  it.each([
    ['no note', { ...valid, noteName: undefined }, 'INVALID_ARGUMENT', /note_name/],
    ['a note that is no name', { ...valid, noteName: 'n' }, 'INVALID_ARGUMENT', /projects\/\[PROVIDER_ID\]\/notes/],
    ['a note that does not exist', { ...valid, noteName: 'projects/x/notes/missing' }, 'NOT_FOUND', /projects\/x\/notes\/missing/],
    ['no resource', { ...valid, resourceUri: '' }, 'INVALID_ARGUMENT', /resource_uri/],
    ['no details', { ...valid, attestation: undefined }, 'INVALID_ARGUMENT', /details/],
    ['two details', { ...valid, discovery: {} }, 'INVALID_ARGUMENT', /only one of/],
    ['no payload', { ...valid, attestation: { signatures: [] } }, 'INVALID_ARGUMENT', /serialized_payload/],
    [
      'a signature without its key',
      { ...valid, attestation: { serializedPayload: 'eA==', signatures: [{ signature: 'eA==' }] } },
      'INVALID_ARGUMENT',
      /public_key_id/,
    ],
    [
      'a key without its signature',
      { ...valid, attestation: { serializedPayload: 'eA==', signatures: [{ publicKeyId: 'a:b' }] } },
      'INVALID_ARGUMENT',
      /signature is required/,
    ],
    ['bytes that are no base64', { ...valid, attestation: { serializedPayload: 'ä' } }, 'INVALID_ARGUMENT', /Base64/],
    ['an unknown member', { ...valid, resource: { uri: 'x' } }, 'INVALID_ARGUMENT', /Unknown name "resource"/],
  ])('is refused with %s', async (_what, body, status, message) => {
    expect(await post('/v1/projects/att-p/occurrences', body)).toMatchObject(refused(status, message));
    expect((await get('/v1/projects/att-p/occurrences')).body).toEqual({});
  });

  it('cannot be changed, only its remediation', async () => {
    const { body: stored } = await attest('att-p');
    now += 1000;
    const changed = await patch(`/v1/${stored.name}?updateMask=remediation`, { remediation: 'none', resourceUri: 'other' });
    expect(changed.body).toEqual({ ...stored, remediation: 'none', updateTime: new Date(now).toISOString() });
    for (const [mask, body] of [
      ['resourceUri', { resourceUri: 'other' }],
      ['note_name', { noteName: 'projects/p/notes/other' }],
      ['attestation', attestation({ signature: 'eA==' })],
      ['attestation.signatures', attestation({ signature: 'eA==' })],
      ['', { ...stored, resourceUri: 'other' }],
      ['', attestation({ signature: 'eA==' })],
    ] as const) {
      expect(await patch(`/v1/${stored.name}?updateMask=${mask}`, body)).toMatchObject(refused('INVALID_ARGUMENT', /immutable/));
    }
    // Sent back as it is, with the bytes in the other alphabet, it is unchanged.
    expect((await patch(`/v1/${stored.name}`, attestation({ signature: 'c2ln' }))).status).toBe(200);
    expect((await get(`/v1/${stored.name}`)).body).toMatchObject({
      resourceUri: IMAGE,
      remediation: 'none',
      attestation: stored.attestation,
    });
  });

  it('is deleted, and may then be made again', async () => {
    const { name } = (await attest('att-p')).body;
    expect(await remove(`/v1/${name}`)).toEqual({ status: 200, body: {} });
    expect(await get(`/v1/${name}`)).toMatchObject(refused('NOT_FOUND', new RegExp(name)));
    expect(await remove(`/v1/${name}`)).toMatchObject(refused('NOT_FOUND'));
    expect((await attest('att-p')).status).toBe(200);
  });
});

describe('duplicates', () => {
  it('are refused with the id of the first and the number of its project', async () => {
    const { name } = (await attest('att-p')).body;
    const answer = await attest('att-p');
    expect(answer).toMatchObject(refused('ALREADY_EXISTS', /^occurrence ID "[0-9a-f-]{36}" already exists in project "\d{12}"$/));
    expect(answer.body.error.message).toContain(name.split('/').pop());
  });

  const others: readonly (readonly [string, Attestation])[] = [
    ['another payload', { payload: 'b3RoZXI=' }],
    ['another signature', { signature: 'b3RoZXI=' }],
    ['another key', { key: 'other:key' }],
    ['the resource without its scheme', { resource: IMAGE.replace('https://', '') }],
  ];
  const apart: readonly (readonly [string, Attestation])[] = [
    ['another image', { resource: IMAGE.replace('abcd', 'abce') }],
    ['another note', { note: 'projects/notes-p/notes/second' }],
  ];

  it.each([...others, ...apart])('are not: %s', async (_what, options) => {
    await createNote('notes-p', 'second');
    await attest('att-p');
    expect((await attest('att-p', options)).status).toBe(200);
  });

  it.each(others)('with note-resource also: %s', async (_what, options) => {
    await faults({ duplicates: 'note-resource' });
    const { name } = (await attest('att-p')).body;
    const answer = await attest('other-p', options);
    expect(answer).toMatchObject(refused('ALREADY_EXISTS', /already exists in project/));
    expect(answer.body.error.message).toContain(name.split('/').pop());
  });

  it.each(apart)('with note-resource are not: %s', async (_what, options) => {
    await faults({ duplicates: 'note-resource' });
    await createNote('notes-p', 'second');
    await attest('att-p');
    expect((await attest('att-p', options)).status).toBe(200);
  });

  it('with note-resource are a matter of attestations only', async () => {
    await faults({ duplicates: 'note-resource' });
    const finding = (severity: string) =>
      post('/v1/projects/p/occurrences', { noteName: NOTE, resourceUri: IMAGE, vulnerability: { severity } });
    expect((await attest('p')).status).toBe(200);
    expect((await finding('HIGH')).status).toBe(200);
    expect((await finding('LOW')).status).toBe(200);
    expect(await finding('LOW')).toMatchObject(refused('ALREADY_EXISTS'));
  });
});

describe('other kinds', () => {
  it('keep their details, with enums as names', async () => {
    await post('/v1/projects/goog-analysis/notes?noteId=PACKAGE_VULNERABILITY', { discovery: { analysisKind: 1 } });
    const discovery = { analysisStatus: 'COMPLETE', continuousAnalysis: 1, lastScanTime: '2026-11-20T00:00:00Z' };
    const made = await post('/v1/projects/p/occurrences', {
      noteName: 'projects/goog-analysis/notes/PACKAGE_VULNERABILITY',
      resourceUri: IMAGE,
      discovery,
    });
    expect(made.body).toMatchObject({
      kind: 'DISCOVERY',
      discovery: { analysisStatus: 'FINISHED_SUCCESS', continuousAnalysis: 'ACTIVE', lastScanTime: '2026-11-20T00:00:00Z' },
    });

    const vulnerability = {
      severity: 5,
      effective_severity: 'HIGH',
      cvssScore: 9.8,
      cvssv3: { attackVector: 1, scope: 'SCOPE_CHANGED' },
      package_issue: [
        { affectedPackage: 'openssl', effectiveSeverity: 2, fixedVersion: { kind: 'MAXIMUM' }, affectedVersion: { name: '1', kind: 1 } },
      ],
    };
    const finding = await post('/v1/projects/p/occurrences', { noteName: NOTE, resourceUri: IMAGE, vulnerability });
    expect(finding.body).toMatchObject({
      kind: 'VULNERABILITY',
      vulnerability: {
        severity: 'CRITICAL',
        effectiveSeverity: 'HIGH',
        cvssv3: { attackVector: 'ATTACK_VECTOR_NETWORK', scope: 'SCOPE_CHANGED' },
        packageIssue: [{ effectiveSeverity: 'LOW', fixedVersion: { kind: 'MAXIMUM' }, affectedVersion: { kind: 'NORMAL' } }],
      },
    });
    const build = { intotoStatement: { subject: [{ name: 'x', digest: { sha256: HEX, some_hash: 'y' } }] } };
    expect((await post('/v1/projects/p/occurrences', { noteName: NOTE, resourceUri: IMAGE, build })).body).toMatchObject({
      kind: 'BUILD',
      build,
    });
  });
});

describe('batchCreate', () => {
  it('creates all', async () => {
    const { status, body } = await post('/v1/projects/p/occurrences:batchCreate', {
      parent: 'projects/p',
      occurrences: ['YQ==', 'Yg=='].map((signature) => attestation({ signature })),
    });
    expect({ status, signatures: body.occurrences.map((item: Answer['json']) => item.attestation.signatures[0].signature) }).toEqual({
      status: 200,
      signatures: ['YQ==', 'Yg=='],
    });
  });

  it.each([
    ['a duplicate inside', [attestation(), attestation({ signature: 'eA==' }), attestation()], 'ALREADY_EXISTS'],
    ['a bad one', [attestation(), attestation({ resource: '' })], 'INVALID_ARGUMENT'],
    ['no object', [attestation(), 'x'], 'INVALID_ARGUMENT'],
  ])('creates none with %s', async (_what, occurrences, status) => {
    expect(await post('/v1/projects/p/occurrences:batchCreate', { occurrences })).toMatchObject(refused(status));
    expect((await get('/v1/projects/p/occurrences')).body).toEqual({});
    expect((await attest('p')).status).toBe(200);
  });
});

describe('listings', () => {
  const BARE = IMAGE.replace('https://', '');
  const OTHER = IMAGE.replace('abcd', 'abce');
  const names = (body: Answer['json']): string[] => (body.occurrences ?? []).map((item: Answer['json']) => item.remediation);

  beforeEach(async () => {
    const make = (project: string, remediation: string, body: object) =>
      post(`/v1/projects/${project}/occurrences`, { ...body, remediation });
    await make('p1', 'https', attestation());
    await make('p2', 'bare', attestation({ resource: BARE }));
    await make('p1', 'other', attestation({ resource: OTHER }));
    await make('p1', 'finding', { noteName: NOTE, resourceUri: IMAGE, vulnerability: {} });
    await createNote('notes-p', 'second');
    await make('p1', 'second', attestation({ note: 'projects/notes-p/notes/second' }));
  });

  it('of a project hold its own, of a note those of any project', async () => {
    expect(names((await get('/v1/projects/p1/occurrences')).body)).toEqual(['https', 'other', 'finding', 'second']);
    expect(names((await get('/v1/projects/p2/occurrences')).body)).toEqual(['bare']);
    expect((await get('/v1/projects/p/occurrences')).body).toEqual({});
    expect(names((await get(`/v1/${NOTE}/occurrences`)).body)).toEqual(['https', 'bare', 'other', 'finding']);
    expect(await get('/v1/projects/notes-p/notes/none/occurrences')).toMatchObject(refused('NOT_FOUND', /projects\/notes-p\/notes\/none/));
  });

  it.each([
    ['', ['https', 'bare', 'other', 'finding']],
    [`has_suffix(resourceUrl, "${DIGEST}")`, ['https', 'bare', 'finding']],
    [`has_suffix( resourceUrl ,"${DIGEST}" )`, ['https', 'bare', 'finding']],
    ['has_prefix(resourceUrl, "https://us-docker.pkg.dev/p/r/app")', ['https', 'other', 'finding']],
    [`resourceUrl="${IMAGE}"`, ['https', 'finding']],
    [`resourceUrl = "${BARE}"`, ['bare']],
    [`resourceUrl != "${IMAGE}"`, ['bare', 'other']],
    ['kind="ATTESTATION"', ['https', 'bare', 'other']],
    ['kind=VULNERABILITY', ['finding']],
    ['kind!="ATTESTATION"', ['finding']],
    ['NOT kind="ATTESTATION"', ['finding']],
    ['-kind="ATTESTATION"', ['finding']],
    ['NOT (kind="ATTESTATION" OR kind="BUILD")', ['finding']],
    ['noteProjectId="notes-p" AND noteId="n" AND kind="VULNERABILITY"', ['finding']],
    ['noteProjectId="other"', []],
    [`noteName="${NOTE}" kind="VULNERABILITY"`, ['finding']],
    [`((kind = "BUILD") OR (kind = "VULNERABILITY")) AND ((resourceUrl = "${IMAGE}") OR (resourceUrl = "${BARE}"))`, ['finding']],
    // OR binds tighter than AND.
    [`kind="VULNERABILITY" OR kind="ATTESTATION" AND resourceUrl="${BARE}"`, ['bare']],
    [`(kind="VULNERABILITY") OR (kind="ATTESTATION" AND resourceUrl="${BARE}")`, ['bare', 'finding']],
    ['resourceUrl="a \\"quoted\\" one"', []],
    [`resourceUrl='${BARE}'`, ['bare']],
  ])('of a note with %s', async (filter, expected) => {
    const { status, body } = await get(`/v1/${NOTE}/occurrences?filter=${encodeURIComponent(filter)}&pageSize=100`);
    expect({ status, names: names(body) }).toEqual({ status: 200, names: expected });
  });

  it.each([
    'resourceUri="x"',
    'resourceUrl:"x"',
    'resourceUrl>"x"',
    'resourceUrl=',
    'resourceUrl',
    '"x"',
    'kind="NONSENSE"',
    'kind="attestation"',
    'ends_with(resourceUrl, "x")',
    'has_suffix(resourceUrl)',
    'has_suffix(resourceUrl, x)',
    'has_suffix("x", resourceUrl)',
    'has_suffix(resourceUrl, "x"',
    '(kind="BUILD"',
    'kind="BUILD")',
    'kind="BUILD" AND',
    'AND kind="BUILD"',
    'kind="BUILD" OR',
    'NOT',
    '()',
    'kind="BUILD',
    'resourceUrl=https://x',
    'kind="BUILD" & kind="IMAGE"',
    'constructor="x"',
    'toString(resourceUrl, "x")',
    `${'('.repeat(60)}kind="BUILD"${')'.repeat(60)}`,
  ])('refuse the filter %s', async (filter) => {
    for (const path of [`/v1/${NOTE}/occurrences`, '/v1/projects/p1/occurrences']) {
      expect(await get(`${path}?filter=${encodeURIComponent(filter)}`)).toMatchObject(refused('INVALID_ARGUMENT', /filter/));
    }
  });

  it.each([
    ['', 20],
    ['?pageSize=7', 7],
    ['?pageSize=2000', 44],
  ])('in a project come in pages: %s', async (query, size) => {
    for (let index = 0; index < 40; index += 1) await attest('p1', { signature: Buffer.from(`s${String(index)}`).toString('base64') });
    const seen: string[] = [];
    let token: string | undefined = '';
    for (let page = 0; token !== undefined; page += 1) {
      const { body }: Answer['json'] = await get(`/v1/projects/p1/occurrences${query === '' ? '?' : `${query}&`}pageToken=${token}`);
      if (page === 0) expect(body.occurrences).toHaveLength(size);
      seen.push(...body.occurrences.map((item: Answer['json']) => item.name));
      token = body.nextPageToken;
    }
    expect(new Set(seen).size).toBe(44);
    expect(seen).toHaveLength(44);
  });

  it.each(['pageSize=-1', 'pageSize=x', 'pageToken=xxxx'])('refuse %s', async (query) => {
    expect(await get(`/v1/projects/p1/occurrences?${query}`)).toMatchObject(refused('INVALID_ARGUMENT'));
  });
});

describe('propagation', () => {
  const visible = async () => {
    const listings = await Promise.all([get(`/v1/${NOTE}/occurrences`), get('/v1/projects/p/occurrences')]);
    return listings.map(({ body }) => (body.occurrences ?? []).length);
  };

  it('hides a new occurrence from listings, not from a get, nor from the check for duplicates', async () => {
    await attest('p', { signature: 'b2xk' });
    await faults({ propagationDelayMs: 1500 });
    expect(await visible()).toEqual([1, 1]);
    const { name } = (await attest('p')).body;
    expect(await visible()).toEqual([1, 1]);
    expect((await get(`/v1/${name}`)).status).toBe(200);
    expect((await attest('p')).status).toBe(409);
    now += 1499;
    expect(await visible()).toEqual([1, 1]);
    now += 1;
    expect(await visible()).toEqual([2, 2]);
  });

  it('ends for those that wait when the delay is lifted', async () => {
    await faults({ propagationDelayMs: 60_000 });
    await attest('p');
    expect(await visible()).toEqual([0, 0]);
    await faults({ propagationDelayMs: 0 });
    expect(await visible()).toEqual([1, 1]);
  });
});

describe('permissions', () => {
  const CI = 'ci@p.iam.gserviceaccount.com';
  const grant = (path: string, role: string) =>
    post(`/v1/${path}:setIamPolicy`, { policy: { bindings: [{ role, members: [`serviceAccount:${CI}`] }] } });

  it('a stranger may do nothing, and learns which permission is missing', async () => {
    const { name } = (await attest('p')).body;
    const denied = (verb: string) => refused('PERMISSION_DENIED', new RegExp(`containeranalysis\\.${verb}`));
    expect(await attest('p', {}, CI)).toMatchObject(denied('occurrences.create'));
    expect(await get(`/v1/${name}`, CI)).toMatchObject(denied('occurrences.get'));
    expect(await get(`/v1/${name}/notes`, CI)).toMatchObject(denied('occurrences.get'));
    expect(await get('/v1/projects/p/occurrences', CI)).toMatchObject(denied('occurrences.list'));
    expect(await patch(`/v1/${name}`, {}, CI)).toMatchObject(denied('occurrences.update'));
    expect(await remove(`/v1/${name}`, CI)).toMatchObject(denied('occurrences.delete'));
    expect(await get(`/v1/${NOTE}/occurrences`, CI)).toMatchObject(denied('notes.listOccurrences'));
    expect(await get(`/v1/${NOTE}`, CI)).toMatchObject(denied('notes.get'));
    expect(await get('/v1/projects/p/notes', CI)).toMatchObject(denied('notes.list'));
    expect(await post('/v1/projects/p/notes?noteId=x', {}, CI)).toMatchObject(denied('notes.create'));
    expect(await patch(`/v1/${NOTE}`, {}, CI)).toMatchObject(denied('notes.update'));
    expect(await remove(`/v1/${NOTE}`, CI)).toMatchObject(denied('notes.delete'));
    expect(await get(`/v1/${NOTE}:getIamPolicy`, CI)).toMatchObject(denied('notes.getIamPolicy'));
    expect(await post(`/v1/${NOTE}:setIamPolicy`, { policy: {} }, CI)).toMatchObject(denied('notes.setIamPolicy'));
  });

  it('to attest takes one on the project and one on the note', async () => {
    await grant('projects/p', 'roles/containeranalysis.occurrences.editor');
    expect(await attest('p', {}, CI)).toMatchObject(
      refused('PERMISSION_DENIED', /containeranalysis\.notes\.attachOccurrence.*projects\/notes-p\/notes\/n/),
    );
    expect((await grant(NOTE, 'roles/containeranalysis.notes.attacher')).status).toBe(200);
    expect((await attest('p', {}, CI)).status).toBe(200);
    expect((await get(`/v1/${NOTE}/occurrences`, CI)).status).toBe(403);
    await grant(NOTE, 'roles/containeranalysis.notes.occurrences.viewer');
    expect((await get(`/v1/${NOTE}/occurrences`, CI)).status).toBe(200);
    expect(await attest('p', { signature: 'eA==' }, CI)).toMatchObject(refused('PERMISSION_DENIED', /attachOccurrence/));
  });

  it('of a note are read by GET and by POST', async () => {
    await grant(NOTE, 'roles/containeranalysis.notes.attacher');
    const byPost = await post(`/v1/${NOTE}:getIamPolicy`, {});
    expect(byPost).toMatchObject({
      status: 200,
      body: { bindings: [{ role: 'roles/containeranalysis.notes.attacher', members: [`serviceAccount:${CI}`] }] },
    });
    expect(await get(`/v1/${NOTE}:getIamPolicy`)).toEqual(byPost);
    const asked = { permissions: ['containeranalysis.notes.attachOccurrence', 'containeranalysis.notes.update'] };
    expect((await post(`/v1/${NOTE}:testIamPermissions`, asked, CI)).body).toEqual({
      permissions: ['containeranalysis.notes.attachOccurrence'],
    });
  });
});

describe("Google's client", () => {
  let client: GrafeasClient;
  const once = { retry: null };

  beforeAll(() => {
    const auth = new GoogleAuth({ authClient: new PassThroughClient() });
    client = new GrafeasClient({ fallback: true, protocol: 'http', apiEndpoint: '127.0.0.1', port: emulator.port, auth } as never);
  });
  afterAll(() => client.close());

  it('creates, finds and lists, with enums as numbers and bytes as bytes', async () => {
    const [note] = await client.createNote({
      parent: 'projects/client',
      noteId: 'n',
      note: { attestation: { hint: { humanReadableName: 'x' } } },
    });
    expect(note).toMatchObject({ name: 'projects/client/notes/n', kind: 'ATTESTATION' });
    expect((await client.getNote({ name: note.name! }))[0].attestation?.hint?.humanReadableName).toBe('x');

    const occurrence = {
      kind: 'ATTESTATION' as const,
      noteName: note.name!,
      resourceUri: IMAGE,
      attestation: { serializedPayload: Buffer.from('payload'), signatures: [{ publicKeyId: 'a:b', signature: AWKWARD }] },
    };
    const [created] = await client.createOccurrence({ parent: 'projects/client', occurrence });
    expect(created.kind).toBe('ATTESTATION');
    await expect(client.createOccurrence({ parent: 'projects/client', occurrence }, once)).rejects.toMatchObject({ code: 6 });
    for (let index = 0; index < 4; index += 1) {
      const attested = {
        ...occurrence,
        attestation: { ...occurrence.attestation, serializedPayload: Buffer.from(`payload ${String(index)}`) },
      };
      await client.createOccurrence({ parent: 'projects/client', occurrence: attested });
    }
    const [found] = await client.listNoteOccurrences({ name: note.name!, filter: `has_suffix(resourceUrl, "${DIGEST}")`, pageSize: 2 });
    expect(found).toHaveLength(5);
    expect(found[0]).toMatchObject({ name: created.name, kind: 'ATTESTATION', noteName: note.name, resourceUri: IMAGE });
    expect(Buffer.from(found[0]!.attestation!.signatures![0]!.signature as Uint8Array)).toEqual(AWKWARD);
    expect((await client.listOccurrences({ parent: 'projects/client', filter: 'kind="BUILD"' }))[0]).toEqual([]);
    expect((await client.getOccurrence({ name: created.name! }))[0].attestation?.signatures).toHaveLength(1);
    expect(
      (await client.updateOccurrence({ name: created.name!, occurrence: { remediation: 'r' }, updateMask: { paths: ['remediation'] } }))[0]
        .remediation,
    ).toBe('r');
    await client.deleteOccurrence({ name: created.name! });
    await expect(client.getOccurrence({ name: created.name! }, once)).rejects.toMatchObject({ code: 5 });
    await expect(client.listNoteOccurrences({ name: note.name!, filter: 'resourceUri="x"' }, once)).rejects.toMatchObject({ code: 3 });
  });

  it('plants a scan and its findings', async () => {
    await client.createNote({ parent: 'projects/client', noteId: 'scan', note: { discovery: { analysisKind: 'VULNERABILITY' } } });
    const noteName = 'projects/client/notes/scan';
    await client.createOccurrence({
      parent: 'projects/client',
      occurrence: { noteName, resourceUri: IMAGE, discovery: { analysisStatus: 'FINISHED_SUCCESS', continuousAnalysis: 'ACTIVE' } },
    });
    const vulnerability = {
      severity: 'HIGH' as const,
      effectiveSeverity: 'CRITICAL' as const,
      cvssScore: 9.5,
      packageIssue: [{ affectedPackage: 'x', fixedVersion: { kind: 'MAXIMUM' as const } }],
    };
    await client.createOccurrence({ parent: 'projects/client', occurrence: { noteName, resourceUri: IMAGE, vulnerability } });
    const [found] = await client.listOccurrences({
      parent: 'projects/client',
      filter: `resourceUrl="${IMAGE}" AND (kind="VULNERABILITY" OR kind="DISCOVERY")`,
    });
    expect(found.map(({ kind }) => kind)).toEqual(['DISCOVERY', 'VULNERABILITY']);
    // The client decodes this enum's number to the alias that it knows last.
    expect(found[0]!.discovery).toMatchObject({ analysisStatus: 'COMPLETE', continuousAnalysis: 'ACTIVE' });
    expect(found[1]!.vulnerability).toMatchObject({ effectiveSeverity: 'CRITICAL', packageIssue: [{ fixedVersion: { kind: 'MAXIMUM' } }] });
    const raw = (await get('/v1/projects/client/occurrences')).body;
    expect(raw.occurrences[0].discovery.analysisStatus).toBe('FINISHED_SUCCESS');
    expect(raw.occurrences[1].vulnerability.severity).toBe('HIGH');
  });

  it('reads and writes the IAM policy of a note', async () => {
    const auth = new GoogleAuth({ authClient: new PassThroughClient() });
    const iam = new ContainerAnalysisClient({
      fallback: true,
      protocol: 'http',
      apiEndpoint: '127.0.0.1',
      port: emulator.port,
      auth,
    } as never);
    const bindings = [{ role: 'roles/containeranalysis.notes.attacher', members: ['user:a@example.com'] }];
    const [before] = await iam.getIamPolicy({ resource: NOTE });
    await iam.setIamPolicy({ resource: NOTE, policy: { bindings, etag: before.etag! } });
    expect((await iam.getIamPolicy({ resource: NOTE }))[0].bindings).toMatchObject(bindings);
    await expect(iam.setIamPolicy({ resource: NOTE, policy: { bindings: [], etag: before.etag! } }, once)).rejects.toMatchObject({
      code: 10,
    });
    await iam.close();
  });
});
