// SPDX-License-Identifier: Apache-2.0
import type { ClusterSetting } from '../core/deployment/enforcement.js';
import type { ClusterRef } from '../core/deployment/target.js';
import type { ProjectId } from '../core/names.js';

/** The places where images run. */
export interface DeployTargets {
  /** How a GKE cluster is set to enforce. NOT_FOUND where it does not exist, PERMISSION_DENIED, UNAVAILABLE. */
  cluster(project: ProjectId, cluster: ClusterRef): Promise<ClusterSetting>;
}
