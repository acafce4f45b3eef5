// SPDX-License-Identifier: Apache-2.0
import type { AuditResult } from '../core/operation-results.js';

/** The events as a Markdown table of at most so many bytes. */
export function auditMarkdown(_result: AuditResult, _maxBytes: number): string {
  return '';
}
