// SPDX-License-Identifier: Apache-2.0
import { collectEvents, groupsOf, type EventCollector } from '../core/audit/events.js';
import { READ_FILTERS, within } from '../core/audit/filters.js';
import { readinessOf } from '../core/audit/readiness.js';
import type { Platform } from '../core/deployment/target.js';
import { asErrors, BinauthzError, BinauthzErrors } from '../core/errors.js';
import type { ProjectId } from '../core/names.js';
import type { AuditResult } from '../core/operation-results.js';
import { reportOf } from '../core/results.js';
import type { AuditLog } from '../ports/audit-log.js';
import type { Clock } from '../ports/clock.js';
import type { Reporter } from '../ports/reporter.js';
import type { Outcome } from './outcome.js';

export interface AuditRequest {
  readonly project: ProjectId;
  /** How far back, in milliseconds. */
  readonly sinceMs: number;
}

export interface AuditPorts {
  readonly auditLog: AuditLog;
  readonly clock: Clock;
  readonly reporter: Reporter;
}

const PLATFORMS: readonly Platform[] = ['gke', 'cloud-run'];

/**
 * Reads what happened at admissions: break-glass, fail-open, denials, and what a dry-run rule would have denied. A read that
 * ends too early gives what it has, marked as incomplete; where nothing was read because it is not permitted, it throws.
 */
export async function audit(request: AuditRequest, ports: AuditPorts): Promise<Outcome<AuditResult>> {
  const period = periodOf(request, ports.clock);
  const collector = collectEvents();
  const reads = await Promise.all(PLATFORMS.map((platform) => readPlatform(platform, { ...request, ...period, collector }, ports)));
  const failures = once(reads.flatMap(({ failure }) => failure ?? []));
  const [refused, ...others] = failures.filter(({ code }) => code !== 'LOGS_INCOMPLETE');
  if (refused && reads.every(({ pages }) => pages === 0)) throw new BinauthzErrors([refused, ...others]);
  const events = collector.events();
  const complete = failures.length === 0;
  const result: AuditResult = {
    schema: 'binauthz.audit/v1',
    project: request.project,
    ...period,
    complete,
    events,
    groups: groupsOf(events),
    readiness: readinessOf(events, { ...period, complete }),
    ...(complete ? {} : { errors: failures.map(reportOf) }),
  };
  // A gap alone fails no run that has something worse to say (interface contract: 3 before 4): whoever judges the result sees it there.
  return { result, errors: refused ? [refused, ...others] : [] };
}

type Period = Pick<AuditResult, 'since' | 'until'>;

function periodOf({ sinceMs }: AuditRequest, clock: Clock): Period {
  const now = clock.now();
  return { since: new Date(now - sinceMs).toISOString(), until: new Date(now).toISOString() };
}

interface Reading extends Period, Pick<AuditRequest, 'project'> {
  readonly collector: EventCollector;
}

interface PlatformRead {
  readonly pages: number;
  /** What ended it too early. */
  readonly failure?: BinauthzError;
}

/** Adds what a platform's log entries tell to the collector. */
async function readPlatform(
  platform: Platform,
  { project, since, until, collector }: Reading,
  { auditLog, reporter }: AuditPorts,
): Promise<PlatformRead> {
  let pages = 0;
  let entries = 0;
  try {
    for await (const page of auditLog.pages(project, within(READ_FILTERS[platform], since, until))) {
      collector.add(page);
      pages += 1;
      entries += page.length;
    }
  } catch (thrown) {
    return { pages, failure: failureOf(asErrors(thrown)[0], platform, pages) };
  }
  reporter.info(`${nameOf(platform)}: looked at ${entries} log entr${entries === 1 ? 'y' : 'ies'} since ${since}`);
  return { pages };
}

// What is refused before the first page would be refused again; what breaks off is a gap, whatever broke it off.
function failureOf(error: BinauthzError, platform: Platform, pages: number): BinauthzError {
  const isPassing = error.code === 'UNAVAILABLE' || error.code === 'QUOTA_EXHAUSTED';
  if (error.code === 'CANCELLED' || error.code === 'INTERNAL' || (pages === 0 && !isPassing)) return error;
  const read = pages === 0 ? 'nothing' : `${pages} page${pages === 1 ? '' : 's'}`;
  return new BinauthzError(
    'LOGS_INCOMPLETE',
    `the log entries of ${nameOf(platform)} were not read to their end (${read}): ${error.message}`,
    {
      ...(error.resource === undefined ? {} : { resource: error.resource }),
      hint:
        (pages === 0 ? error.hint : undefined) ??
        'run again, with a shorter --since where it lasts; what was found so far is in the result',
      cause: error,
    },
  );
}

function nameOf(platform: Platform): string {
  return platform === 'gke' ? 'GKE' : 'Cloud Run';
}

/** Both reads are refused for the same reason. */
function once(errors: readonly BinauthzError[]): readonly BinauthzError[] {
  return [...new Map(errors.map((error) => [error.message, error])).values()];
}
