// SPDX-License-Identifier: Apache-2.0
// Nodes of the YAML parser as plain values. Written here rather than left to the parser, because kubectl must not see
// another object than we do: where readers differ (duplicate keys, a merge after its override) the document is refused.
import { isAlias, isMap, isScalar, isSeq, type Alias, type Node, type Pair, type Scalar, type YAMLMap, type YAMLSeq } from 'yaml';

/** A mapping as a plain object. It has no prototype, so that `__proto__` and `constructor` are keys like any other. */
export interface PlainObject {
  [key: string]: unknown;
}

/** A document's value, or the first thing in it that cannot be taken over, with its offset in the text. */
export type Converted =
  { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly offset: number; readonly message: string };

/** How many levels a document may nest, aliases expanded. The deepest real ones, schemas of custom resources, stay below 100. */
export const MOST_LEVELS = 500;
/** How many values aliases may add to a file: far beyond any manifest, and read within a second. */
const MOST_ALIASED = 300_000;
/** How kubectl's parser reads an anchor's name; YAML 1.2 lets it go on to the next blank. */
const ANCHOR = /^[\w-]+$/;
/** In braces and brackets kubectl's parser takes these for indicators wherever a value could begin. */
const INDICATOR = /^[?:]/;
/** What a tag may ask for without that readers could differ: a plain type that the text has in any case, or a text. */
const TAGS: ReadonlySet<string> = new Set(['str', 'int', 'float', 'bool'].map((type) => `tag:yaml.org,2002:${type}`));
const TOO_MANY = `its aliases expand to more than ${MOST_ALIASED} values`;

/** The values that the aliases of one file have added so far; many documents must not sum up to what one may not do. */
export interface AliasBudget {
  used: number;
}

/** The plain value of a document's root node. */
export function convert(root: Node | null, budget: AliasBudget): Converted {
  return new Conversion(budget).run(root);
}

/** Whether a key is `<<`, which merges other mappings; quoted it is an ordinary key. */
export function isMergeKey(key: unknown): boolean {
  return isScalar(key) && key.value === '<<' && key.type === 'PLAIN';
}

/** A key as the text that Kubernetes makes of it; undefined where it is no scalar. */
export function textOfKey(key: unknown): string | undefined {
  return isScalar(key) ? String(key.value) : undefined;
}

class Conversion {
  private readonly anchors = new Map<string, { readonly node: Node; isOpen: boolean }>();
  /** What an alias stood for where it was written: an anchor's name may be given again later. */
  private readonly targets = new Map<Alias, Node>();
  private refusal: { readonly offset: number; readonly message: string } | undefined;
  private aliasesOpen = 0;
  private levels = 0;

  constructor(private readonly budget: AliasBudget) {}

  run(root: Node | null): Converted {
    const value = this.valueOf(root);
    return this.refusal ? { ok: false, ...this.refusal } : { ok: true, value };
  }

  private refuse(node: unknown, message: string): undefined {
    this.refusal ??= { offset: offsetOf(node) ?? 0, message };
    return undefined;
  }

  private valueOf(node: unknown): unknown {
    if (this.refusal) return undefined;
    if (this.aliasesOpen > 0 && ++this.budget.used > MOST_ALIASED) return this.refuse(node, TOO_MANY);
    if (isAlias(node)) return this.ofAlias(node);
    if (isScalar(node)) return this.ofScalar(node);
    if (isMap(node)) return this.within(node, () => this.ofMap(node));
    if (isSeq(node)) return this.within(node, () => this.ofList(node));
    return null;
  }

  private ofScalar(node: Scalar): unknown {
    if (node.tag !== undefined && !TAGS.has(node.tag)) return this.refuse(node, `it has the tag ${quote(node.tag)}`);
    this.assertAnchor(node);
    // A scalar is complete at once, unlike a collection that may hold an alias of itself.
    if (node.anchor !== undefined && this.aliasesOpen === 0) this.anchors.set(node.anchor, { node, isOpen: false });
    return node.value;
  }

  private within(node: YAMLMap | YAMLSeq, read: () => unknown): unknown {
    if (node.tag !== undefined) return this.refuse(node, `it has the tag ${quote(node.tag)} on a collection`);
    this.assertAnchor(node);
    if (this.levels >= MOST_LEVELS) return this.refuse(node, `it nests more than ${MOST_LEVELS} levels deep`);
    const anchor = node.anchor === undefined || this.aliasesOpen > 0 ? undefined : { node, isOpen: true };
    if (anchor && node.anchor !== undefined) this.anchors.set(node.anchor, anchor);
    this.levels += 1;
    const value = read();
    this.levels -= 1;
    if (anchor) anchor.isOpen = false;
    return value;
  }

  private ofAlias(alias: Alias): unknown {
    const known = this.targets.get(alias);
    const anchor = known ? { node: known, isOpen: false } : this.anchors.get(alias.source);
    if (!anchor) return this.refuse(alias, `the alias *${alias.source} has no anchor before it`);
    if (anchor.isOpen) return this.refuse(alias, `the alias *${alias.source} stands inside what it repeats`);
    this.targets.set(alias, anchor.node);
    this.aliasesOpen += 1;
    const value = this.valueOf(anchor.node);
    this.aliasesOpen -= 1;
    return value;
  }

  private assertAnchor(node: Node): void {
    if (node.anchor !== undefined && !ANCHOR.test(node.anchor))
      this.refuse(node, `it has an anchor &${node.anchor}, whose name readers take differently; letters, digits, _ and - are safe`);
  }

  private assertKey(key: unknown): void {
    if (!isScalar(key)) return;
    // A tag also decides whether `<<` merges.
    if (key.tag !== undefined) this.refuse(key, `it has the tag ${quote(key.tag)} on a key`);
    this.assertAnchor(key);
  }

  private assertPlain(flow: boolean | undefined, node: unknown): void {
    if (flow === true && isScalar(node) && node.type === 'PLAIN' && INDICATOR.test(node.source ?? ''))
      this.refuse(node, `it has ${quote(node.source ?? '')} in braces or brackets, which readers take differently; put it in quotes`);
  }

  private ofList(list: YAMLSeq): unknown[] {
    const values: unknown[] = [];
    for (const item of list.items) {
      this.assertPlain(list.flow, item);
      if (this.refusal) break;
      values.push(this.valueOf(item));
    }
    return values;
  }

  private ofMap(map: YAMLMap): PlainObject {
    const result = Object.create(null) as PlainObject;
    let merged: Set<string> | undefined;
    for (const pair of map.items) {
      this.assertKey(pair.key);
      this.assertPlain(map.flow, pair.key);
      this.assertPlain(map.flow, pair.value);
      if (this.refusal) break;
      if (isMergeKey(pair.key)) {
        if (merged) this.refuse(pair.key, 'it has the key "<<" twice in one mapping');
        merged = this.merge(pair, result);
      } else this.add(pair, result, merged);
    }
    return result;
  }

  private add(pair: Pair, result: PlainObject, merged: Set<string> | undefined): void {
    const keyValue = isAlias(pair.key) ? this.ofAlias(pair.key) : undefined;
    const key = isAlias(pair.key) && typeof keyValue !== 'object' ? String(keyValue) : textOfKey(pair.key);
    if (key === undefined) return void this.refuse(pair.key, 'it has a key that is not a text');
    if (isScalar(pair.key)) this.ofScalar(pair.key);
    // A key that only came by a merge is overridden; a second one of the mapping's own is a contradiction.
    if (key in result && !merged?.delete(key)) return void this.refuse(pair.key, `it has the key ${quote(key)} twice in one mapping`);
    result[key] = this.valueOf(pair.value);
  }

  private merge(pair: Pair, result: PlainObject): Set<string> {
    const value = this.valueOf(pair.value);
    const merged = new Set<string>();
    for (const source of Array.isArray(value) ? (value as readonly unknown[]) : [value]) {
      if (typeof source !== 'object' || source === null || Array.isArray(source)) {
        this.refuse(pair.key, 'it merges ("<<") something that is not a mapping');
        break;
      }
      for (const [key, inner] of Object.entries(source)) {
        // Counted apart: through merges of merges a value moves up many times.
        if (++this.budget.used > MOST_ALIASED) this.refuse(pair.key, TOO_MANY);
        if (merged.has(key)) continue;
        // YAML lets the mapping's own key win wherever it stands; kubectl lets the later one win.
        if (key in result)
          this.refuse(pair.key, `it has the key ${quote(key)} before a merge ("<<") of the same key, which readers take differently`);
        merged.add(key);
        result[key] = inner;
      }
    }
    return merged;
  }
}

function offsetOf(node: unknown): number | undefined {
  return isScalar(node) || isAlias(node) || isMap(node) || isSeq(node) ? node.range?.[0] : undefined;
}

function quote(key: string): string {
  return JSON.stringify(key.length > 60 ? `${key.slice(0, 60)}…` : key);
}
