// SPDX-License-Identifier: Apache-2.0
import type { LogEntry } from '../core/audit/entry.js';
import type { ProjectId } from '../core/names.js';

/** The logs of a project. */
export interface AuditLog {
  /**
   * The entries that a filter in Cloud Logging's query language lets through, page by page, the oldest first. A page may be
   * empty. Reading ends with the last page, or throws where there is none to be had: what came before was not everything
   * then. PERMISSION_DENIED, PROJECT_NOT_FOUND, UNAVAILABLE, QUOTA_EXHAUSTED, RESPONSE_INVALID.
   */
  pages(project: ProjectId, filter: string): AsyncIterable<readonly LogEntry[]>;
}
