// SPDX-License-Identifier: Apache-2.0
import { asErrors, type BinauthzError } from '../../core/errors.js';

/** What became of one item: its value, or all that went wrong with it. */
export type Settled<Value> =
  { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly errors: readonly BinauthzError[] };

/** Calls in flight at once. Google's quotas count a minute, so more would only reach them sooner. */
const LIMIT = 16;

/** Works on all items, a bounded number at once, and never stops early: every item is settled, in order. */
export async function concurrently<Item, Value>(
  items: readonly Item[],
  work: (item: Item, index: number) => Promise<Value>,
  limit = LIMIT,
): Promise<readonly Settled<Value>[]> {
  const settled: Settled<Value>[] = new Array<Settled<Value>>(items.length);
  const queue = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) settled[index] = await settle(work(item, index));
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return settled;
}

/** Waits for one piece of work and keeps its errors as data, so that work beside it goes on. */
export async function settle<Value>(work: Promise<Value>): Promise<Settled<Value>> {
  try {
    return { ok: true, value: await work };
  } catch (thrown) {
    return { ok: false, errors: asErrors(thrown) };
  }
}

/** The values of the items that succeeded. */
export function valuesOf<Value>(settled: readonly Settled<Value>[]): readonly Value[] {
  return settled.flatMap((entry) => (entry.ok ? [entry.value] : []));
}

/** The errors of the items that failed. */
export function errorsOf(settled: readonly Settled<unknown>[]): readonly BinauthzError[] {
  return settled.flatMap((entry) => (entry.ok ? [] : entry.errors));
}
