// SPDX-License-Identifier: Apache-2.0
// What the lists of Artifact Registry have in common: `filter`, `orderBy` and pages.
import { pageOf } from '../paging.js';
import { ApiError, camelCase, type JsonObject } from '../wire.js';

/** One page of resources as a reply, after the query's `filter` and `orderBy`; `member` names the list. */
export function listReply(items: readonly JsonObject[], query: URLSearchParams, member: string): { readonly json: JsonObject } {
  return { json: pageOf(ordered(filtered(items, query), query), query, { member, show: (item) => item }) };
}

// The documented form: FIELD="VALUE", case-insensitive, where * stands for any characters.
function filtered(items: readonly JsonObject[], query: URLSearchParams): readonly JsonObject[] {
  const filter = (query.get('filter') ?? '').trim();
  if (filter === '') return items;
  const [, field, value] = /^(name|version)\s*=\s*"([^"]*)"$/i.exec(filter) ?? [];
  if (field === undefined || value === undefined) throw new ApiError('INVALID_ARGUMENT', `Invalid filter: ${filter}`);
  const source = value
    .split('*')
    .map((text) => text.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
    .join('.*');
  const pattern = new RegExp(`^${source}$`, 'i');
  return items.filter((item) => pattern.test(String(item[field.toLowerCase()])));
}

function ordered(items: readonly JsonObject[], query: URLSearchParams): readonly JsonObject[] {
  const [field = '', direction = 'asc'] = (query.get('orderBy') ?? '').trim().split(/\s+/);
  if (field === '') return items;
  if (!/^(asc|desc)$/i.test(direction)) throw new ApiError('INVALID_ARGUMENT', `Invalid order_by: "${query.get('orderBy') ?? ''}"`);
  const member = camelCase(field);
  const sign = direction.toLowerCase() === 'desc' ? -1 : 1;
  return [...items].sort((a, b) => sign * compare(String(a[member]), String(b[member])));
}

function compare(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
