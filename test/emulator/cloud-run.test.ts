// SPDX-License-Identifier: Apache-2.0
// Cloud Run's resources beside the registry under /v2/. Setting: proto google/cloud/run/v2/vendor_settings.proto.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestEmulator, type TestEmulator } from '../support/emulator.js';
import { pushImage, singleImage } from '../support/images.js';

let emulator: TestEmulator;
beforeAll(async () => void (emulator = await startTestEmulator()));
beforeEach(async () => void (await emulator.api('POST', '/_emulator/reset')));
afterAll(async () => {
  expect(emulator.lastErrors).toEqual([]);
  await emulator.close();
});

const PARENT = 'projects/p/locations/us-central1';
const IMAGE = 'us-central1-docker.pkg.dev/p/r/app:v1';
const containers = { containers: [{ image: IMAGE }] };
const KINDS = [
  ['services', 'serviceId', 'Service', { template: containers }],
  ['jobs', 'jobId', 'Job', { template: { template: containers } }],
  ['workerPools', 'workerPoolId', 'WorkerPool', { template: containers }],
] as const;

const create = (body: unknown, [collection, parameter]: readonly [string, string, ...unknown[]] = KINDS[0], id = 'web') =>
  emulator.api('POST', `/v2/${PARENT}/${collection}?${parameter}=${id}`, body);

describe.each(KINDS)('%s', (...kind) => {
  const [collection, , type, body] = kind;
  const path = `/v2/${PARENT}/${collection}`;

  it('go through their whole life', async () => {
    const made = await create({ ...body, binaryAuthorization: { useDefault: true } }, kind);
    const name = `${PARENT}/${collection}/web`;
    expect(made.json).toMatchObject({
      done: true,
      response: { '@type': `type.googleapis.com/google.cloud.run.v2.${type}`, name, generation: '1' },
    });
    expect((await emulator.api('GET', `/v2/${made.json.name}`)).json).toEqual(made.json);
    const { json } = await emulator.api('GET', `${path}/web`);
    expect(json).toMatchObject({ name, ...body, binaryAuthorization: { useDefault: true } });
    expect(json.terminalCondition).toMatchObject({ type: 'Ready', state: 'CONDITION_SUCCEEDED' });
    expect((await emulator.api('GET', path)).json).toEqual({ [collection]: [json] });
    expect((await create(body, kind)).json.error).toMatchObject({ status: 'ALREADY_EXISTS' });
    expect((await emulator.api('PATCH', `${path}/web`, { ...body, etag: json.etag })).json).toMatchObject({ done: true });
    const changed = (await emulator.api('GET', `${path}/web`)).json;
    expect(changed).toMatchObject({ generation: '2', uid: json.uid });
    expect(changed).not.toHaveProperty('binaryAuthorization');
    expect((await emulator.api('PATCH', `${path}/web`, { ...body, etag: json.etag })).json.error).toMatchObject({ status: 'ABORTED' });
    expect((await emulator.api('DELETE', `${path}/web?etag=${encodeURIComponent(json.etag)}`)).json.error).toMatchObject({
      status: 'ABORTED',
    });
    expect((await emulator.api('DELETE', `${path}/web`)).json).toMatchObject({ done: true });
    expect((await emulator.api('GET', `${path}/web`)).json.error).toMatchObject({ status: 'NOT_FOUND' });
    expect((await emulator.api('GET', path)).json).toEqual({});
  });

  it('need a container with an image', async () => {
    for (const wrong of [{}, { template: {} }, { template: { containers: [], template: { containers: [{}] } } }])
      expect((await create(wrong, kind)).json.error).toMatchObject({ status: 'INVALID_ARGUMENT' });
  });
});

describe('Binary Authorization', () => {
  it.each([
    ['off', { useDefault: false }, {}],
    ['the project policy', { use_default: true }, { useDefault: true }],
    [
      'break-glass',
      { useDefault: true, breakglassJustification: 'incident 1' },
      { useDefault: true, breakglassJustification: 'incident 1' },
    ],
    ['a platform policy', { policy: 'projects/p/platforms/cloudRun/web' }, { policy: 'projects/p/platforms/cloudRun/web' }],
  ])('%s is taken', async (_, sent, shown) => {
    expect((await create({ template: containers, binary_authorization: sent })).status).toBe(200);
    expect((await emulator.api('GET', `/v2/${PARENT}/services/web`)).json.binaryAuthorization).toEqual(shown);
  });

  it.each([
    ['a justification with the policy off', { useDefault: false, breakglassJustification: 'incident' }],
    ['a justification alone', { breakglassJustification: 'incident' }],
    ['both kinds of policy', { useDefault: true, policy: 'projects/p/platforms/cloudRun/web' }],
    ['a policy of another platform', { policy: 'projects/p/platforms/gke/policies/web' }],
    ['an unknown member', { default: true }],
    ['a switch that is none', { useDefault: 'yes' }],
  ])('%s is refused', async (_, sent) => {
    expect((await create({ template: containers, binaryAuthorization: sent })).json.error).toMatchObject({ status: 'INVALID_ARGUMENT' });
  });

  it('can be changed alone', async () => {
    await create({ template: containers, labels: { a_b: 'c' } });
    const patch = (mask: string, body: unknown) => emulator.api('PATCH', `/v2/${PARENT}/services/web?updateMask=${mask}`, body);
    await patch('binary_authorization.use_default', { binaryAuthorization: { useDefault: true } });
    const { json } = await emulator.api('GET', `/v2/${PARENT}/services/web`);
    expect(json).toMatchObject({ binaryAuthorization: { useDefault: true }, labels: { a_b: 'c' }, template: containers });
    await patch('binaryAuthorization', {});
    expect((await emulator.api('GET', `/v2/${PARENT}/services/web`)).json).not.toHaveProperty('binaryAuthorization');
    expect((await patch('binaryAuthorisation', {})).json.error).toMatchObject({ status: 'INVALID_ARGUMENT' });
  });
});

it('makes nothing where only validation was asked for, and what was missing where that is allowed', async () => {
  const path = `/v2/${PARENT}/services`;
  expect((await emulator.api('POST', `${path}?serviceId=web&validateOnly=true`, { template: containers })).json).toMatchObject({
    done: true,
  });
  expect((await emulator.api('GET', `${path}/web`)).status).toBe(404);
  expect((await emulator.api('PATCH', `${path}/web`, { template: containers })).status).toBe(404);
  expect((await emulator.api('PATCH', `${path}/web?allow_missing=true`, { template: containers })).status).toBe(200);
  expect((await emulator.api('GET', `${path}/web`)).status).toBe(200);
});

it('refuses names, locations and members that the API does not know', async () => {
  for (const path of ['us-central1/services?serviceId=Web', 'us-central1/services', 'us-middle1/services?serviceId=web'])
    expect((await emulator.api('POST', `/v2/projects/p/locations/${path}`, { template: containers })).json.error).toMatchObject({
      status: 'INVALID_ARGUMENT',
    });
  expect((await create({ template: containers, binaryAuthorisation: {} })).json.error).toMatchObject({ status: 'INVALID_ARGUMENT' });
});

it('stands aside for the registry, whatever a repository is called', async () => {
  const image = singleImage('projects');
  await pushImage(emulator.url, 'projects/locations/services', 'v1', image);
  const found = await fetch(`${emulator.url}/v2/projects/locations/services/manifests/v1`);
  expect([found.status, found.headers.get('docker-content-digest')]).toEqual([200, image.digest]);
  expect((await emulator.api('GET', '/v2/projects/p/locations/us-central1/services/manifests/v1')).json).toHaveProperty('errors');
  expect((await emulator.api('GET', '/v2/projects/p/locations/us-central1/services/web')).json).toHaveProperty('error');
});

it.each([
  ['GET', 'services/web', undefined, 'roles/run.viewer', 'roles/container.clusterViewer'],
  ['GET', 'jobs', undefined, 'roles/run.viewer', 'roles/logging.viewer'],
  ['POST', 'services?serviceId=new', { template: containers }, 'roles/run.developer', 'roles/run.viewer'],
  ['PATCH', 'services/web', { template: containers }, 'roles/run.admin', 'roles/run.viewer'],
  ['DELETE', 'services/web', undefined, 'roles/run.developer', 'roles/run.viewer'],
])('checks permissions of %s %s', async (method, path, body, enough, close) => {
  await create({ template: containers });
  const as = async (role: string) => {
    const policy = { bindings: [{ role, members: ['user:someone@example.com'] }] };
    await emulator.api('POST', '/v1/projects/p:setIamPolicy', { policy });
    return emulator.api(method, `/v2/${PARENT}/${path}`, body, 'as:someone@example.com');
  };
  expect((await as(close)).json.error).toMatchObject({ code: 403, status: 'PERMISSION_DENIED' });
  expect((await as(enough)).status).toBe(200);
});
