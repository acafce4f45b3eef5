// SPDX-License-Identifier: Apache-2.0
import type { TargetFacts, TargetState } from '../../core/doctor/facts.js';
import { needsOnTarget } from '../../core/doctor/needs.js';
import { enforcementOf, enforcementOnCloudRun } from '../../core/deployment/enforcement.js';
import type { TargetRef } from '../../core/deployment/target.js';
import type { ProjectId } from '../../core/names.js';
import type { CloudRunTargets, DeployTargets } from '../../ports/deploy-targets.js';
import type { Permissions } from '../../ports/permissions.js';
import { fact, testPermissions } from './examine-attestor.js';

export interface ExamineTargetPorts {
  readonly targets: DeployTargets;
  readonly cloudRun: CloudRunTargets;
  readonly permissions: Permissions;
}

/** Reads whether the place that images are deployed to asks the policy; where it may not be read, whether a permission is missing. */
export async function examineTarget(project: ProjectId, ref: TargetRef, ports: ExamineTargetPorts): Promise<TargetFacts> {
  const state = await fact(readState(project, ref, ports));
  // What was read needs no permission any more, and what is not there is no question of permissions.
  if (state.ok || state.error.code !== 'PERMISSION_DENIED') return { ref, state };
  return { ref, state, tested: await testPermissions(needsOnTarget(project, ref), ports.permissions) };
}

async function readState(project: ProjectId, ref: TargetRef, ports: ExamineTargetPorts): Promise<TargetState> {
  if (ref.kind === 'cluster') return { enforcement: enforcementOf(await ports.targets.cluster(project, ref)) };
  const cloudRun = await ports.cloudRun.state(project, ref);
  return { enforcement: enforcementOnCloudRun(cloudRun), cloudRun };
}
