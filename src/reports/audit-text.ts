// SPDX-License-Identifier: Apache-2.0
import type { AuditResult } from '../core/operation-results.js';
import type { TextStyle } from './check-text.js';

/** The result in lines for people on a terminal. */
export function auditText(_result: AuditResult, _style: TextStyle): string {
  return '';
}
