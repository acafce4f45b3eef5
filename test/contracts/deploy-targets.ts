// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { ClusterSetting } from '../../src/core/deployment/enforcement.js';
import type { ClusterRef } from '../../src/core/deployment/target.js';
import type { ProjectId } from '../../src/core/names.js';
import type { DeployTargets } from '../../src/ports/deploy-targets.js';
import { errorOf } from '../google/google.js';

/** A project with clusters and what each must be read as, one cluster that does not exist, and one without a location. */
export interface TargetsWorld {
  readonly targets: DeployTargets;
  readonly project: ProjectId;
  readonly clusters: readonly (readonly [ClusterRef, ClusterSetting])[];
  readonly missing: readonly ClusterRef[];
}

/** What every reader of clusters must do. */
export function deployTargetsContract(name: string, world: () => TargetsWorld): void {
  describe(`deploy targets: ${name}`, () => {
    it('tells how each cluster is set', async () => {
      const { targets, project, clusters } = world();
      expect(clusters.length).toBeGreaterThan(3);
      for (const [ref, setting] of clusters) expect([ref.key, await targets.cluster(project, ref)]).toEqual([ref.key, setting]);
    });

    it('tells a cluster that does not exist', async () => {
      const { targets, project, missing } = world();
      for (const ref of missing) expect(await errorOf(targets.cluster(project, ref))).toMatchObject({ code: 'NOT_FOUND' });
    });
  });
}
