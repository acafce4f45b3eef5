// SPDX-License-Identifier: Apache-2.0
// The audit where logs repeat themselves, break off, or may not be read.
import { beforeEach, describe, expect, it } from 'vitest';
import { BinauthzError, BinauthzErrors, type ErrorCode } from '../../src/core/errors.js';
import { parseProjectId, type ProjectId } from '../../src/core/names.js';
import type { AuditLog } from '../../src/ports/audit-log.js';
import type { Reporter } from '../../src/ports/reporter.js';
import { audit } from '../../src/usecases/audit.js';
import { fakePace } from '../support/fake-pace.js';
import { denied, LOG_PROJECT, pod, type Entry } from '../support/log-entries.js';

const said: string[] = [];
const reporter: Reporter = { step: () => undefined, info: (text) => void said.push(text), warn: () => undefined, debug: () => undefined };
beforeEach(() => void (said.length = 0));
const project = parseProjectId(LOG_PROJECT) as ProjectId;
const NOW = Date.parse('2026-11-21T00:00:00Z');

type Page = readonly Entry[] | ErrorCode | BinauthzError;

/** A log of GKE and of Cloud Run with these pages; a code is a page that fails so. */
function logOf(gke: readonly Page[], cloudRun: readonly Page[], filters: string[] = []): AuditLog {
  return {
    async *pages(_, filter) {
      filters.push(filter);
      for (const page of filter.includes('k8s_cluster') ? gke : filter.includes('cloud_run_revision') ? cloudRun : []) {
        if (page instanceof BinauthzError) throw page;
        if (typeof page === 'string') throw new BinauthzError(page, `cannot read: ${page}`);
        yield page;
      }
    },
  };
}

const run = (auditLog: AuditLog) => audit({ project, sinceMs: 86_400_000 }, { auditLog, clock: fakePace(NOW), reporter });
const at = (insertId: string, timestamp = '2026-11-20T10:00:00Z'): Entry => ({ ...denied(1), insertId, timestamp });

describe('a complete read', () => {
  it('is of the time that was asked for, on both platforms', async () => {
    const filters: string[] = [];
    const { result } = await run(logOf([[]], [[]], filters));
    expect(result).toMatchObject({ since: '2026-11-20T00:00:00.000Z', until: '2026-11-21T00:00:00.000Z', complete: true, events: [] });
    expect(filters).toHaveLength(2);
    for (const filter of filters)
      expect(filter).toMatch(/\ntimestamp>="2026-11-20T00:00:00\.000Z"\ntimestamp<"2026-11-21T00:00:00\.000Z"$/);
  });

  it('counts an entry once that came twice, and groups what is one matter', async () => {
    const { result } = await run(
      logOf(
        [
          [at('x'), at('x')],
          [at('x'), at('y')],
        ],
        [[]],
      ),
    );
    expect([result.events.map(({ insertId }) => insertId), result.groups.map(({ count }) => count)]).toEqual([['x', 'y'], [2]]);
  });

  it('says how much it looked at', async () => {
    const { result } = await run(logOf([[at('x'), at('y')], [pod(1)]], [[at('z')]]));
    expect(result).toMatchObject({ schema: 'binauthz.audit/v1', project: LOG_PROJECT });
    expect(result).not.toHaveProperty('errors');
    expect(said.toSorted()).toEqual([
      'Cloud Run: looked at 1 log entry since 2026-11-20T00:00:00.000Z',
      'GKE: looked at 3 log entries since 2026-11-20T00:00:00.000Z',
    ]);
  });

  it('takes no entry without an id for the copy of another', async () => {
    const { result } = await run(logOf([[at(''), at('')]], [[]]));
    expect(result.events).toHaveLength(2);
  });

  it('is in the order of time, however many digits a second has', async () => {
    const times = ['2026-11-20T10:00:01Z', '2026-11-20T10:00:00.5Z', '2026-11-20T10:00:00Z', '2026-11-20T10:00:00.123456789Z'];
    const { result } = await run(logOf([times.map((time, index) => at(String(index), time))], [[]]));
    expect(result.events.map(({ insertId }) => insertId).join('')).toBe('2310');
  });
});

describe('a read that breaks off', () => {
  it.each<[string, readonly Page[], readonly Page[], string]>([
    ['one is refused', [[at('x')]], ['PERMISSION_DENIED'], 'PERMISSION_DENIED'],
    ['one has to log in', ['UNAUTHENTICATED'], [[at('x')]], 'UNAUTHENTICATED'],
    ['the run is cancelled', [[at('x')], 'CANCELLED'], ['CANCELLED'], 'CANCELLED'],
    ['this program makes a mistake', [[at('x')], 'INTERNAL'], [[]], 'INTERNAL'],
  ])('keeps what was read where %s', async (_, gke, cloudRun, code) => {
    const { result, errors } = await run(logOf(gke, cloudRun));
    expect([result.events.length, result.complete, errors.map((error) => error.code)]).toEqual([1, false, [code]]);
    expect(result).toMatchObject({ project: LOG_PROJECT, since: '2026-11-20T00:00:00.000Z' });
  });

  it.each<[string, readonly Page[], number]>([
    ['at the first page', ['UNAVAILABLE'], 0],
    ['at the first page, for the quota', ['QUOTA_EXHAUSTED'], 0],
    ['after a page', [[at('x')], 'UNAVAILABLE'], 1],
    ['after a page, for lack of permission', [[at('x')], 'PERMISSION_DENIED'], 1],
    ['after a page, with nonsense', [[at('x')], 'RESPONSE_INVALID'], 1],
  ])('%s keeps what it has, and says that it is not all', async (_, gke, found) => {
    const { result, errors } = await run(logOf(gke, [[]]));
    expect([result.events.length, result.complete, errors]).toEqual([found, false, []]);
    expect(result.errors).toMatchObject([{ code: 'LOGS_INCOMPLETE', exitCode: 4, message: expect.stringContaining('GKE') as string }]);
    expect(result.readiness).toMatchObject({ complete: false, statement: expect.stringMatching(/^unknown: /) as string });
  });

  it('before the first page keeps the advice of what broke it off', async () => {
    const away = new BinauthzError('UNAVAILABLE', 'nobody answers', { hint: 'start the emulator' });
    expect((await run(logOf([away], [[]]))).result.errors?.[0]?.hint).toBe('start the emulator');
    expect((await run(logOf([[], away], [[]]))).result.errors?.[0]?.hint).toMatch(/^run again/);
  });

  it.each<[string, readonly Page[], string]>([
    ['nothing', ['UNAVAILABLE'], 'nothing'],
    ['a page', [[], 'UNAVAILABLE'], '1 page'],
    ['two pages', [[], [at('x')], 'UNAVAILABLE'], '2 pages'],
  ])('after %s says so, of which platform, and what to do', async (_, cloudRun, read) => {
    const { result } = await run(logOf([[]], cloudRun));
    expect(result.errors).toMatchObject([
      {
        code: 'LOGS_INCOMPLETE',
        message: `the log entries of Cloud Run were not read to their end (${read}): cannot read: UNAVAILABLE`,
        hint: expect.stringContaining('shorter --since') as string,
      },
    ]);
    expect(result.errors?.[0]).not.toHaveProperty('resource');
    expect(said).toEqual([expect.stringContaining('GKE')]);
  });

  it('keeps the resource that could not be read', async () => {
    const failure = new BinauthzError('UNAVAILABLE', 'no answer', { resource: 'projects/shop-prod' });
    expect((await run(logOf([failure], [[]]))).result.errors).toMatchObject([{ resource: 'projects/shop-prod' }]);
  });

  it('on both platforms for two reasons says both', async () => {
    const { result } = await run(logOf(['UNAVAILABLE'], [[], 'UNAVAILABLE']));
    expect(result.errors).toHaveLength(2);
    const thrown: unknown = await run(logOf(['PERMISSION_DENIED'], ['PROJECT_NOT_FOUND'])).catch((error: unknown) => error);
    expect((thrown as BinauthzErrors).errors.map((error) => error.code)).toEqual(['PERMISSION_DENIED', 'PROJECT_NOT_FOUND']);
  });

  it.each<ErrorCode>(['PERMISSION_DENIED', 'PROJECT_NOT_FOUND', 'RESPONSE_INVALID', 'CANCELLED'])(
    'for good with %s throws, once',
    async (code) => {
      const thrown: unknown = await run(logOf([code], [code])).catch((error: unknown) => error);
      expect(thrown).toBeInstanceOf(BinauthzErrors);
      expect((thrown as BinauthzErrors).errors.map((error) => error.code)).toEqual([code]);
    },
  );
});
