// SPDX-License-Identifier: Apache-2.0
// What the list methods of Container Analysis filter on, and how they answer.
import { compileFilter, type FilterField, type FilterLanguage } from '../filter.js';
import { pageOf } from '../paging.js';
import type { Call, Reply } from '../router.js';
import type { JsonObject } from '../wire.js';
import { NOTE_KINDS } from './kinds.js';
import type { Note, Occurrence } from './state.js';

const OPERATORS: FilterLanguage<never>['operators'] = {
  '=': (value, operand) => value === operand,
  '!=': (value, operand) => value !== operand,
};
const FUNCTIONS: FilterLanguage<never>['functions'] = {
  has_prefix: (value, operand) => value.startsWith(operand),
  has_suffix: (value, operand) => value.endsWith(operand),
};
const KINDS: ReadonlySet<string> = new Set(NOTE_KINDS.keys());

/** The URI's filter name is resourceUrl, although its member is resourceUri; the member's name is refused. */
const OCCURRENCE_FIELDS = new Map<string, FilterField<Occurrence>>([
  ['resourceUrl', { read: ({ resourceUri }) => resourceUri }],
  ['kind', { read: ({ kind }) => kind, values: KINDS }],
  ['noteName', { read: ({ noteName }) => noteName }],
  ['noteProjectId', { read: ({ noteName }) => noteName.split('/')[1] ?? '' }],
  ['noteId', { read: ({ noteName }) => noteName.split('/')[3] ?? '' }],
]);
const NOTE_FIELDS = new Map<string, FilterField<Note>>([
  ['kind', { read: ({ kind }) => kind, values: KINDS }],
  ['name', { read: ({ name }) => name }],
]);

/** proto ListOccurrencesRequest: "Number of occurrences to return in the list. Must be between 1 and 1000", default 20. */
const PAGE = { fallback: 20, most: 1000 };

/** A page of occurrences. */
export function occurrencesReply(call: Call, occurrences: readonly Occurrence[], show: (occurrence: Occurrence) => JsonObject): Reply {
  return { json: pageOf(filtered(call, occurrences, OCCURRENCE_FIELDS), call.query, { member: 'occurrences', show, limits: PAGE }) };
}

/**
 * How many vulnerabilities each resource has, and how many of them can be repaired: by severity, and for all of them under
 * SEVERITY_UNSPECIFIED (proto VulnerabilityOccurrencesSummary).
 */
export function summaryReply(call: Call, occurrences: readonly Occurrence[]): Reply {
  const counts = new Map<string, { resourceUri: string; severity: string; fixableCount: number; totalCount: number }>();
  const found = filtered(call, occurrences, OCCURRENCE_FIELDS).filter(({ kind }) => kind === 'VULNERABILITY');
  for (const { resourceUri, details } of found) {
    const named = details['effectiveSeverity'];
    const severities = new Set(['SEVERITY_UNSPECIFIED', typeof named === 'string' ? named : 'SEVERITY_UNSPECIFIED']);
    for (const severity of severities) {
      const key = JSON.stringify([resourceUri, severity]);
      const count = counts.get(key) ?? { resourceUri, severity, fixableCount: 0, totalCount: 0 };
      count.totalCount += 1;
      if (details['fixAvailable'] === true) count.fixableCount += 1;
      counts.set(key, count);
    }
  }
  // 64-bit numbers are texts in Google's JSON.
  const shown = [...counts.values()].map((count) => ({
    ...count,
    fixableCount: String(count.fixableCount),
    totalCount: String(count.totalCount),
  }));
  return { json: shown.length === 0 ? {} : { counts: shown } };
}

/** A page of notes. */
export function notesReply(call: Call, notes: readonly Note[], show: (note: Note) => JsonObject): Reply {
  return { json: pageOf(filtered(call, notes, NOTE_FIELDS), call.query, { member: 'notes', show, limits: PAGE }) };
}

function filtered<T>(call: Call, items: readonly T[], known: ReadonlyMap<string, FilterField<T>>): readonly T[] {
  const fields = (name: string) => known.get(name);
  return items.filter(compileFilter(call.query.get('filter') ?? '', { fields, operators: OPERATORS, functions: FUNCTIONS }));
}
