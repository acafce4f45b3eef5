// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../image/digest.js';

/** One of several equal parts of the work, counted from one as test runners do: 2/4 is the second of four. */
export interface Shard {
  readonly index: number;
  readonly total: number;
}

const MOST_SHARDS = 1_000;
// As much of a digest as a number holds exactly.
const HEX_DIGITS = 13;

/** The shard in a text such as `2/4`; undefined where it is none. */
export function parseShard(text: string): Shard | undefined {
  const [, index = '', total = ''] = /^([1-9]\d{0,3})\/([1-9]\d{0,3})$/.exec(text) ?? [];
  const shard = { index: Number(index), total: Number(total) };
  return shard.index >= 1 && shard.index <= shard.total && shard.total <= MOST_SHARDS ? shard : undefined;
}

/** Whether a digest is this shard's to work on. Every digest is exactly one shard's, in every run. */
export function isInShard(digest: Digest, shard: Shard | undefined): boolean {
  if (shard === undefined) return true;
  const start = digest.indexOf(':') + 1;
  return Number.parseInt(digest.slice(start, start + HEX_DIGITS), 16) % shard.total === shard.index - 1;
}
