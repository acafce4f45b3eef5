// SPDX-License-Identifier: Apache-2.0
import type { Platform } from './target.js';

/** Where an image was found: the line of the image in a file, and the workload and container that would run it. */
export interface UseSource {
  /** As the user gave it, with forward slashes; `-` for standard input. */
  readonly file: string;
  /** One-based line of the image's text. */
  readonly line: number;
  /** Kubernetes or Cloud Run kind, e.g. `Deployment`. */
  readonly kind: string;
  /** The workload's name; empty where the document has none. */
  readonly name: string;
  readonly container: string;
  readonly containerType: 'container' | 'init' | 'ephemeral';
}

/**
 * Break-glass as a manifest asks for it. Only `isEffective` ones admit: the Pod label or the older annotation with the
 * value "true", or a justification on a Cloud Run resource that has Binary Authorization on.
 */
export interface BreakGlass {
  readonly by: 'label' | 'annotation' | 'cloud-run';
  /** The label's or annotation's value: `true`, or a justification. */
  readonly value: string;
  readonly isEffective: boolean;
}

/** Binary Authorization on a Cloud Run resource: off, under the project's policy, or under a platform policy named there. */
export type CloudRunSetting =
  { readonly uses: 'nothing' } | { readonly uses: 'project-policy' } | { readonly uses: 'platform-policy'; readonly policy: string };

/** One image in one place where it would run, as written there: nothing is added to it. */
export interface ImageUse {
  readonly image: string;
  readonly platform: Platform;
  /** The workload's own; undefined where the manifest leaves it out. */
  readonly namespace?: string;
  /** The Pod's service account (the name, not an email); undefined where the manifest leaves it out. */
  readonly serviceAccount?: string;
  readonly breakGlass?: BreakGlass;
  /** For Cloud Run only. */
  readonly cloudRun?: CloudRunSetting;
  /** For Cloud Run only: a Job is checked when it is executed, not when it is deployed. */
  readonly isJob?: boolean;
  /** Absent for IMAGE arguments and image lists. */
  readonly source?: UseSource;
}
