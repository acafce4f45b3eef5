// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { ProjectId } from '../../src/core/names.js';
import type { PolicyService } from '../../src/ports/policy-service.js';
import { errorOf } from '../google/google.js';

/** A project with a policy, a region with a system policy of its own, and a platform policy for the image `judged`. */
export interface PolicyWorld {
  readonly service: PolicyService;
  readonly project: ProjectId;
  /** Members that the project's document must hold, whatever the product makes of them. */
  readonly document: object;
  readonly region: string;
  readonly systemDocument: object;
  /** It takes `conformant`, denies `denied` by a check `never`, and cannot judge `undecided`. */
  readonly platformPolicy: string;
  readonly images: { readonly conformant: string; readonly denied: string; readonly undecided: string };
}

const pod = (...images: string[]) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {},
  spec: { containers: images.map((image) => ({ image })) },
});

/** What every policy service must do. */
export function policyServiceContract(name: string, world: () => PolicyWorld): void {
  describe(`policy service: ${name}`, () => {
    it('gives the document of a project, with what the product does not know', async () => {
      const { service, project, document } = world();
      expect(await service.project(project)).toMatchObject({ name: `projects/${project}/policy`, ...document });
    });

    it('gives the system policy of a region and of the world', async () => {
      const { service, region, systemDocument } = world();
      expect(await service.system(region)).toMatchObject({ name: `locations/${region}/policy`, ...systemDocument });
      expect(await service.system('global')).toMatchObject({ name: 'locations/global/policy' });
      expect(await errorOf(service.system('nowhere1'))).toMatchObject({ code: 'NOT_FOUND' });
    });

    it('gives the verdict of a platform policy on each image', async () => {
      const { service, platformPolicy, images } = world();
      const { conformant, denied, undecided } = images;
      expect(await service.evaluatePlatform(platformPolicy, pod(conformant))).toMatchObject({
        verdict: 'CONFORMANT',
        images: [{ image: conformant, verdict: 'CONFORMANT' }],
      });
      expect(await service.evaluatePlatform(platformPolicy, pod(undecided))).toMatchObject({
        verdict: 'ERROR',
        images: [{ image: undecided, verdict: 'ERROR', explanation: expect.stringMatching(/.+/) }],
      });
      const all = await service.evaluatePlatform(platformPolicy, pod(conformant, denied, undecided));
      expect(all.verdict).toBe('NON_CONFORMANT');
      expect(all.images.map(({ image, verdict }) => [image, verdict])).toEqual([
        [conformant, 'CONFORMANT'],
        [denied, 'NON_CONFORMANT'],
        [undecided, 'ERROR'],
      ]);
      expect(all.images[1]?.explanation).toContain('never');
    });

    it('tells a platform policy that does not exist, and a name that is none', async () => {
      const { service, platformPolicy, images } = world();
      const object = pod(images.conformant);
      expect(await errorOf(service.evaluatePlatform(`${platformPolicy}-missing`, object))).toMatchObject({ code: 'NOT_FOUND' });
      for (const wrong of ['x', 'projects/p/policy', 'projects/p/platforms/gke/policies/..', `${platformPolicy}/more`])
        expect(await errorOf(service.evaluatePlatform(wrong, object))).toMatchObject({ code: 'INVALID_INPUT' });
    });
  });
}
