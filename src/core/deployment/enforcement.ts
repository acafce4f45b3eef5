// SPDX-License-Identifier: Apache-2.0
import type { CloudRunSetting } from './image-use.js';

/** `binaryAuthorization` of a GKE cluster, as the API names it (proto google/container/v1beta1/cluster_service.proto). */
export interface ClusterSetting {
  /** Empty where the API left it out. */
  readonly evaluationMode: string;
  /** The deprecated switch, which counts only where no mode is set. */
  readonly enabled: boolean;
}

/** Binary Authorization on a Cloud Run service or job that exists. */
export interface CloudRunState {
  readonly setting: CloudRunSetting;
  /** The justification with which its last deployment went past the policy. */
  readonly breakGlass?: string;
}

/** Whether a place asks the project's policy at all, and what its setting says about it. */
export interface Enforcement {
  readonly isEnforced: boolean | undefined;
  readonly because: string;
}

const ENFORCING: ReadonlySet<string> = new Set([
  'PROJECT_SINGLETON_POLICY_ENFORCE',
  'POLICY_BINDINGS_AND_PROJECT_SINGLETON_POLICY_ENFORCE',
]);
const NOT_ENFORCING: ReadonlySet<string> = new Set(['POLICY_BINDINGS', 'DISABLED']);
const UNSET: ReadonlySet<string> = new Set(['', 'EVALUATION_MODE_UNSPECIFIED']);

/** Reads a cluster's setting; `isEnforced` is undefined for a mode that is not known here. */
export function enforcementOf({ evaluationMode, enabled }: ClusterSetting): Enforcement {
  if (ENFORCING.has(evaluationMode)) return { isEnforced: true, because: `its evaluation mode is ${evaluationMode}` };
  if (NOT_ENFORCING.has(evaluationMode)) return { isEnforced: false, because: `its evaluation mode is ${evaluationMode}` };
  if (!UNSET.has(evaluationMode)) return { isEnforced: undefined, because: `its evaluation mode ${evaluationMode} is not known` };
  return enabled
    ? { isEnforced: true, because: 'Binary Authorization is enabled on it' }
    : { isEnforced: false, because: 'Binary Authorization is not enabled on it' };
}

/** Reads the setting of a Cloud Run service or job; `isEnforced` is undefined where nobody can tell what its policy says. */
export function enforcementOnCloudRun({ setting }: CloudRunState): Enforcement {
  switch (setting.uses) {
    case 'project-policy':
      return { isEnforced: true, because: 'it is under the project’s policy' };
    case 'nothing':
      return { isEnforced: false, because: 'it never opted in to Binary Authorization, or was taken out of it' };
    case 'platform-policy':
      return { isEnforced: undefined, because: `it is under the platform policy ${setting.policy}, which no public method evaluates` };
  }
}
