// SPDX-License-Identifier: Apache-2.0
// The comment, against a server on loopback that keeps comments as GitHub's REST API does.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { commentOnPullRequest } from '../../src/hosts/action/comment.js';

interface Comment {
  readonly id: number;
  body: string;
  readonly user: { readonly login: string; readonly type: string } | null;
}

const MARKER = '<!-- binauthz check -->';
const BOT = { login: 'github-actions[bot]', type: 'Bot' };
const state = {
  comments: [] as Comment[],
  requests: [] as string[],
  tokens: new Set<string>(),
  user: '',
  refuse: new Map<string, number>(),
};

const server = createServer((request, response) => void answer(request, response));
const environment = { ...process.env };

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // Read when the toolkit is loaded, which happens at the first comment.
  process.env['GITHUB_API_URL'] = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  process.env['GITHUB_REPOSITORY'] = 'o/r';
  delete process.env['GITHUB_EVENT_PATH'];
});
afterAll(async () => {
  process.env = environment;
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});
beforeEach(async () => {
  Object.assign(state, { comments: [], requests: [], tokens: new Set(), user: '', refuse: new Map() });
  await event('pull_request', { pull_request: { number: 7 } });
});
afterEach(() => expect([...state.tokens].filter((token) => token !== 'token t0ken')).toEqual([]));

/** The event that the run is of, in the toolkit's own context. */
async function event(name: string, payload: object): Promise<void> {
  const { context } = await import('@actions/github');
  context.eventName = name;
  context.payload = payload;
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const url = new URL(request.url ?? '/', 'http://h');
  const asked = `${request.method ?? ''} ${url.pathname}`;
  state.requests.push(asked);
  state.tokens.add(request.headers.authorization ?? '');
  const json = (status: number, body: unknown, headers: Record<string, string> = {}): void =>
    void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
  const refused = state.refuse.get(asked);
  if (refused !== undefined) return json(refused, { message: 'Resource not accessible by integration' });
  const body = (): string => (JSON.parse(Buffer.concat(chunks).toString()) as { body: string }).body;
  if (asked === 'GET /user') return state.user === '' ? json(403, { message: 'no' }) : json(200, { login: state.user });
  if (asked === 'GET /repos/o/r/issues/7/comments') return list(url, json);
  if (asked === 'POST /repos/o/r/issues/7/comments') {
    state.comments.push({ id: 1_000 + state.comments.length, body: body(), user: BOT });
    return json(201, state.comments.at(-1));
  }
  const found = state.comments.find(({ id }) => asked === `PATCH /repos/o/r/issues/comments/${id}`);
  if (!found) return json(404, { message: 'Not Found' });
  found.body = body();
  return json(200, found);
}

function list(url: URL, json: (status: number, body: unknown, headers?: Record<string, string>) => void): void {
  const page = Number(url.searchParams.get('page') ?? 1);
  const size = Number(url.searchParams.get('per_page') ?? 30);
  const next = new URL(url);
  next.searchParams.set('page', String(page + 1));
  const link = `<${process.env['GITHUB_API_URL'] ?? ''}${next.pathname}${next.search}>; rel="next"`;
  json(200, state.comments.slice((page - 1) * size, page * size), page * size < state.comments.length ? { link } : {});
}

const say = (body = 'DENIED') => commentOnPullRequest({ token: 't0ken', body, marker: MARKER });
const bodies = () => state.comments.map(({ body }) => body);
const earlier = (parts: Partial<Comment> = {}): Comment => ({ id: 5, body: `${MARKER}\nold`, user: BOT, ...parts });

describe('a comment', () => {
  test('is written once, then in place', async () => {
    expect(await say('first')).toBeUndefined();
    expect(await say('second')).toBeUndefined();
    expect(bodies()).toEqual([`${MARKER}\nsecond`]);
  });
  test('is found on a later page', async () => {
    state.comments = [...Array.from({ length: 250 }, (_, index) => earlier({ id: 100 + index, body: 'hello' })), earlier()];
    expect(await say()).toBeUndefined();
    expect(state.requests.filter((request) => request.startsWith('GET /repos'))).toHaveLength(3);
    expect([state.comments.length, bodies().at(-1)]).toEqual([251, `${MARKER}\nDENIED`]);
  });
  test.each<[string, Partial<Comment>]>([
    ['a person planted the marker', { user: { login: 'mallory', type: 'User' } }],
    ['it quotes the marker', { body: `> ${MARKER}` }],
    ['its author is gone', { user: null }],
    ['it has another marker', { body: '<!-- other -->' }],
  ])('is left alone where %s', async (_, parts) => {
    state.comments = [earlier(parts)];
    const before = bodies();
    expect(await say()).toBeUndefined();
    expect(bodies()).toEqual([...before, `${MARKER}\nDENIED`]);
  });
  test('of a person is found by the token’s own name', async () => {
    state.user = 'robot';
    state.comments = [earlier({ user: { login: 'robot', type: 'User' } }), earlier({ id: 6 })];
    expect(await say()).toBeUndefined();
    expect(bodies()).toEqual([`${MARKER}\nDENIED`, `${MARKER}\nold`]);
  });
  test('that was deleted meanwhile is written anew', async () => {
    state.comments = [earlier()];
    state.refuse.set('PATCH /repos/o/r/issues/comments/5', 404);
    expect(await say()).toBeUndefined();
    expect(bodies()).toEqual([`${MARKER}\nold`, `${MARKER}\nDENIED`]);
  });
  test('is not longer than GitHub takes', async () => {
    expect(await say('x'.repeat(200_000))).toBeUndefined();
    expect(bodies()[0]?.length).toBeLessThan(65_536);
  });
});

describe('where there is nothing to comment on', () => {
  test.each([
    ['a push', 'push', { pull_request: { number: 7 } }],
    ['no number', 'pull_request', { pull_request: {} }],
    ['no number that is one', 'pull_request', { pull_request: { number: '7/../8' } }],
    ['an issue', 'issue_comment', { issue: { number: 7 } }],
  ])('%s: nothing is asked', async (_, name, payload) => {
    await event(name, payload);
    expect(await say()).toBeUndefined();
    expect(state.requests).toEqual([]);
  });
  test('but on pull_request_target there is', async () => {
    await event('pull_request_target', { pull_request: { number: 7 } });
    await say();
    expect(bodies()).toHaveLength(1);
  });
});

describe('what goes wrong is a warning', () => {
  test.each([403, 404, 401])('%i says which permission', async (status) => {
    state.refuse.set('POST /repos/o/r/issues/7/comments', status);
    expect(await say()).toBe(
      `cannot comment on the pull request: GitHub answered ${status}; give the job "permissions: pull-requests: write" (a pull request from a fork never gets it)`,
    );
  });
  test('also for the listing, and for the update', async () => {
    state.comments = [earlier()];
    state.refuse.set('PATCH /repos/o/r/issues/comments/5', 403);
    expect(await say()).toMatch(/GitHub answered 403/);
    state.refuse.set('GET /repos/o/r/issues/7/comments', 403);
    expect(await say()).toMatch(/GitHub answered 403/);
    expect(bodies()).toEqual([`${MARKER}\nold`]);
  });
  test('a server error', async () => {
    state.refuse.set('POST /repos/o/r/issues/7/comments', 500);
    expect(await say()).toMatch(/^cannot comment on the pull request: /);
  });
  test('no token', async () => {
    expect(await commentOnPullRequest({ token: '', body: 'b', marker: MARKER })).toMatch(/^cannot comment on the pull request: .*token/);
  });
  test('no server', async () => {
    const { context } = await import('@actions/github');
    const url = context.apiUrl;
    context.apiUrl = 'http://127.0.0.1:9';
    const warning = await say();
    context.apiUrl = url;
    expect(warning).toMatch(/^cannot comment on the pull request: /);
    expect(warning).not.toContain('t0ken');
  });
});
