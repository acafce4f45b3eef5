// SPDX-License-Identifier: Apache-2.0
// Clusters through both versions of the API. Modes: proto google/container/v1beta1/cluster_service.proto.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestEmulator, type TestEmulator } from '../support/emulator.js';

let emulator: TestEmulator;
beforeAll(async () => void (emulator = await startTestEmulator()));
beforeEach(async () => void (await emulator.api('POST', '/_emulator/reset')));
afterAll(async () => {
  expect(emulator.lastErrors).toEqual([]);
  await emulator.close();
});

const REGION = 'projects/p/locations/us-central1';
const CLUSTERS = `/v1beta1/${REGION}/clusters`;
const BINDING = { name: 'projects/123/platforms/gke/policies/cv' };

async function create(binaryAuthorization?: unknown, version = 'v1beta1', name = 'prod') {
  return emulator.api('POST', `/${version}/${REGION}/clusters`, { cluster: { name, binaryAuthorization } });
}

describe('a cluster', () => {
  it('is made by an operation that is done at once, and can be asked for', async () => {
    const made = await create({ evaluationMode: 'PROJECT_SINGLETON_POLICY_ENFORCE' });
    expect(made.json).toMatchObject({ operationType: 'CREATE_CLUSTER', status: 'DONE', zone: 'us-central1' });
    expect(made.json.targetLink).toMatch(
      /^https:\/\/container\.googleapis\.com\/v1\/projects\/\d+\/locations\/us-central1\/clusters\/prod$/,
    );
    for (const version of ['v1', 'v1beta1'])
      expect((await emulator.api('GET', `/${version}/${REGION}/operations/${made.json.name}`)).json).toEqual(made.json);
    expect((await emulator.api('GET', `${CLUSTERS}/prod`)).json).toMatchObject({
      name: 'prod',
      location: 'us-central1',
      zone: 'us-central1',
      status: 'RUNNING',
      binaryAuthorization: { evaluationMode: 'PROJECT_SINGLETON_POLICY_ENFORCE' },
    });
  });

  it('keeps what else was sent, in either spelling, and labels as they are', async () => {
    const cluster = { name: 'c', initial_node_count: 3, resource_labels: { my_team: 'x' }, binary_authorization: { evaluation_mode: 2 } };
    expect((await emulator.api('POST', CLUSTERS, { cluster })).status).toBe(200);
    expect((await emulator.api('GET', `${CLUSTERS}/c`)).json).toMatchObject({
      initialNodeCount: 3,
      resourceLabels: { my_team: 'x' },
      binaryAuthorization: { evaluationMode: 'PROJECT_SINGLETON_POLICY_ENFORCE' },
    });
  });

  it('without a setting shows none', async () => {
    await create();
    expect((await emulator.api('GET', `${CLUSTERS}/prod`)).json).not.toHaveProperty('binaryAuthorization');
  });

  it('is the same under the project number, and in a zone under the old path', async () => {
    const zone = '/v1/projects/p/zones/europe-west1-b/clusters';
    const { json } = await emulator.api('POST', zone, { cluster: { name: 'z' } });
    const number = /projects\/(\d+)/.exec(json.selfLink)?.[1] ?? '';
    for (const path of [`${zone}/z`, `/v1beta1/projects/${number}/locations/europe-west1-b/clusters/z`])
      expect((await emulator.api('GET', path)).json).toMatchObject({ name: 'z', location: 'europe-west1-b' });
    expect((await emulator.api('GET', `/v1/projects/p/zones/europe-west1-b/operations/${json.name}`)).status).toBe(200);
  });

  it('is listed in its location and under -, nowhere else', async () => {
    await create(undefined, 'v1', 'b');
    await create(undefined, 'v1', 'a');
    const names = async (location: string) =>
      ((await emulator.api('GET', `/v1/projects/p/locations/${location}/clusters`)).json.clusters ?? []).map(
        ({ name }: { name: string }) => name,
      );
    expect(await names('us-central1')).toEqual(['a', 'b']);
    expect(await names('-')).toEqual(['a', 'b']);
    expect(await names('us-east1')).toEqual([]);
    expect((await emulator.api('GET', '/v1/projects/q/locations/-/clusters')).json).toEqual({});
  });

  it('is changed by an update, as a whole, and by the etag that is current', async () => {
    await create({ evaluationMode: 'PROJECT_SINGLETON_POLICY_ENFORCE' });
    const { etag } = (await emulator.api('GET', `${CLUSTERS}/prod`)).json;
    const update = (body: unknown) => emulator.api('PUT', `${CLUSTERS}/prod`, body);
    const done = await update({ update: { desiredBinaryAuthorization: { enabled: true }, etag } });
    expect(done.json).toMatchObject({ operationType: 'UPDATE_CLUSTER', status: 'DONE' });
    expect((await emulator.api('GET', `${CLUSTERS}/prod`)).json.binaryAuthorization).toEqual({ enabled: true });
    expect((await update({ update: { desiredBinaryAuthorization: {}, etag } })).json.error).toMatchObject({ status: 'ABORTED' });
    for (const body of [{}, { update: {} }, { update: { desiredNodeVersion: '1' } }, { desiredBinaryAuthorization: {} }])
      expect((await update(body)).json.error).toMatchObject({ status: 'INVALID_ARGUMENT' });
  });

  it('is gone after a delete', async () => {
    await create();
    expect((await emulator.api('DELETE', `${CLUSTERS}/prod`)).json).toMatchObject({ operationType: 'DELETE_CLUSTER', status: 'DONE' });
    for (const method of ['GET', 'DELETE'])
      expect((await emulator.api(method, `${CLUSTERS}/prod`)).json.error).toMatchObject({ code: 404, status: 'NOT_FOUND' });
  });

  it('has a name of its own', async () => {
    await create();
    expect((await create()).json.error).toMatchObject({ code: 409, status: 'ALREADY_EXISTS' });
  });
});

describe('continuous validation', () => {
  it.each(['POLICY_BINDINGS', 'POLICY_BINDINGS_AND_PROJECT_SINGLETON_POLICY_ENFORCE'])(
    '%s is known to v1beta1, not to v1',
    async (mode) => {
      const setting = { evaluationMode: mode, policyBindings: [BINDING] };
      expect((await create(setting)).status).toBe(200);
      expect((await emulator.api('GET', `${CLUSTERS}/prod`)).json.binaryAuthorization).toEqual(setting);
      const seen = (await emulator.api('GET', `/v1/${REGION}/clusters/prod`)).json.binaryAuthorization;
      expect(seen).toEqual({ evaluationMode: 'EVALUATION_MODE_UNSPECIFIED' });
      expect((await emulator.api('GET', `/v1/${REGION}/clusters`)).json.clusters[0].binaryAuthorization).toEqual(seen);
      expect((await create({ evaluationMode: mode }, 'v1', 'other')).json.error).toMatchObject({ status: 'INVALID_ARGUMENT' });
    },
  );
});

describe('refused is', () => {
  it.each([
    ['an unknown mode', { evaluationMode: 'ENFORCE' }],
    ['an unknown member', { evaluation: 'DISABLED' }],
    ['a switch that is none', { enabled: 'true' }],
    ['a binding to something else', { evaluationMode: 'POLICY_BINDINGS', policyBindings: [{ name: 'projects/p/policy' }] }],
    ['too many bindings', { evaluationMode: 'POLICY_BINDINGS', policyBindings: Array.from({ length: 11 }, () => BINDING) }],
    ['a setting that is no object', 'DISABLED'],
  ])('%s', async (_, setting) => {
    expect((await create(setting)).json.error).toMatchObject({ code: 400, status: 'INVALID_ARGUMENT' });
  });

  it.each([
    ['no cluster', {}],
    ['a misspelt member', { cluster: { name: 'c', binaryAuthorisation: {} } }],
    ['an upper-case name', { cluster: { name: 'Prod' } }],
    ['no name', { cluster: {} }],
  ])('%s', async (_, body) => {
    expect((await emulator.api('POST', CLUSTERS, body)).json.error).toMatchObject({ status: 'INVALID_ARGUMENT' });
  });

  it('a location that does not exist', async () => {
    for (const [method, path, body] of [
      ['POST', '/v1/projects/p/locations/us-middle1/clusters', { cluster: { name: 'c' } }],
      ['GET', '/v1/projects/p/locations/us-middle1/clusters', undefined],
      ['GET', '/v1beta1/projects/p/locations/global/clusters/c', undefined],
    ] as const)
      expect((await emulator.api(method, path, body)).json.error).toMatchObject({
        status: 'INVALID_ARGUMENT',
        message: expect.stringContaining('does not exist'),
      });
  });
});

describe('permissions', () => {
  const who = 'as:someone@example.com';
  const grant = (role: string) =>
    emulator.api('POST', '/v1/projects/p:setIamPolicy', { policy: { bindings: [{ role, members: ['user:someone@example.com'] }] } });
  const made = { cluster: { name: 'new' } };
  const changed = { update: { desiredBinaryAuthorization: {} } };

  it.each([
    ['GET', `${CLUSTERS}/prod`, undefined, 'roles/container.clusterViewer', 'roles/run.viewer'],
    ['GET', CLUSTERS, undefined, 'roles/container.clusterViewer', 'roles/binaryauthorization.policyViewer'],
    ['POST', CLUSTERS, made, 'roles/container.clusterAdmin', 'roles/container.viewer'],
    ['PUT', `${CLUSTERS}/prod`, changed, 'roles/container.admin', 'roles/container.clusterViewer'],
    ['DELETE', `${CLUSTERS}/prod`, undefined, 'roles/container.admin', 'roles/container.viewer'],
  ])('%s %s', async (method, path, body, enough, close) => {
    await create();
    await grant(close);
    const refused = await emulator.api(method, path, body, who);
    expect(refused.json.error).toMatchObject({
      code: 403,
      status: 'PERMISSION_DENIED',
      message: expect.stringContaining('container.clusters.'),
    });
    await grant(enough);
    expect((await emulator.api(method, path, body, who)).status).toBe(200);
  });
});
