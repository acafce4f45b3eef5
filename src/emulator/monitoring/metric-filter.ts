// SPDX-License-Identifier: Apache-2.0
// The filter of a condition: which time series it looks at (https://cloud.google.com/monitoring/api/v3/filters), as far
// as a policy on log-based metrics needs it: comparisons joined by AND.
import { ApiError } from '../wire.js';

const FIELD = /^(project|group\.id|metric\.type|resource\.type|(metric|resource)\.labels?\.\w+|metadata\.(system|user)_labels\.\w+)$/;
const COMPARISON =
  /\s*(?:(AND)\s+)?(?:NOT\s+|-)?([\w.]+)\s*(!=|>=|<=|[=<>:])\s*("(?:[^"\\]|\\.)*"|(?:one_of|starts_with|ends_with|has_substring|monitoring\.regex\.full_match)\([^()]*\)|[\w.\-/]+)(?=\s|$)/y;

/** What a filter says about the two types, where it says exactly one. */
export interface MetricFilter {
  readonly metricType: string | undefined;
  readonly resourceType: string | undefined;
}

/** Reads a filter; INVALID_ARGUMENT where it is none, or has what this emulator does not read. */
export function parseMetricFilter(filter: string): MetricFilter {
  const source = filter.trim();
  const found = new Map<string, string>();
  COMPARISON.lastIndex = 0;
  while (COMPARISON.lastIndex < source.length) {
    const start = COMPARISON.lastIndex;
    const [, and, field = '', operator, value = ''] = COMPARISON.exec(source) ?? [];
    if (!FIELD.test(field) || (start === 0 && and !== undefined))
      throw new ApiError('INVALID_ARGUMENT', `The supplied filter "${filter}" is invalid: could not parse it at character ${start + 1}.`);
    if (operator === '=') found.set(field, value.startsWith('"') ? value.slice(1, -1).replace(/\\(.)/gs, '$1') : value);
  }
  return { metricType: found.get('metric.type'), resourceType: found.get('resource.type') };
}
