// SPDX-License-Identifier: Apache-2.0
// The tables that `npm run docs` writes into the documents, as tests compare them with the code that they are written from.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The rows, each as its cells, of the first table behind this text in a document (path from the root). */
export function documentedRows(path: string, behind: string): readonly (readonly string[])[] {
  const text = readFileSync(join(import.meta.dirname, '../..', path), 'utf8');
  const at = text.indexOf(behind);
  if (at < 0) throw new Error(`${path} has no "${behind}"`);
  const lines = text.slice(at).split('\n');
  const rule = lines.findIndex((line) => line.startsWith('|---'));
  const end = lines.findIndex((line, index) => index > rule && !line.startsWith('|'));
  return lines.slice(rule + 1, end).map(cellsOf);
}

function cellsOf(row: string): readonly string[] {
  return row
    .slice('| '.length, -' |'.length)
    .split(' | ')
    .map((cell) => cell.replaceAll('\\|', '|'));
}
