// SPDX-License-Identifier: Apache-2.0
// An audit as GitHub-flavoured Markdown, bounded in bytes, with nothing obeyed that came from outside.
import type { AuditGroup, AuditResult } from '../core/operation-results.js';
import { CLOUD_RUN_NOTE, countsOf, EVENT_MEANINGS, timesOf, usesCloudRunBreakGlass } from './audit-findings.js';
import { shown } from './check-findings.js';
import { codeSpan, plain } from './markdown-text.js';

const LONGEST_NAME = 300;
const LONGEST_TEXT = 600;
const MOST_NAMES = 10;
const HEAD = ['Event', 'Workload', 'Images', 'Who', 'When', 'Why'];

/** The groups of events as a Markdown table of at most so many bytes, and what follows from them. */
export function auditMarkdown(result: AuditResult, maxBytes: number): string {
  if (result.since === '') return '';
  const types = [...new Set(result.groups.map(({ type }) => type))];
  const parts = [
    `**${plain(countsOf(result))}** in project ${codeSpan(result.project)} from ${plain(result.since)} to ${plain(result.until)}`,
    result.complete ? '' : '> [!CAUTION]\n> **Incomplete:** the logs were not read to their end.',
    tableOf(result.groups, maxBytes),
    types.map((type) => `- ${codeSpan(type)}: ${EVENT_MEANINGS[type].meaning} ${EVENT_MEANINGS[type].next}`).join('\n'),
    usesCloudRunBreakGlass(result) ? `Note: ${CLOUD_RUN_NOTE}.` : '',
    `Dry run: ${plain(result.readiness.statement)}.`,
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

function tableOf(groups: readonly AuditGroup[], maxBytes: number): string {
  if (groups.length === 0) return '';
  const { kept, left } = fit(groups.map(row), maxBytes);
  const more = left === 0 ? [] : ['', `… and ${left} more in the report`];
  return [line(HEAD), line(HEAD.map(() => '---')), ...kept, ...more].join('\n');
}

function row(group: AuditGroup): string {
  const why = [
    ...(group.justification === undefined ? [] : [`Justification: ${plain(shown(group.justification, LONGEST_TEXT))}`]),
    ...(group.commit === undefined ? [] : [`Commit, as the workload claims: ${codeSpan(shown(group.commit, LONGEST_NAME))}`]),
    plain(shown(group.message, LONGEST_TEXT)),
  ];
  return line([
    `**${group.type}**`,
    codeSpan(shown(group.resource, LONGEST_NAME)),
    names(group.images),
    names(group.principals),
    plain(timesOf(group)),
    why.join('<br>'),
  ]);
}

function names(all: readonly string[]): string {
  const left = all.length - MOST_NAMES;
  return [...all.slice(0, MOST_NAMES).map((name) => codeSpan(shown(name, LONGEST_NAME))), ...(left > 0 ? [`… and ${left} more`] : [])].join(
    '<br>',
  );
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

/** The first rows that fit into so many bytes, and how many do not. */
function fit(rows: readonly string[], maxBytes: number): { readonly kept: readonly string[]; readonly left: number } {
  let bytes = 0;
  const overflow = rows.findIndex((text) => (bytes += new TextEncoder().encode(text).length + 1) > maxBytes);
  const count = overflow < 0 ? rows.length : overflow;
  return { kept: rows.slice(0, count), left: rows.length - count };
}
