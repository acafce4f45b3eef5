// SPDX-License-Identifier: Apache-2.0
// Cloud Run v1 beside v2, over the same services and jobs, below a region's own host as `gcloud run` writes it.
import { request } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestEmulator, type TestEmulator } from '../support/emulator.js';

let emulator: TestEmulator;
beforeAll(async () => void (emulator = await startTestEmulator()));
beforeEach(async () => {
  await emulator.api('POST', '/_emulator/reset');
  await emulator.api('POST', `${V2}?serviceId=web`, {
    template: { containers: [{ image: IMAGE }] },
    binaryAuthorization: { useDefault: true },
  });
});
afterAll(async () => {
  expect(emulator.lastErrors).toEqual([]);
  await emulator.close();
});

const IMAGE = 'us-docker.pkg.dev/p/r/app:v1';
const V2 = '/v2/projects/p/locations/us-east1/services';
const V1 = '/apis/serving.knative.dev/v1/namespaces/p/services';

interface Answer {
  readonly status: number;
  // Answers have many shapes; a wrong path fails the assertion that uses it.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly json: any;
}

/** A call with the region in its host. */
function v1(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(`${emulator.url}${path}`, { method, headers: { host: 'us-east1-run.googleapis.com', ...headers } }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, json: JSON.parse(Buffer.concat(chunks).toString()) as unknown }),
      );
    });
    sent.on('error', reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

const read = async () => (await v1('GET', `${V1}/web`)).json;
const put = (body: unknown, query = '') => v1('PUT', `${V1}/web${query}`, body);
const stored = async () => (await emulator.api('GET', `${V2}/web`)).json;

describe('a service in v1', () => {
  it('is the one of v2', async () => {
    const number = (await emulator.api('GET', '/v1/projects/p')).json.projectNumber as string;
    const { etag, uid, createTime, updateTime } = await stored();
    expect(await read()).toEqual({
      apiVersion: 'serving.knative.dev/v1',
      kind: 'Service',
      metadata: {
        name: 'web',
        namespace: number,
        uid,
        resourceVersion: (etag as string).replaceAll('"', ''),
        generation: 1,
        creationTimestamp: createTime,
        labels: { 'cloud.googleapis.com/location': 'us-east1' },
        annotations: { 'run.googleapis.com/binary-authorization': 'default' },
      },
      spec: { template: { spec: { containers: [{ image: IMAGE }] } } },
      status: { observedGeneration: 1, conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: updateTime }] },
    });
  });

  it('shows a platform policy and a justification as annotations', async () => {
    const set = (binaryAuthorization: object) => emulator.api('PATCH', `${V2}/web?updateMask=binaryAuthorization`, { binaryAuthorization });
    await set({ policy: 'projects/p/platforms/cloudRun/x' });
    expect((await read()).metadata.annotations).toEqual({ 'run.googleapis.com/binary-authorization': 'projects/p/platforms/cloudRun/x' });
    await set({ useDefault: true, breakglassJustification: 'why' });
    expect((await read()).metadata.annotations).toEqual({
      'run.googleapis.com/binary-authorization': 'default',
      'run.googleapis.com/binary-authorization-breakglass': 'why',
    });
    await set({});
    expect((await read()).metadata.annotations).toEqual({});
  });

  it('is replaced as a whole, and keeps what the view does not hold', async () => {
    const containers = [{ image: IMAGE, env: [{ name: 'A', value: 'b' }] }];
    await emulator.api('PATCH', `${V2}/web`, { template: { containers, timeout: '9s' }, description: 'old', labels: { a: 'b' } });
    const body = await read();
    body.metadata.annotations = { 'run.googleapis.com/description': 'new', 'example.com/x': 'y', 'serving.knative.dev/creator': 'me' };
    body.metadata.labels = { c: 'd', 'cloud.googleapis.com/location': 'us-west1' };
    body.spec.template.spec.containers[0].image = `${IMAGE}2`;
    const replaced = await put(body);
    expect([replaced.status, replaced.json.metadata.generation]).toEqual([200, 3]);
    const now = await stored();
    expect(now).toMatchObject({ description: 'new', labels: { c: 'd' }, annotations: { 'example.com/x': 'y' } });
    expect(now.template).toEqual({ containers: [{ ...containers[0], image: `${IMAGE}2` }], timeout: '9s' });
    expect(now).not.toHaveProperty('binaryAuthorization');
  });

  it('is only tried with dryRun', async () => {
    const body = await read();
    body.metadata.annotations = {};
    expect((await put(body, '?dryRun=all')).json.metadata.annotations).toEqual({});
    expect((await stored()).binaryAuthorization).toEqual({ useDefault: true });
  });

  it('is not overwritten by who read it before somebody else changed it', async () => {
    const body = await read();
    expect((await put(body)).status).toBe(200);
    const late = await put(body);
    expect(late.json.error).toMatchObject({
      code: 409,
      status: 'ABORTED',
      message: expect.stringContaining("Conflict for resource 'web'"),
    });
    delete body.metadata.resourceVersion;
    expect((await put(body)).status).toBe(200);
  });

  it.each<readonly [string, string, (body: Answer['json']) => void]>([
    ['another kind', 'INVALID_ARGUMENT', (body) => (body.kind = 'Job')],
    ['another version', 'INVALID_ARGUMENT', (body) => (body.apiVersion = 'serving.knative.dev/v2')],
    ['another name', 'INVALID_ARGUMENT', (body) => (body.metadata.name = 'other')],
    ['an unknown member', 'INVALID_ARGUMENT', (body) => (body.specification = {})],
    ['no containers', 'INVALID_ARGUMENT', (body) => (body.spec.template.spec.containers = [])],
    ['containers that are none', 'INVALID_ARGUMENT', (body) => (body.spec.template.spec.containers = 'web')],
    ['a policy that is none', 'INVALID_ARGUMENT', (body) => (body.metadata.annotations['run.googleapis.com/binary-authorization'] = 'yes')],
    [
      'a justification without the policy',
      'INVALID_ARGUMENT',
      (body) => (body.metadata.annotations = { 'run.googleapis.com/binary-authorization-breakglass': 'x' }),
    ],
    ['an annotation outside the view', 'UNIMPLEMENTED', (body) => (body.metadata.annotations['run.googleapis.com/ingress'] = 'internal')],
    ['a member outside the view', 'UNIMPLEMENTED', (body) => (body.spec.traffic = [{ percent: 100 }])],
    ['a container’s member outside the view', 'UNIMPLEMENTED', (body) => (body.spec.template.spec.containers[0].env = [])],
  ])('refuses %s, and changes nothing', async (_title, status, spoil) => {
    const body = await read();
    spoil(body);
    expect((await put(body)).json.error).toMatchObject({ status });
    expect((await stored()).generation).toBe('1');
  });

  it('is found only in its region, which the host names', async () => {
    for (const host of ['us-west1-run.googleapis.com', 'run.googleapis.com', 'us-middle1-run.googleapis.com'])
      expect((await v1('GET', `${V1}/web`, undefined, { host })).json.error).toMatchObject({ status: 'NOT_FOUND' });
    expect((await v1('GET', `${V1}/other`)).json.error).toMatchObject({ status: 'NOT_FOUND' });
    expect((await v1('GET', V1, undefined, { host: 'us-west1-run.googleapis.com' })).json.items).toEqual([]);
    expect((await v1('GET', V1, undefined, { host: 'run.googleapis.com' })).json.items).toHaveLength(1);
    expect((await v1('GET', '/v1/projects/p/locations/-/services')).json.items).toHaveLength(1);
    expect((await v1('GET', '/v1/projects/p/locations/us-west1/services')).json.items).toEqual([]);
  });

  it('asks for the permissions of v2', async () => {
    const as = { authorization: 'Bearer as:someone@example.com' };
    const body = await read();
    const grant = (role: string) =>
      emulator.api('POST', '/v1/projects/p:setIamPolicy', { policy: { bindings: [{ role, members: ['user:someone@example.com'] }] } });
    for (const call of [
      () => v1('GET', `${V1}/web`, undefined, as),
      () => v1('GET', V1, undefined, as),
      () => v1('PUT', `${V1}/web`, body, as),
    ])
      expect((await call()).json.error).toMatchObject({ code: 403, status: 'PERMISSION_DENIED' });
    await grant('roles/run.viewer');
    expect((await v1('GET', `${V1}/web`, undefined, as)).status).toBe(200);
    expect((await v1('PUT', `${V1}/web`, body, as)).status).toBe(403);
    await grant('roles/run.developer');
    expect((await v1('PUT', `${V1}/web`, body, as)).status).toBe(200);
  });

  it('is not there while the API is off', async () => {
    await emulator.api('POST', '/v1/projects/p/services/run.googleapis.com:disable', {});
    expect((await v1('GET', `${V1}/web`)).json.error).toMatchObject({
      status: 'PERMISSION_DENIED',
      message: expect.stringContaining('Cloud Run Admin API'),
    });
  });
});
