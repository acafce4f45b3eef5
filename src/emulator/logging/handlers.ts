// SPDX-License-Identifier: Apache-2.0
// Cloud Logging v2: entries that are written and searched, and metrics that count them.
import type { Route } from '../router.js';
import type { World } from '../world.js';
import { entryRoutes } from './entries.js';
import { metricRoutes, Metrics, type LogMetric } from './metrics.js';
import { EntryStore } from './state.js';

/** What Cloud Logging offers to the other APIs. */
export interface Logging {
  readonly routes: readonly Route[];
  /** The log-based metrics of a project, which Cloud Monitoring has descriptors of. */
  metricsIn(project: string): readonly LogMetric[];
  reset(): void;
}

/** Cloud Logging with no entries and no metrics. */
export function createLogging(world: World): Logging {
  const entries = new EntryStore();
  const metrics = new Metrics();
  return {
    routes: [...entryRoutes(world, entries), ...metricRoutes(world, metrics)],
    metricsIn: (project) => metrics.list(project),
    reset: () => {
      entries.reset();
      metrics.reset();
    },
  };
}
