// SPDX-License-Identifier: Apache-2.0
// Which log entries are events. The filters let through what merely looks like one.
import type { AuditEvent } from '../operation-results.js';
import { at, logIdOf, textAt, type LogEntry } from './entry.js';
import { CLOUD_RUN_LOG, CLUSTER_LOGS, POD_METHODS } from './filters.js';
import { podEvents } from './pods.js';
import { revisionEvents } from './revisions.js';

/** The events that an entry tells of: none, one, or several kinds of the same admission. */
export function classify(entry: LogEntry): readonly AuditEvent[] {
  const type = textAt(entry, 'resource', 'type');
  const log = logIdOf(entry);
  // By the whole id: whoever may write logs at all may choose the rest of a name.
  if (type === 'k8s_cluster' && isOneOf(CLUSTER_LOGS, log) && isOneOf(POD_METHODS, textAt(at(entry, 'protoPayload'), 'methodName')))
    return podEvents(entry);
  if ((type === 'cloud_run_revision' || type === 'cloud_run_job') && log === CLOUD_RUN_LOG) return revisionEvents(entry);
  return [];
}

function isOneOf(known: readonly string[], text: string): boolean {
  return known.includes(text);
}
