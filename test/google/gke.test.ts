// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ClusterRef } from '../../src/core/deployment/target.js';
import type { ProjectId } from '../../src/core/names.js';
import { createDeployTargets } from '../../src/google/gke.js';
import { errorOf, googleOn } from './google.js';
import { googleError, startStub, type Stub } from './stub-server.js';

let stub: Stub;
beforeEach(async () => {
  stub = await startStub();
});
afterEach(() => stub.close());

const PROJECT = 'p' as ProjectId;
const REF: ClusterRef = { key: 'us-central1.prod', location: 'us-central1', name: 'prod' };
const read = () => createDeployTargets(googleOn(stub.host).google).cluster(PROJECT, REF);

describe('a cluster', () => {
  it('is read through v1beta1, at the endpoint that is given for GKE', async () => {
    stub.plan({ body: { name: 'prod' } });
    const endpointOverrides = { container: `${stub.url}prefix/`, binaryauthorization: 'http://127.0.0.1:1/' };
    const { google } = googleOn(undefined, { token: 't-123456', quotaProject: 'payer', endpointOverrides });
    await createDeployTargets(google).cluster(PROJECT, REF);
    expect(stub.asked.map(({ method, url }) => [method, url])).toEqual([
      ['GET', '/prefix/v1beta1/projects/p/locations/us-central1/clusters/prod'],
    ]);
    expect(stub.asked[0]?.headers).toMatchObject({ authorization: 'Bearer t-123456', 'x-goog-user-project': 'payer' });
  });

  it.each([
    ['nothing', undefined, { evaluationMode: '', enabled: false }],
    ['an empty setting', {}, { evaluationMode: '', enabled: false }],
    ['null', null, { evaluationMode: '', enabled: false }],
    ['the old switch', { enabled: true }, { evaluationMode: '', enabled: true }],
    ['a switch that is none', { enabled: 'true' }, { evaluationMode: '', enabled: false }],
    ['a mode', { evaluationMode: 'DISABLED', enabled: true }, { evaluationMode: 'DISABLED', enabled: true }],
    ['a mode without a name', { evaluationMode: 7 }, { evaluationMode: '7', enabled: false }],
  ])('with %s', async (_, binaryAuthorization, setting) => {
    stub.plan({ body: { name: 'prod', binaryAuthorization } });
    expect(await read()).toEqual(setting);
  });

  it.each([{}, { name: 'other' }, { clusters: [] }, []])('is not %j', async (body) => {
    stub.plan({ body });
    expect(await errorOf(read())).toMatchObject({ code: 'RESPONSE_INVALID' });
  });

  it.each([
    [404, 'NOT_FOUND', 'Not found: projects/p/locations/us-central1/clusters/prod.'],
    [400, 'INVALID_ARGUMENT', 'Location "us-centrall1" does not exist.'],
  ])('that does not exist (%i)', async (status, name, message) => {
    stub.plan({ status, body: googleError(status, name, message) });
    expect(await errorOf(read())).toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining(message),
      hint: expect.stringContaining('gcloud container clusters list --project=p'),
    });
  });

  it('that may not be read names the permission and the role', async () => {
    const message = 'Required "container.clusters.get" permission(s) for "projects/p/locations/us-central1/clusters/prod".';
    stub.plan({ status: 403, body: googleError(403, 'PERMISSION_DENIED', message) });
    expect(await errorOf(read())).toMatchObject({
      code: 'PERMISSION_DENIED',
      message: expect.stringContaining('container.clusters.get on projects/p (role roles/container.clusterViewer)'),
      hint: expect.stringContaining('gcloud projects add-iam-policy-binding p'),
    });
  });

  it('is asked for again after an outage', async () => {
    stub.plan({ status: 503, body: googleError(503, 'UNAVAILABLE', 'later') }, { body: { name: 'prod' } });
    expect(await read()).toEqual({ evaluationMode: '', enabled: false });
    expect(stub.asked).toHaveLength(2);
  });
});
