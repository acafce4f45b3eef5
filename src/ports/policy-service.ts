// SPDX-License-Identifier: Apache-2.0
import type { ProjectId } from '../core/names.js';

/** A platform policy's opinion of one object, as the API answers it: every image with its verdict and explanation. */
export interface PlatformEvaluation {
  readonly verdict: 'CONFORMANT' | 'NON_CONFORMANT' | 'ERROR' | 'UNKNOWN';
  readonly images: readonly { readonly image: string; readonly verdict: string; readonly explanation: string }[];
}

/** Binary Authorization's policies. Documents are raw: core/policy/parse.ts reads them. */
export interface PolicyService {
  /** The document of the policy that a project enforces. PROJECT_NOT_FOUND, PERMISSION_DENIED, UNAVAILABLE. */
  project(project: ProjectId): Promise<unknown>;
  /** The document of Google's system policy for a region, or for `global`. NOT_FOUND, UNAVAILABLE. */
  system(location: string): Promise<unknown>;
  /** What a GKE platform policy (`projects/P/platforms/gke/policies/X`) says about a Kubernetes object. NOT_FOUND, PERMISSION_DENIED, UNAVAILABLE. */
  evaluatePlatform(policy: string, resource: unknown): Promise<PlatformEvaluation>;
}
