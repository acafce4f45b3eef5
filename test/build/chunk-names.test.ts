// SPDX-License-Identifier: Apache-2.0
// The same sources must give the same dist, however slowly the disk answers: webpack's numbers do not hold to that.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';

type NameChunks = (sources: Map<string, string>) => Map<string, string>;
const { nameChunks } = (await import(pathToFileURL(join(import.meta.dirname, '../../scripts/chunk-names.mjs')).href)) as {
  nameChunks: NameChunks;
};

/** What ncc writes for an entry that loads two chunks, one of which holds the other's module and one more. */
function emitted(shared: number, whole: number): Map<string, string> {
  return new Map([
    ['index.js', `__nccwpck_require__.e = (id) => load(id);\n__nccwpck_require__.e(/* import() */ ${shared}).then();\n`],
    [`${whole}.index.js`, chunk(whole, [whole, shared], { 1500: '', '"./b c.js"': '' })],
    [`${shared}.index.js`, `"use strict";\n${chunk(shared, [shared], { 1500: `Promise.all([__webpack_require__.e(${whole})])` })}`],
  ]);
}

function chunk(number: number, ids: number[], modules: Record<string, string>): string {
  const bodies = Object.entries(modules).map(([id, body]) => `/***/ ${id}:\n/***/ (() => {\n${body}\n})`);
  return `exports.id = ${number};\nexports.ids = [${ids.join()}];\nexports.modules = {\n\n${bodies.join(',\n')}\n};\n`;
}

describe('names of chunks', () => {
  it('follow what a chunk holds, not the number that webpack gave it', () => {
    const named = nameChunks(emitted(775, 39));
    expect([...named]).toEqual([...nameChunks(emitted(238, 412))]);
    expect(named.size).toBe(3);
  });

  it('are the same in the file, in its header and in what loads it', () => {
    const named = nameChunks(emitted(775, 39));
    const [shared, whole] = ['"use strict"', 'exports.id'].map((start) => {
      const file = [...named].find(([, text]) => text.startsWith(start))?.[0] ?? '';
      return /^([0-9a-f]{8})\.index\.js$/.exec(file)?.[1] ?? `no chunk's name: ${file}`;
    });
    expect(named.get('index.js')).toBe(
      `__nccwpck_require__.e = (id) => load(id);\n__nccwpck_require__.e(/* import() */ "${shared}").then();\n`,
    );
    expect(named.get(`${shared}.index.js`)).toContain(`exports.id = "${shared}";\nexports.ids = ["${shared}"];\n`);
    expect(named.get(`${shared}.index.js`)).toContain(`__webpack_require__.e("${whole}")`);
    expect(named.get(`${whole}.index.js`)).toContain(`exports.id = "${whole}";\nexports.ids = ["${whole}","${shared}"];\n`);
  });

  it.each<[string, string, string, RegExp]>([
    ['a load in words that are not known', 'index.js', '__nccwpck_require__.e(which);\n', /index\.js: 1 loads of chunks, 0 understood/],
    ['a load of a chunk that is not there', 'index.js', '__nccwpck_require__.e(5);\n', /index\.js: no chunk 5/],
    ['a chunk without modules', '7.index.js', chunk(7, [7], {}), /7\.index\.js: no modules/],
    ['a chunk without its header', '7.index.js', '/***/ 9:\n', /7\.index\.js: no header/],
    ['a twin of another chunk', '7.index.js', chunk(7, [7], { 1500: '' }), /two chunks hold the same modules/],
  ])('are not guessed: %s', (_, file, text, message) => {
    expect(() => nameChunks(emitted(775, 39).set(file, text))).toThrow(message);
  });
});
