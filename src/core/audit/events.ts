// SPDX-License-Identifier: Apache-2.0
// What becomes of entries: events, each once, in the order of their time; and groups of those that are one matter.
import type { AuditEvent, AuditEventType, AuditGroup } from '../operation-results.js';
import { classify } from './classify.js';
import { textAt, type LogEntry } from './entry.js';

/** The kinds of events, the gravest first. */
export const EVENT_TYPES = ['BREAK_GLASS', 'FAIL_OPEN', 'DENIED', 'DRY_RUN'] as const satisfies readonly AuditEventType[];

/** Takes the entries of a read page by page, and keeps their events. */
export interface EventCollector {
  add(entries: readonly LogEntry[]): void;
  /** In the order of their time. */
  events(): readonly AuditEvent[];
}

/** A collector. Cloud Logging may answer an entry twice; its log, time and insertId tell that it is the same. */
export function collectEvents(): EventCollector {
  const byEntry = new Map<string, readonly AuditEvent[]>();
  let nameless = 0;
  return {
    add(entries) {
      for (const entry of entries) {
        const events = classify(entry);
        // What has no id is nothing else's copy.
        const hasId = textAt(entry, 'insertId') !== '';
        if (events.length > 0) byEntry.set(hasId ? identityOf(entry) : `${nameless++}`, events);
      }
    },
    events: () => inOrder([...byEntry.values()].flat()),
  };
}

function inOrder(events: readonly AuditEvent[]): readonly AuditEvent[] {
  const keyed = events.map((event) => ({ event, key: `${timeKey(event.time)} ${event.insertId}` }));
  return keyed.toSorted((one, other) => (one.key < other.key ? -1 : Number(one.key > other.key))).map(({ event }) => event);
}

/** Events of one kind, workload, set of images and commit, as one. */
export function groupsOf(events: readonly AuditEvent[]): readonly AuditGroup[] {
  const matters = new Map<string, [AuditEvent, ...AuditEvent[]]>();
  for (const event of events) {
    const key = JSON.stringify([event.type, groupResource(event), event.images, event.commit, event.justification]);
    const found = matters.get(key);
    if (found) found.push(event);
    else matters.set(key, [event]);
  }
  const groups = [...matters.values()].map(groupOf);
  return groups.toSorted((one, other) => EVENT_TYPES.indexOf(one.type) - EVENT_TYPES.indexOf(other.type));
}

function groupOf(events: readonly [AuditEvent, ...AuditEvent[]]): AuditGroup {
  const [first] = events;
  const last = events.at(-1) ?? first;
  const { type, platform, images, justification, commit } = first;
  return {
    type,
    platform,
    resource: groupResource(first),
    images,
    principals: [...new Set(events.map(({ principal }) => principal))],
    count: events.length,
    first: first.time,
    last: last.time,
    message: last.message,
    ...(justification === undefined ? {} : { justification }),
    ...(commit === undefined ? {} : { commit }),
  };
}

// A Pod that a controller creates has another name each time.
function groupResource({ resource, workload }: AuditEvent): string {
  return workload === undefined ? resource : `${resource.replace(/\/pods\/[^/]*$/, '')}/${workload}`;
}

function identityOf(entry: LogEntry): string {
  return JSON.stringify([textAt(entry, 'logName'), textAt(entry, 'timestamp'), textAt(entry, 'insertId')]);
}

/** A time as a text that sorts: fractions of a second come in any number of digits, or none. */
function timeKey(time: string): string {
  const found = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z$/.exec(time);
  return found ? `${found[1]}.${(found[2] ?? '').padEnd(9, '0')}` : time;
}
