// SPDX-License-Identifier: Apache-2.0
import type { AuditEventType } from '../../../core/operation-results.js';
import type { AuditRequest } from '../../../usecases/audit.js';
import type { Env } from '../../context.js';
import { readReports } from '../../file-options.js';
import { OptionReader, type RawOptions } from '../../option-reader.js';
import type { ReportTarget } from '../../report-target.js';
import { impossible, readCommon, readProject, throwIfWrong, type Common } from '../../request-readers.js';
import { AUDIT_FORMATS, EVENT_WORDS } from './options.js';

/** `binauthz audit`, fully parsed. */
export interface ParsedAudit {
  readonly request: AuditRequest;
  readonly failOn: ReadonlySet<AuditEventType>;
  readonly reports: readonly ReportTarget[];
  readonly common: Common;
}

/** Google keeps these logs for so long; a claim about more would be one about what is gone. */
const KEPT_MS = 400 * 86_400_000;

/** The request of `audit`; throws BinauthzErrors with everything that is wrong. */
export function parseAudit(raw: RawOptions, env: Env): ParsedAudit {
  const reader = new OptionReader(raw);
  const project = readProject(reader, 'project');
  if (!reader.has('project')) reader.add('project', 'the project whose logs are read', 'none');
  const sinceMs = readSince(reader);
  const failOn = readFailOn(reader);
  const reports = readReports(reader, AUDIT_FORMATS);
  const common = readCommon(reader, env);
  throwIfWrong(reader);
  if (project === undefined || sinceMs === undefined) throw impossible();
  return { request: { project, sinceMs }, failOn: new Set(failOn), reports, common };
}

function readSince(reader: OptionReader): number | undefined {
  const sinceMs = reader.duration('since');
  if (sinceMs !== undefined && (sinceMs === 0 || sinceMs > KEPT_MS))
    reader.add('since', 'a duration above 0 and up to 400d, which is how long Google keeps these logs', reader.values('since').join(' '));
  return sinceMs;
}

function readFailOn(reader: OptionReader): readonly AuditEventType[] {
  return reader.list<AuditEventType>('fail-on', (text) => {
    const word = Object.entries(EVENT_WORDS).find(([known]) => known === text);
    return word === undefined ? { expected: `one of ${Object.keys(EVENT_WORDS).join(', ')}` } : { value: word[1] };
  });
}
