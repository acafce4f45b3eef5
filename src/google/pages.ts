// SPDX-License-Identifier: Apache-2.0
import { BinauthzError } from '../core/errors.js';

/** One page of a listing, and the token of the next; none at the end. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextPageToken: string | null | undefined;
}

/** Far above any listing's length; a server that never ends one must not hold a run, nor fill its memory. */
const MOST_PAGES = 1_000;

/** All items of a listing of `resource`. An empty page with a token is legal: only a missing token ends it. RESPONSE_INVALID where it does not end. */
export async function allPages<Item>(resource: string, page: (pageToken: string) => Promise<Page<Item>>): Promise<readonly Item[]> {
  const items: Item[] = [];
  const tokens = new Set<string>();
  for (let token = ''; tokens.size < MOST_PAGES;) {
    const { items: more, nextPageToken } = await page(token);
    for (const item of more) items.push(item);
    token = nextPageToken ?? '';
    if (token === '') return items;
    if (tokens.has(token)) throw endless(resource, 'the same page comes again');
    tokens.add(token);
  }
  throw endless(resource, `it goes on after ${MOST_PAGES} pages`);
}

function endless(resource: string, problem: string): BinauthzError {
  return new BinauthzError('RESPONSE_INVALID', `cannot read the listing of ${resource} to its end: ${problem}`, {
    resource,
    hint: 'something other than the Google API may have answered: check the endpoint overrides (CLOUDSDK_API_ENDPOINT_OVERRIDES_…) and proxies',
  });
}
