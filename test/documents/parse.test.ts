// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { parseDocuments, type Path } from '../../src/documents/parse.js';
import { found, titled } from '../support/tools.js';

const values = (text: string): readonly unknown[] => {
  const { documents, problems } = parseDocuments(text, 'a.yaml');
  expect(problems).toEqual([]);
  return documents.map(({ value }) => plain(value));
};
/** With ordinary prototypes, for comparisons. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value)) as unknown;
const refusal = (text: string): { readonly line: number; readonly message: string; readonly hint?: string } => {
  const { problems, documents } = parseDocuments(text, 'a.yaml');
  expect(problems).toHaveLength(1);
  expect(documents).toEqual([]);
  expect(problems[0]!.file).toBe('a.yaml');
  return problems[0]!;
};

describe('parseDocuments reads', () => {
  it.each<[string, string, readonly unknown[]]>([
    ['one document', 'a: 1', [{ a: 1 }]],
    ['several', 'a: 1\n---\nb: 2\n', [{ a: 1 }, { b: 2 }]],
    ['nothing', '', []],
    ['white space', ' \n\n', []],
    ['empty documents and comments', '---\n---\n# only a comment\n---\n~\n---\na: 1\n---\n', [{ a: 1 }]],
    ['what Helm writes', '---\n# Source: app/templates/a.yaml\na: 1\n---\n# Source: app/templates/b.yaml\nb: 2', [{ a: 1 }, { b: 2 }]],
    ['directives and document ends', '%YAML 1.1\n---\na: yes\n...\n---\nb: 2\n...\n', [{ a: 'yes' }, { b: 2 }]],
    ['a byte order mark', '\ufeffa: 1', [{ a: 1 }]],
    ['CRLF', 'a: 1\r\nb:\r\n  - c\r\n---\r\nd: |\r\n  e\r\n', [{ a: 1, b: ['c'] }, { d: 'e\n' }]],
    ['tabs after a colon', 'a:\t1', [{ a: 1 }]],
    ['keys that are no texts', '1: a\ntrue: b\nnull: c\n1.5: d', [{ '1': 'a', true: 'b', null: 'c', '1.5': 'd' }]],
    ['a key without a value', 'a:\nb: 1', [{ a: null, b: 1 }]],
    ['JSON', '{"a": {"b": [1, "2", null, true]}}', [{ a: { b: [1, '2', null, true] } }]],
    ['JSON with odd escapes', '{"a\\/b": "\\ud83d\\ude00\\u2028", "c": "\u2028\ufeff"}', [{ 'a/b': '😀\u2028', c: '\u2028\ufeff' }]],
    ['JSON one after the other', '{"a":1}{"b":"}{"}\n{"c":"\\"{"} ', [{ a: 1 }, { b: '}{' }, { c: '"{' }]],
    ['a JSON array', '[{"a":1},{"b":2}]', [[{ a: 1 }, { b: 2 }]]],
    ['JSON between YAML markers', '{"a":1}\n---\n{"b":2}', [{ a: 1 }, { b: 2 }]],
    ['JSON indented with tabs', '{\n\t"a": {\n\t\t"b": 1\n\t}\n}', [{ a: { b: 1 } }]],
    ['a flow mapping', '{a: b, c: [d]}', [{ a: 'b', c: ['d'] }]],
    ['anchors and aliases', 'a: &x {b: 1}\nc: *x\nd: &x 2\ne: *x', [{ a: { b: 1 }, c: { b: 1 }, d: 2, e: 2 }]],
    ['an alias inside what is repeated', 'a: &x 1\nb: &y [*x]\nc: &x 2\nd: *y', [{ a: 1, b: [1], c: 2, d: [1] }]],
    ['an alias as a key', 'a: &x k\n*x : 1', [{ a: 'k', k: 1 }]],
    [
      'merges',
      'a: &a {p: 1, q: 2}\nb: {<<: *a, q: 3}\nc: {<<: [{p: 5}, *a], r: 4}',
      [{ a: { p: 1, q: 2 }, b: { p: 1, q: 3 }, c: { p: 5, q: 2, r: 4 } }],
    ],
    ['a quoted "<<" as a key', '"<<": {a: 1}', [{ '<<': { a: 1 } }]],
    ['odd Unicode', '"ключ\u200b": 名前\nq: "\u202e𝒳"', [{ 'ключ\u200b': '名前', q: '\u202e𝒳' }]],
    ['an explicit text', 'a: !!str true', [{ a: 'true' }]],
  ])('%s', (_title, text, expected) => {
    expect(values(text)).toEqual(expected);
  });

  it('prototype names as keys', () => {
    const { documents } = parseDocuments('{"__proto__": {"polluted": 1}, "constructor": 2}', 'a.json');
    const value = documents[0]!.value as Record<string, unknown>;
    expect(Object.getPrototypeOf(value)).toBeNull();
    expect(Object.keys(value)).toEqual(['__proto__', 'constructor']);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

describe('parseDocuments refuses', () => {
  it.each<[string, string, number, RegExp]>([
    ['an unclosed bracket', 'a: 1\nb: [c', 2, /cannot be parsed/],
    ['an unclosed quote', 'a: "b\nc: d', 2, /cannot be parsed/],
    ['a tab as indentation', 'a:\n\tb: 1', 2, /cannot be parsed.*[Tt]ab/],
    ['a marker inside a quoted text', 'a: "x\n---\n# c"', 1, /cannot be parsed/],
    ['a text behind a marker', 'a: 1\n---# b\nc: 1', 2, /"---#"/],
    ['a marker that is a key', '---#b: |\n c: d', 1, /"---#"/],
    ['a duplicate key', 'a:\n  b: 1\n  c: 2\n  b: 3', 4, /key "b" twice/],
    ['a duplicate key in JSON', '{"a": 1,\n"a": 2}', 2, /key "a" twice/],
    ['a duplicate key in other notation', '1: a\n"1": b', 2, /key "1" twice/],
    ['a duplicate __proto__', '__proto__: 1\n__proto__: 2', 2, /key "__proto__" twice/],
    ['two merges', 'a: &a {b: 1}\nc:\n  <<: *a\n  <<: *a', 4, /"<<" twice/],
    ['a merge behind the key that it gives again', 'c:\n  image: mine\n  <<: {image: other}', 3, /"image" before a merge/],
    ['a merge of a text', 'a:\n  <<: b', 2, /not a mapping/],
    ['a mapping as a key', '? {a: 1}\n: b', 1, /not a text/],
    ['an unknown alias', 'a: 1\nb: *c', 2, /./],
    ['an alias of what it is in', 'a: &a\n  - *a', 2, /inside what it repeats/],
    ['tags of other systems', 'a: 1\nb: !Ref c', 2, /cannot be parsed.*!Ref/],
    ['binary', 'a: !!binary bmdpbng=', 1, /cannot be parsed/],
    ['a line separator that hides a line', 'a: 1\n# c\u2028b: 2', 2, /U\+2028/],
    ['a next-line character', 'a: 1\u0085b: 2', 1, /U\+0085/],
    ['a lone carriage return', 'a: 1\n# c\rb: 2', 2, /U\+000D/],
    ['a byte order mark inside', 'a: 1\n\ufeffb: 2', 2, /U\+FEFF/],
    ['a question mark that is a key to others', 'a: {image: b,\n ?image: c}', 2, /"\?image" in braces or brackets/],
    ['a question mark in brackets', 'a: [b,\n ?c]', 2, /"\?c" in braces or brackets/],
    ['a colon that is a value to others', 'a: {b,\n c: :d}', 2, /":d" in braces or brackets/],
    ['an anchor whose name others end earlier', 'a: 1\nb: &k:*v c', 2, /anchor &k:\*v/],
    ['an anchor of a collection', 'a: 1\nb: &k.l [c]', 2, /anchor &k\.l/],
    ['an anchor of a key', 'a: 1\n&k.l b: c', 2, /anchor &k\.l/],
    ['an anchor of a merge', 'a: 1\n&k.l <<: {b: c}', 2, /anchor &k\.l/],
    ['a tag that makes a quoted merge', 'a: 1\n! "<<": {b: c}', 2, /tag "!" on a key/],
    ['a tag that unmakes a merge', 'a: 1\n!!str <<: {b: c}', 2, /tag "tag:yaml\.org,2002:str" on a key/],
    ['a tag of nothing', 'a: 1\nb: !!null c', 2, /Unresolved tag: tag:yaml\.org,2002:null/],
    ['a tag without a name', 'a: 1\nb: ! 12', 2, /tag "!"/],
    ['a tag on a list', 'a: 1\nb: !!seq [c]', 2, /on a collection/],
    ['a margin that a comment hides', 'a:\n- b:\n#c\n    d\n- "e"', 4, /several lines behind a comment/],
    ['a margin that a comment hides from a block', 'a:\n- b:\n#c\n  # d\n\n   &e !!str |\n- "e"', 6, /several lines behind a comment/],
    ['a margin that a comment hides from a folded block', 'a:\n- b:\n #c\n    >-\n- "e"', 4, /several lines behind a comment/],
    ['binary content', 'a\u0000: 1', 1, /U\+0000/],
    ['an unknown directive alone', '%YAML 1.2\n---\na: }', 3, /cannot be parsed/],
  ])('%s', (_title, text, line, message) => {
    const found = refusal(text);
    expect([found.line, found.message]).toEqual([line, expect.stringMatching(message)]);
  });

  it('a template, with the step that is missing', () => {
    expect(refusal('a: {{ .Values.image }}').hint).toContain('helm template');
  });

  it('the broken document, and keeps the others', () => {
    const { documents, problems } = parseDocuments('a: 1\n---\nb: [\n---\nc: 3\n', 'a.yaml');
    expect(documents.map(({ value }) => plain(value))).toEqual([{ a: 1 }, { c: 3 }]);
    expect(problems).toHaveLength(1);
  });

  it('a thousand broken documents, in few words', () => {
    expect(parseDocuments('a: {b: 1, b: 2}\n---\n'.repeat(1000), 'a.yaml').problems).toHaveLength(50);
  });
});

describe('hostile input ends', () => {
  const laughs = ['a: &a [x,x,x,x,x,x,x,x,x,x]'];
  for (const [to, from] of ['ba', 'cb', 'dc', 'ed', 'fe', 'gf', 'hg'].map((pair) => [pair[0]!, pair[1]!] as const))
    laughs.push(`${to}: &${to} [${Array.from({ length: 10 }, () => `*${from}`).join(',')}]`);
  const chain = ['a0: &a0 {x: 1}', ...Array.from({ length: 600 }, (_, index) => `a${index + 1}: &a${index + 1} {x: *a${index}}`)];
  const merges = ['a0: &a0 {k0: 1, j0: 1}', ...Array.from({ length: 2000 }, (_, n) => `a${n + 1}: &a${n + 1} {<<: *a${n}, k${n + 1}: 1}`)];

  it.each<[string, string, RegExp]>([
    ['a billion laughs', laughs.join('\n'), /aliases expand/],
    ['laughs in many documents', `${laughs.slice(0, 5).join('\n')}\n---\n`.repeat(200), /aliases expand/],
    ['a long chain of aliases', chain.join('\n'), /aliases expand|levels deep/],
    ['merges of merges', merges.join('\n'), /aliases expand|levels deep/],
    ['100,000 brackets', '['.repeat(100_000), /levels deep/],
    ['100,000 brackets, closed', '['.repeat(100_000) + ']'.repeat(100_000), /levels deep/],
    ['100,000 JSON objects', '{"a":'.repeat(100_000) + '1' + '}'.repeat(100_000), /levels deep/],
    ['100,000 dashes', '- '.repeat(100_000) + 'x', /levels deep/],
    ['100,000 question marks', '? '.repeat(100_000) + 'x', /levels deep/],
    ['100,000 braces', '{a: '.repeat(100_000), /levels deep/],
  ])('%s', (_title, text, message) => {
    const { problems } = parseDocuments(text, 'a.yaml');
    expect(problems[0]!.message).toMatch(message);
  });

  it('many keys, aliases and documents', () => {
    const many = Array.from({ length: 30_000 }, (_, index) => index);
    expect(values(many.map((n) => `k${n}: 1`).join('\n'))).toHaveLength(1);
    expect(values(`a: &a x\n${many.map((n) => `k${n}: *a`).join('\n')}`)).toHaveLength(1);
    expect(values('---\na: 1\n'.repeat(10_000))).toHaveLength(10_000);
    expect(values('{"a":1}'.repeat(10_000))).toHaveLength(10_000);
  });

  it('ordinary depth is no attack', () => {
    expect(values('['.repeat(200) + ']'.repeat(200))).toHaveLength(1);
  });
});

describe('lineOf', () => {
  const yaml = [
    '# a comment',
    'kind: Pod', // 2
    'spec:', // 3
    '  containers:',
    '    - name: a', // 5
    '      image: &img app', // 6
    '    - name: b',
    '      image: *img', // 8
    '    - name: c', // 9
    '      image:',
    '        folded', // 11
    '    - &base', // 12
    '      name: d', // 13
    '      image: d', // 14
    '    - <<: *base', // 15
    '      name: e', // 16
    '    - *base', // 17
    '    - image: >-', // 18
    '        text',
    'empty:', // 20
    '---',
    'kind: Second', // 22
  ].join('\n');

  it.each<[Path, number]>([
    [[], 2],
    [['kind'], 2],
    [['spec', 'containers', 0], 5],
    [['spec', 'containers', 0, 'image'], 6],
    [['spec', 'containers', 1, 'image'], 8],
    [['spec', 'containers', 2, 'image'], 11],
    [['spec', 'containers', 3, 'image'], 14],
    [['spec', 'containers', 4, 'image'], 15],
    [['spec', 'containers', 4, 'name'], 16],
    [['spec', 'containers', 5, 'image'], 17],
    [['spec', 'containers', 6, 'image'], 18],
    [['spec', 'containers', 2, 'missing', 'deeper'], 9],
    [['empty'], 20],
  ])('%j is on line %i, whatever the line ends are', (path, line) => {
    expect(parseDocuments(yaml, 'a.yaml').documents[0]!.lineOf(path)).toBe(line);
    expect(parseDocuments(`\ufeff${yaml.replaceAll('\n', '\r\n')}`, 'a.yaml').documents[0]!.lineOf(path)).toBe(line);
  });

  it('counts through documents and JSON values', () => {
    expect(parseDocuments(yaml, 'a.yaml').documents[1]!.line).toBe(22);
    const { documents } = parseDocuments('{"a":\n1}\n\n{"b":\n{"c": 2}}{"d":\n3}', 'a.json');
    expect(documents.map(({ line }) => line)).toEqual([1, 4, 5]);
    expect([documents[0]!.lineOf(['a']), documents[1]!.lineOf(['b', 'c']), documents[2]!.lineOf(['d'])]).toEqual([2, 5, 6]);
  });
});

// kubectl's own parser is the judge: what it reads, we read alike or refuse; never something else.
describe.skipIf(!found('kubectl'))(titled('kubectl agrees', 'kubectl'), () => {
  const pod = 'apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n';
  it.each<[string, string, 'alike' | 'refused']>([
    ['a plain Pod', `${pod}spec: {containers: [{name: a, image: app}]}\n`, 'alike'],
    ['merges first', `${pod}spec:\n  containers:\n  - <<: {image: one, name: first}\n    image: two\n`, 'alike'],
    ['a list of merges', `${pod}spec:\n  containers:\n  - <<: [{image: one}, {image: two, name: first}]\n`, 'alike'],
    ['a merge last', `${pod}spec:\n  containers:\n  - image: two\n    <<: {image: one, name: first}\n`, 'refused'],
    ['anchors given again', `${pod}spec:\n  a: &x one\n  b: *x\n  c: &x two\n  d: *x\n`, 'alike'],
    ['escapes', `${pod}spec: {"\\u0069mage": "a\\x62", 'b': 'it''s'}\n`, 'alike'],
    ['block texts', `${pod}spec:\n  a: |\n    x\n    y\n  b: >-\n    x\n    y\n  c: x\n    y\n`, 'alike'],
    ['a hidden line', `${pod}# c\u2028spec: {containers: [{name: a, image: evil}]}\n`, 'refused'],
    ['a line behind a carriage return', `${pod}# c\rspec: {containers: [{name: a, image: evil}]}\n`, 'refused'],
    ['a marked line', `${pod}\ufeffspec: {containers: [{name: a, image: evil}]}\n`, 'refused'],
    ['binary', `${pod}spec: {containers: [{name: a, image: !!binary bmdpbng=}]}\n`, 'refused'],
    ['a question mark', `${pod}spec: {containers: [{name: a, image: app, ?image: evil}]}\n`, 'refused'],
    ['a question mark apart', `${pod}spec: {containers: [{name: a, ? image : app}]}\n`, 'alike'],
    ['a question mark in a block', `${pod}spec:\n  containers:\n  - name: a\n    ?image: app\n    image: other\n`, 'alike'],
    ['an anchor in an alias', `${pod}  annotations: {a: "x"}\nspec:\n  a: &k:*v zz\n  b: &k image\n  c: {image: good, *k:*v}\n`, 'refused'],
    ['a merge by its tag', `${pod}spec:\n  ! "<<": {initContainers: [{name: e, image: evil}]}\n`, 'refused'],
    ['a merge without its tag', `${pod}spec:\n  !!str <<: {a: b}\n`, 'refused'],
    ['tags that change nothing', `${pod}spec: {a: !!str 12, b: !!int "12", c: !!bool "true", d: !!float "1.5", e: !!str f}\n`, 'alike'],
    ['a document behind a marker', `---#b: |\n${pod.replace(/^/gm, ' ')} spec: {containers: [{name: a, image: evil}]}\n`, 'refused'],
    ['a comment at the margin', `${pod}spec:\n  a:\n  - b:\n#c\n      foo\n  - {"image":"evil"}\n`, 'refused'],
    ['a comment before a block', `${pod}spec:\n  a:\n  - b:\n#c\n     |\n  - {"image":"evil"}\n`, 'refused'],
    [
      'comments where they harm nobody',
      `${pod}spec:\n#c\n  a:\n#c\n    b: |\n      x\n#c\n    c: >-\n      y\n#c\n    d: e\n      f\n#c\n    g:\n#c\n    - h\n#c\n  # i\n  j:\n#k\n    l\n`,
      'alike',
    ],
    ['a comment that is a text', `${pod}spec:\n  a: |\n    #!/bin/sh\n    b\n  c:\n  # d\n    |\n    #e\n    f\n`, 'alike'],
    ['JSON', '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{"a\\/b":"\\ud83d\\ude00\\u2028"}}', 'alike'],
  ])('%s: %#', (_title, text, expected) => {
    const { documents, problems } = parseDocuments(text, 'a.yaml');
    if (expected === 'refused') return void expect(problems).toHaveLength(1);
    const theirs = spawnSync('kubectl', ['label', '--local', '-f', '-', 'x=y', '-o', 'json', '--dry-run=client'], {
      input: text,
      encoding: 'utf8',
    });
    expect(theirs.status, theirs.stderr).toBe(0);
    const { spec } = JSON.parse(theirs.stdout) as { spec: unknown };
    expect(problems).toEqual([]);
    expect((plain(documents[0]!.value) as { spec: unknown }).spec).toEqual(spec);
  });
});
