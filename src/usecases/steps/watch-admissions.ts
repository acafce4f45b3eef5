// SPDX-License-Identifier: Apache-2.0
// The metrics and alerts of setup --monitoring, as goals of its walk: a metric first, then the alert that needs it.
import type { ProjectId } from '../../core/names.js';
import type { NewLogMetric } from '../../core/provisioning/desired.js';
import { alertsFor, decideAlert, decideMetric, metricsFor, type AlertWrite, type FoundAlert } from '../../core/provisioning/monitoring.js';
import { concurrently, errorsOf } from './concurrently.js';
import type { Goal, Walk } from './ensure.js';
import { whereOn, type Site } from './setup-goals.js';
import { untilSettled } from './settling.js';

/** A new metric takes up to ten minutes until Cloud Monitoring knows it. */
const METRIC_PATIENCE_MS = 600_000;

/** Sets the goals of monitoring; each promise ends with its goal. */
export function watchAdmissions(site: Site, walk: Walk, on: readonly Promise<unknown>[]): readonly Promise<unknown>[] {
  const { project, monitoring } = site.desired;
  if (!monitoring) return [];
  const metrics = metricsFor(project).map(({ name, metric }) => walk.ensure(metricGoal(site, name, metric), on));
  const alerts = alertsFor(monitoring.channels).map((alert) => walk.ensure(alertGoal(site, project, alert), [...on, ...metrics]));
  return [...metrics, ...alerts];
}

function metricGoal(site: Site, name: string, wanted: NewLogMetric): Goal<NewLogMetric | undefined, NewLogMetric> {
  const { metrics } = site.ports.provisioning;
  return {
    resource: name,
    read: () => whereOn(site, name, () => metrics.read(name)),
    decide: (found) => decideMetric(name, wanted, found),
    write: (metric) => metrics.write(name, metric),
  };
}

function alertGoal(site: Site, project: ProjectId, alert: ReturnType<typeof alertsFor>[number]): Goal<FoundAlert | undefined, AlertWrite> {
  const { alerts } = site.ports.provisioning;
  const resource = `projects/${project}/alertPolicies`;
  return {
    resource,
    // A listing may lag behind, and names are no keys: a second policy of the same name would be made.
    isSeenLate: true,
    read: () =>
      whereOn(site, resource, async () => {
        // A channel that does not exist, and a metric that is not known yet, are refused alike: better told before.
        const [error] = errorsOf(await concurrently(alert.channels, (channel) => alerts.requireChannel(channel)));
        if (error) throw error;
        return alerts.read(project, alert.displayName);
      }),
    decide: (found) => decideAlert(project, alert, found),
    write: (write) =>
      untilSettled(
        () => alerts.write(project, write),
        ({ code }) => code === 'NOT_FOUND',
        { ...site.ports, patienceMs: METRIC_PATIENCE_MS },
      ),
  };
}
