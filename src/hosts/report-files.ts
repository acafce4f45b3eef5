// SPDX-License-Identifier: Apache-2.0
// `--report FORMAT=PATH`: the result in files, whatever the verdict.
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { BinauthzError } from '../core/errors.js';
import type { CheckResult } from '../core/results.js';
import type { REPORT_FORMATS } from './commands/check/options.js';
import type { Env } from './context.js';
import { checkOf, type AnyResult } from './outcome.js';
import { VERSION } from './version.js';

/** A form that a check can be reported in. */
export type ReportFormat = (typeof REPORT_FORMATS)[number];

/** A report that was asked for. */
export interface ReportTarget {
  readonly format: ReportFormat;
  /** As the user gave it, relative to the working folder. */
  readonly path: string;
}

/** Where reports go, and what is known about the run that they are of. */
export interface ReportPlace {
  readonly cwd: string;
  readonly env: Env;
}

/**
 * Writes the reports and makes the folders that they lie in; what could not be written comes back as errors. JSON is the
 * whole result; the other forms tell of the check alone, so they are not written where attest failed before it.
 */
export async function writeReports(
  result: AnyResult,
  targets: readonly ReportTarget[],
  place: ReportPlace,
): Promise<readonly BinauthzError[]> {
  const written = await Promise.all(targets.map((target) => writeOne(result, target, place)));
  return written.flatMap((error) => error ?? []);
}

async function writeOne(result: AnyResult, target: ReportTarget, place: ReportPlace): Promise<BinauthzError | undefined> {
  const path = resolve(place.cwd, target.path);
  try {
    const text = await render(result, target.format, place.env);
    if (text === undefined) return undefined;
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
    return undefined;
  } catch (cause) {
    const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown reason';
    return new BinauthzError('UNAVAILABLE', `cannot write the ${target.format} report ${target.path}: ${reason}`, {
      resource: target.path,
      cause,
      hint: 'name a file in a folder that may be written to, and run again',
    });
  }
}

async function render(result: AnyResult, format: ReportFormat, env: Env): Promise<string | undefined> {
  if (format === 'json') return (await import('../reports/json.js')).renderJson(result);
  const check = checkOf(result);
  return check && renderCheck(check, format, env);
}

async function renderCheck(check: CheckResult, format: Exclude<ReportFormat, 'json'>, env: Env): Promise<string> {
  switch (format) {
    case 'sarif': {
      const { sarifOf } = await import('../reports/sarif.js');
      const fallbackFile = workflowFile(env);
      return sarifOf(check, { version: VERSION, ...(fallbackFile === undefined ? {} : { fallbackFile }) });
    }
    case 'junit':
      return (await import('../reports/junit.js')).junitOf(check);
    case 'markdown':
      return (await import('../reports/check-markdown.js')).checkMarkdown(check);
  }
}

/** The workflow's own file, on GitHub: the place of a finding that is in no manifest. */
function workflowFile(env: Env): string | undefined {
  return /^[^/]+\/[^/]+\/([^@]+)@/.exec(env['GITHUB_WORKFLOW_REF'] ?? '')?.[1];
}
