// SPDX-License-Identifier: Apache-2.0
// One walk over things that have to be so, each after those that it needs: it reads and decides, and, when it applies,
// writes and reads again.
import { asErrors, BinauthzError } from '../../core/errors.js';
import type { PlannedChange } from '../../core/operation-results.js';
import type { Decision } from '../../core/provisioning/decision.js';
import { reportOf } from '../../core/results.js';

/** One thing that has to be so. */
export interface Goal<Found, Write> {
  /** Full resource name. */
  readonly resource: string;
  read(): Promise<Found>;
  decide(found: Found): Decision<Write>;
  write(write: Write): Promise<unknown>;
  /** What was planned is written as it is, once; `write` refuses where the plan’s ground has changed. Others are decided anew. */
  readonly asPlanned?: true;
  /** What is written may not be seen at once: another look would write it again. */
  readonly isSeenLate?: true;
}

/** How often a goal is written in a walk before its state counts as contested. */
const MOST_WRITES = 3;

/** What became of one goal. */
interface Slot {
  readonly resource: string;
  decision?: Decision<unknown> | undefined;
  status: PlannedChange['status'];
  errors: readonly BinauthzError[];
  /** What was read, where nothing has to be done: it need not be read again. */
  right?: { readonly found: unknown };
}

/** Does a piece of work, perhaps more than once: what is written is safe to repeat. */
export type Patiently = <T>(work: () => Promise<T>) => Promise<T>;

/** A walk, and all that it came to. Goals keep the order in which they were set, which is the same in every walk. */
export class Walk {
  private readonly slots: Slot[] = [];

  /** A walk that applies goes where `planned` went before, and does not look again at what is right already. */
  constructor(
    private readonly planned?: Walk,
    private readonly patiently: Patiently = (work) => work(),
  ) {}

  get isApplying(): boolean {
    return this.planned !== undefined;
  }

  /** Whatever failed, refusals included. */
  get errors(): readonly BinauthzError[] {
    return this.slots.flatMap(({ errors }) => errors);
  }

  /** What should be known of the things that were looked at, each sentence once. */
  get warnings(): readonly string[] {
    return [...new Set(this.slots.flatMap(({ decision }) => decision?.warnings ?? []))];
  }

  get changes(): readonly PlannedChange[] {
    return this.slots.map(changeOf);
  }

  /**
   * The thing as it is at the end of this walk. Begins once everything that it needs is over, and is skipped where one of
   * these failed. Rejects where it failed or was skipped; the walk's errors say why.
   */
  async ensure<Found, Write>(goal: Goal<Found, Write>, needs: readonly Promise<unknown>[]): Promise<Found> {
    const before = this.planned?.slots[this.slots.length];
    const slot: Slot = before?.right
      ? { ...before }
      : { resource: goal.resource, status: 'skipped', errors: [], decision: before?.decision };
    this.slots.push(slot);
    if (before?.right) return before.right.found as Found;
    await Promise.all(needs);
    try {
      return await this.settle(goal, slot);
    } catch (thrown) {
      slot.status = 'failed';
      slot.errors = asErrors(thrown);
      throw thrown;
    }
  }

  private async settle<Found, Write>(goal: Goal<Found, Write>, slot: Slot): Promise<Found> {
    if (this.isApplying && goal.asPlanned && slot.decision?.write !== undefined)
      return this.makeSo(goal, slot, slot.decision as Decision<Write>);
    const { found, decision } = await this.look(goal);
    slot.decision = decision;
    if (decision.action === 'none') {
      slot.status = 'done';
      slot.right = { found };
      return found;
    }
    slot.errors = decision.refusal ? [decision.refusal] : [];
    slot.status = decision.refusal ? 'failed' : 'planned';
    return this.isApplying ? this.makeSo(goal, slot, decision) : found;
  }

  // What was written is told by reading it: somebody else may have been faster, and made another thing of the same name.
  private async makeSo<Found, Write>(goal: Goal<Found, Write>, slot: Slot, wanted: Decision<Write>): Promise<Found> {
    let decision = wanted;
    for (let left = goal.asPlanned ? 1 : MOST_WRITES; decision.action !== 'none'; left--) {
      if (decision.refusal) throw decision.refusal;
      if (left === 0) throw notSo(goal.resource, decision.summary);
      const { write } = decision;
      await this.patiently(() => goal.write(write));
      const after = await this.look(goal);
      if (after.decision.action === 'none' || goal.isSeenLate) {
        slot.status = 'done';
        return after.found;
      }
      decision = after.decision;
    }
    throw new Error(`nothing is to be written of ${goal.resource}`);
  }

  private async look<Found, Write>(goal: Goal<Found, Write>): Promise<{ readonly found: Found; readonly decision: Decision<Write> }> {
    const found = await this.patiently(() => goal.read());
    return { found, decision: goal.decide(found) };
  }
}

function notSo(resource: string, open: string): BinauthzError {
  return new BinauthzError(
    'CHANGED_MEANWHILE',
    `cannot bring ${resource} about: it was written, and is not as wanted all the same: ${open}`,
    {
      resource,
      hint: 'somebody else may be changing it at the same time: run again once they are done',
    },
  );
}

function changeOf({ resource, decision, status, errors }: Slot): PlannedChange {
  const [error] = errors;
  const base = { resource, status, ...(error === undefined ? {} : { error: reportOf(error) }) };
  if (!decision) return { ...base, action: 'none', summary: 'not known', gcloud: '' };
  if (decision.action === 'none') return { ...base, action: 'none', summary: decision.summary, gcloud: '' };
  const { action, summary, details, gcloud } = decision;
  return { ...base, action, summary, gcloud, ...(details === undefined ? {} : { details }) };
}
