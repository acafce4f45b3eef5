// SPDX-License-Identifier: Apache-2.0
// Pages of lists, as https://google.aip.dev/158 describes them.
import { ApiError, type JsonObject } from './wire.js';

/** How a list comes out: under which member, each item shown how, and how many at once. */
export interface ListForm<T> {
  readonly member: string;
  readonly show: (item: T) => unknown;
  /** `fallback` where the caller names no size, `most` whatever he names. */
  readonly limits?: { readonly fallback: number; readonly most: number };
}

/** One page of a list in Google's JSON: `pageSize` bounds it, `pageToken` continues it, and an empty list is absent. */
export function pageOf<T>(
  items: readonly T[],
  query: URLSearchParams,
  { member, show, limits = { fallback: 100, most: 1000 } }: ListForm<T>,
): JsonObject {
  const size = query.get('pageSize') ?? '';
  if (!/^\d{0,10}$/.test(size)) throw new ApiError('INVALID_ARGUMENT', `Invalid page size: ${size}`);
  const start = startOf(query.get('pageToken') ?? '');
  const end = start + Math.min(Number(size) || limits.fallback, limits.most);
  const page = items.slice(start, end).map((item) => show(item));
  return { ...(page.length > 0 ? { [member]: page } : {}), ...(end < items.length ? { nextPageToken: tokenOf(end) } : {}) };
}

function tokenOf(start: number): string {
  return Buffer.from(`from ${start}`).toString('base64url');
}

/** Where a token continues. Only what tokenOf gives is one: a mangled token must not read as page one. */
function startOf(token: string): number {
  if (token === '') return 0;
  const start = Number(/^from (\d+)$/.exec(Buffer.from(token, 'base64url').toString())?.[1]);
  if (token !== tokenOf(start)) throw new ApiError('INVALID_ARGUMENT', 'Invalid page token.');
  return start;
}
