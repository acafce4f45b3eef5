// SPDX-License-Identifier: Apache-2.0

/** The page of the workflow run; undefined where this is not a run of GitHub's. */
export async function findRunUrl(): Promise<string | undefined> {
  try {
    const { context } = await import('@actions/github');
    const { owner, repo } = context.repo;
    if (!Number.isSafeInteger(context.runId)) return undefined;
    const attempt = Number.isSafeInteger(context.runAttempt) ? `/attempts/${context.runAttempt}` : '';
    return `${context.serverUrl}/${owner}/${repo}/actions/runs/${context.runId}${attempt}`;
  } catch {
    // The toolkit reads the event file while it loads, and may find none; a link less is no reason to fail.
    return undefined;
  }
}
