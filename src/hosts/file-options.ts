// SPDX-License-Identifier: Apache-2.0
// Options that name files: those that are read, and those that reports are written to.
import type { Problem } from '../documents/problem.js';
import type { YamlDocument } from '../documents/parse.js';
import { readText, STDIN, type FileWorld, type SourceText } from './files.js';
import { inputError, show, withHint } from './issues.js';
import type { OptionReader, Parser } from './option-reader.js';
import { REPORT_FORMATS, type ReportFormat, type ReportTarget } from './report-target.js';

/** The name of a file that is not standard input. */
export const parseFileName: Parser<string> = (text) => {
  if (text === STDIN) return { expected: 'the name of a file', hint: 'only manifests are read from standard input' };
  return text === '' ? { expected: 'the name of a file' } : { value: text };
};

/** The reports that are asked for, each with a file of its own; in the formats that the command has. */
export function readReports(reader: OptionReader, formats: readonly ReportFormat[] = REPORT_FORMATS): readonly ReportTarget[] {
  const reports = reader.list<ReportTarget>('report', (text) => {
    const [, name = '', path = ''] = /^([^=]*)=([\s\S]*)$/.exec(text) ?? [];
    const format = formats.find((known) => known === name);
    return format === undefined || path.trim() === ''
      ? { expected: `FORMAT=PATH with a format of ${formats.join(', ')}` }
      : { value: { format, path } };
  });
  const paths = reports.map(({ path }) => path);
  const twice = [...new Set(paths.filter((path, index) => paths.indexOf(path) !== index))];
  for (const path of twice) reader.add('report', 'a file of its own for each report', `${path} twice`);
  return reports;
}

/** The texts of the files that an option names; those that cannot be read are noted with the reader. */
export async function readTexts(
  reader: OptionReader,
  name: string,
  { paths, world }: { readonly paths: readonly string[]; readonly world: FileWorld },
): Promise<readonly SourceText[]> {
  const texts: SourceText[] = [];
  // One after the other: a folder may hold more files than a process may have open.
  for (const path of paths) {
    const found = await readText(path, world);
    if ('problem' in found) reader.add(name, 'a file that can be read', `${show(path)}: ${found.problem}`);
    else texts.push(found);
  }
  return texts;
}

/** The one YAML or JSON document of a text; undefined, and noted with the reader, where it cannot be read or is not one. */
export async function readDocument(
  reader: OptionReader,
  name: string,
  { source, what }: { readonly source: SourceText; readonly what: string },
): Promise<YamlDocument | { readonly value?: undefined; readonly lineOf?: undefined } | undefined> {
  const { parseDocuments } = await import('../documents/parse.js');
  const { documents, problems } = parseDocuments(source.text, source.file);
  noteProblems(reader, name, problems);
  if (problems.length > 0) return undefined;
  if (documents.length > 1) {
    reader.add(name, `one ${what}`, `${documents.length} documents in ${source.file}`);
    return undefined;
  }
  return documents[0] ?? {};
}

/** Notes what is wrong with a file that an option names, each with its line. */
export function noteProblems(reader: OptionReader, name: string, problems: readonly Problem[]): void {
  for (const { file, line, message, hint } of problems) {
    const place = `${file === STDIN ? 'standard input' : file}:${line}`;
    const error = inputError(`${reader.spell(name)}: ${place}: ${message}`, { resource: place });
    reader.issues.push(hint === undefined ? error : withHint(error, hint));
  }
}
