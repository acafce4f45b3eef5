// SPDX-License-Identifier: Apache-2.0
// Webpack numbers a chunk after the modules at its root. Where modules import each other in a circle (protobufjs), the
// first one that was read from disk counts as the root, so the number changes with the weather. Here each chunk is
// named after the modules that it holds; those keep their numbers.
import { createHash } from 'node:crypto';

const CHUNK = /^(\d+)\.index\.js$/;
const MODULE = /^\/\*\*\*\/ (\d+|".+"):$/gm;
const HEADER = /^(?:"use strict";\n)?exports\.id = \d+;\nexports\.ids = \[([\d,]+)\];$/m;
const REFERENCE = /(_require__\.e\()(\/\* import\(\) \*\/ )?(\d+)\)/g;
const CALLS = /_require__\.e\(/g;

/**
 * Names every chunk after its contents, in its file name, its header and wherever it is asked for.
 *
 * @param {Map<string, string>} sources file names and texts, as ncc emits them
 * @returns {Map<string, string>} the same under their new names, sorted by name
 * @throws {Error} where ncc's output is not of the form that this file knows: nothing is guessed
 */
export function nameChunks(sources) {
  const names = new Map();
  for (const [file, text] of sources) {
    const number = CHUNK.exec(file)?.[1];
    if (number !== undefined) names.set(number, nameOf(file, text));
  }
  if (new Set(names.values()).size !== names.size) throw new Error('two chunks hold the same modules');

  const newName = (number, file) => names.get(number) ?? fail(file, `no chunk ${number}`);
  const renamed = [...sources].map(([file, text]) => {
    const number = CHUNK.exec(file)?.[1];
    const linked = renameReferences(text, file, newName);
    return number === undefined ? [file, linked] : [`${newName(number, file)}.index.js`, renameHeader(linked, file, number, newName)];
  });
  return new Map(renamed.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function nameOf(file, text) {
  const modules = [...text.matchAll(MODULE)].map(([, id]) => id).sort();
  if (modules.length === 0) fail(file, 'no modules');
  return createHash('sha256').update(modules.join()).digest('hex').slice(0, 8);
}

function renameReferences(text, file, newName) {
  const calls = text.match(CALLS)?.length ?? 0;
  const references = text.match(REFERENCE)?.length ?? 0;
  if (calls !== references) fail(file, `${calls} loads of chunks, ${references} understood`);
  return text.replaceAll(REFERENCE, (_, call, comment, number) => `${call}${comment ?? ''}"${newName(number, file)}")`);
}

/** A chunk's header gives its own number, then those of the smaller chunks whose modules it holds too. */
function renameHeader(text, file, number, newName) {
  const ids = HEADER.exec(text)?.[1].split(',') ?? fail(file, 'no header');
  const quoted = [number, ...ids.filter((id) => id !== number)].map((id) => `"${newName(id, file)}"`);
  const [own, ...others] = quoted;
  return text.replace(HEADER, (header) =>
    header.replace(/exports\.id = \d+;\nexports\.ids = .*$/, `exports.id = ${own};\nexports.ids = [${[own, ...others.sort()].join()}];`),
  );
}

function fail(file, why) {
  throw new Error(`${file}: ${why}; does ncc write its chunks in another way now?`);
}
