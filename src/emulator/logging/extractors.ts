// SPDX-License-Identifier: Apache-2.0
// Extractor expressions of log-based metrics: EXTRACT(field) and REGEXP_EXTRACT(field, "regex"). They are checked and
// kept; no series is made here, so nothing is extracted.
import { ApiError } from '../wire.js';
import { fieldOf } from './query/compile.js';
import { capturesOf } from './query/pattern.js';

const EXTRACTOR = /^\s*(?:EXTRACT\(\s*([^\s,()][^,()]*?)\s*\)|REGEXP_EXTRACT\(\s*([^\s,()][^,()]*?)\s*,\s*"((?:[^"\\]|\\.)*)"\s*\))\s*$/s;

/** INVALID_ARGUMENT where the expression is none, or names a field that no entry has. */
export function checkExtractor(expression: string, at: string): void {
  const [, plain, searched, pattern] = EXTRACTOR.exec(expression) ?? [];
  const path = plain ?? searched;
  if (path === undefined) throw new ApiError('INVALID_ARGUMENT', `Invalid extractor at '${at}': ${expression}`);
  fieldOf(path);
  if (pattern !== undefined && capturesOf(pattern.replace(/\\(["\\])/g, '$1')) !== 1)
    throw new ApiError('INVALID_ARGUMENT', `Invalid extractor at '${at}': the regular expression must have exactly one capture group.`);
}
