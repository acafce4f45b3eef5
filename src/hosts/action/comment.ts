// SPDX-License-Identifier: Apache-2.0
// One comment on the pull request, written anew in place. It only informs: nothing that goes wrong here fails the gate.
import { redact } from '../../core/redact.js';

/** What to say on the pull request that the run is of. */
export interface CommentRequest {
  readonly token: string;
  /** Markdown. */
  readonly body: string;
  /** An HTML comment, by which a later run finds this one: `<!-- binauthz check -->`. */
  readonly marker: string;
}

interface Place {
  readonly owner: string;
  readonly repo: string;
  readonly issue_number: number;
}

interface Comment {
  readonly id: number;
  readonly body?: string | undefined;
  readonly user: { readonly login: string; readonly type: string } | null;
}

type Octokit = ReturnType<(typeof import('@actions/github'))['getOctokit']>;

const EVENTS: ReadonlySet<string> = new Set(['pull_request', 'pull_request_target']);
/** What GitHub takes is 65,536 characters. */
const LONGEST_BODY = 65_000;
const MOST_PAGES = 50;
const PATIENCE_MS = 60_000;

/**
 * Writes the comment, in place of the earlier one with the same marker. The warning to give where it could not be
 * written, or undefined: also where the run is of no pull request.
 */
export async function commentOnPullRequest(request: CommentRequest): Promise<string | undefined> {
  try {
    const { context, getOctokit } = await import('@actions/github');
    const number: unknown = context.payload.pull_request?.number;
    if (!EVENTS.has(context.eventName) || typeof number !== 'number' || !Number.isSafeInteger(number)) return undefined;
    const octokit = getOctokit(request.token, { baseUrl: context.apiUrl });
    await write(octokit, { ...context.repo, issue_number: number }, request);
    return undefined;
  } catch (thrown) {
    return warningOf(thrown);
  }
}

async function write(octokit: Octokit, place: Place, { body, marker }: CommentRequest): Promise<void> {
  const request = { signal: AbortSignal.timeout(PATIENCE_MS) };
  const text = bounded(`${marker}\n${body}`);
  const earlier = await findEarlier(octokit, { ...place, request }, marker);
  if (earlier !== undefined) {
    try {
      await octokit.rest.issues.updateComment({ owner: place.owner, repo: place.repo, comment_id: earlier, body: text, request });
      return;
    } catch (thrown) {
      // Deleted since it was listed.
      if (statusOf(thrown) !== 404) throw thrown;
    }
  }
  await octokit.rest.issues.createComment({ ...place, body: text, request });
}

/** The newest comment of ours: one that begins with the marker, which everyone may write, and that this token's owner wrote. */
async function findEarlier(
  octokit: Octokit,
  place: Place & { readonly request: { readonly signal: AbortSignal } },
  marker: string,
): Promise<number | undefined> {
  const marked: Comment[] = [];
  let pages = 0;
  for await (const { data } of octokit.paginate.iterator(octokit.rest.issues.listComments, { ...place, per_page: 100 })) {
    marked.push(...data.filter(({ body }) => body?.startsWith(marker) === true));
    pages += 1;
    if (pages >= MOST_PAGES) break;
  }
  if (marked.length === 0) return undefined;
  const login = await ownLogin(octokit, place.request);
  // A workflow's own token is an installation's, which may not ask who it is; what it writes is a bot's.
  const isOurs = ({ user }: Comment): boolean => (login === undefined ? user?.type === 'Bot' : user?.login === login);
  return marked.findLast(isOurs)?.id;
}

async function ownLogin(octokit: Octokit, request: { readonly signal: AbortSignal }): Promise<string | undefined> {
  try {
    return (await octokit.rest.users.getAuthenticated({ request })).data.login;
  } catch (thrown) {
    if ([401, 403, 404].includes(statusOf(thrown) ?? 0)) return undefined;
    throw thrown;
  }
}

function bounded(text: string): string {
  return text.length <= LONGEST_BODY ? text : `${text.slice(0, LONGEST_BODY)}…`;
}

function warningOf(thrown: unknown): string {
  const status = statusOf(thrown);
  if (status === 401 || status === 403 || status === 404)
    return `cannot comment on the pull request: GitHub answered ${status}; give the job "permissions: pull-requests: write" (a pull request from a fork never gets it)`;
  const reason = thrown instanceof Error ? thrown.message : 'unknown reason';
  return `cannot comment on the pull request: ${redact(reason).slice(0, 500)}`;
}

function statusOf(thrown: unknown): number | undefined {
  return thrown instanceof Error && 'status' in thrown && typeof thrown.status === 'number' ? thrown.status : undefined;
}
