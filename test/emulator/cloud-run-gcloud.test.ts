// SPDX-License-Identifier: Apache-2.0
// Google's own client on Cloud Run's services and jobs: it speaks v1, below the region's own host, which it reaches through the
// emulator's export lines; and what it writes is what v2 shows.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestEmulator, type TestEmulator } from '../support/emulator.js';
import { gcloudFor, HAS_GCLOUD, type Gcloud } from '../support/gcloud.js';
import { titled } from '../support/tools.js';

const PARENT = 'projects/shop-prod/locations/europe-west1';
const IMAGE = 'us-docker.pkg.dev/shop-prod/apps/web:v1';
const containers = [{ image: IMAGE, env: [{ name: 'A', value: 'b' }] }];
const KINDS = [
  ['services', 'serviceId', { template: { containers, timeout: '60s' } }],
  ['jobs', 'jobId', { template: { taskCount: 2, template: { containers } } }],
] as const;

describe.skipIf(!HAS_GCLOUD)(titled('gcloud run', 'gcloud'), () => {
  let emulator: TestEmulator;
  let gcloud: Gcloud;
  beforeAll(async () => {
    emulator = await startTestEmulator();
    gcloud = await gcloudFor(emulator, 'shop-prod');
  });
  beforeEach(async () => void (await emulator.api('POST', '/_emulator/reset')));
  afterAll(async () => {
    expect(emulator.lastErrors).toEqual([]);
    await gcloud.remove();
    await emulator.close();
  });

  describe.each(KINDS)('%s', (collection, parameter, body) => {
    const make = (more: object = {}) => emulator.api('POST', `/v2/${PARENT}/${collection}?${parameter}=web`, { ...body, ...more });
    const read = async () => (await emulator.api('GET', `/v2/${PARENT}/${collection}/web`)).json;
    const update = (...flags: string[]) => gcloud.run('run', collection, 'update', 'web', '--region=europe-west1', ...flags);

    it('opts in, and loses nothing else', async () => {
      await make({ labels: { team: 'shop' }, annotations: { 'example.com/a': 'b' } });
      const done = await update('--binary-authorization=default');
      expect([done.code, done.code === 0 ? '' : done.stderr]).toEqual([0, '']);
      expect(await read()).toMatchObject({
        ...body,
        binaryAuthorization: { useDefault: true },
        labels: { team: 'shop' },
        annotations: { 'example.com/a': 'b' },
        client: 'gcloud',
        generation: '2',
      });
    });

    it('takes a break-glass justification away with whatever it changes, and opts out', async () => {
      await make({ binaryAuthorization: { useDefault: true, breakglassJustification: 'incident 1' } });
      expect((await update('--binary-authorization=default')).code).toBe(0);
      expect((await read()).binaryAuthorization).toEqual({ useDefault: true });
      expect((await update('--breakglass=incident 2')).code).toBe(0);
      expect((await read()).binaryAuthorization).toEqual({ useDefault: true, breakglassJustification: 'incident 2' });
      expect((await update('--clear-binary-authorization')).code).toBe(0);
      expect(await read()).not.toHaveProperty('binaryAuthorization');
    });

    it('lists what there is, in a region and in all', async () => {
      await make();
      const list = (...flags: string[]) => gcloud.json('run', collection, 'list', ...flags) as Promise<{ metadata: { name: string } }[]>;
      expect((await list()).map(({ metadata }) => metadata.name)).toEqual(['web']);
      expect((await list('--region=europe-west1')).map(({ metadata }) => metadata.name)).toEqual(['web']);
      expect(await list('--region=us-central1')).toEqual([]);
    });

    it('is told what does not exist, and what is no policy', async () => {
      const none = await update('--binary-authorization=default');
      expect([none.code, none.stderr]).toEqual([1, expect.stringContaining('could not be found')]);
      await make();
      const wrong = await update('--binary-authorization=defualt');
      expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining('platforms/cloudRun')]);
    });
  });
});
