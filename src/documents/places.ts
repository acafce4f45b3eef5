// SPDX-License-Identifier: Apache-2.0
import { isAlias, isMap, isNode, isSeq, type Node, type YAMLMap } from 'yaml';
import { isMergeKey, textOfKey } from './values.js';

/** The way from a document's root to a value: keys, and positions in lists. */
export type Path = readonly (string | number)[];

type Pair = YAMLMap['items'][number];

/** Smaller mappings are searched as fast as an index of them is made. */
const FEW = 32;

/** Where the values of a document stand in its text. */
export class Places {
  private readonly indexes = new Map<YAMLMap, ReadonlyMap<string, Pair>>();

  constructor(private readonly root: Node) {}

  /** The offset of the value at this path, of the alias or merge that brings it there, or of the nearest value around it. */
  offsetOf(path: Path): number {
    let node = this.root;
    for (const step of path) {
      if (isAlias(node)) break;
      const next = this.below(node, step);
      if (!next) break;
      node = next;
    }
    return node.range?.[0] ?? 0;
  }

  // A merge's key is a scalar: nothing is below it, so it is where a path through it ends.
  private below(node: Node, step: string | number): Node | undefined {
    if (isSeq(node)) return typeof step === 'number' ? firstNode(node.items[step]) : undefined;
    if (!isMap(node)) return undefined;
    const own = this.pairOf(node, String(step));
    return own ? firstNode(own.value, own.key) : firstNode(node.items.find(({ key }) => isMergeKey(key))?.key);
  }

  private pairOf(map: YAMLMap, key: string): Pair | undefined {
    if (map.items.length <= FEW) return map.items.find((pair) => keyOf(pair) === key);
    const index = this.indexes.get(map) ?? new Map(map.items.map((pair) => [keyOf(pair) ?? '<<', pair]));
    this.indexes.set(map, index);
    const found = index.get(key);
    return found && keyOf(found) === key ? found : undefined;
  }
}

function keyOf({ key }: Pair): string | undefined {
  return isMergeKey(key) ? undefined : textOfKey(key);
}

function firstNode(...candidates: readonly unknown[]): Node | undefined {
  return candidates.find((candidate): candidate is Node => isNode(candidate));
}
