// SPDX-License-Identifier: Apache-2.0
// `binauthz audit` from words to exit status, on the emulator: 10,000 log entries, some of them events.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { METRIC_FILTERS } from '../../src/core/audit/filters.js';
import type { AuditEvent, AuditResult } from '../../src/core/operation-results.js';
import { EVENTS, NEAR_MISSES } from '../support/audit-cases.js';
import { startTestEmulator, type TestEmulator } from '../support/emulator.js';
import { denied, LOG_PROJECT, pod, revision, type Entry } from '../support/log-entries.js';
import { run } from './world.js';

const ENTRIES = 10_000;
const COPIES = 45;
const RETRIES = 100;
const CONTROLLER = 'system:serviceaccount:kube-system:replicaset-controller';
const HOUR = 3_600_000;

interface Planted {
  readonly entry: Entry;
  /** Of each event that the entry is, what names it. */
  readonly wanted: readonly string[];
}

const cwd = mkdtempSync(join(tmpdir(), 'binauthz-audit-'));
const start = Date.now();
let emulator: TestEmulator;
let wanted: readonly string[];

/** A text that sorts, with which a planted event and a reported one are compared. */
const nameOf = (type: string, insertId: string): string => `${insertId} ${type}`;

// Several share a time, so that pages break within it; the last hour and the one before the period hold events, too.
function plant(): readonly Planted[] {
  let count = 0;
  const stamp = (entry: Entry): Entry => {
    count += 1;
    return {
      ...entry,
      insertId: `entry-${String(count).padStart(5, '0')}`,
      timestamp: new Date(start - 23 * HOUR + Math.floor(count / 7) * 50_000).toISOString(),
    };
  };
  const copies = [...Array(COPIES).keys()];
  const events = copies.flatMap((copy) =>
    EVENTS.map(([, types, make]): Planted => {
      const entry = stamp(make(copy));
      return { entry, wanted: types.map((type) => nameOf(type, String(entry['insertId']))) };
    }),
  );
  const misses = copies.flatMap((copy) => NEAR_MISSES.map(([, make]): Planted => ({ entry: stamp(make(copy)), wanted: [] })));
  const retries = Array.from({ length: RETRIES }, (): Planted => {
    const entry = stamp(denied(1, { workload: 'shop-7d4b9c', principal: CONTROLLER }));
    return { entry, wanted: [nameOf('DENIED', String(entry['insertId']))] };
  });
  const late = EVENTS.map(([, , make], index): Planted => {
    const entry = { ...make(index), insertId: `late-${index}`, timestamp: new Date(start - 25 * HOUR).toISOString() };
    return { entry, wanted: [] };
  });
  const fill = Array.from({ length: ENTRIES - events.length - misses.length - retries.length - late.length }, (_, index): Planted => {
    return { entry: stamp(index % 3 === 0 ? revision(index) : pod(index, { workload: `web-${index % 50}` })), wanted: [] };
  });
  return [...events, ...misses, ...retries, ...late, ...fill];
}

/** In an order of its own: neither by time nor by kind. */
const shuffled = <T>(items: readonly T[]): readonly T[] =>
  items
    .map((item, index) => [(index * 7919) % items.length, item] as const)
    .toSorted(([one], [other]) => one - other)
    .map(([, item]) => item);

beforeAll(async () => {
  emulator = await startTestEmulator();
  const planted = plant();
  expect(planted).toHaveLength(ENTRIES);
  wanted = planted.flatMap((one) => one.wanted).sort();
  const entries = shuffled(planted).map(({ entry }) => entry);
  for (let from = 0; from < entries.length; from += 1000) {
    const answer = await emulator.api('POST', '/v2/entries:write', { entries: entries.slice(from, from + 1000) });
    expect([answer.status, answer.text.slice(0, 500)]).toEqual([200, expect.any(String)]);
  }
}, 60_000);
afterAll(async () => {
  await emulator.close();
  rmSync(cwd, { recursive: true, force: true });
});

const audit = (...argv: string[]) => run(['audit', '--project', LOG_PROJECT, ...argv], { BINAUTHZ_EMULATOR_HOST: emulator.host }, { cwd });
const found = (events: readonly AuditEvent[]) => events.map(({ type, insertId }) => nameOf(type, insertId)).sort();

describe('among 10,000 log entries', () => {
  test('finds every event and nothing else, page by page', async () => {
    const { status, stdout } = await audit('--output', 'json');
    expect(status).toBe(0);
    const result = JSON.parse(stdout) as AuditResult;
    expect(found(result.events)).toEqual(wanted);
    expect(wanted).toHaveLength(COPIES * EVENTS.flatMap(([, types]) => types).length + RETRIES);
    expect(result).toMatchObject({ schema: 'binauthz.audit/v1', project: LOG_PROJECT, complete: true, emulator: true });
    expect(Date.parse(result.until) - Date.parse(result.since)).toBe(24 * HOUR);
    const times = result.events.map(({ time }) => Date.parse(time));
    expect(times).toEqual(times.toSorted((one, other) => one - other));
    const { json } = await emulator.api('GET', '/_emulator/requests');
    expect((json.requests as { path: string }[]).filter(({ path }) => path === '/v2/entries:list').length).toBeGreaterThan(4);
  }, 60_000);

  test('finds more where it looks further back', async () => {
    const { stdout } = await audit('--since', '26h', '--output=json');
    expect((JSON.parse(stdout) as AuditResult).events).toHaveLength(wanted.length + EVENTS.flatMap(([, types]) => types).length);
  }, 60_000);

  test.each(
    Object.entries(METRIC_FILTERS).flatMap(([platform, filters]) =>
      Object.entries(filters).map(([type, filter]) => [platform, type, filter] as const),
    ),
  )('the filter for a metric of %s %s counts exactly its events', async (platform, type, filter) => {
    const kinds = [
      ...EVENTS.map(([what, types, make]) => ({ what, types: types as readonly string[], make })),
      ...NEAR_MISSES.map(([what, make]) => ({ what, types: [] as readonly string[], make })),
    ];
    const counted: string[] = [];
    const expected: string[] = [];
    const alone = await startTestEmulator();
    try {
      for (const [index, { what, types, make }] of kinds.entries()) {
        const entry = make(index);
        const isHere = platform === ((entry['resource'] as { type: string }).type === 'k8s_cluster' ? 'gke' : 'cloud-run');
        if (types.includes(type) && isHere) expected.push(what);
        await alone.api('POST', '/v2/entries:write', { entries: [{ ...entry, insertId: `k${index}` }] });
      }
      const { json } = await alone.api('POST', '/v2/entries:list', { resourceNames: [`projects/${LOG_PROJECT}`], filter, pageSize: 1000 });
      for (const { insertId } of (json.entries ?? []) as { insertId: string }[]) counted.push(kinds[Number(insertId.slice(1))]?.what ?? '');
    } finally {
      await alone.close();
    }
    expect(new Set([...counted].sort())).toEqual(new Set([...expected].sort()));
  });
});

describe('the end of a run', () => {
  test.each([
    ['break-glass', 'BREAK_GLASS'],
    ['denied', 'DENIED'],
    ['dry-run', 'DRY_RUN'],
    ['fail-open', 'FAIL_OPEN'],
  ])('--fail-on %s', async (word, type) => {
    const { status, stderr } = await audit('--fail-on', word);
    expect([status, stderr]).toEqual([
      3,
      expect.stringMatching(new RegExp(`error\\[AUDIT_FOUND\\]: the audit of projects/shop-prod found ${type}: projects/`)),
    ]);
  });

  test('--fail-on what did not happen passes', async () => {
    const { status, stdout } = await run(['audit', '--project', 'quiet-project', '--fail-on', 'break-glass', '--since', '7d'], {
      BINAUTHZ_EMULATOR_HOST: emulator.host,
    });
    expect(status).toBe(0);
    expect(stdout).toContain('0 would-be denials in 7 days: ready to enforce');
    expect(stdout).toContain('which these logs cannot show');
    expect(stdout).toMatch(/^no event in project quiet-project from \S+Z to \S+Z \(on the emulator/m);
  });

  test('groups what a controller retried', async () => {
    const { stdout } = await audit('--output=json');
    const groups = (JSON.parse(stdout) as AuditResult).groups.filter(({ resource }) => resource.endsWith('/shop-7d4b9c'));
    expect(groups).toEqual([
      expect.objectContaining({
        type: 'DENIED',
        count: RETRIES,
        resource: 'projects/shop-prod/locations/us-central1-a/clusters/prod/namespaces/shop/ReplicaSet/shop-7d4b9c',
        principals: [CONTROLLER],
      }),
    ]);
    expect(Date.parse(groups[0]?.last ?? '')).toBeGreaterThan(Date.parse(groups[0]?.first ?? ''));
  });

  test('tells people what follows', async () => {
    const { stdout } = await audit();
    expect(stdout).toMatch(/^EVENT +TIMES +LAST +WHO +WHAT$/m);
    expect(stdout).toContain('note: on Cloud Run the next deployment clears break-glass');
    expect(stdout).toMatch(/would-be denials in 24 h: not ready to enforce/);
    expect(stdout).toMatch(/^… and \d+ more \(--output json has all of them\)$/m);
  });

  test('reports are written, whatever was found', async () => {
    const { status } = await audit(
      '--report',
      'json=out/a.json',
      '--report=sarif=out/a.sarif',
      '--report=markdown=out/a.md',
      '--fail-on=denied',
    );
    expect(status).toBe(3);
    expect(JSON.parse(readFileSync(join(cwd, 'out/a.json'), 'utf8'))).toMatchObject({ schema: 'binauthz.audit/v1' });
    expect(JSON.parse(readFileSync(join(cwd, 'out/a.sarif'), 'utf8'))).toMatchObject({ version: '2.1.0' });
    expect(readFileSync(join(cwd, 'out/a.md'), 'utf8')).toContain('| **BREAK\\_GLASS** |'.replace('\\', ''));
  });

  test('an identity without the permission is told which it is, and nothing is reported', async () => {
    const env = { BINAUTHZ_EMULATOR_HOST: emulator.host, TOKEN: 'as:stranger@example.com' };
    const argv = ['audit', '--project', LOG_PROJECT, '--access-token-env', 'TOKEN', '--report=sarif=none.sarif'];
    const { status, stdout, stderr } = await run(argv, env, { cwd });
    expect([status, stdout]).toEqual([5, '']);
    expect(stderr).toContain('missing permission logging.logEntries.list on projects/shop-prod (role roles/logging.viewer)');
    expect(stderr.match(/error\[/g)).toHaveLength(1);
    expect(() => readFileSync(join(cwd, 'none.sarif'))).toThrow();
  });

  test.each([
    ['a page in the middle', 2],
    ['the first page', 0],
  ])(
    'a read that breaks off at %s is incomplete, and proves nothing',
    async (_, after) => {
      const rule = {
        id: 'down',
        method: '^POST$',
        path: '/v2/entries:list$',
        after,
        times: -1,
        do: 'status',
        status: 400,
        body: { error: { code: 400, status: 'INVALID_ARGUMENT', message: 'gone' } },
      };
      // A server that asks for an hour is asked no more.
      const down = after === 0 ? { ...rule, status: 503, headers: { 'retry-after': '3600' } } : rule;
      await emulator.api('POST', '/_emulator/faults', { rules: [down] });
      const { status, stdout, stderr } = await audit('--output=json').finally(() =>
        emulator.api('POST', '/_emulator/faults', { rules: [] }),
      );
      const result = JSON.parse(stdout) as AuditResult;
      expect([status, result.complete, result.readiness.complete]).toEqual([4, false, false]);
      expect(result.events.length).toBeLessThan(wanted.length);
      expect(result.errors?.map(({ code }) => code)).toContain('LOGS_INCOMPLETE');
      expect(stderr).toContain('error[LOGS_INCOMPLETE]: the log entries of ');
    },
    120_000,
  );
});
