// SPDX-License-Identifier: Apache-2.0
// What a run tells GitHub's pages: annotations, the job summary, and the comment on a pull request.
import * as core from '@actions/core';
import type { CheckResult } from '../../core/results.js';
import { levelOf } from '../../reports/check-findings.js';
import { checkMarkdown } from '../../reports/check-markdown.js';
import { renderMarkdown, type SummarisedResult } from '../../reports/markdown.js';
import { renderVerdictMarkdown, type Verdicts } from '../../reports/verdict-markdown.js';
import type { RawOptions } from '../option-reader.js';
import { checkOf, linesOf, meaningOf, vulnerabilitiesOf, type AnyResult, type Ending } from '../outcome.js';
import { auditAnnotations } from './audit-annotations.js';
import { annotationsOf, checkAnnotations, emitCheckAnnotations } from './annotations.js';
import { logLine } from '../log-line.js';
import type { ActionCommand } from './outputs.js';

/** What a comment on GitHub holds, less the marker. */
const COMMENT_BYTES = 60_000;
/** With the check below it, each half of a summary stays within a quarter of what the runner takes. */
const HALF = 128 * 1024;

/** Annotates the step, and fails it where the run failed: with its errors, or with what the check found. */
export function annotate(command: ActionCommand, ending: Ending): void {
  const check = checkOf(ending.result);
  if (check && ending.errors.length === 0) return annotateCheck(command, check, ending);
  for (const text of auditAnnotations(ending.result)) core.warning(text, { title: `binauthz ${command}` });
  if (ending.exitCode === 0) return;
  const { aggregate, details, logged } = annotationsOf(command, ending);
  core.setFailed(aggregate);
  for (const detail of details) core.error(detail, { title: `binauthz ${command}` });
  for (const text of logged) core.info(logLine(text));
  // A report that could not be written, say, must not hide what was found.
  if (check && check.images.length > 0) emitCheckAnnotations(checkAnnotations(check, ending));
}

function annotateCheck(command: ActionCommand, check: CheckResult, ending: Ending): void {
  const { exitCode, refusal } = ending;
  const annotations = checkAnnotations(check, ending);
  // What does not fail the step must not look as if it did.
  if (exitCode === 0) return emitCheckAnnotations(annotations.map((annotation) => ({ ...annotation, level: 'warning' })));
  const [overall, ...places] = annotations;
  // What strict alone refuses looks like a pass: only the refusal says why it is none.
  const why = [...(overall ? [overall.message] : []), ...(refusal && levelOf(check.verdict) !== 'error' ? linesOf(refusal) : [])].join(
    '\n',
  );
  core.setFailed(`binauthz ${command} failed with exit code ${exitCode} (${meaningOf(exitCode)})\n${why}`);
  emitCheckAnnotations(places);
}

/** The run as Markdown: what was attested, what would be denied, and what failed. */
export function markdownOf(command: ActionCommand, ending: Ending, runUrl: string | undefined, maxBytes = 2 * HALF): string {
  const { result, exitCode, strict = false } = ending;
  const url = runUrl === undefined ? {} : { runUrl };
  if (result.schema === 'binauthz.check/v1') return checkMarkdown(result, { ...url, maxBytes, strict });
  const verdicts: Verdicts = { check: checkOf(result), vulnerabilities: vulnerabilitiesOf(result), strict };
  const title =
    exitCode === 0 ? `binauthz ${command}: done` : `binauthz ${command}: failed with exit code ${exitCode} (${meaningOf(exitCode)})`;
  if (!isSummarised(result)) throw new Error(`${result.schema} is no result of an Action`);
  if (!verdicts.check && !verdicts.vulnerabilities) return renderMarkdown(result, { title, ...url, maxBytes });
  const half = maxBytes / 2;
  return `${renderMarkdown(result, { title, maxBytes: half })}\n${renderVerdictMarkdown(verdicts, { ...url, maxBytes: half })}`;
}

function isSummarised(result: AnyResult): result is SummarisedResult {
  return ['binauthz.attest/v1', 'binauthz.list/v1', 'binauthz.audit/v1', 'binauthz.error/v1'].includes(result.schema);
}

/** Writes the verdict into the pull request's comment, where that was asked for; a warning says why it could not. */
export async function comment(command: ActionCommand, raw: RawOptions, { ending, runUrl }: Told): Promise<void> {
  if (!isOn(raw, 'comment-on-pr')) return;
  if (command === 'attest' && ['check', 'vulnerability-policy'].every((name) => (raw.values.get(name) ?? []).length === 0))
    return core.warning(
      'comment-on-pr: without a check there is no verdict to comment: set check to warn or enforce, or name a vulnerability-policy',
      { title: 'binauthz' },
    );
  const [token] = raw.secrets.get('github-token') ?? [];
  if (!token) return core.warning('cannot comment on the pull request: the input github-token is empty', { title: 'binauthz' });
  const { commentOnPullRequest } = await import('./comment.js');
  const body = markdownOf(command, ending, runUrl, COMMENT_BYTES);
  const warning = await commentOnPullRequest({ token: token.reveal(), body, marker: markerOf(command, raw) });
  if (warning !== undefined) core.warning(warning, { title: 'binauthz' });
}

/** How a run ended, and the page that shows it. */
export interface Told {
  readonly ending: Ending;
  readonly runUrl: string | undefined;
}

/** Whether a flag of the Action is on. */
export function isOn(raw: RawOptions, name: string): boolean {
  return raw.values.get(name)?.[0]?.toLowerCase() === 'true';
}

// Checks of different places have a comment each; the names in it can end no HTML comment.
function markerOf(command: ActionCommand, raw: RawOptions): string {
  const names = ['check-project', 'project', 'platform', 'cluster', 'namespace'].flatMap((name) => raw.values.get(name) ?? []);
  const words = [command, ...names.map((name) => name.replace(/[^A-Za-z0-9.:-]/g, '').replace(/-{2,}/g, '-'))];
  return `<!-- binauthz ${words.join(' ')} -->`;
}
