// SPDX-License-Identifier: Apache-2.0
// Reading log entries page by page over REST.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseProjectId, type ProjectId } from '../../src/core/names.js';
import { createAuditLog } from '../../src/google/logging.js';
import { LOG_PROJECT } from '../support/log-entries.js';
import { errorOf, googleOn } from './google.js';
import { startStub, type Planned, type Stub } from './stub-server.js';

const project = parseProjectId(LOG_PROJECT) as ProjectId;

let stub: Stub;
beforeAll(async () => void (stub = await startStub()));
afterAll(() => stub.close());
beforeEach(() => void (stub.asked.length = 0));

const bodies = () => stub.asked.map(({ body }) => JSON.parse(body) as Record<string, unknown>);
const page = (nextPageToken?: unknown, entries?: unknown): Planned => ({
  body: { ...(entries === undefined ? {} : { entries }), ...(nextPageToken === undefined ? {} : { nextPageToken }) },
});
const refusal = (code: number, status: string): Planned => ({ status: code, body: { error: { code, status, message: 'no' } } });

async function read(...answers: Planned[]): Promise<readonly unknown[]> {
  stub.plan(...answers);
  const pages: unknown[] = [];
  for await (const entries of createAuditLog(googleOn(stub.host).google).pages(project, 'f')) pages.push(entries);
  return pages;
}

describe('a listing', () => {
  it('is read to the end of its tokens, also over empty pages', async () => {
    expect(await read(page('a', [{ insertId: '1' }]), page('b'), page('c', []), page(undefined, [{ insertId: '2' }]))).toEqual([
      [{ insertId: '1' }],
      [],
      [],
      [{ insertId: '2' }],
    ]);
    const query = { resourceNames: ['projects/shop-prod'], filter: 'f', orderBy: 'timestamp asc', pageSize: 1000 };
    expect(bodies()).toEqual([query, ...['a', 'b', 'c'].map((pageToken) => ({ ...query, pageToken }))]);
    expect(stub.asked.map(({ method, url }) => `${method} ${url}`)).toEqual(Array(4).fill('POST /v2/entries:list'));
  });

  it('with nothing in it is one empty page', async () => expect(await read(page())).toEqual([[]]));

  it('goes on where the quota was exhausted for a while', async () =>
    expect(
      await read(page('a', []), refusal(429, 'RESOURCE_EXHAUSTED'), refusal(503, 'UNAVAILABLE'), page(undefined, [{ insertId: '2' }])),
    ).toHaveLength(2));

  it.each<[string, Planned[]]>([
    ['the same page again', [page('a', []), page('a', [])]],
    ['entries that are none', [page(undefined, 'none')]],
    ['an entry that is none', [page(undefined, [null])]],
    ['a token that is none', [page(7, [])]],
    ['a list', [{ body: [] }]],
    ['null', [{ body: 'null' }]],
  ])('is refused with %s', async (_, answers) => expect((await errorOf(read(...answers))).code).toBe('RESPONSE_INVALID'));

  it.each([
    [403, 'PERMISSION_DENIED', 'PERMISSION_DENIED'],
    [404, 'NOT_FOUND', 'PROJECT_NOT_FOUND'],
    [503, 'UNAVAILABLE', 'UNAVAILABLE'],
    [429, 'RESOURCE_EXHAUSTED', 'QUOTA_EXHAUSTED'],
  ])('ends with %d %s as %s', async (code, status, expected) => expect((await errorOf(read(refusal(code, status)))).code).toBe(expected));
});
