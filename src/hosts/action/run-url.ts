// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';

const EVENT = 'GITHUB_EVENT_PATH';

/** The page of the workflow run; undefined where this is not a run of GitHub's. */
export async function findRunUrl(): Promise<string | undefined> {
  try {
    // The toolkit reads the event while it loads, complains in the log of a missing one and fails over a broken one;
    // the page's address needs none.
    if (!(await isJson(process.env[EVENT]))) Reflect.deleteProperty(process.env, EVENT);
    const { context } = await import('@actions/github');
    const { owner, repo } = context.repo;
    if (!Number.isSafeInteger(context.runId)) return undefined;
    const attempt = Number.isSafeInteger(context.runAttempt) ? `/attempts/${context.runAttempt}` : '';
    return `${context.serverUrl}/${owner}/${repo}/actions/runs/${context.runId}${attempt}`;
  } catch {
    // A link less is no reason to fail.
    return undefined;
  }
}

async function isJson(path: string | undefined): Promise<boolean> {
  try {
    JSON.parse(await readFile(path ?? '', 'utf8'));
    return true;
  } catch {
    return false;
  }
}
