// SPDX-License-Identifier: Apache-2.0
import type { Policy } from '../core/policy/policy.js';
import type { ProjectId } from '../core/names.js';

/** Binary Authorization's policies. */
export interface PolicyService {
  /** The policy that a project enforces. PROJECT_NOT_FOUND, PERMISSION_DENIED, UNAVAILABLE, RESPONSE_INVALID. */
  project(project: ProjectId): Promise<Policy>;
}
