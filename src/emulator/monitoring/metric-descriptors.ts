// SPDX-License-Identifier: Apache-2.0
// Metric descriptors of the metrics that a user made. They follow the log-based metric after a while, as in life: a
// policy on a metric whose descriptor is not there yet is refused.
import type { LogMetric } from '../logging/metrics.js';
import { pageOf } from '../paging.js';
import { param, route, type Call, type Route } from '../router.js';
import { ApiError, type JsonObject } from '../wire.js';
import type { World } from '../world.js';

/** Metrics below these are made by users; every other one is Google's own, and exists. */
const MADE_BY_USERS = /^(logging\.googleapis\.com\/user|custom\.googleapis\.com|workload\.googleapis\.com|external\.googleapis\.com)\//;
const GOOGLES = /^([a-z0-9-]+\.googleapis\.com|kubernetes\.io|istio\.io|agent\.googleapis\.com)\/[A-Za-z0-9_/.-]+$/;
const FILTER = /^\s*metric\.type\s*(?:=\s*"([^"]*)"|=\s*starts_with\(\s*"([^"]*)"\s*\)|:\s*"([^"]*)")\s*$/;

/** The descriptors over the log-based metrics of each project. */
export class MetricDescriptors {
  constructor(
    private readonly world: World,
    private readonly metricsIn: (project: string) => readonly LogMetric[],
  ) {}

  routes(): Route[] {
    const project = (call: Call) => this.world.projectId(param(call, 'project'));
    const permitted = (call: Call, verb: string) =>
      this.world.iam.require(call, `monitoring.metricDescriptors.${verb}`, `projects/${project(call)}`);
    return [
      route('GET', '/v3/projects/{project}/metricDescriptors', (call) => {
        permitted(call, 'list');
        const matches = filterOf(call.query.get('filter') ?? '');
        const found = this.list(project(call)).filter(({ type }) => matches(String(type)));
        return { json: pageOf(found, call.query, { member: 'metricDescriptors', show: (item) => item }) };
      }),
      route('GET', '/v3/projects/{project}/metricDescriptors/{type=**}', (call) => {
        permitted(call, 'get');
        const type = param(call, 'type');
        const found = this.list(project(call)).find((descriptor) => descriptor['type'] === type);
        if (!found) throw new ApiError('NOT_FOUND', `Could not find descriptor for metric '${type}'.`);
        return { json: found };
      }),
    ];
  }

  /** Throws Google's 404 where a policy cannot be made on this type of metric. */
  require(project: string, type: string): void {
    const isThere = MADE_BY_USERS.test(type) ? this.list(project).some((descriptor) => descriptor['type'] === type) : GOOGLES.test(type);
    if (isThere) return;
    throw new ApiError(
      'NOT_FOUND',
      `Cannot find metric(s) that match type = "${type}". If a metric was created recently, it could take up to 10 minutes to ` +
        'become available. Please try again soon.',
    );
  }

  private list(project: string): JsonObject[] {
    const { clock, settings } = this.world;
    return this.metricsIn(project)
      .filter(({ createTime }) => createTime + settings.propagationDelayMs <= clock.now())
      .map(({ id, descriptor }) => ({ displayName: `logging/user/${id}`, ...descriptor }));
  }
}

function filterOf(filter: string): (type: string) => boolean {
  if (filter.trim() === '') return () => true;
  const found = FILTER.exec(filter);
  if (!found) throw new ApiError('INVALID_ARGUMENT', `The supplied filter is invalid, or more than this emulator reads: ${filter}`);
  const [, exact, prefix, part] = found;
  if (exact !== undefined) return (type) => type === exact;
  return prefix === undefined ? (type) => type.includes(part ?? '') : (type) => type.startsWith(prefix);
}
