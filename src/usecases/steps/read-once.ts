// SPDX-License-Identifier: Apache-2.0

/** A read that many images share: made once per key, and its failure is shared as well. */
export function readOnce<Key, Value>(
  read: (key: Key) => Promise<Value>,
  nameOf: (key: Key) => string = String,
): (key: Key) => Promise<Value> {
  const reads = new Map<string, Promise<Value>>();
  return (key) => {
    const name = nameOf(key);
    const known = reads.get(name) ?? read(key);
    reads.set(name, known);
    return known;
  };
}
