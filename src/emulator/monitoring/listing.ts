// SPDX-License-Identifier: Apache-2.0
// What the list methods of policies and channels filter and order by.
import { compileFilter, type FilterField, type FilterLanguage } from '../filter.js';
import { pageOf } from '../paging.js';
import type { Call, Reply } from '../router.js';
import { ApiError, camelCase, objectMember, type JsonObject } from '../wire.js';

const OPERATORS: FilterLanguage<never>['operators'] = {
  '=': (value, operand) => value === operand,
  '!=': (value, operand) => value !== operand,
  ':': (value, operand) => value.toLowerCase().includes(operand.toLowerCase()),
};

/** A page of resources: `filter` and `orderBy` know the named fields, and the entries of the named maps. */
export function listed(
  call: Call,
  resources: readonly JsonObject[],
  { member, fields, maps }: { readonly member: string; readonly fields: readonly string[]; readonly maps: readonly string[] },
): Reply {
  const field = (name: string): FilterField<JsonObject> | undefined => {
    const [first = '', key] = [camelCase(name.split('.')[0] ?? ''), name.includes('.') ? name.slice(name.indexOf('.') + 1) : undefined];
    if (key === undefined) return fields.includes(first) ? { read: (resource) => textOf(resource[first]) } : undefined;
    return maps.includes(first) ? { read: (resource) => textOf(objectMember(resource, first)[key]) } : undefined;
  };
  const matching = resources.filter(compileFilter(call.query.get('filter') ?? '', { fields: field, operators: OPERATORS, functions: {} }));
  const orders = (call.query.get('orderBy') ?? '').split(',').map((order) => order.trim());
  const sorted = orders.filter(Boolean).reduceRight<readonly JsonObject[]>((found, order) => {
    const by = field(order.replace(/^-/, ''));
    if (!by) throw new ApiError('INVALID_ARGUMENT', `Invalid order_by: ${order}`);
    const sign = order.startsWith('-') ? -1 : 1;
    return found.toSorted((one, other) => sign * (by.read(one) < by.read(other) ? -1 : by.read(one) > by.read(other) ? 1 : 0));
  }, matching);
  return { json: pageOf(sorted, call.query, { member, show: (resource) => resource }) };
}

function textOf(value: unknown): string {
  return value === undefined || value === null ? '' : String(value);
}
