// SPDX-License-Identifier: Apache-2.0
// What a host asks of a use case: parsed values only, nothing left to check.
import type { ImageReference } from '../core/image/reference.js';
import type { MultiPlatform } from '../core/image/platform.js';
import type { ImageUse } from '../core/deployment/image-use.js';
import type { ClusterRef } from '../core/deployment/target.js';
import type { AttestorName, ProjectId } from '../core/names.js';
import type { Policy } from '../core/policy/policy.js';
import type { Shard } from '../core/rotation/shard.js';
import type { ScanReport } from '../core/vulnerabilities/finding.js';
import type { VulnerabilityPolicy } from '../core/vulnerabilities/policy.js';

/** `binauthz attest`, the keys apart: those reach the use case opened, as given keys. */
export interface AttestRequest {
  readonly images: readonly [ImageReference, ...ImageReference[]];
  readonly attestors: readonly [AttestorName, ...AttestorName[]];
  /** Where attestations are stored; each attestor's own project unless given. */
  readonly project?: ProjectId;
  readonly multiPlatform: MultiPlatform;
  /** How long visibility is awaited in all, from the first post; undefined for --no-wait. */
  readonly waitTimeoutMs: number | undefined;
  readonly dryRun: boolean;
  /** What every image must pass before anything is signed. */
  readonly gate?: VulnerabilityGate & { readonly policy: VulnerabilityPolicy };
}

/** `binauthz list`: attestations of images, of attestors, or of a whole project. */
export interface ListRequest {
  readonly images: readonly ImageReference[];
  readonly attestors: readonly AttestorName[];
  /** Given when no attestor is: the project whose stored attestations are listed. */
  readonly project?: ProjectId;
}

/** A Kubernetes object of a manifest, for platform policies. */
export interface Workload {
  /** `Kind/name`, as results name it. */
  readonly name: string;
  readonly resource: unknown;
}

/** `binauthz check`: would these images be admitted there? */
export interface CheckRequest {
  /** The project whose policy is enforced. */
  readonly project: ProjectId;
  /** At least one; IMAGE arguments have no source. */
  readonly uses: readonly [ImageUse, ...ImageUse[]];
  readonly cluster?: ClusterRef;
  /** Fill what a manifest leaves out. */
  readonly namespace?: string;
  readonly serviceAccount?: string;
  /** A policy from a file, judged instead of the live one. */
  readonly policy?: { readonly file: string; readonly policy: Policy };
  /** Full names of GKE platform policies to ask about `workloads`. */
  readonly platformPolicies: readonly string[];
  readonly workloads: readonly Workload[];
  /** The images that this pipeline attested (by digest): every other image is NOT_IN_ATTESTED_SET. */
  readonly attested?: { readonly file: string; readonly digests: ReadonlySet<string> };
  /** How long missing attestations are waited for. */
  readonly waitTimeoutMs: number;
}

/** What the vulnerabilities of images are judged by. */
export interface VulnerabilityGate {
  /** Without one, findings are shown and none is judged; that an image was scanned is demanded all the same. */
  readonly policy: VulnerabilityPolicy | undefined;
  /** Other scanners' reports, from `--findings`: Artifact Analysis is not asked then. */
  readonly reports?: readonly ScanReport[];
  /** How long scans are awaited in all. */
  readonly scanTimeoutMs: number;
}

/** `binauthz vulnerabilities`: what is known about these images, and what a policy says about it. */
export interface VulnerabilitiesRequest extends VulnerabilityGate {
  readonly images: readonly [ImageReference, ...ImageReference[]];
}

/** `binauthz rotate`, the new key apart: it reaches the use case opened. */
export interface RotateRequest {
  readonly attestor: AttestorName;
  /** Where attestations are stored; the attestor's own project unless given. */
  readonly project?: ProjectId;
  /** Images that the user named; that one of them was never attested is an error. */
  readonly images: readonly ImageReference[];
  /** Images as manifests write them; that some were never attested is usual. */
  readonly used: readonly string[];
  /** `HOST/PROJECT/REPOSITORY[/IMAGE]` in Artifact Registry. Without any image, manifest or repository: everything under the attestor's note. */
  readonly repositories: readonly ImageReference[];
  readonly shard?: Shard;
  /** The key that is to be trusted no longer; with `force` also where images depend on it. */
  readonly retire?: { readonly keyId: string; readonly force: boolean };
  /** How long each attestation's visibility is awaited. */
  readonly waitTimeoutMs: number;
  /** Without it nothing is written. */
  readonly apply: boolean;
}
