// SPDX-License-Identifier: Apache-2.0
// Every failure through the real clients over HTTP: a client library (gax) and the REST client must tell the same.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { BinauthzError, ErrorCode } from '../../src/core/errors.js';
import type { AttestorName, KeyVersionName, NoteName, ProjectId } from '../../src/core/names.js';
import { createAttestorService } from '../../src/google/binary-authorization.js';
import { createAttestationStore } from '../../src/google/container-analysis.js';
import { createKeyService } from '../../src/google/kms.js';
import { Secret } from '../../src/core/secret.js';
import { errorOf, googleOn } from './google.js';
import { errorInfo, googleError, startStub, type Planned, type Stub } from './stub-server.js';

const VERSION = 'projects/p/locations/global/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1' as KeyVersionName;
const ATTESTOR = 'projects/p/attestors/a' as AttestorName;
const NOTE = 'projects/p/notes/n' as NoteName;

let stub: Stub;
beforeEach(async () => {
  stub = await startStub();
});
afterEach(() => stub.close());

const clients = {
  'client library': () => createKeyService(googleOn(stub.host).google).publicKey(VERSION),
  REST: () => createAttestorService(googleOn(stub.host).google).attestor(ATTESTOR),
};

const json = (status: number, name: string): Planned => ({ status, body: googleError(status, name, `said ${name}`) });

describe.each(Object.entries(clients))('a failure through the %s', (name, call) => {
  const isRest = name === 'REST';
  const table: [string, Planned, ErrorCode, string | undefined][] = [
    ['400', json(400, 'INVALID_ARGUMENT'), isRest ? 'INVALID_INPUT' : 'KEY_UNUSABLE', undefined],
    ['401', json(401, 'UNAUTHENTICATED'), 'UNAUTHENTICATED', undefined],
    ['403', json(403, 'PERMISSION_DENIED'), 'PERMISSION_DENIED', undefined],
    ['403 in HTML', { status: 403, body: '<html>no</html>' }, 'PERMISSION_DENIED', undefined],
    ['404', json(404, 'NOT_FOUND'), isRest ? 'ATTESTOR_NOT_FOUND' : 'KEY_NOT_FOUND', undefined],
    ['404 in HTML', { status: 404, body: '<html>proxy</html>' }, 'RESPONSE_INVALID', undefined],
    ['409', json(409, 'ABORTED'), 'UNAVAILABLE', 'unavailable'],
    ['429', json(429, 'RESOURCE_EXHAUSTED'), 'QUOTA_EXHAUSTED', 'quota'],
    ['500', json(500, 'INTERNAL'), 'UNAVAILABLE', 'unavailable'],
    ['502 in HTML', { status: 502, body: '<html>Bad Gateway</html>' }, 'UNAVAILABLE', 'unavailable'],
    ['503', json(503, 'UNAVAILABLE'), 'UNAVAILABLE', 'unavailable'],
    ['504', json(504, 'DEADLINE_EXCEEDED'), 'UNAVAILABLE', 'unavailable'],
    ['302', { status: 302, headers: { location: 'http://127.0.0.1:1/' }, body: '' }, 'RESPONSE_INVALID', undefined],
    ['a reset connection', { fault: 'reset' }, 'UNAVAILABLE', 'unavailable'],
    ['a truncated body', { fault: 'truncate', body: '{"name":"pro' }, 'UNAVAILABLE', 'unavailable'],
    ['JSON that ends early', { body: '{"name":"pro' }, 'UNAVAILABLE', 'unavailable'],
    ['an empty body', { body: '' }, 'UNAVAILABLE', 'unavailable'],
    ['no body, and says so', { status: 204, body: '' }, 'UNAVAILABLE', 'unavailable'],
    ['HTML on success', { body: '<html>sign in</html>' }, 'RESPONSE_INVALID', undefined],
    ['more than can be meant', { headers: { 'content-length': '68719476736' } }, 'RESPONSE_INVALID', undefined],
  ];

  it.each(table)('%s', async (_, answer, code, transient) => {
    stub.plan(answer);
    const error = await errorOf(call());
    expect({ code: error.code, transient: error.transient?.kind }).toEqual({ code, transient });
    expect(error.resource).toBe(isRest ? ATTESTOR : VERSION);
    expect(error.message).toContain(isRest ? ATTESTOR : VERSION);
    expect(error.hint).toMatch(/.+/);
    if (transient === undefined) expect(stub.asked).toHaveLength(1);
    else expect(stub.asked.length).toBeGreaterThan(3);
  });

  it('nobody listening', async () => {
    await stub.close();
    const error = await errorOf(call());
    expect(error.code).toBe('UNAVAILABLE');
    expect(error.message).toContain(`http://${stub.host}`);
  });
});

// Calls without a next step of their own, found by `npm run chaos`.
describe('has a hint also for', () => {
  const attestation = {
    note: NOTE,
    resourceUri: 'https://us-docker.pkg.dev/p/r/app@sha256:ab',
    payload: new Uint8Array([1]),
    signatures: [{ publicKeyId: 'k', bytes: new Uint8Array([2]) }],
  };

  it.each([400, 401, 403, 404, 409, 418, 429, 503])('%i to a validation and to a list', async (status) => {
    stub.plan(json(status, 'PLANNED'));
    const { google } = googleOn(stub.host);
    expect((await errorOf(createAttestorService(google).validate(ATTESTOR, attestation))).hint).toMatch(/.+/);
    expect((await errorOf(createAttestationStore(google).listInProject('p' as ProjectId, undefined))).hint).toMatch(/.+/);
  });

  it('a stored attestation whose name does not come back: it may be there', async () => {
    stub.plan({ body: {} });
    const error = await errorOf(createAttestationStore(googleOn(stub.host).google).create('p' as ProjectId, attestation));
    expect([error.code, error.hint]).toEqual(['RESPONSE_INVALID', expect.stringContaining('a re-run finds it')]);
  });
});

it('takes a wrapped checksum as an answer that cannot be read', async () => {
  stub.plan({ body: { name: VERSION, pem: 'x', pemCrc32c: { value: '1' } } });
  expect((await errorOf(clients['client library']())).code).toBe('RESPONSE_INVALID');
});

it('tells a hung server after the time limit of an attempt', async () => {
  stub.plan({ fault: 'hang' });
  const { google, pace } = googleOn(stub.host, { timeoutMs: 150 });
  const client = google.lazyClient(
    'cloudkms',
    async () => (await import('@google-cloud/kms/build/src/v1/key_management_service_client.js')).KeyManagementServiceClient,
  );
  const error = await errorOf(
    google.call.once({ what: 'cannot read', resource: 'x', needs: [], notFound: 'NOT_FOUND' }, async (options) =>
      (await client()).getPublicKey({ name: VERSION }, options),
    ),
  );
  expect(error).toMatchObject({ code: 'UNAVAILABLE', transient: { kind: 'unavailable' } });
  expect(error.message).toContain('150 ms');
  expect(pace.pauses).toEqual([]);
});

it('ends an attempt at the deadline of the call', async () => {
  stub.plan({ fault: 'hang' });
  const { google, pace } = googleOn(stub.host);
  const startedAt = performance.now();
  const error = await errorOf(createAttestationStore(google).listOfNote(NOTE, undefined, pace.now() + 100));
  expect(performance.now() - startedAt).toBeLessThan(10_000);
  expect(error).toMatchObject({ code: 'UNAVAILABLE', transient: { kind: 'unavailable' } });
  // The request itself is given up too, not only the wait for it.
  await vi.waitFor(() => expect(stub.closed()).toBe(1));
});

it.each(Object.keys(clients))('tells a cancelled run through the %s', async (name) => {
  stub.plan({ fault: 'hang' });
  const controller = new AbortController();
  const { google } = googleOn(stub.host, { signal: controller.signal });
  const call = name === 'REST' ? createAttestorService(google).attestor(ATTESTOR) : createKeyService(google).publicKey(VERSION);
  setTimeout(() => controller.abort(), 300);
  expect(await errorOf(call)).toMatchObject({ code: 'CANCELLED', hint: expect.stringContaining('run again') as string });
});

describe('a missing permission', () => {
  const refusal = (permission: string): Planned => ({
    status: 403,
    body: googleError(403, 'PERMISSION_DENIED', 'denied', [errorInfo('IAM_PERMISSION_DENIED', { permission, resource: 'x' })]),
  });
  const attestation = { note: NOTE, resourceUri: 'https://gcr.io/p/x@sha256:1', payload: new Uint8Array([1]), signatures: [] };
  const store = () => createAttestationStore(googleOn(stub.host).google);
  const keys = () => createKeyService(googleOn(stub.host).google);

  const table: [string, string, () => Promise<unknown>, RegExp][] = [
    [
      'on an attestor',
      'binaryauthorization.attestors.get',
      clients.REST,
      /gcloud container binauthz attestors add-iam-policy-binding a --project=p --condition=None --member=MEMBER --role=roles\/binaryauthorization\.attestorsViewer/,
    ],
    [
      'on a key',
      'cloudkms.cryptoKeyVersions.viewPublicKey',
      () => keys().publicKey(VERSION),
      /gcloud kms keys add-iam-policy-binding k --keyring=r --location=global --project=p --condition=None --member=MEMBER --role=roles\/cloudkms\.publicKeyViewer/,
    ],
    [
      'on a note',
      'containeranalysis.notes.attachOccurrence',
      () => store().create('other' as never, attestation),
      /note_iam_member.*projects\/p\/notes\/n:getIamPolicy/,
    ],
    [
      'on a project',
      'containeranalysis.occurrences.create',
      () => store().create('other' as never, attestation),
      /gcloud projects add-iam-policy-binding other --condition=None --member=MEMBER --role=roles\/containeranalysis\.occurrences\.editor/,
    ],
  ];

  it.each(table)('%s names permission, role and command', async (_, permission, call, hint) => {
    stub.plan(refusal(permission));
    const error = await errorOf(call());
    expect(error.code).toBe('PERMISSION_DENIED');
    expect(error.message).toContain(permission);
    expect(error.message).toMatch(/role roles\//);
    expect(error.hint).toMatch(hint);
    // Only what Google named: the other half of the permissions may be there already.
    expect(error.hint?.match(/grant roles/g)).toHaveLength(1);
  });

  it('of which Google names none lists all that the call needs', async () => {
    stub.plan(json(403, 'PERMISSION_DENIED'));
    const error = await errorOf(store().create('other' as never, attestation));
    expect(error.message).toContain('containeranalysis.notes.attachOccurrence');
    expect(error.message).toContain('containeranalysis.occurrences.create');
  });

  it('is told from an API that is not enabled', async () => {
    const info = errorInfo('SERVICE_DISABLED', { service: 'binaryauthorization.googleapis.com', consumer: 'projects/123' });
    stub.plan({
      status: 403,
      body: googleError(403, 'PERMISSION_DENIED', 'Binary Authorization API has not been used in project 123 before or it is disabled.', [
        info,
      ]),
    });
    const error = await errorOf(clients.REST());
    expect(error.code).toBe('PERMISSION_DENIED');
    expect(error.hint).toContain('gcloud services enable binaryauthorization.googleapis.com --project=123');
  });

  it('is told from a quota project that may not be used', async () => {
    stub.plan({
      status: 403,
      body: googleError(403, 'PERMISSION_DENIED', 'Caller may not use project q.', [
        errorInfo('USER_PROJECT_DENIED', { consumer: 'projects/q' }),
      ]),
    });
    expect((await errorOf(clients.REST())).hint).toContain(
      'gcloud projects add-iam-policy-binding q --condition=None --member=MEMBER --role=roles/serviceusage.serviceUsageConsumer',
    );
  });
});

describe('a key that cannot be used', () => {
  const table: [string, RegExp][] = [
    [`${VERSION} is not enabled, current state is: DISABLED.`, /versions enable 1 --key=k/],
    [`${VERSION} is not enabled, current state is: DESTROYED.`, /use another version/],
    [`${VERSION} is not enabled, current state is: IMPORT_FAILED.`, /use another version/],
    [
      `${VERSION} is not enabled, current state is: PENDING_GENERATION.`,
      /wait until this prints ENABLED: gcloud kms keys versions describe 1 /,
    ],
    ['The purpose of the key is ENCRYPT_DECRYPT, which does not allow this.', /ASYMMETRIC_SIGN/],
  ];
  it.each(table)('%s', async (message, hint) => {
    stub.plan({ status: 400, body: googleError(400, 'FAILED_PRECONDITION', message) });
    const error: BinauthzError = await errorOf(clients['client library']());
    expect(error.code).toBe('KEY_UNUSABLE');
    expect(error.hint).toMatch(hint);
  });
});

// Exit 2 says that nothing was posted, and prints nothing of what was.
it('is no bad input where an attestation is refused that others may have been stored before', async () => {
  stub.plan({ status: 400, body: googleError(400, 'INVALID_ARGUMENT', 'no') });
  const store = createAttestationStore(googleOn(stub.host).google);
  const attestation = { note: NOTE, resourceUri: 'https://r/i@sha256:0', payload: new Uint8Array(), signatures: [] };
  expect((await errorOf(store.create('p' as ProjectId, attestation))).code).toBe('CHANGE_REFUSED');
});

it('never shows a token', async () => {
  stub.plan(json(401, 'UNAUTHENTICATED'));
  const { google } = googleOn(stub.host, { token: 'as:someone@example.com' });
  const error = await errorOf(createKeyService(google).publicKey(VERSION));
  const everything = JSON.stringify([error.message, error.hint, error.resource, String(error.cause)]);
  expect(stub.asked[0]?.headers.authorization).toBe('Bearer as:someone@example.com');
  expect(everything).not.toContain('someone@');
});

it('keeps a token that the server quotes back out of every message', async () => {
  const token = 'odd token without a known form'.replaceAll(' ', '-');
  stub.plan({ status: 401, body: googleError(401, 'UNAUTHENTICATED', `bad token ${token}`) });
  const { google } = googleOn(stub.host, { accessToken: new Secret(token, 'TOKEN') });
  const error = await errorOf(createAttestorService(google).attestor(ATTESTOR));
  expect([error.code, error.message]).toEqual(['UNAUTHENTICATED', expect.stringContaining('[redacted]')]);
  expect(`${error.message} ${error.hint}`).not.toContain(token);
});
