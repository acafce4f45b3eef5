// SPDX-License-Identifier: Apache-2.0
// Inputs as an attacker, or a broken disk, would make them: good ones with something wrong in the middle.
import fc from 'fast-check';

/** Texts that parsers stumble over: line ends, control characters, directions, look-alikes, prototype names, numbers at the edge. */
const NASTY = [
  '',
  ' ',
  '\0',
  '\r',
  '\n',
  '\t',
  '\ufeff',
  '\u2028',
  '\u202e',
  '\u200b',
  '\ud800',
  '\udfff',
  '💥',
  'é',
  'е',
  '@',
  ':',
  '/',
  '//',
  '..',
  '%2f',
  '%00',
  '\\',
  '"',
  "'",
  '`',
  '${{ secrets.X }}',
  '$(id)',
  '__proto__',
  'constructor',
  'toString',
  'null',
  'true',
  '-0',
  '1e309',
  '9'.repeat(40),
  'a'.repeat(3000),
  '---\n',
  '&a ',
  '*a',
  '<<: *a',
  '!!js/function ',
  '{',
  '[',
  '}',
  ']',
  '- ',
  '# ',
  '|\n',
  '>-\n',
  'sha256:',
  '-----BEGIN PGP MESSAGE-----\n',
  '-----END PUBLIC KEY-----',
  '=AAAA\n',
  '\x1b[2J',
  '::error::x',
] as const;

const nasty = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...NASTY) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }) },
);

/** One of the samples after a few cuts, repetitions, swaps and insertions; now and then a text of its own. */
export function mutatedText(samples: readonly string[]): fc.Arbitrary<string> {
  const edit = fc.record({
    at: fc.nat(),
    length: fc.nat({ max: 40 }),
    kind: fc.constantFrom('insert', 'cut', 'repeat', 'replace'),
    text: nasty,
  });
  const edited = fc
    .tuple(fc.constantFrom(...samples), fc.array(edit, { maxLength: 4 }))
    .map(([sample, edits]) =>
      edits.reduce((text, { at, length, kind, text: piece }) => editOf(text, { at: at % (text.length + 1), length, kind, piece }), sample),
    );
  return fc.oneof({ weight: 12, arbitrary: edited }, { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 300 }) });
}

function editOf(text: string, { at, length, kind, piece }: { at: number; length: number; kind: string; piece: string }): string {
  const [before, middle, after] = [text.slice(0, at), text.slice(at, at + length), text.slice(at + length)];
  if (kind === 'cut') return before + after;
  if (kind === 'repeat') return before + middle.repeat(3) + after;
  if (kind === 'insert') return before + piece + middle + after;
  return before + piece + after;
}

/** The bytes of such a text, with a few of them flipped. */
export function mutatedBytes(samples: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const flips = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { maxLength: 3 });
  return fc.tuple(fc.constantFrom(...samples), flips, fc.option(fc.nat(), { freq: 6 })).map(([sample, changes, cut]) => {
    const bytes = Uint8Array.from(sample);
    for (const [at, mask] of changes) if (bytes.length > 0) bytes[at % bytes.length]! ^= mask;
    return cut === null ? bytes : bytes.slice(0, cut % (bytes.length + 1));
  });
}

const odd: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(null, true, false, 0, -1, 1e300, [], {}, [[]], { a: 1 }, ''),
  nasty,
  fc.jsonValue({ maxDepth: 2 }),
  fc.integer({ min: 10, max: 400 }).map((depth) => Array.from({ length: depth }).reduce<unknown>((inner) => [inner], 'deep')),
);

/** One of the documents with a few members gone, renamed, doubled or replaced by something else. */
export function mutatedJson(samples: readonly unknown[]): fc.Arbitrary<unknown> {
  const edit = fc.record({ at: fc.nat(), kind: fc.constantFrom('replace', 'drop', 'rename', 'wrap', 'add'), value: odd, name: nasty });
  return fc.tuple(fc.constantFrom(...samples), fc.array(edit, { maxLength: 3 })).map(([sample, edits]) => {
    let document = structuredClone(sample);
    for (const { at, kind, value, name } of edits) document = changed(document, at, { kind, value: structuredClone(value), name });
    return document;
  });
}

interface Change {
  readonly kind: string;
  readonly value: unknown;
  readonly name: string;
}

type Holder = Record<string, unknown>;

function changed(document: unknown, at: number, change: Change): unknown {
  const places = placesOf(document);
  const place = places[at % Math.max(1, places.length)];
  if (!place) return change.value;
  const { holder, key } = place;
  if (change.kind === 'drop') {
    if (Array.isArray(holder)) holder.splice(Number(key), 1);
    else Reflect.deleteProperty(holder, key);
  } else if (change.kind === 'wrap') set(holder, key, [holder[key], holder[key]]);
  else if (Array.isArray(holder)) holder.splice(Number(key), change.kind === 'add' ? 0 : 1, change.value);
  else if (change.kind === 'rename' || change.kind === 'add') {
    set(holder, change.name, change.kind === 'add' ? change.value : holder[key]);
    if (change.kind === 'rename') Reflect.deleteProperty(holder, key);
  } else set(holder, key, change.value);
  return document;
}

// As a JSON parser would: `__proto__` is a member like any other.
function set(holder: Holder, key: string, value: unknown): void {
  Object.defineProperty(holder, key, { value, enumerable: true, configurable: true, writable: true });
}

function placesOf(value: unknown): readonly { readonly holder: Holder; readonly key: string }[] {
  if (typeof value !== 'object' || value === null) return [];
  const holder = value as Holder;
  return Object.keys(holder).flatMap((key) => [{ holder, key }, ...placesOf(holder[key])]);
}
