// SPDX-License-Identifier: Apache-2.0
// An audit as text for people on a terminal. Every foreign text stays on its line and steers nothing.
import type { AuditEventType, AuditGroup, AuditResult } from '../core/operation-results.js';
import { CLOUD_RUN_NOTE, countsOf, timesOf, usesCloudRunBreakGlass } from './audit-findings.js';
import { shown } from './check-findings.js';
import type { TextStyle } from './check-text.js';

const LONGEST_CELL = 60;
const LONGEST_TEXT = 2_000;
const MOST_GROUPS = 200;
const MOST_IMAGES = 10;
const HEAD = ['EVENT', 'TIMES', 'LAST', 'WHO', 'WHAT'];

/** The groups as a table, each with its details below; what follows from them last, where the eye is. */
export function auditText(result: AuditResult, style: TextStyle): string {
  // Nothing was read: the errors say why.
  if (result.since === '') return '';
  const left = result.groups.length - MOST_GROUPS;
  const lines = [
    ...table(result.groups.slice(0, MOST_GROUPS), style),
    ...(left > 0 ? [style.faint(`… and ${left} more (--output json has all of them)`)] : []),
    ...(usesCloudRunBreakGlass(result) ? [`note: ${CLOUD_RUN_NOTE}`] : []),
    ...(result.complete ? [] : [style.bad('INCOMPLETE: the logs were not read to their end')]),
    `dry run: ${one(result.readiness.statement)}`,
    summary(result, style),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

function table(groups: readonly AuditGroup[], style: TextStyle): readonly string[] {
  if (groups.length === 0) return [];
  const rows = groups.map(cells);
  const widths = HEAD.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[], type?: AuditEventType): string =>
    row
      .map((cell, column) => {
        const padded = column === HEAD.length - 1 ? cell : cell.padEnd(widths[column] ?? 0);
        return column === 0 && type !== undefined ? painted(type, padded, style) : padded;
      })
      .join('  ');
  return [style.faint(line(HEAD)), ...groups.flatMap((group, index) => [line(rows[index] ?? [], group.type), ...details(group, style)])];
}

function cells({ type, count, last, principals, resource }: AuditGroup): readonly string[] {
  const [first = '', ...others] = principals;
  const more = others.length === 0 ? '' : ` +${others.length}`;
  return [type, String(count), shown(last, LONGEST_CELL), `${shown(first, LONGEST_CELL)}${more}`, one(resource)];
}

function details(group: AuditGroup, style: TextStyle): readonly string[] {
  const left = group.images.length - MOST_IMAGES;
  return [
    ...group.images.slice(0, MOST_IMAGES).map((image) => `  image: ${one(image)}`),
    ...(left > 0 ? [`  … and ${left} more images`] : []),
    ...(group.justification === undefined ? [] : [`  justification: ${one(group.justification)}`]),
    ...(group.commit === undefined ? [] : [`  commit, as the workload claims: ${one(group.commit)}`]),
    style.faint(`  ${one(timesOf(group))}: ${one(group.message)}`),
  ];
}

function summary(result: AuditResult, style: TextStyle): string {
  const text = `${countsOf(result)} in project ${one(result.project)} from ${result.since} to ${result.until}`;
  const isQuiet = result.complete && result.events.length === 0;
  return `${isQuiet ? style.good(text) : text}${result.emulator ? ' (on the emulator: nothing of this exists in Google Cloud)' : ''}`;
}

function painted(type: AuditEventType, text: string, style: TextStyle): string {
  return type === 'BREAK_GLASS' || type === 'FAIL_OPEN' ? style.bad(text) : style.doubtful(text);
}

function one(text: string): string {
  return shown(text, LONGEST_TEXT);
}
