// SPDX-License-Identifier: Apache-2.0

/** `binaryAuthorization` of a GKE cluster, as the API names it (proto google/container/v1beta1/cluster_service.proto). */
export interface ClusterSetting {
  /** Empty where the API left it out. */
  readonly evaluationMode: string;
  /** The deprecated switch, which counts only where no mode is set. */
  readonly enabled: boolean;
}

/** Whether a cluster asks the project's policy at all, and what its setting says about it. */
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
