// SPDX-License-Identifier: Apache-2.0
import { timesOf } from '../../reports/audit-findings.js';
import { shown } from '../../reports/check-findings.js';
import type { AnyResult } from '../outcome.js';

/** The runner keeps ten annotations of a kind and a step. */
const MOST = 8;
const LONGEST_PART = 600;

/** What an audit found that nobody should overlook, whether it fails the step or not: what was admitted unchecked. */
export function auditAnnotations(result: AnyResult): readonly string[] {
  if (result.schema !== 'binauthz.audit/v1') return [];
  const grave = result.groups.filter(({ type }) => type === 'BREAK_GLASS' || type === 'FAIL_OPEN');
  return grave.slice(0, MOST).map((group) => {
    const why = group.justification === undefined ? '' : `\njustification: ${shown(group.justification, LONGEST_PART)}`;
    const who = shown(group.principals.join(', '), LONGEST_PART);
    return `${group.type}: ${shown(group.resource, LONGEST_PART)} by ${who}, ${timesOf(group)}\n${shown(group.message, LONGEST_PART)}${why}`;
  });
}
