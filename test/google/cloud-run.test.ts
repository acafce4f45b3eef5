// SPDX-License-Identifier: Apache-2.0
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseCloudRunRef, type CloudRunRef } from '../../src/core/deployment/target.js';
import type { ProjectId } from '../../src/core/names.js';
import { createCloudRunTargets } from '../../src/google/cloud-run.js';
import { startTestEmulator, type TestEmulator } from '../support/emulator.js';
import { errorOf, googleOn } from './google.js';
import { googleError, startStub, type Stub } from './stub-server.js';

const PROJECT = 'p' as ProjectId;
const REF = parseCloudRunRef('service', 'us-central1.web')!;
const NAME = 'projects/p/locations/us-central1/services/web';

describe('a service or job as an answer tells it', () => {
  let stub: Stub;
  beforeEach(async () => void (stub = await startStub()));
  afterEach(() => stub.close());
  const read = (ref: CloudRunRef = REF) => createCloudRunTargets(googleOn(stub.host).google).state(PROJECT, ref);

  it('is read through v2, at the endpoint that is given for Cloud Run', async () => {
    stub.plan({ body: { name: NAME } }, { body: { name: NAME.replace('services', 'jobs') } });
    const endpointOverrides = { run: `${stub.url}prefix/`, container: 'http://127.0.0.1:1/' };
    const { google } = googleOn(undefined, { token: 't-123456', endpointOverrides });
    for (const kind of ['service', 'job'] as const) await createCloudRunTargets(google).state(PROJECT, { ...REF, kind });
    expect(stub.asked.map(({ method, url }) => [method, url])).toEqual([
      ['GET', `/prefix/v2/${NAME}`],
      ['GET', `/prefix/v2/${NAME.replace('services', 'jobs')}`],
    ]);
  });

  it.each([
    ['nothing', undefined, { setting: { uses: 'nothing' } }],
    ['null', null, { setting: { uses: 'nothing' } }],
    ['an empty setting', {}, { setting: { uses: 'nothing' } }],
    ['a switch that is off', { useDefault: false }, { setting: { uses: 'nothing' } }],
    ['a switch that is none', { useDefault: 'true', policy: 7 }, { setting: { uses: 'nothing' } }],
    ['the project’s policy', { useDefault: true }, { setting: { uses: 'project-policy' } }],
    ['break-glass', { useDefault: true, breakglassJustification: 'why' }, { setting: { uses: 'project-policy' }, breakGlass: 'why' }],
    ['no break-glass', { useDefault: true, breakglassJustification: '' }, { setting: { uses: 'project-policy' } }],
    [
      'a platform policy',
      { policy: 'projects/p/platforms/cloudRun/x' },
      { setting: { uses: 'platform-policy', policy: 'projects/p/platforms/cloudRun/x' } },
    ],
  ])('with %s', async (_, binaryAuthorization, state) => {
    stub.plan({ body: { name: NAME, binaryAuthorization } });
    expect(await read()).toEqual(state);
  });

  it('may be named with the project’s number', async () => {
    stub.plan({ body: { name: NAME.replace('projects/p/', 'projects/123/'), binaryAuthorization: { useDefault: true } } });
    expect(await read()).toEqual({ setting: { uses: 'project-policy' } });
  });

  it.each([{}, { name: 'web' }, { name: NAME.replace('web', 'other') }, { name: NAME.replace('services', 'jobs') }, { services: [] }, []])(
    'is not %j',
    async (body) => {
      stub.plan({ body });
      expect(await errorOf(read())).toMatchObject({ code: 'RESPONSE_INVALID', resource: NAME });
    },
  );

  it.each(['service', 'job'] as const)('that may not be read names the permission and the role: %s', async (kind) => {
    stub.plan({ status: 403, body: googleError(403, 'PERMISSION_DENIED', `Permission 'run.${kind}s.get' denied`) });
    expect(await errorOf(read({ ...REF, kind }))).toMatchObject({
      code: 'PERMISSION_DENIED',
      message: expect.stringContaining(`run.${kind}s.get on projects/p (role roles/run.viewer)`),
      hint: expect.stringContaining('gcloud projects add-iam-policy-binding p --condition=None --member=MEMBER --role=roles/run.viewer'),
    });
  });

  it('is asked for again after an outage', async () => {
    stub.plan({ status: 503, body: googleError(503, 'UNAVAILABLE', 'later') }, { body: { name: NAME } });
    expect(await read()).toEqual({ setting: { uses: 'nothing' } });
  });
});

describe('services and jobs of the emulator', () => {
  let emulator: TestEmulator;
  beforeAll(async () => void (emulator = await startTestEmulator()));
  afterAll(async () => {
    expect(emulator.lastErrors).toEqual([]);
    await emulator.close();
  });
  const state = (ref: CloudRunRef) => createCloudRunTargets(googleOn(emulator.host).google).state(PROJECT, ref);

  it('are read, and told from what does not exist', async () => {
    const containers = [{ image: 'us-docker.pkg.dev/p/r/app:v1' }];
    const parent = '/v2/projects/p/locations/us-central1';
    await emulator.api('POST', `${parent}/services?serviceId=web`, { template: { containers }, binaryAuthorization: { useDefault: true } });
    await emulator.api('POST', `${parent}/jobs?jobId=nightly`, { template: { template: { containers } } });
    expect(await state(REF)).toEqual({ setting: { uses: 'project-policy' } });
    expect(await state(parseCloudRunRef('job', 'us-central1.nightly')!)).toEqual({ setting: { uses: 'nothing' } });
    for (const [kind, key] of [
      ['job', 'us-central1.web'],
      ['service', 'us-central1.nightly'],
      ['service', 'us-east1.web'],
      ['service', 'us-middle1.web'],
    ] as const)
      expect(await errorOf(state(parseCloudRunRef(kind, key)!))).toMatchObject({
        code: 'NOT_FOUND',
        hint: `list what is there: gcloud run ${kind}s list --project=p`,
      });
  });
});
