// SPDX-License-Identifier: Apache-2.0
// `--report FORMAT=PATH`: the result in files, whatever the verdict.
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { BinauthzError } from '../core/errors.js';
import type { AuditResult } from '../core/operation-results.js';
import type { Strictness } from '../reports/check-findings.js';
import type { SarifTool } from '../reports/sarif.js';
import type { Verdicts } from '../reports/verdict-markdown.js';
import type { Env } from './context.js';
import { checkOf, vulnerabilitiesOf, type AnyResult } from './outcome.js';
import type { ReportFormat, ReportTarget } from './report-target.js';
import { VERSION } from './version.js';

export type { ReportFormat, ReportTarget } from './report-target.js';

/** Where reports go, and what is known about the run that they are of. */
export interface ReportPlace extends Strictness {
  readonly cwd: string;
  readonly env: Env;
}

/**
 * Writes the reports and makes the folders that they lie in; what could not be written comes back as errors. JSON is the
 * whole result; the other forms tell of verdicts alone, so they are not written where attest failed before any.
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
    const text = await render(result, target.format, place);
    if (text === undefined) return undefined;
    await makeFolder(dirname(path));
    await writeFile(path, text);
    return undefined;
  } catch (cause) {
    const reason = codeOf(cause) ?? 'unknown reason';
    return new BinauthzError('UNAVAILABLE', `cannot write the ${target.format} report ${target.path}: ${reason}`, {
      resource: target.path,
      cause,
      hint: 'name a file in a folder that may be written to, and run again',
    });
  }
}

// Node's own recursive mkdir never ends below a folder that takes no entries and denies that it exists, as /proc does.
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (cause) {
    if (codeOf(cause) === 'EEXIST') return;
    if (codeOf(cause) !== 'ENOENT' || dirname(path) === path) throw cause;
    await makeFolder(dirname(path));
    await mkdir(path).catch((again: unknown) => {
      // Another report's folder may have come in the meantime.
      if (codeOf(again) !== 'EEXIST') throw again;
    });
  }
}

function codeOf(cause: unknown): string | undefined {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : undefined;
}

async function render(result: AnyResult, format: ReportFormat, { env, strict = false }: ReportPlace): Promise<string | undefined> {
  if (format === 'json') return (await import('../reports/json.js')).renderJson(result);
  if (result.schema === 'binauthz.audit/v1') return renderAudit(result, format, env);
  const verdicts = { check: checkOf(result), vulnerabilities: vulnerabilitiesOf(result), strict };
  return verdicts.check || verdicts.vulnerabilities ? renderVerdicts(verdicts, format, toolOf(env)) : undefined;
}

/** Where nothing was read there is nothing to report: a file without events would look like a quiet day. */
async function renderAudit(audit: AuditResult, format: Exclude<ReportFormat, 'json'>, env: Env): Promise<string | undefined> {
  if (audit.since === '') return undefined;
  if (format === 'sarif') return (await import('../reports/audit-sarif.js')).auditSarif(audit, toolOf(env));
  return (await import('../reports/markdown.js')).renderMarkdown(audit, { title: 'binauthz audit' });
}

async function renderVerdicts(verdicts: Verdicts, format: Exclude<ReportFormat, 'json'>, tool: SarifTool): Promise<string> {
  if (format === 'markdown') return (await import('../reports/verdict-markdown.js')).renderVerdictMarkdown(verdicts);
  const { renderSarif, renderJunit } = await import('../reports/verdict-files.js');
  return format === 'sarif' ? renderSarif(verdicts, tool) : renderJunit(verdicts);
}

function toolOf(env: Env): SarifTool {
  const fallbackFile = workflowFile(env);
  return { version: VERSION, ...(fallbackFile === undefined ? {} : { fallbackFile }) };
}

/** The workflow's own file, on GitHub: the place of a finding that is in no manifest. */
function workflowFile(env: Env): string | undefined {
  return /^[^/]+\/[^/]+\/([^@]+)@/.exec(env['GITHUB_WORKFLOW_REF'] ?? '')?.[1];
}
