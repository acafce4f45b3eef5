// SPDX-License-Identifier: Apache-2.0
// The JSON results of the commands around a set-up: setup, rotate, audit, doctor. Names here never change either.
import type { Platform } from './deployment/target.js';
import type { ErrorReport, ResultBase } from './results.js';

/** Something that setup or rotate wants to be so. */
export interface PlannedChange {
  /** Full resource name, e.g. `projects/p/attestors/a`; for a grant the resource whose policy it is in. */
  readonly resource: string;
  readonly action: 'create' | 'update' | 'none' | 'delete';
  readonly status: 'done' | 'planned' | 'failed' | 'skipped';
  /** One sentence for people: what changes. */
  readonly summary: string;
  /** The command that does the same by hand; may be several lines. */
  readonly gcloud: string;
  readonly error?: ErrorReport;
}

/** An image of a rotation, and how it stands. */
export interface RotatedImage {
  /** `registry/repository@sha256:…`, or as given where it did not resolve. */
  readonly image: string;
  readonly status: 'attested' | 'existing' | 'planned' | 'unattested' | 'failed';
  readonly occurrence?: string;
  readonly error?: ErrorReport;
}

/** `binauthz.plan/v1`: setup, rotate. */
export interface PlanResult extends ResultBase {
  readonly schema: 'binauthz.plan/v1';
  readonly applied: boolean;
  readonly changes: readonly PlannedChange[];
  /** Only for rotate. */
  readonly images?: readonly RotatedImage[];
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
  readonly images: readonly string[];
  readonly principal: string;
  readonly message: string;
  readonly insertId: string;
}

/** `binauthz.audit/v1` */
export interface AuditResult extends ResultBase {
  readonly schema: 'binauthz.audit/v1';
  /** RFC 3339. */
  readonly since: string;
  readonly events: readonly AuditEvent[];
}

/** Something that keeps deployments from being admitted, or from being protected. */
export interface DoctorFinding {
  /** Of a documented closed list. */
  readonly code: string;
  readonly resource: string;
  readonly message: string;
  /** The command that fixes it. */
  readonly fix: string;
}

/** `binauthz.doctor/v1` */
export interface DoctorResult extends ResultBase {
  readonly schema: 'binauthz.doctor/v1';
  readonly ok: boolean;
  readonly findings: readonly DoctorFinding[];
}
