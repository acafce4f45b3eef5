// SPDX-License-Identifier: Apache-2.0
import type { CloudRunState, ClusterSetting } from '../core/deployment/enforcement.js';
import type { CloudRunRef, ClusterRef } from '../core/deployment/target.js';
import type { ProjectId } from '../core/names.js';

/** The places where images run. */
export interface DeployTargets {
  /** How a GKE cluster is set to enforce. NOT_FOUND where it does not exist, PERMISSION_DENIED, UNAVAILABLE. */
  cluster(project: ProjectId, cluster: ClusterRef): Promise<ClusterSetting>;
}

/** Cloud Run's services and jobs. */
export interface CloudRunTargets {
  /** How a service or job is set. NOT_FOUND where it does not exist, PERMISSION_DENIED, UNAVAILABLE. */
  state(project: ProjectId, ref: CloudRunRef): Promise<CloudRunState>;
}
