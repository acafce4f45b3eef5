// SPDX-License-Identifier: Apache-2.0
// Steps that setup is made of, each by itself: a walk over goals, and grants that collide or come too early.
import { describe, expect, it } from 'vitest';
import { BinauthzError, type ErrorCode } from '../../src/core/errors.js';
import type { Decision } from '../../src/core/provisioning/decision.js';
import type { IamPolicy } from '../../src/core/provisioning/grants.js';
import { Walk, type Goal } from '../../src/usecases/steps/ensure.js';
import { grantRoles, type Granting } from '../../src/usecases/steps/grant-roles.js';
import { fakePace } from '../support/fake-pace.js';

const failing = (code: ErrorCode, message = `cannot: ${code}`) => new BinauthzError(code, message);
function reporting() {
  const said: string[] = [];
  return {
    said,
    reporter: { step: () => undefined, info: (text: string) => void said.push(text), warn: () => undefined, debug: () => undefined },
  };
}

/** A thing that is a number, and right once it reaches what is wanted; every write counts it up by one. */
class Counter implements Goal<number, number> {
  readonly resource = 'projects/p/counter';
  reads = 0;
  readonly writes: number[] = [];

  constructor(
    private now: number,
    private readonly wanted: number,
    private readonly more: Partial<Extract<Decision<number>, { readonly gcloud: string }>> = {},
  ) {}

  read(): Promise<number> {
    this.reads += 1;
    return Promise.resolve(this.now);
  }

  decide(found: number): Decision<number> {
    if (found >= this.wanted) return { action: 'none', summary: `it is ${found}`, warnings: ['right'] };
    return { action: 'update', summary: `from ${found}`, gcloud: `count ${found}`, write: found, warnings: ['low', 'low'], ...this.more };
  }

  write(write: number): Promise<unknown> {
    this.writes.push(write);
    this.now += 1;
    return Promise.resolve();
  }
}

async function planned(...goals: readonly Goal<number, number>[]): Promise<Walk> {
  const walk = new Walk();
  for (const goal of goals) await walk.ensure(goal, []).catch(() => undefined);
  return walk;
}
const applied = async (goal: Goal<number, number>, plan: Walk): Promise<{ walk: Walk; end: unknown }> => {
  const walk = new Walk(plan);
  return { walk, end: await walk.ensure(goal, []).catch((error: unknown) => error) };
};

describe('a walk that plans', () => {
  it('reads and decides, and writes nothing', async () => {
    const [right, wrong] = [new Counter(3, 3), new Counter(1, 3, { details: ['one', 'two'] })];
    const walk = await planned(right, wrong);
    expect([right.writes, wrong.writes, walk.isApplying, walk.errors]).toEqual([[], [], false, []]);
    expect(walk.changes).toStrictEqual([
      { resource: right.resource, action: 'none', status: 'done', summary: 'it is 3', gcloud: '' },
      { resource: wrong.resource, action: 'update', status: 'planned', summary: 'from 1', gcloud: 'count 1', details: ['one', 'two'] },
    ]);
    expect(walk.warnings).toEqual(['right', 'low']);
  });

  it('tells what is refused, and what could not be read', async () => {
    const refused = new Counter(1, 3, { refusal: failing('POLICY_WEAKENED') });
    const unread = Object.assign(new Counter(1, 3), { read: () => Promise.reject(failing('PERMISSION_DENIED')) });
    const walk = await planned(refused, unread);
    expect(walk.errors.map(({ code }) => code)).toEqual(['POLICY_WEAKENED', 'PERMISSION_DENIED']);
    expect(walk.changes).toMatchObject([
      { action: 'update', status: 'failed', summary: 'from 1', error: { code: 'POLICY_WEAKENED' } },
      { action: 'none', status: 'failed', summary: 'not known', gcloud: '', error: { code: 'PERMISSION_DENIED' } },
    ]);
  });

  it('skips what needs a thing that failed, without an error of its own', async () => {
    const walk = new Walk();
    const goal = new Counter(1, 3);
    await expect(walk.ensure(goal, [Promise.reject(failing('UNAVAILABLE'))])).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect([goal.reads, walk.errors]).toEqual([0, []]);
    expect(walk.changes).toStrictEqual([{ resource: goal.resource, action: 'none', status: 'skipped', summary: 'not known', gcloud: '' }]);
  });
});

describe('a walk that applies', () => {
  it('does not look again at what was right', async () => {
    const goal = new Counter(3, 3);
    const plan = await planned(goal);
    const { walk, end } = await applied(goal, plan);
    expect([end, goal.reads, walk.isApplying, walk.changes]).toEqual([3, 1, true, plan.changes]);
  });

  it('writes until it is so, and tells what was planned of it', async () => {
    const goal = new Counter(1, 3);
    const { walk, end } = await applied(goal, await planned(goal));
    expect([end, goal.writes]).toEqual([3, [1, 2]]);
    expect(walk.changes).toMatchObject([{ action: 'update', status: 'done', summary: 'from 1' }]);
  });

  it('gives up on what others keep changing', async () => {
    const goal = new Counter(1, 100);
    const { walk, end } = await applied(goal, await planned(goal));
    expect(goal.writes).toEqual([1, 2, 3]);
    expect(end).toMatchObject({
      code: 'CHANGED_MEANWHILE',
      resource: goal.resource,
      message: 'cannot bring projects/p/counter about: it was written, and is not as wanted all the same: from 4',
      hint: expect.stringContaining('run again') as string,
    });
    expect(walk.changes).toMatchObject([{ status: 'failed', error: { code: 'CHANGED_MEANWHILE' } }]);
  });

  it('writes once what is written as it was planned, without another look before', async () => {
    const goal = Object.assign(new Counter(1, 2), { asPlanned: true as const });
    const plan = await planned(goal);
    goal.reads = 0;
    expect([(await applied(goal, plan)).end, goal.writes, goal.reads]).toEqual([2, [1], 1]);
    const contested = Object.assign(new Counter(1, 9), { asPlanned: true as const });
    expect((await applied(contested, await planned(contested))).end).toMatchObject({ code: 'CHANGED_MEANWHILE' });
    expect(contested.writes).toEqual([1]);
  });

  it('looks first at what was never planned, also where it is to be written as planned', async () => {
    const goal = Object.assign(new Counter(1, 2), { asPlanned: true as const });
    const skipped = new Walk();
    await skipped.ensure(goal, [Promise.reject(failing('UNAVAILABLE'))]).catch(() => undefined);
    expect([(await applied(goal, skipped)).end, goal.writes]).toEqual([2, [1]]);
  });

  it('writes once what is seen late', async () => {
    const goal = Object.assign(new Counter(1, 9), { isSeenLate: true as const });
    const { walk, end } = await applied(goal, await planned(goal));
    expect([end, goal.writes, walk.changes[0]?.status]).toEqual([2, [1], 'done']);
  });

  it('stops where what it finds then is refused', async () => {
    const goal = new Counter(1, 9);
    const decide = goal.decide.bind(goal);
    goal.decide = (found) => (found < 2 ? decide(found) : { ...decide(found), refusal: failing('POLICY_WEAKENED') }) as Decision<number>;
    const { walk, end } = await applied(goal, await planned(goal));
    expect([end, goal.writes]).toMatchObject([{ code: 'POLICY_WEAKENED' }, [1]]);
    expect(walk.changes[0]?.status).toBe('failed');
  });

  it('does each read and write with patience', async () => {
    const goal = new Counter(1, 2);
    const plan = await planned(goal);
    let pieces = 0;
    const walk = new Walk(plan, (work) => ((pieces += 1), work()));
    await walk.ensure(goal, []);
    expect(pieces).toBe(3);
  });
});

describe('grants', () => {
  const AGENT = 'serviceAccount:agent@google';
  const role = 'roles/r';
  const granting = (...members: readonly string[]): Granting => ({
    resource: 'projects/p/notes/n',
    grants: members.map((member) => ({ role, member })),
  });

  function iamOf(answers: readonly (Error | undefined)[], policy: IamPolicy | undefined = { bindings: [], etag: 'e', rest: {} }) {
    const writes: IamPolicy[] = [];
    const left = [...answers];
    const clock = fakePace();
    const iam = {
      read: (): Promise<IamPolicy | undefined> => Promise.resolve(policy),
      write: (_resource: string, wanted: IamPolicy) => {
        writes.push(wanted);
        const answer = left.shift();
        return answer ? Promise.reject(answer) : Promise.resolve();
      },
    };
    return { writes, ports: { iam, clock, reporter: reporting().reporter } };
  }
  const collision = failing('CHANGED_MEANWHILE');
  const unknown = (whom: string) => failing('PRINCIPAL_NOT_FOUND', `Service account ${whom} does not exist.`);

  it('are written once, and not at all where they are there', async () => {
    const { writes, ports } = iamOf([]);
    await grantRoles(granting('user:a@b.c'), ports);
    expect(writes).toEqual([{ bindings: [{ role, members: ['user:a@b.c'] }], etag: 'e', rest: {} }]);
    const there = iamOf([], writes[0]);
    await grantRoles(granting('user:a@b.c'), there.ports);
    expect(there.writes).toEqual([]);
  });

  it('are written again after a collision, eight times in all', async () => {
    const { writes, ports } = iamOf(Array<Error>(7).fill(collision));
    await grantRoles(granting('user:a@b.c'), ports);
    expect([writes.length, ports.clock.pauses.length]).toEqual([8, 7]);
    expect(ports.clock.pauses.at(-1)).toBeGreaterThan(ports.clock.pauses[0] ?? 0);
    const worse = iamOf(Array<Error>(9).fill(collision));
    await expect(grantRoles(granting('user:a@b.c'), worse.ports)).rejects.toBe(collision);
    expect(worse.writes).toHaveLength(8);
  });

  it('on what is not there, or refused for another reason, fail at once', async () => {
    const none = iamOf([]);
    none.ports.iam.read = () => Promise.resolve(undefined);
    await expect(grantRoles(granting('user:a@b.c'), none.ports)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      resource: 'projects/p/notes/n',
      message: expect.stringContaining('projects/p/notes/n: it does not exist') as string,
    });
    const denied = iamOf([failing('PERMISSION_DENIED')]);
    await expect(grantRoles(granting('user:a@b.c'), denied.ports)).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
    expect(denied.ports.clock.pauses).toEqual([]);
  });

  async function withAgent(answers: readonly (Error | undefined)[], ...members: readonly string[]) {
    const { writes, ports } = iamOf(answers);
    let made = 0;
    const agent = { member: AGENT, make: () => ((made += 1), Promise.resolve()) };
    const end = await grantRoles({ ...granting(...members), agent }, ports).catch((error: unknown) => error);
    return { end, made, writes: writes.length, waitedMs: ports.clock.pauses.reduce((sum, ms) => sum + ms, 0) };
  }

  it('to an account that IAM does not know yet have it made, and wait for it', async () => {
    const late = unknown('agent@google');
    expect(await withAgent([late, late, late], AGENT, 'user:a@b.c')).toMatchObject({ end: undefined, made: 1, writes: 4 });
    const never = await withAgent(Array<Error>(99).fill(late), AGENT);
    expect(never).toMatchObject({ end: late, made: 1 });
    expect([never.waitedMs >= 90_000, never.waitedMs < 101_000]).toEqual([true, true]);
  });

  it('to somebody else who does not exist wait for nobody', async () => {
    const nobody = unknown('Nobody@b.c');
    expect(await withAgent([nobody], AGENT, 'user:ok@b.c', 'user:nobody@b.c')).toMatchObject({
      end: nobody,
      made: 0,
      writes: 1,
      waitedMs: 0,
    });
    expect(await withAgent([failing('PERMISSION_DENIED')], AGENT)).toMatchObject({ made: 0, writes: 1 });
    const { writes, ports } = iamOf([unknown('agent@google')]);
    await expect(grantRoles(granting(AGENT), ports)).rejects.toMatchObject({ code: 'PRINCIPAL_NOT_FOUND' });
    expect(writes).toHaveLength(1);
  });
});
