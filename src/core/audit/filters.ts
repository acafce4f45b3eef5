// SPDX-License-Identifier: Apache-2.0
// What to ask Cloud Logging for, in its query language: lines are joined by AND, and OR binds tighter than AND, so every
// alternative is in parentheses. The filters of a read are generous, because classify.ts decides; those of a log-based
// metric stand alone, and are as exact as the language allows.
// Sources: Google's pages "View audit logs for GKE" and "View Cloud Audit Logs" (Distributed Cloud), and for Cloud Run
// what production set-ups filter by.
import type { Platform } from '../deployment/target.js';
import type { AuditEventType } from '../operation-results.js';
import { BREAK_GLASS_WORD, DRY_RUN_WORDS, FLEET_WEBHOOK, GKE_WEBHOOK, OUR_DENIAL, SOME_WEBHOOK } from './texts.js';

/** Before the name of a webhook's round and index: Kubernetes admitted although that webhook did not answer. */
export const FAILED_OPEN_PREFIX = 'failed-open.validating.webhook.admission.k8s.io/';

/** Ids of the logs that GKE and Distributed Cloud write their audit entries to. */
export const CLUSTER_LOGS = [
  'cloudaudit.googleapis.com/activity',
  'externalaudit.googleapis.com/activity',
  'externalaudit.googleapis.com',
] as const;
/** The id of the log that Cloud Run writes to when a revision or an execution was judged. */
export const CLOUD_RUN_LOG = 'cloudaudit.googleapis.com/system_event';

/** Kubernetes sends a Pod to the webhook when it is created, and when a PUT or a PATCH changes it. */
export const POD_METHODS = ['io.k8s.core.v1.pods.create', 'io.k8s.core.v1.pods.update', 'io.k8s.core.v1.pods.patch'] as const;

/** Why Cloud Run's condition is false where the policy denied; the second as its v2 API spells it. */
export const UNAUTHORIZED_REASONS = ['ContainerImageUnauthorized', 'CONTAINER_IMAGE_UNAUTHORIZED'] as const;

/** Of all fields of Kubernetes that say break-glass: those of the webhook itself, and those by which a Pod asks for it. */
export const BREAK_GLASS_LABEL = 'image-policy.k8s.io/break-glass';
export const BREAK_GLASS_ANNOTATION = 'alpha.image-policy.k8s.io/break-glass';
export const CLOUD_RUN_BREAK_GLASS = 'run.googleapis.com/binary-authorization-breakglass';

/** Audit annotations, which a log entry carries as its labels: written by the webhook, out of reach of a Pod's author. */
export const WEBHOOK_LABELS = {
  breakGlass: [`${GKE_WEBHOOK}/break-glass`, `${FLEET_WEBHOOK}/break-glass`],
  dryRun: [`${GKE_WEBHOOK}/dry-run`, `${FLEET_WEBHOOK}/dry-run`],
  failedOpen: ['image-policy.k8s.io/failed-open', `${GKE_WEBHOOK}/failed-open`],
  /** Why the image would have been denied. */
  overridden: [`${GKE_WEBHOOK}/overridden-verification-result`, `${FLEET_WEBHOOK}/overridden-verification-result`],
} as const;

/** Clusters have a handful of validating webhooks; they are counted through from 0. */
const MOST_WEBHOOKS = 16;

/** Everything that may be an event, of one platform. */
export const READ_FILTERS: Readonly<Record<Platform, string>> = {
  gke: lines(...clusterHead(), either(maybeDenied(), breakGlass(['request', 'response']), dryRun(), failedOpenAnywhere())),
  'cloud-run': lines(...cloudRunHead(), either(unauthorized(), '"breakglass"', '"dry run"')),
};

type Metered = Readonly<Partial<Record<AuditEventType, string>>>;

// What the webhook or the Pod says counts only where the Pod was admitted. A Pod's own status is an object, and none of the texts.
const ADMITTED = 'NOT protoPayload.response.status="Failure"';

/** One filter for each kind of event, for log-based metrics. Cloud Run has no fail-open that is known. */
export const METRIC_FILTERS: Readonly<Record<Platform, Metered>> = {
  gke: {
    DENIED: lines(...clusterHead(), denied()),
    // A patch of something else leaves the label in the answer, so only what was sent counts.
    BREAK_GLASS: lines(...clusterHead(), breakGlass(['request']), ADMITTED),
    DRY_RUN: lines(...clusterHead(), dryRun(), ADMITTED),
    FAIL_OPEN: lines(...clusterHead(), failedOpenByIndex(), ADMITTED),
  },
  'cloud-run': {
    DENIED: lines(...cloudRunHead(), unauthorized()),
    BREAK_GLASS: lines(...cloudRunHead(), cloudRunBreakGlass(), `NOT ${unauthorized()}`),
    DRY_RUN: lines(...cloudRunHead(), matches('protoPayload.status.message', `(?i)${DRY_RUN_WORDS}`), `NOT ${unauthorized()}`),
  },
};

/** The part of a filter's entries from a time (inclusive) until another (exclusive), both RFC 3339. */
export function within(filter: string, since: string, until: string): string {
  return lines(filter, `timestamp>="${since}"`, `timestamp<"${until}"`);
}

function clusterHead(): readonly string[] {
  return [
    'resource.type="k8s_cluster"',
    either(...CLUSTER_LOGS.map((id) => `log_id("${id}")`)),
    either(...POD_METHODS.map((method) => `protoPayload.methodName="${method}"`)),
  ];
}

// Jobs are judged when they are executed. Which resource type their entries have is not documented; a type that no entry has costs nothing.
function cloudRunHead(): readonly string[] {
  return [either('resource.type="cloud_run_revision"', 'resource.type="cloud_run_job"'), `log_id("${CLOUD_RUN_LOG}")`];
}

// `Forbidden` alone is any refusal of Kubernetes, and Distributed Cloud documents no reason: there the message decides.
function maybeDenied(): string {
  const texts = [
    GKE_WEBHOOK,
    FLEET_WEBHOOK,
    'image policy webhook backend denied',
    'denied by Binary Authorization',
    'denied by attestor projects/',
    'denied by projects/',
  ];
  const reasons = either(
    'protoPayload.response.reason="VIOLATES_POLICY"',
    ...texts.map((text) => `protoPayload.response.message:"${text}"`),
  );
  // Where the answer was too long to be logged, the status has its message.
  return either(`(protoPayload.response.status="Failure" AND ${reasons})`, `protoPayload.status.message:"${GKE_WEBHOOK}"`);
}

function denied(): string {
  const message = 'protoPayload.response.message';
  const isViolation = `(protoPayload.response.reason="VIOLATES_POLICY" AND NOT ${matches(message, SOME_WEBHOOK)})`;
  return either(
    `(protoPayload.response.status="Failure" AND ${either(matches(message, OUR_DENIAL), isViolation)})`,
    `(NOT ${message}:* AND ${matches('protoPayload.status.message', OUR_DENIAL)})`,
  );
}

function breakGlass(halves: readonly ('request' | 'response')[]): string {
  const pods = halves.flatMap((half) => [
    matches(`protoPayload.${half}.metadata.labels."${BREAK_GLASS_LABEL}"`, '^true$'),
    matches(`protoPayload.${half}.metadata.annotations."${BREAK_GLASS_ANNOTATION}"`, '^true$'),
  ]);
  return either(...WEBHOOK_LABELS.breakGlass.map(isTrue), ...pods);
}

// The annotation stays on the service; only what is about a revision or an execution is a use of it.
function cloudRunBreakGlass(): string {
  const named = either('resource.labels.revision_name!=""', 'resource.labels.job_name!=""');
  return either(
    matches('protoPayload.status.message', `(?i)${BREAK_GLASS_WORD}`),
    `(${named} AND protoPayload.response.metadata.annotations."${CLOUD_RUN_BREAK_GLASS}"!="")`,
  );
}

function dryRun(): string {
  return either(...WEBHOOK_LABELS.dryRun.map(isTrue));
}

// The key ends in the webhook's round and index, which only a search in everything reaches.
function failedOpenAnywhere(): string {
  return either(...WEBHOOK_LABELS.failedOpen.map(isTrue), `"${FAILED_OPEN_PREFIX}"`);
}

function failedOpenByIndex(): string {
  const keys = Array.from({ length: MOST_WEBHOOKS }, (_, index) => `labels."${FAILED_OPEN_PREFIX}round_0_index_${index}"`);
  return either(...WEBHOOK_LABELS.failedOpen.map(isTrue), ...keys.map((key) => `${key}=("${GKE_WEBHOOK}" OR "${FLEET_WEBHOOK}")`));
}

function unauthorized(): string {
  return either(...UNAUTHORIZED_REASONS.map((reason) => `protoPayload.response.status.conditions.reason="${reason}"`));
}

function matches(field: string, pattern: string): string {
  return `${field}=~"${pattern.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

function isTrue(label: string): string {
  return `labels."${label}"="true"`;
}

function either(...alternatives: readonly string[]): string {
  return `(${alternatives.join(' OR ')})`;
}

function lines(...conditions: readonly string[]): string {
  return conditions.join('\n');
}
