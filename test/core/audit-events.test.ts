// SPDX-License-Identifier: Apache-2.0
// From entries to events, each once and in order; to groups, each one matter; and to what may be said of a roll-out.
import { describe, expect, it } from 'vitest';
import { collectEvents, EVENT_TYPES, groupsOf } from '../../src/core/audit/events.js';
import { readinessOf } from '../../src/core/audit/readiness.js';
import type { AuditEvent } from '../../src/core/operation-results.js';
import { denied, GKE_HOOK, LABEL, pod, type Entry } from '../support/log-entries.js';

const TIME = '2026-11-20T10:00:00Z';
const entry = (insertId: string, change: Entry = {}): Entry => ({ ...denied(1), insertId, timestamp: TIME, ...change });

function idsOf(...pages: readonly (readonly Entry[])[]): readonly string[] {
  const collector = collectEvents();
  for (const page of pages) collector.add(page);
  return collector.events().map(({ insertId }) => insertId);
}

describe('entries', () => {
  it('that are no events leave nothing', () => expect(idsOf([pod(1), {}, entry('x')])).toEqual(['x']));

  it('that come twice are one event', () => expect(idsOf([entry('x'), entry('y')], [entry('x')], [entry('x')])).toEqual(['x', 'y']));

  it.each<[string, Entry]>([
    ['another log', { logName: 'projects/shop-prod/logs/externalaudit.googleapis.com%2Factivity' }],
    ['another time', { timestamp: '2026-11-20T10:00:00.000000001Z' }],
  ])('with one id in %s are two', (_, change) => expect(idsOf([entry('x'), entry('x', change)])).toEqual(['x', 'x']));

  it('without an id are nobody’s copies, and nobody is theirs', () => {
    expect(idsOf([entry(''), entry('')], [entry('')])).toEqual(['', '', '']);
    expect(idsOf([entry('0'), entry(''), entry('1')])).toEqual(['', '0', '1']);
  });

  it('of several kinds are one event of each', () => {
    const both = pod(1, { podLabels: { [LABEL]: 'true' }, labels: { [`${GKE_HOOK}/dry-run`]: 'true' } });
    expect(idsOf([{ ...both, insertId: 'x', timestamp: TIME }])).toEqual(['x', 'x']);
  });

  it('are told in the order of their time, and of their id where that is one', () => {
    const times = [
      ['5', '2026-11-20T10:00:01Z'],
      ['9', '2026-11-20T10:00:00.5Z'],
      ['8', '2026-11-20T10:00:00.50Z'],
      ['6', '2026-11-20T10:00:00.123456789Z'],
      ['7', '2026-11-20T10:00:00Z'],
      ['4', '2026-11-20T10:00:01.0Z'],
    ] as const;
    for (const one of [times, times.toReversed()])
      expect(idsOf(one.map(([id, timestamp]) => entry(id, { timestamp }))).join('')).toBe('768945');
  });

  it('keep their order where nothing tells one from the other', () => {
    const named = ['z', 'a'].map((principal) => ({ ...denied(1, { principal }), timestamp: TIME }));
    const collector = collectEvents();
    collector.add(named);
    expect(collector.events().map(({ principal }) => principal)).toEqual(['z', 'a']);
  });
});

const event = (change: Partial<AuditEvent> = {}): AuditEvent => ({
  type: 'DENIED',
  time: TIME,
  platform: 'gke',
  resource: 'projects/p/namespaces/shop/pods/web-1',
  images: ['a', 'b'],
  principal: 'dev',
  message: 'no',
  insertId: 'i',
  ...change,
});

describe('a group', () => {
  it('is of one matter: first, last, how often, and by whom', () => {
    const events = [
      event({ principal: 'dev', message: 'first' }),
      event({ time: '2026-11-20T11:00:00Z', principal: 'bot' }),
      event({ time: '2026-11-20T12:00:00Z', principal: 'dev', message: 'last' }),
    ];
    expect(groupsOf(events)).toStrictEqual([
      {
        type: 'DENIED',
        platform: 'gke',
        resource: 'projects/p/namespaces/shop/pods/web-1',
        images: ['a', 'b'],
        principals: ['dev', 'bot'],
        count: 3,
        first: TIME,
        last: '2026-11-20T12:00:00Z',
        message: 'last',
      },
    ]);
  });

  it.each<[string, Partial<AuditEvent>]>([
    ['kind', { type: 'DRY_RUN' }],
    ['resource', { resource: 'projects/p/namespaces/shop/pods/web-2' }],
    ['images', { images: ['a'] }],
    ['commit', { commit: '0123456' }],
    ['justification', { justification: 'INC-7' }],
    ['workload', { workload: 'Job/web' }],
  ])('is not of another %s', (_, change) => expect(groupsOf([event(), event(change)]).map(({ count }) => count)).toEqual([1, 1]));

  it('is of one workload, whatever its Pods are called', () => {
    const ofPods = ['web-x1', 'web-y2'].map((name) =>
      event({ resource: `projects/p/pods/namespaces/shop/pods/${name}`, workload: 'Job/web' }),
    );
    expect(groupsOf(ofPods)).toMatchObject([{ resource: 'projects/p/pods/namespaces/shop/Job/web', count: 2 }]);
    const nameless = event({ resource: 'projects/p/namespaces/shop', workload: 'Job/web' });
    expect(groupsOf([nameless])[0]?.resource).toBe('projects/p/namespaces/shop/Job/web');
  });

  it('has the reason and the commit that its events have', () => {
    const told = { justification: 'INC-7', commit: '0123456' };
    expect(groupsOf([event(told), event(told)])).toMatchObject([{ ...told, count: 2 }]);
  });

  it('comes by its kind, the gravest first, and otherwise in the order of time', () => {
    const types = ['DRY_RUN', 'DENIED', 'BREAK_GLASS', 'FAIL_OPEN', 'DENIED'] as const;
    const groups = groupsOf(types.map((type, index) => event({ type, resource: `r${index}` })));
    expect(groups.map(({ type, resource }) => `${type} ${resource}`)).toEqual([
      'BREAK_GLASS r2',
      'FAIL_OPEN r3',
      'DENIED r1',
      'DENIED r4',
      'DRY_RUN r0',
    ]);
    expect(EVENT_TYPES).toEqual(['BREAK_GLASS', 'FAIL_OPEN', 'DENIED', 'DRY_RUN']);
  });
});

describe('readiness', () => {
  const period = { since: '2026-11-13T00:00:00Z', until: '2026-11-20T00:00:00Z', complete: true };
  const of = (...types: readonly AuditEvent['type'][]): readonly AuditEvent[] => types.map((type) => event({ type }));

  it.each<[string, readonly AuditEvent[], boolean, number, RegExp]>([
    [
      'nothing',
      of('DENIED', 'BREAK_GLASS'),
      true,
      0,
      /^0 would-be denials in 7 days: ready to enforce .*provided that a dry-run rule was in force/,
    ],
    ['a would-be denial', of('DRY_RUN', 'DENIED'), true, 1, /^1 would-be denial in 7 days: not ready to enforce; attest or exempt/],
    ['several', of('DRY_RUN', 'DRY_RUN', 'FAIL_OPEN'), true, 2, /^2 would-be denials in 7 days: not ready to enforce/],
    ['some in half of a read', of('DRY_RUN'), false, 1, /^1 would-be denial in 7 days, and more may not have been read: not ready/],
    ['nothing in half of a read', of('DENIED', 'FAIL_OPEN'), false, 0, /^unknown: the logs in 7 days could not be read to their end$/],
    [
      'what was not judged',
      of('FAIL_OPEN', 'DENIED'),
      true,
      0,
      /^0 would-be denials in 7 days, but 1 admission was not checked at all: ready/,
    ],
    ['much that was not judged', of('FAIL_OPEN', 'FAIL_OPEN'), true, 0, /, but 2 admissions were not checked at all: ready/],
  ])('after %s', (_, events, complete, wouldBeDenials, statement) =>
    expect(readinessOf(events, { ...period, complete })).toStrictEqual({
      wouldBeDenials,
      since: period.since,
      complete,
      statement: expect.stringMatching(statement) as string,
    }),
  );
});
