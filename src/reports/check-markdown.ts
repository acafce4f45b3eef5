// SPDX-License-Identifier: Apache-2.0
// A check as GitHub-flavoured Markdown: what is denied first, bounded in bytes, with nothing obeyed that came from outside.
import type { Reason } from '../core/policy/verdict.js';
import type { CheckedImage, CheckedTarget, CheckResult, ErrorReport, PlatformPolicyResult } from '../core/results.js';
import { cellText, matrixOfCheck, type MatrixRow } from './attestation-matrix.js';
import {
  countsOf,
  levelOf,
  lineOf,
  reasonsByWeight,
  shown,
  verdictWords,
  workloadOf,
  worstFirst,
  type Strictness,
} from './check-findings.js';
import { codeSpan, plain } from './markdown-text.js';

/** How a check is shown. */
export interface CheckMarkdownOptions extends Strictness {
  /** The page of the run that made it. */
  readonly runUrl?: string;
  /** By default a quarter of what the runner takes for a step; a comment on GitHub holds 65,536 characters. */
  readonly maxBytes?: number;
}

/** The cells of a row, made only where there is room for it. */
type Row = () => readonly string[];

const MAX_BYTES = 256 * 1024;
const SHARE = { errors: 0.1, findings: 0.5, allowed: 0.1, attestors: 0.06, platform: 0.1, assumptions: 0.08, warnings: 0.05 } as const;
const LONGEST_NAME = 300;
const LONGEST_TEXT = 600;
const MOST_REASONS = 5;
const MOST_SOURCES = 3;
const MOST_ATTESTORS = 6;

/** The job summary of a check. */
export function checkMarkdown(result: CheckResult, options: CheckMarkdownOptions = {}): string {
  const { runUrl, maxBytes = MAX_BYTES } = options;
  const { errors = [], warnings = [], platformPolicies, assumptions } = result;
  const images = worstFirst(result.images);
  const findings = images.filter(({ verdict }) => verdict !== 'ALLOWED').map((image) => () => findingRow(image));
  const allowed = images.filter(({ verdict }) => verdict === 'ALLOWED').map((image) => () => allowedRow(image));
  const parts = [
    `### ${mark(result, options)} binauthz check: ${verdictWords(result.verdict, options)}`,
    result.emulator ? '> [!WARNING]\n> **On the emulator:** nothing in this report exists in Google Cloud.' : '',
    `**${countsOf(result.images)}**, under ${codeSpan(name(result.policy))} on ${targetOf(result.target)}`,
    section('#### Errors', bullets(errors, errorItem, maxBytes * SHARE.errors)),
    table(['Verdict', 'Image', 'Rule', 'Why', 'Where'], findings, maxBytes * SHARE.findings),
    folded('Allowed images', allowed.length, table(['Image', 'Rule', 'Where'], allowed, maxBytes * SHARE.allowed)),
    section('#### Attestors', attestors(matrixOfCheck(result), maxBytes)),
    section('#### Platform policies (advisory: they only monitor, and change no verdict)', platform(platformPolicies, maxBytes)),
    section('#### Warnings', bullets(warnings, textItem, maxBytes * SHARE.warnings)),
    folded('Assumptions', assumptions.length, bullets(assumptions, textItem, maxBytes * SHARE.assumptions)),
    runUrl !== undefined && /^https?:\/\/[^\s<>"()]+$/.test(runUrl) ? `[The workflow run](${runUrl})` : '',
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function mark({ verdict }: CheckResult, strictness: Strictness): string {
  const level = levelOf(verdict, strictness);
  if (level === 'error') return '❌';
  return level === 'warning' ? '⚠️' : '✅';
}

function targetOf({ platform: kind, cluster, namespace, serviceAccount }: CheckedTarget): string {
  const parts = [
    ...(cluster === undefined ? [] : [`cluster ${codeSpan(name(cluster))}`]),
    ...(namespace === undefined ? [] : [`namespace ${codeSpan(name(namespace))}`]),
    ...(serviceAccount === undefined ? [] : [`service account ${codeSpan(name(serviceAccount))}`]),
  ];
  return [kind === 'gke' ? 'GKE' : 'Cloud Run', ...parts].join(', ');
}

function findingRow(image: CheckedImage): readonly string[] {
  return [`**${image.verdict}**`, codeSpan(name(image.image)), ruleCell(image), whyCell(image), whereCell(image)];
}

function allowedRow(image: CheckedImage): readonly string[] {
  return [codeSpan(name(image.image)), ruleCell(image), whereCell(image)];
}

function ruleCell({ rule }: CheckedImage): string {
  return rule === '' ? '' : codeSpan(name(rule));
}

function whyCell(image: CheckedImage): string {
  const { denial } = image;
  const reasons = reasonsByWeight(image);
  const left = reasons.length - MOST_REASONS;
  return [
    ...reasons.slice(0, MOST_REASONS).map(reasonText),
    ...(left > 0 ? [`… and ${left} more reasons in the report`] : []),
    ...(denial === undefined ? [] : [`The deploy would say: ${codeSpan(shown(denial, LONGEST_TEXT))}`]),
  ].join('<br>');
}

function reasonText({ code, message, hint }: Reason): string {
  const text = `${codeSpan(code)} ${plain(shown(message, LONGEST_TEXT))}`;
  return hint === undefined ? text : `${text}<br>Next step: ${plain(shown(hint, LONGEST_TEXT))}`;
}

function whereCell({ sources }: CheckedImage): string {
  const left = sources.length - MOST_SOURCES;
  const places = sources
    .slice(0, MOST_SOURCES)
    .map((source) => `${codeSpan(name(lineOf(source)))} ${plain(shown(workloadOf(source), LONGEST_NAME))}`);
  return [...places, ...(left > 0 ? [`… and ${left} more places`] : [])].join('<br>');
}

/** Attestors are the columns: which of them has signed an image is seen at a glance. */
function attestors(rows: readonly MatrixRow[], maxBytes: number): string {
  const all = [...new Set(rows.flatMap(({ cells }) => cells.map(({ attestor }) => attestor)))];
  const columns = all.slice(0, MOST_ATTESTORS);
  const cellIn = ({ cells }: MatrixRow, column: string): string => {
    const cell = cells.find(({ attestor }) => attestor === column);
    if (!cell) return '';
    return `${cell.state === 'signed' ? '✅' : '❌'} ${plain(cellText(cell, name))}`;
  };
  const lines = rows.map((row) => () => [codeSpan(name(row.image)), ...columns.map((column) => cellIn(row, column))]);
  const head = ['Image', ...columns.map((column) => codeSpan(name(column)))];
  const left = all.length - columns.length;
  const more = left === 0 ? '' : `\n\n… and ${left} more attestors in the report`;
  return `${table(head, lines, maxBytes * SHARE.attestors)}${more}`;
}

function platform(policies: readonly PlatformPolicyResult[], maxBytes: number): string {
  const rows = policies.flatMap(({ policy, verdict, results }): readonly Row[] => {
    const head = (): readonly string[] => [codeSpan(name(policy)), `**${verdict}**`];
    if (results.length === 0) return [() => [...head(), '', '', '']];
    return results.map((row) => () => [
      ...head(),
      codeSpan(name(row.workload)),
      codeSpan(name(row.image)),
      plain(shown(`${row.verdict}: ${row.explanation}`, LONGEST_TEXT)),
    ]);
  });
  return table(['Policy', 'Verdict', 'Workload', 'Image', 'Explanation'], rows, maxBytes * SHARE.platform);
}

function errorItem({ code, message, hint }: ErrorReport): string {
  const item = `- **${plain(code)}**: ${plain(shown(message, LONGEST_TEXT))}`;
  return hint === undefined ? item : `${item}\n  - Next step: ${plain(shown(hint, LONGEST_TEXT))}`;
}

function textItem(text: string): string {
  return `- ${plain(shown(text, LONGEST_TEXT))}`;
}

function name(text: string): string {
  return shown(text, LONGEST_NAME);
}

function section(title: string, content: string): string {
  return content === '' ? '' : `${title}\n\n${content}`;
}

function folded(title: string, count: number, content: string): string {
  return content === '' ? '' : `<details><summary>${title} (${count})</summary>\n\n${content}\n\n</details>`;
}

function bullets<T>(items: readonly T[], itemOf: (item: T) => string, maxBytes: number): string {
  const { kept, left } = fit(items, itemOf, maxBytes);
  return [...kept, ...(left === 0 ? [] : [`- … and ${left} more in the report`])].join('\n');
}

function table(columns: readonly string[], rows: readonly Row[], maxBytes: number): string {
  if (rows.length === 0) return '';
  const { kept, left } = fit(rows, (row) => line(row()), maxBytes);
  return [line(columns), line(columns.map(() => '---')), ...kept, ...(left === 0 ? [] : ['', `… and ${left} more in the report`])].join(
    '\n',
  );
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

/** The first lines that fit into so many bytes, and how many do not; those are not even made. */
function fit<T>(
  items: readonly T[],
  lineOfItem: (item: T) => string,
  maxBytes: number,
): { readonly kept: readonly string[]; readonly left: number } {
  const kept: string[] = [];
  let bytes = 0;
  for (const item of items) {
    const text = lineOfItem(item);
    bytes += new TextEncoder().encode(text).length + 1;
    if (bytes > maxBytes) break;
    kept.push(text);
  }
  return { kept, left: items.length - kept.length };
}
