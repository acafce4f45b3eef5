// SPDX-License-Identifier: Apache-2.0
// Results as GitHub-flavoured Markdown, bounded in bytes. Whatever came from outside is shown, never obeyed.
import { formatDuration } from '../core/duration.js';
import type {
  AttestationResult,
  AttestResult,
  ErrorReport,
  ErrorResult,
  ListedAttestation,
  ListResult,
  ResultBase,
} from '../core/results.js';
import type { AuditResult } from '../core/operation-results.js';
import { auditMarkdown } from './audit-markdown.js';
import { codeSpan, plain } from './markdown-text.js';

/** What an Action may have to summarise; a check has a page of its own, and the others are the command line's. */
export type SummarisedResult = AttestResult | ListResult | AuditResult | ErrorResult;

/** How a result is shown. */
export interface MarkdownOptions {
  readonly title: string;
  /** The page of the run that made it. */
  readonly runUrl?: string;
  /** A quarter of what the runner takes for a step, which may write more than this. */
  readonly maxBytes?: number;
}

const MAX_BYTES = 256 * 1024;
const SHARE = { errors: 0.3, rows: 0.5, warnings: 0.1 } as const;

/** The job summary of a result. */
export function renderMarkdown(result: SummarisedResult, options: MarkdownOptions): string {
  const { title, runUrl, maxBytes = MAX_BYTES } = options;
  const { emulator, errors = [], warnings = [] }: ResultBase = result;
  const parts = [
    `### ${plain(title)}`,
    emulator ? '> [!WARNING]\n> **On the emulator:** nothing in this report exists in Google Cloud.' : '',
    list('Errors', errors.map(errorItem), maxBytes * SHARE.errors),
    content(result, maxBytes * SHARE.rows),
    list(
      'Warnings',
      warnings.map((warning) => `- ${plain(warning)}`),
      maxBytes * SHARE.warnings,
    ),
    runUrl !== undefined && /^https?:\/\/[^\s<>"()]+$/.test(runUrl) ? `[The workflow run](${runUrl})` : '',
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function content(result: SummarisedResult, maxBytes: number): string {
  switch (result.schema) {
    case 'binauthz.attest/v1':
      return table(['Image', 'Attestor', 'Status', 'Attestation'], result.attestations.map(attestationRow), maxBytes);
    case 'binauthz.list/v1':
      return table(['Image', 'Attestor', 'Verified', 'Attestation'], result.attestations.map(listedRow), maxBytes);
    case 'binauthz.audit/v1':
      return auditMarkdown(result, maxBytes);
    case 'binauthz.error/v1':
      return '';
  }
}

function attestationRow(row: AttestationResult): readonly string[] {
  return [codeSpan(row.image), codeSpan(row.attestor), statusOf(row), row.occurrence === undefined ? '' : codeSpan(row.occurrence)];
}

function statusOf({ status, visibleAfterMs }: AttestationResult): string {
  if (typeof visibleAfterMs === 'number') return `${status}, visible after ${formatDuration(visibleAfterMs)}`;
  const meanings: Readonly<Record<AttestationResult['status'], string>> = {
    created: 'created',
    existing: 'existing',
    'dry-run': 'would be created (dry run)',
    posted: '**posted, not visible in time**',
    failed: '**failed**',
  };
  return meanings[status];
}

function listedRow(row: ListedAttestation): readonly string[] {
  const verified = row.verified ? 'yes' : `**no**: ${plain(row.reason?.message ?? 'unknown reason')}`;
  return [codeSpan(row.image), codeSpan(row.attestor), verified, codeSpan(row.occurrence)];
}

function errorItem({ code, message, hint }: ErrorReport): string {
  const item = `- **${plain(code)}**: ${plain(message)}`;
  return hint === undefined ? item : `${item}\n  - Next step: ${plain(hint)}`;
}

function list(title: string, items: readonly string[], maxBytes: number): string {
  if (items.length === 0) return '';
  const { kept, left } = fit(items, maxBytes);
  return [`#### ${title}`, '', ...kept, ...(left === 0 ? [] : [`- … and ${left} more in the report`])].join('\n');
}

function table(columns: readonly string[], rows: readonly (readonly string[])[], maxBytes: number): string {
  if (rows.length === 0) return '';
  const { kept, left } = fit(rows.map(line), maxBytes);
  return [line(columns), line(columns.map(() => '---')), ...kept, ...(left === 0 ? [] : ['', `… and ${left} more in the report`])].join(
    '\n',
  );
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

/** The first lines that fit into so many bytes, and how many do not. */
function fit(lines: readonly string[], maxBytes: number): { readonly kept: readonly string[]; readonly left: number } {
  let bytes = 0;
  const overflow = lines.findIndex((text) => {
    bytes += byteLength(text) + 1;
    return bytes > maxBytes;
  });
  const count = overflow < 0 ? lines.length : overflow;
  return { kept: lines.slice(0, count), left: lines.length - count };
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}
