// SPDX-License-Identifier: Apache-2.0
// The library for Cloud Logging is far larger than the one call that is needed; its REST API is used as documented.
import type { LogEntry } from '../core/audit/entry.js';
import { BinauthzError } from '../core/errors.js';
import type { ProjectId } from '../core/names.js';
import type { AuditLog } from '../ports/audit-log.js';
import type { Google } from './clients.js';
import type { Call } from './errors.js';

/** As many as one answer may hold. */
const PAGE_SIZE = 1000;
/** Ten million entries at most; a server that never ends a listing must not hold a run. */
const MOST_PAGES = 10_000;

/** Log entries through REST. */
export function createAuditLog(google: Google): AuditLog {
  return { pages: (project, filter) => pagesOf(google, project, filter) };
}

async function* pagesOf(google: Google, project: ProjectId, filter: string): AsyncGenerator<readonly LogEntry[]> {
  const resource = `projects/${project}`;
  const call: Call = {
    what: 'cannot read the log entries of',
    resource,
    needs: [{ permission: 'logging.logEntries.list', role: 'roles/logging.viewer', on: resource }],
    notFound: 'PROJECT_NOT_FOUND',
  };
  const tokens = new Set<string>();
  const query = { resourceNames: [resource], filter, orderBy: 'timestamp asc', pageSize: PAGE_SIZE };
  for (let pageToken = ''; tokens.size < MOST_PAGES;) {
    const body = pageToken === '' ? query : { ...query, pageToken };
    const reply = await google.call.repeat(call, () => google.rest('logging').request('POST', 'v2/entries:list', body));
    const page = readPage(reply, resource);
    yield page.entries;
    // Only a missing token ends the listing: Google answers an empty page with a token where it ran out of time.
    if (page.nextPageToken === '') return;
    if (tokens.has(page.nextPageToken)) throw invalid(resource, 'the same page comes again');
    tokens.add((pageToken = page.nextPageToken));
  }
  throw invalid(resource, `the listing goes on after ${MOST_PAGES} pages`);
}

function readPage(reply: unknown, resource: string): { readonly entries: readonly LogEntry[]; readonly nextPageToken: string } {
  if (!isObject(reply)) throw invalid(resource, 'expected a page of log entries');
  const { entries = [], nextPageToken = '' } = reply;
  if (!Array.isArray(entries) || !entries.every(isObject)) throw invalid(resource, 'expected a list of log entries');
  // Whatever is not read as a token would end the listing too early.
  if (typeof nextPageToken !== 'string') throw invalid(resource, 'expected a token of the next page');
  return { entries, nextPageToken };
}

function invalid(resource: string, problem: string): BinauthzError {
  return new BinauthzError('RESPONSE_INVALID', `cannot read the log entries of ${resource}: ${problem}`, { resource });
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
