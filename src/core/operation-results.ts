// SPDX-License-Identifier: Apache-2.0
// The JSON results of the commands around a set-up: setup, rotate, audit, doctor. Names here never change either.
import type { Platform } from './deployment/target.js';
import type { ErrorCode } from './error-codes.js';
import type { ErrorReport, ResultBase } from './results.js';

/** Something that setup or rotate wants to be so. */
export interface PlannedChange {
  /** Full resource name, e.g. `projects/p/attestors/a`; for a grant the resource whose policy it is in. */
  readonly resource: string;
  readonly action: 'create' | 'update' | 'none' | 'delete';
  readonly status: 'done' | 'planned' | 'failed' | 'skipped';
  /** One sentence for people: what changes. */
  readonly summary: string;
  /** More sentences, e.g. which roles are granted, or what a policy admits anew. */
  readonly details?: readonly string[];
  /** The command that does the same by hand; may be several lines. */
  readonly gcloud: string;
  readonly error?: ErrorReport;
}

/** An image of a rotation, and how it stands. */
export interface RotatedImage {
  /** `registry/repository@sha256:…`, or as given where it did not resolve. */
  readonly image: string;
  /** Where a registry told which platform of an index it is. */
  readonly platform?: string;
  /**
   * attested: under the new key, in this run, and seen by the enforcer's listing; posted: not seen in time. existing: before this
   * run. planned: it will be, or would have been. unattested: it holds no attestation that verifies, so it gets none.
   */
  readonly status: 'attested' | 'existing' | 'planned' | 'posted' | 'unattested' | 'failed';
  /** Under the new key. */
  readonly occurrence?: string;
  readonly error?: ErrorReport;
}

/** An image that verifies, but not under the key that the attestor is rotated to. */
export interface DependentImage {
  /** `registry/repository@sha256:…` */
  readonly image: string;
  /** Where a registry told which platform of an index it is. */
  readonly platform?: string;
  /** The ids of the trusted keys that it verifies under. */
  readonly keys: readonly string[];
}

/** `binauthz.plan/v1`: setup, rotate. */
export interface PlanResult extends ResultBase {
  readonly schema: 'binauthz.plan/v1';
  readonly applied: boolean;
  readonly changes: readonly PlannedChange[];
  /** Only for rotate. */
  readonly images?: readonly RotatedImage[];
  /** Only for rotate: all images under the attestor's note (of the shard) that depend on other keys after this run, or would. */
  readonly dependents?: readonly DependentImage[];
}

/** What happened at an admission. */
export type AuditEventType = 'BREAK_GLASS' | 'DENIED' | 'DRY_RUN' | 'FAIL_OPEN';

/** An admission that somebody should know of. */
export interface AuditEvent {
  readonly type: AuditEventType;
  /** RFC 3339. */
  readonly time: string;
  readonly platform: Platform;
  /** e.g. `projects/p/locations/l/clusters/c/namespaces/n/pods/x`. */
  readonly resource: string;
  /** As the object that was sent names them. */
  readonly images: readonly string[];
  /** Who made the call; a controller's account where a Deployment or the like created the Pod. */
  readonly principal: string;
  readonly message: string;
  readonly insertId: string;
  /** What owns a Pod, by kind and name: `ReplicaSet/web-7d4b9c`. */
  readonly workload?: string;
  /** Why break-glass was used, in the words of whoever used it. */
  readonly justification?: string;
  /** The commit that the object's labels or annotations claim. */
  readonly commit?: string;
}

/** Events that are one matter: a controller retries what was denied again and again. */
export interface AuditGroup {
  readonly type: AuditEventType;
  readonly platform: Platform;
  /** The workload, or the resource itself where it has none. */
  readonly resource: string;
  readonly images: readonly string[];
  readonly principals: readonly string[];
  readonly count: number;
  /** RFC 3339. */
  readonly first: string;
  /** RFC 3339. */
  readonly last: string;
  /** Of the last event. */
  readonly message: string;
  readonly justification?: string;
  readonly commit?: string;
}

/** What the events say about turning a dry-run rule into an enforcing one. */
export interface AuditReadiness {
  /** How many admissions the policy would have denied. */
  readonly wouldBeDenials: number;
  /** RFC 3339. */
  readonly since: string;
  /** False where not everything could be read: then nothing follows. */
  readonly complete: boolean;
  /** One sentence for people, which claims no more than was seen. */
  readonly statement: string;
}

/** `binauthz.audit/v1` */
export interface AuditResult extends ResultBase {
  readonly schema: 'binauthz.audit/v1';
  /** The project whose logs were read. */
  readonly project: string;
  /** RFC 3339, inclusive. */
  readonly since: string;
  /** RFC 3339, exclusive. */
  readonly until: string;
  /** False where the read ended before the end of the logs; the events are then some of those that there are. */
  readonly complete: boolean;
  /** In the order of their time. */
  readonly events: readonly AuditEvent[];
  /** The same events, the gravest kind first. */
  readonly groups: readonly AuditGroup[];
  readonly readiness: AuditReadiness;
}

/** Something that keeps deployments from being admitted, or from being protected. */
export interface DoctorFinding {
  /** Of a documented closed list. */
  readonly code: string;
  /** A warning leaves the exit code alone: attest and check go on, and something is not as it should be. */
  readonly level: 'error' | 'warning';
  readonly resource: string;
  readonly message: string;
  /** The command that fixes it; may be several lines. */
  readonly fix: string;
  /** The code of the error with which attest or check would end; only where the level is error. */
  readonly error?: ErrorCode;
}

/** `binauthz.doctor/v1` */
export interface DoctorResult extends ResultBase {
  readonly schema: 'binauthz.doctor/v1';
  /** Nothing was found, not even a warning. */
  readonly ok: boolean;
  /** Whose eyes it was looked with: attest’s where keys were given. */
  readonly as: 'attest' | 'check';
  /** What was looked at, by full resource names and images. */
  readonly examined: readonly string[];
  readonly findings: readonly DoctorFinding[];
  /** What could not be known, and was taken for granted. */
  readonly assumptions: readonly string[];
}
