// SPDX-License-Identifier: Apache-2.0
// The conditions of an alerting policy (proto google/monitoring/v3/alert.proto).
import { compileFilter } from '../logging/query/compile.js';
import { ApiError, isObject, listMember, refuseUnknown, stringMapMember, stringMember, stringsMember, type JsonObject } from '../wire.js';
import { parseMetricFilter } from './metric-filter.js';
import { choiceMember, durationMember, invalidField, messageMember, numberMember, present } from './parse.js';

/** A condition without its name. */
export interface Condition {
  readonly kind: ConditionKind;
  readonly content: JsonObject;
  /** The name that came with it: only one that the policy already has is of use. */
  readonly name: string;
  /** The types of metrics that must exist for it. */
  readonly metricTypes: readonly string[];
}

const KINDS = ['conditionThreshold', 'conditionAbsent', 'conditionMatchedLog'] as const;
export type ConditionKind = (typeof KINDS)[number];

/** In the API, but not here: their query languages are whole languages. */
const ELSEWHERE = ['conditionMonitoringQueryLanguage', 'conditionPrometheusQueryLanguage', 'conditionSql'];
const COMPARISONS = ['COMPARISON_UNSPECIFIED', 'GT', 'GE', 'LT', 'LE', 'EQ', 'NE'].map((name, index) =>
  index === 0 ? name : `COMPARISON_${name}`,
);
const MISSING_DATA = ['UNSPECIFIED', 'INACTIVE', 'ACTIVE', 'NO_OP'].map((name) => `EVALUATION_MISSING_DATA_${name}`);
const ALIGNERS = [
  ...['ALIGN_NONE', 'ALIGN_DELTA', 'ALIGN_RATE', 'ALIGN_INTERPOLATE', 'ALIGN_NEXT_OLDER', 'ALIGN_MIN', 'ALIGN_MAX', 'ALIGN_MEAN'],
  ...['ALIGN_COUNT', 'ALIGN_SUM', 'ALIGN_STDDEV', 'ALIGN_COUNT_TRUE', 'ALIGN_COUNT_FALSE', 'ALIGN_FRACTION_TRUE', 'ALIGN_PERCENTILE_99'],
  ...['ALIGN_PERCENTILE_95', 'ALIGN_PERCENTILE_50', 'ALIGN_PERCENTILE_05', 'ALIGN_PERCENT_CHANGE'],
];
const REDUCERS = [
  ...['REDUCE_NONE', 'REDUCE_MEAN', 'REDUCE_MIN', 'REDUCE_MAX', 'REDUCE_SUM', 'REDUCE_STDDEV', 'REDUCE_COUNT', 'REDUCE_COUNT_TRUE'],
  ...['REDUCE_COUNT_FALSE', 'REDUCE_FRACTION_TRUE', 'REDUCE_PERCENTILE_99', 'REDUCE_PERCENTILE_95', 'REDUCE_PERCENTILE_50'],
  'REDUCE_PERCENTILE_05',
];

/** Reads a condition; INVALID_ARGUMENT names what Google would refuse. */
export function parseCondition(value: unknown, at: string): Condition {
  if (!isObject(value)) throw new ApiError('INVALID_ARGUMENT', `Invalid value at '${at}' (message expected)`);
  refuseUnknown(value, ['name', 'displayName', ...KINDS, ...ELSEWHERE], at);
  const elsewhere = ELSEWHERE.find((member) => value[member] !== undefined);
  if (elsewhere !== undefined) throw invalidField(at, elsewhere, 'this emulator has no such conditions');
  const [kind, other] = KINDS.filter((member) => value[member] !== undefined && value[member] !== null);
  if (kind === undefined || other !== undefined)
    throw invalidField(
      `${at}.condition_case`,
      kind ?? '0',
      'Condition subtype (e.g. "condition_absent", "condition_threshold", etc.) is absent or unknown',
    );
  const displayName = stringMember(value, 'displayName');
  if (displayName === '') throw invalidField(`${at}.display_name`, '', 'must not be empty');
  const message = messageMember(value, kind, at) ?? {};
  const { content, metricTypes } = PARSERS[kind](message, `${at}.${snake(kind)}`);
  return { kind, name: stringMember(value, 'name'), content: { displayName, [kind]: content }, metricTypes };
}

interface Parsed {
  readonly content: JsonObject;
  readonly metricTypes: readonly string[];
}

const PARSERS: Readonly<Record<ConditionKind, (message: JsonObject, at: string) => Parsed>> = {
  conditionThreshold: parseThreshold,
  conditionAbsent: parseAbsence,
  conditionMatchedLog: parseLogMatch,
};

function parseThreshold(message: JsonObject, at: string): Parsed {
  const known = [
    'filter',
    'aggregations',
    'denominatorFilter',
    'denominatorAggregations',
    'forecastOptions',
    'comparison',
    'thresholdValue',
  ];
  refuseUnknown(message, [...known, 'duration', 'trigger', 'evaluationMissingData'], at);
  const comparison = choiceMember(message, 'comparison', COMPARISONS, `${at}.comparison`);
  // "Only COMPARISON_LT and COMPARISON_GT are supported currently."
  if (comparison !== 'COMPARISON_GT' && comparison !== 'COMPARISON_LT')
    throw invalidField(`${at}.comparison`, comparison ?? 'COMPARISON_UNSPECIFIED', 'only COMPARISON_LT and COMPARISON_GT are supported');
  if (message['forecastOptions'] !== undefined)
    throw invalidField(`${at}.forecast_options`, message['forecastOptions'], 'this emulator makes no forecasts');
  const filters = ['filter', ...(stringMember(message, 'denominatorFilter') === '' ? [] : ['denominatorFilter'])];
  const content = present({
    ...Object.fromEntries(filters.map((member) => [member, stringMember(message, member)])),
    aggregations: aggregationsOf(message, 'aggregations', at),
    denominatorAggregations: aggregationsOf(message, 'denominatorAggregations', at),
    comparison,
    duration: wholeMinutes(message, `${at}.duration`),
    trigger: triggerOf(message, at),
    evaluationMissingData: choiceMember(message, 'evaluationMissingData', MISSING_DATA, `${at}.evaluation_missing_data`),
  });
  const thresholdValue = numberMember(message, 'thresholdValue', `${at}.threshold_value`);
  return {
    content: { ...content, ...(thresholdValue === 0 ? {} : { thresholdValue }) },
    metricTypes: filters.map((member) => metricTypeOf(stringMember(message, member), `${at}.${snake(member)}`)),
  };
}

function parseAbsence(message: JsonObject, at: string): Parsed {
  refuseUnknown(message, ['filter', 'aggregations', 'duration', 'trigger'], at);
  const duration = wholeMinutes(message, `${at}.duration`);
  if (duration === undefined || duration === '0s') throw invalidField(`${at}.duration`, duration ?? '', 'must be at least a minute');
  const filter = stringMember(message, 'filter');
  const content = present({ filter, aggregations: aggregationsOf(message, 'aggregations', at), duration, trigger: triggerOf(message, at) });
  return { content, metricTypes: [metricTypeOf(filter, `${at}.filter`)] };
}

function parseLogMatch(message: JsonObject, at: string): Parsed {
  refuseUnknown(message, ['filter', 'labelExtractors'], at);
  const filter = stringMember(message, 'filter');
  if (filter.trim() === '') throw invalidField(`${at}.filter`, '', 'must not be empty');
  compileFilter(filter);
  return { content: present({ filter, labelExtractors: stringMapMember(message, 'labelExtractors') }), metricTypes: [] };
}

/** "It must specify the metric type and the resource type." */
function metricTypeOf(filter: string, at: string): string {
  const { metricType, resourceType } = parseMetricFilter(filter);
  if (metricType === undefined) throw invalidField(at, filter, 'must specify a restriction on "metric.type" in the filter');
  if (resourceType === undefined)
    throw invalidField(
      at,
      filter,
      'must specify a restriction on "resource.type" in the filter; see "https://cloud.google.com/monitoring/api/resources" for a list of available resource types',
    );
  return metricType;
}

function wholeMinutes(message: JsonObject, at: string): string | undefined {
  const seconds = durationMember(message, 'duration', at);
  if (seconds === undefined) return undefined;
  if (seconds % 60 !== 0) throw invalidField(at, `${seconds}s`, 'must be a multiple of 60 seconds');
  return `${seconds}s`;
}

function triggerOf(message: JsonObject, at: string): JsonObject | undefined {
  const trigger = messageMember(message, 'trigger', `${at}.trigger`);
  if (!trigger) return undefined;
  refuseUnknown(trigger, ['count', 'percent'], `${at}.trigger`);
  for (const member of ['count', 'percent']) numberMember(trigger, member, `${at}.trigger.${member}`);
  return trigger;
}

function aggregationsOf(message: JsonObject, member: string, at: string): JsonObject[] {
  return listMember(message, member).map((value, index) => {
    const path = `${at}.${snake(member)}[${index}]`;
    if (!isObject(value)) throw new ApiError('INVALID_ARGUMENT', `Invalid value at '${path}' (message expected)`);
    refuseUnknown(value, ['alignmentPeriod', 'perSeriesAligner', 'crossSeriesReducer', 'groupByFields'], path);
    const period = durationMember(value, 'alignmentPeriod', `${path}.alignment_period`);
    const perSeriesAligner = choiceMember(value, 'perSeriesAligner', ALIGNERS, `${path}.per_series_aligner`);
    if (perSeriesAligner !== undefined && (period === undefined || period < 60))
      throw invalidField(`${path}.alignment_period`, stringMember(value, 'alignmentPeriod'), 'must be at least 60 seconds');
    return present({
      alignmentPeriod: period === undefined ? undefined : `${period}s`,
      perSeriesAligner,
      crossSeriesReducer: choiceMember(value, 'crossSeriesReducer', REDUCERS, `${path}.cross_series_reducer`),
      groupByFields: stringsMember(value, 'groupByFields'),
    });
  });
}

function snake(member: string): string {
  return member.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
