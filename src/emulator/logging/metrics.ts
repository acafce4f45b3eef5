// SPDX-License-Identifier: Apache-2.0
// Log-based metrics: counters of the entries that a filter matches, or distributions of values taken from them.
import { pageOf } from '../paging.js';
import { jsonBody, param, route, type Call, type Route } from '../router.js';
import {
  ApiError,
  booleanMember,
  enumMember,
  isObject,
  listMember,
  objectMember,
  refuseUnknown,
  stringMapMember,
  stringMember,
  timestamp,
  type JsonObject,
} from '../wire.js';
import type { World } from '../world.js';
import { checkExtractor } from './extractors.js';
import { compileFilter } from './query/compile.js';

/** A stored metric. */
export interface LogMetric {
  readonly project: string;
  readonly id: string;
  /** What Google keeps of what was sent, without times. */
  readonly content: JsonObject;
  readonly descriptor: JsonObject;
  readonly createTime: number;
  readonly updateTime: number;
}

const METRICS = '/v2/projects/{project}/metrics';
const METRIC = `${METRICS}/{metric=any}`;
const MEMBERS = ['name', 'description', 'filter', 'disabled', 'bucketName', 'metricDescriptor', 'valueExtractor', 'labelExtractors'];
const OUTPUTS = ['bucketOptions', 'createTime', 'updateTime', 'resourceName', 'version'];
const DESCRIPTOR = ['name', 'type', 'labels', 'metricKind', 'valueType', 'unit', 'description', 'displayName', 'metadata', 'launchStage'];
const ID = /^(?!\/)[A-Za-z0-9_\-.,+!*',()%/]{1,100}$/;
const KINDS = numbered('METRIC_KIND_UNSPECIFIED', 'GAUGE', 'DELTA', 'CUMULATIVE');
const TYPES = numbered('VALUE_TYPE_UNSPECIFIED', 'BOOL', 'INT64', 'DOUBLE', 'STRING', 'DISTRIBUTION', 'MONEY');
const LABEL_TYPES = numbered('STRING', 'BOOL', 'INT64');

/** The metrics of every project. */
export class Metrics {
  private readonly byName = new Map<string, LogMetric>();

  /** The metric, or undefined. */
  find(project: string, id: string): LogMetric | undefined {
    return this.byName.get(nameOf(project, id));
  }

  /** The metric, or NOT_FOUND. */
  get(project: string, id: string): LogMetric {
    const metric = this.find(project, id);
    if (!metric) throw new ApiError('NOT_FOUND', `Metric ${id} does not exist.`);
    return metric;
  }

  /** The metrics of a project, by id. */
  list(project: string): LogMetric[] {
    return [...this.byName.values()].filter((metric) => metric.project === project).sort((one, other) => (one.id < other.id ? -1 : 1));
  }

  put(metric: LogMetric): LogMetric {
    this.byName.set(nameOf(metric.project, metric.id), metric);
    return metric;
  }

  delete(metric: LogMetric): void {
    this.byName.delete(nameOf(metric.project, metric.id));
  }

  reset(): void {
    this.byName.clear();
  }
}

/** The routes of log-based metrics. */
export function metricRoutes(world: World, metrics: Metrics): Route[] {
  const project = (call: Call) => world.projectId(param(call, 'project'));
  const permitted = (call: Call, verb: string) => world.iam.require(call, `logging.logMetrics.${verb}`, `projects/${project(call)}`);
  return [
    route('POST', METRICS, (call) => {
      permitted(call, 'create');
      const parsed = parseMetric(jsonBody(call, ['labelExtractors']), project(call));
      if (metrics.find(parsed.project, parsed.id)) throw new ApiError('ALREADY_EXISTS', `Metric ${parsed.id} already exists.`);
      const now = world.clock.now();
      return { json: render(metrics.put({ ...parsed, createTime: now, updateTime: now })) };
    }),
    route('GET', METRICS, (call) => {
      permitted(call, 'list');
      return { json: pageOf(metrics.list(project(call)), call.query, { member: 'metrics', show: render }) };
    }),
    route('GET', METRIC, (call) => {
      permitted(call, 'get');
      return { json: render(metrics.get(project(call), idOf(call))) };
    }),
    route('PUT', METRIC, (call) => {
      permitted(call, 'update');
      const parsed = parseMetric(jsonBody(call, ['labelExtractors']), project(call), idOf(call));
      const known = metrics.find(parsed.project, parsed.id);
      if (known) requireSameKind(known, parsed);
      else permitted(call, 'create');
      const now = world.clock.now();
      return { json: render(metrics.put({ ...parsed, createTime: known?.createTime ?? now, updateTime: now })) };
    }),
    route('DELETE', METRIC, (call) => {
      permitted(call, 'delete');
      metrics.delete(metrics.get(project(call), idOf(call)));
      return { json: {} };
    }),
  ];
}

/** The id as it is named: in a path its slashes are escaped, by some clients twice. */
function idOf(call: Call): string {
  return param(call, 'metric').replace(/%2F/gi, '/');
}

function parseMetric(body: JsonObject, project: string, id = ''): Omit<LogMetric, 'createTime' | 'updateTime'> {
  refuseUnknown(body, [...MEMBERS, ...OUTPUTS], 'metric');
  const name = stringMember(body, 'name') || id;
  if (!ID.test(name)) throw new ApiError('INVALID_ARGUMENT', `Invalid metric name: '${name}'`);
  if (id !== '' && name !== id) throw new ApiError('INVALID_ARGUMENT', `The metric's name '${name}' must be '${id}', as in the path.`);
  const filter = stringMember(body, 'filter');
  if (filter.trim() === '') throw new ApiError('INVALID_ARGUMENT', 'The metric must have a filter.');
  compileFilter(filter);
  const description = stringMember(body, 'description');
  if (description.length > 8000) throw new ApiError('INVALID_ARGUMENT', 'The description must have at most 8000 characters.');
  const labelExtractors = stringMapMember(body, 'labelExtractors');
  const valueExtractor = stringMember(body, 'valueExtractor');
  const descriptor = parseDescriptor(objectMember(body, 'metricDescriptor'), { project, name, description });
  checkExtractors(descriptor, labelExtractors, valueExtractor);
  const content = present({
    name,
    description,
    filter,
    disabled: booleanMember(body, 'disabled'),
    bucketName: stringMember(body, 'bucketName'),
    valueExtractor,
    labelExtractors,
    bucketOptions: objectMember(body, 'bucketOptions'),
  });
  return { project, id: name, content, descriptor };
}

/** Google's JSON leaves out what is empty. */
function present(members: JsonObject): JsonObject {
  const isEmpty = (value: unknown) => value === '' || value === false || (isObject(value) && Object.keys(value).length === 0);
  return Object.fromEntries(Object.entries(members).filter(([, value]) => !isEmpty(value)));
}

/** Name, type and description are Google's; "a DELTA metric kind, INT64 value type, with no labels and a unit of 1". */
function parseDescriptor(
  sent: JsonObject,
  metric: { readonly project: string; readonly name: string; readonly description: string },
): JsonObject {
  refuseUnknown(sent, DESCRIPTOR, 'metric.metric_descriptor');
  const labels = listMember(sent, 'labels').map(parseLabel);
  const valueType = enumMember(sent['valueType'], TYPES, 'metric.metric_descriptor.value_type', 'INT64');
  const displayName = stringMember(sent, 'displayName');
  const metricKind = enumMember(sent['metricKind'], KINDS, 'metric.metric_descriptor.metric_kind', 'DELTA');
  if (metricKind !== 'DELTA' || !['INT64', 'DISTRIBUTION'].includes(valueType))
    throw new ApiError('INVALID_ARGUMENT', `A log-based metric is DELTA and INT64 or DISTRIBUTION, not ${metricKind} and ${valueType}.`);
  const type = `logging.googleapis.com/user/${metric.name}`;
  return {
    name: `projects/${metric.project}/metricDescriptors/${type}`,
    ...(labels.length > 0 ? { labels } : {}),
    metricKind,
    valueType,
    unit: stringMember(sent, 'unit') || '1',
    ...(metric.description === '' ? {} : { description: metric.description }),
    ...(displayName === '' ? {} : { displayName }),
    type,
  };
}

function parseLabel(value: unknown): JsonObject {
  const at = 'metric.metric_descriptor.labels';
  if (!isObject(value)) throw new ApiError('INVALID_ARGUMENT', `Invalid value at '${at}' (message expected)`);
  refuseUnknown(value, ['key', 'valueType', 'description'], at);
  const key = stringMember(value, 'key');
  if (!/^[A-Za-z][A-Za-z0-9_]{0,99}$/.test(key)) throw new ApiError('INVALID_ARGUMENT', `Invalid label key: '${key}'`);
  const valueType = enumMember(value['valueType'], LABEL_TYPES, `${at}.value_type`, 'STRING');
  const description = stringMember(value, 'description');
  return { key, ...(valueType === 'STRING' ? {} : { valueType }), ...(description === '' ? {} : { description }) };
}

/** "Each label in the metric descriptor must have a matching label name as the key and an extractor expression." */
function checkExtractors(descriptor: JsonObject, labelExtractors: JsonObject, valueExtractor: string): void {
  const labels = listMember(descriptor, 'labels').map((label) => (isObject(label) ? label['key'] : undefined));
  const extra = Object.keys(labelExtractors).find((key) => !labels.includes(key));
  const missing = labels.find((key) => !Object.hasOwn(labelExtractors, String(key)));
  if (extra !== undefined || missing !== undefined)
    throw new ApiError('INVALID_ARGUMENT', `Label ${String(extra ?? missing)} needs both a descriptor and an extractor.`);
  for (const [key, extractor] of Object.entries(labelExtractors)) checkExtractor(String(extractor), `label_extractors.${key}`);
  if ((descriptor['valueType'] === 'DISTRIBUTION') !== (valueExtractor !== ''))
    throw new ApiError('INVALID_ARGUMENT', 'A value_extractor belongs to a metric of value type DISTRIBUTION, and to no other.');
  if (valueExtractor !== '') checkExtractor(valueExtractor, 'value_extractor');
}

function requireSameKind(known: LogMetric, { descriptor }: Pick<LogMetric, 'descriptor'>): void {
  if (known.descriptor['valueType'] !== descriptor['valueType'])
    throw new ApiError('INVALID_ARGUMENT', 'The metric_kind and value_type of a metric cannot be updated.');
}

function render({ project, id, content, descriptor, createTime, updateTime }: LogMetric): JsonObject {
  return {
    ...content,
    metricDescriptor: descriptor,
    createTime: timestamp(createTime),
    updateTime: timestamp(updateTime),
    resourceName: nameOf(project, encodeURIComponent(id)),
  };
}

function nameOf(project: string, id: string): string {
  return `projects/${project}/metrics/${id}`;
}

function numbered(...names: readonly string[]): ReadonlyMap<string, number> {
  return new Map(names.map((name, index) => [name, index]));
}
