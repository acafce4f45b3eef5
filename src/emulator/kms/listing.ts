// SPDX-License-Identifier: Apache-2.0
// Cloud KMS' lists: filter, order and pages (https://cloud.google.com/kms/docs/sorting-and-filtering).
import { compileFilter, type FilterLanguage } from '../filter.js';
import { pageOf } from '../paging.js';
import type { Call, Reply } from '../router.js';
import { ApiError, isObject, type JsonObject } from '../wire.js';

/** Every member of the object shown may be filtered on, sub-members with dots. */
const LANGUAGE: FilterLanguage<JsonObject> = {
  fields: (path) => (/^[A-Za-z][\w-]*(\.[\w-]+)*$/.test(path) ? { read: (item) => readPath(item, path.split('.')) } : undefined),
  operators: {
    '=': (value, operand) => value === operand,
    '!=': (value, operand) => value !== operand,
    // Containment, without regard to case.
    ':': (value, operand) => value.toLowerCase().includes(operand.toLowerCase()),
  },
  functions: {},
};

function readPath(item: JsonObject, path: readonly string[]): string {
  let value: unknown = item;
  for (const member of path) value = isObject(value) ? value[member] : undefined;
  return typeof value === 'string' ? value : '';
}

/** The answer to a list call: `member` holds the page, `totalSize` counts what the filter let through. */
export function listReply(call: Call, member: string, items: readonly JsonObject[]): Reply {
  const found = sort(items.filter(compileFilter(call.query.get('filter') ?? '', LANGUAGE)), call.query.get('orderBy') ?? '');
  return { json: { ...pageOf(found, call.query, { member, show: (item) => item }), totalSize: found.length } };
}

/** Cloud KMS orders by name only; numbers count as numbers, so that version 10 comes after version 9. */
function sort(items: readonly JsonObject[], orderBy: string): readonly JsonObject[] {
  const [field, direction, ...rest] = orderBy.trim().split(/\s+/);
  const descending = direction === 'desc';
  const known = (field === '' || field === 'name') && rest.length === 0 && ['asc', 'desc', undefined].includes(direction);
  if (!known) throw new ApiError('INVALID_ARGUMENT', `Invalid order_by: "${orderBy}"; only "name" and "name desc" are supported.`);
  const collator = new Intl.Collator('en', { numeric: true });
  const sorted = [...items].sort((left, right) => collator.compare(String(left['name']), String(right['name'])));
  return descending ? sorted.reverse() : sorted;
}
