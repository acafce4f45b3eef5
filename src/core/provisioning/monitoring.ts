// SPDX-License-Identifier: Apache-2.0
// What watches over admissions: a log-based metric for each kind of event on each platform, and an alert policy for each kind.
import { METRIC_FILTERS } from '../audit/filters.js';
import type { Platform } from '../deployment/target.js';
import type { ProjectId } from '../names.js';
import type { AuditEventType } from '../operation-results.js';
import * as commands from './commands.js';
import type { Decision } from './decision.js';
import type { NewAlertPolicy, NewLogMetric } from './desired.js';

/** A kind of event that somebody should be told of. */
interface Watched {
  readonly type: AuditEventType;
  readonly id: string;
  readonly title: string;
  /** What whoever is told does next. */
  readonly advice: string;
}

const WATCHED: readonly Watched[] = [
  {
    type: 'DENIED',
    id: 'blocked',
    title: 'blocked deployments',
    advice: 'Binary Authorization denied an image. See which one with `binauthz audit`; attest it, or leave it denied.',
  },
  {
    type: 'BREAK_GLASS',
    id: 'break-glass',
    title: 'break-glass deployments',
    advice: 'Somebody deployed past the policy. See who, what and why with `binauthz audit`.',
  },
  {
    type: 'FAIL_OPEN',
    id: 'fail-open',
    title: 'fail-open admissions',
    advice: 'A Pod was admitted unjudged, because Binary Authorization did not answer. See its image with `binauthz audit`, and check it.',
  },
];

/** The resource types of the entries that each platform writes; a metric's time series have the same. */
const RESOURCE_TYPES: Readonly<Record<Platform, readonly string[]>> = {
  gke: ['k8s_cluster'],
  'cloud-run': ['cloud_run_revision', 'cloud_run_job'],
};

/** The metrics of a project, each with its full name. */
export function metricsFor(project: ProjectId): readonly { readonly name: string; readonly metric: NewLogMetric }[] {
  return WATCHED.flatMap((watched) =>
    platformsOf(watched).map(([platform, filter]) => ({
      name: `projects/${project}/metrics/${metricId(watched, platform)}`,
      metric: { description: `Binary Authorization: ${watched.title} on ${platform === 'gke' ? 'GKE' : 'Cloud Run'}`, filter },
    })),
  );
}

/** The alert policies, which tell these channels. */
export function alertsFor(channels: readonly string[]): readonly NewAlertPolicy[] {
  return WATCHED.map((watched) => {
    const displayName = `Binary Authorization: ${watched.title}`;
    const conditions = platformsOf(watched).flatMap(([platform]) =>
      RESOURCE_TYPES[platform].map((type) => condition(watched, platform, type)),
    );
    return {
      displayName,
      channels,
      metrics: platformsOf(watched).map(([platform]) => metricType(watched, platform)),
      document: {
        displayName,
        documentation: { content: watched.advice, mimeType: 'text/markdown' },
        combiner: 'OR',
        conditions,
        ...(channels.length === 0 ? {} : { notificationChannels: channels }),
      },
    };
  });
}

/** A metric is made; one that somebody changed is left as it is. */
export function decideMetric(name: string, wanted: NewLogMetric, found: NewLogMetric | undefined): Decision<NewLogMetric> {
  if (found && isSameFilter(found.filter, wanted.filter)) return { action: 'none', summary: 'the metric exists' };
  if (found) {
    const summary = 'the metric exists with another filter, which is left as it is';
    return {
      action: 'none',
      summary,
      warnings: [`${name}: ${summary}: what it does not count alarms nobody; to have it made anew: ${commands.deleteMetric(name)}`],
    };
  }
  return { action: 'create', summary: wanted.description, gcloud: commands.createMetric(name, wanted), write: wanted };
}

/** What of an alert policy is to be written: all of it, or channels that it does not tell yet. */
export type AlertWrite =
  | { readonly kind: 'create'; readonly alert: NewAlertPolicy }
  | { readonly kind: 'channels'; readonly name: string; readonly channels: readonly string[] };

/** An alert policy as it was found by its display name. */
export interface FoundAlert {
  readonly name: string;
  readonly channels: readonly string[];
  readonly isOn: boolean;
  /** Of its conditions with a threshold. */
  readonly filters: readonly string[];
}

/** An alert policy is made, or made to tell channels that it does not tell. What else somebody made of it stays, and is told. */
export function decideAlert(project: ProjectId, alert: NewAlertPolicy, found: FoundAlert | undefined): Decision<AlertWrite> {
  const warnings = alertWarnings(alert, found);
  if (!found) {
    const summary = `alert policy “${alert.displayName}”, which tells ${alert.channels.length === 0 ? 'nobody' : alert.channels.join(', ')}`;
    return { action: 'create', summary, gcloud: commands.createAlert(project, alert.document), write: { kind: 'create', alert }, warnings };
  }
  const missing = alert.channels.filter((channel) => !found.channels.includes(channel));
  if (missing.length === 0) return { action: 'none', summary: `the alert policy “${alert.displayName}” exists`, warnings };
  return {
    action: 'update',
    summary: `have the alert policy “${alert.displayName}” tell ${missing.join(', ')} as well`,
    gcloud: commands.addChannels(found.name, missing),
    write: { kind: 'channels', name: found.name, channels: [...found.channels, ...missing] },
    warnings,
  };
}

function alertWarnings({ displayName, channels, metrics }: NewAlertPolicy, found: FoundAlert | undefined): readonly string[] {
  const name = `the alert policy “${displayName}”`;
  const unwatched = metrics.filter((metric) => found?.filters.every((filter) => !filter.includes(metric)));
  return [
    ...(channels.length + (found?.channels.length ?? 0) === 0
      ? [`${name} reaches nobody: name whom it tells with --notification-channel`]
      : []),
    ...(found?.isOn === false ? [`${name} is switched off, and left so`] : []),
    ...(found && unwatched.length > 0 ? [`${name} was made or changed by somebody else, and does not watch ${unwatched.join(', ')}`] : []),
  ];
}

// Copied from a terminal, a filter gets other white space, which means nothing in it.
function isSameFilter(one: string, other: string): boolean {
  return one.trim().replace(/\s+/g, ' ') === other.trim().replace(/\s+/g, ' ');
}

// More than none within five minutes; the metric counts, and is silent while there is nothing to count.
function condition(watched: Watched, platform: Platform, resourceType: string): object {
  return {
    displayName: `${watched.title} (${resourceType})`,
    conditionThreshold: {
      filter: `metric.type="${metricType(watched, platform)}" AND resource.type="${resourceType}"`,
      comparison: 'COMPARISON_GT',
      duration: '0s',
      aggregations: [{ alignmentPeriod: '300s', perSeriesAligner: 'ALIGN_DELTA', crossSeriesReducer: 'REDUCE_SUM' }],
    },
  };
}

function platformsOf({ type }: Watched): readonly (readonly [Platform, string])[] {
  const platforms: readonly Platform[] = ['gke', 'cloud-run'];
  return platforms.flatMap((platform) => {
    const filter = METRIC_FILTERS[platform][type];
    return filter === undefined ? [] : [[platform, filter] as const];
  });
}

function metricType(watched: Watched, platform: Platform): string {
  return `logging.googleapis.com/user/${metricId(watched, platform)}`;
}

function metricId({ id }: Watched, platform: Platform): string {
  return `binauthz-${platform}-${id}`;
}
