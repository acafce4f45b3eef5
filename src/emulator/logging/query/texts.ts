// SPDX-License-Identifier: Apache-2.0
// How the query language compares texts, and everything of an entry that a search without a field looks at.
import { isObject, type JsonObject } from '../../wire.js';
import { FREE_JSON } from './fields.js';

/** Letters for which folding is only lower case. */
const PLAIN = /^[\x00-\x7f]*$/;

/** A text as it is compared: "NFKC_CF Unicode normalization", as near as Node's own tables come to it. */
export function fold(text: string): string {
  if (PLAIN.test(text)) return text.toLowerCase();
  const ignorable = /\p{Default_Ignorable_Code_Point}/gu;
  return text.normalize('NFKC').toLowerCase().replaceAll('ß', 'ss').replaceAll('ς', 'σ').replace(ignorable, '').normalize('NFKC');
}

/** What stands between two texts of a haystack; no search text can hold it. */
const BETWEEN = '\0';

/** Below these members keys are data, like the values. */
const KEYS_ARE_DATA: ReadonlySet<string> = new Set([...FREE_JSON, 'labels', 'jsonPayload', 'userLabels', 'systemLabels']);

/** Every value in a part of an entry, and every key that is data. */
export class Haystack {
  private readonly texts: string;
  private readonly scalars: ReadonlySet<string>;

  constructor(part: unknown, areKeysData: boolean) {
    const texts: string[] = [];
    const scalars = new Set<string>();
    collect(part, areKeysData, { texts, scalars });
    this.texts = fold(texts.join(BETWEEN));
    this.scalars = scalars;
  }

  /** Whether some text contains a folded one, or some number or truth value equals it. */
  has(folded: string): boolean {
    if (folded.includes(BETWEEN)) return false;
    return this.texts.includes(folded) || this.scalars.has(folded);
  }

  /** Each text by itself. */
  split(): string[] {
    return this.texts.split(BETWEEN);
  }
}

function collect(part: unknown, areKeysData: boolean, into: { readonly texts: string[]; readonly scalars: Set<string> }): void {
  if (typeof part === 'string') into.texts.push(part);
  else if (typeof part === 'number' || typeof part === 'boolean') into.scalars.add(String(part));
  else if (Array.isArray(part)) for (const item of part) collect(item, areKeysData, into);
  else if (isObject(part)) {
    for (const [key, value] of Object.entries(part)) {
      if (areKeysData) into.texts.push(key);
      collect(value, areKeysData || KEYS_ARE_DATA.has(key), into);
    }
  }
}

/** An entry with what searches need of it, worked out when first asked for and kept. */
export class Searchable {
  private whole: Haystack | undefined;

  constructor(readonly entry: JsonObject) {}

  /** Everything in the entry that is text, number or truth value; the others only equal what is converted to them. */
  get haystack(): Haystack {
    this.whole ??= new Haystack({ ...this.entry, timestamp: null, receiveTimestamp: null, severity: null }, false);
    return this.whole;
  }
}

/** What a filter, or a part of one, says of an entry. */
export type Test = (entry: Searchable) => boolean;
