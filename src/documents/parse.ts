// SPDX-License-Identifier: Apache-2.0
// The only door to the YAML parser. Imported lazily by the hosts: most runs have no documents.
import { Composer, Lexer, LineCounter, Parser, type Document, type Node } from 'yaml';
import { jsonSlices } from './json-stream.js';
import type { Problem } from './problem.js';
import { Places, type Path } from './places.js';
import { MarginWatch } from './margin.js';
import { convert, MOST_LEVELS, type AliasBudget } from './values.js';

export type { Path } from './places.js';

/** A YAML or JSON document as plain values; objects have no prototype. Never an empty one. */
export interface YamlDocument {
  readonly file: string;
  /** One-based line on which its content begins. */
  readonly line: number;
  readonly value: unknown;
  /**
   * The one-based line of the value at this path, or of the nearest one around it. What came by an alias or a merge is
   * where that alias or merge stands, since that is what a person changes to change this use of it.
   */
  lineOf(path: Path): number;
}

/** What a text holds, and everything because of which it must not be trusted. */
export interface ParsedDocuments {
  readonly documents: readonly YamlDocument[];
  readonly problems: readonly Problem[];
}

interface Source {
  readonly file: string;
  readonly text: string;
  /** Lines of the file before this text. */
  readonly linesBefore: number;
}

const BLURRED =
  'expected YAML that every parser reads alike, got a text of several lines behind a comment that begins without a blank; write "# " there';

/** A file of a hundred thousand broken documents needs no hundred thousand messages. */
const MOST_PROBLEMS = 50;

// kubectl's parser takes these for line breaks, skips or refuses them; YAML 1.2 does not. In a comment such a character
// would hide from us a line that kubectl reads.
const CONTESTED = /(?![\t\n\r])\p{Cc}|[\u2028\u2029\ufeff]|\r(?!\n)/u;

/**
 * The documents of a YAML or JSON text (several in one file, one after the other, in either notation). Empty documents
 * are left out. A document with a problem is left out too, and the problem says so: the caller must refuse the file.
 */
export function parseDocuments(text: string, file: string): ParsedDocuments {
  const bare = text.startsWith('\ufeff') ? text.slice(1) : text;
  const slices = jsonSlices(bare);
  if (!slices) return limited(parseYaml({ file, text: bare, linesBefore: 0 }));
  const parsed = slices.map((slice) => parseNotation({ file, text: slice.text, linesBefore: slice.line - 1 }));
  return limited({ documents: parsed.flatMap(({ documents }) => documents), problems: parsed.flatMap(({ problems }) => problems) });
}

function limited({ documents, problems }: ParsedDocuments): ParsedDocuments {
  return { documents, problems: problems.slice(0, MOST_PROBLEMS) };
}

// kubectl ends a document at such a line; YAML reads a text that begins with dashes.
const CONTESTED_MARKER = /^---#/m;

function parseYaml(source: Source): ParsedDocuments {
  const contested = CONTESTED.exec(source.text);
  if (contested) return { documents: [], problems: [contestedProblem(source, contested)] };
  const marker = CONTESTED_MARKER.exec(source.text);
  return marker ? { documents: [], problems: [markerProblem(source, marker.index)] } : parseNotation(source);
}

function markerProblem({ file, text }: Source, offset: number): Problem {
  return {
    file,
    line: text.slice(0, offset).split('\n').length,
    message: 'expected YAML that every parser reads alike, got "---#"',
    hint: 'write "--- #" with a blank where a document begins, or put the text in quotes',
  };
}

function contestedProblem({ file, text }: Source, { index }: { readonly index: number }): Problem {
  const code = (text.codePointAt(index) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  return {
    file,
    line: text.slice(0, index).split('\n').length,
    message: `expected YAML that every parser reads alike, got the character U+${code}`,
    hint: 'remove the character, or write it as an escape in double quotes ("\\u' + code.toLowerCase() + '"); save the file as UTF-8',
  };
}

function parseNotation(source: Source): ParsedDocuments {
  const lines = new LineCounter();
  const composed = compose(source.text, lines);
  const lineAt = (offset: number): number => source.linesBefore + Math.max(1, lines.linePos(offset).line);
  const documents: YamlDocument[] = [];
  const problems: Problem[] = [];
  const budget: AliasBudget = { used: 0 };
  const refuse = (offset: number, message: string): void => {
    const hint = hintFor(source.text, offset);
    problems.push({ file: source.file, line: lineAt(offset), message, ...(hint === undefined ? {} : { hint }) });
  };
  for (const document of composed.documents) {
    const wrong = document.errors[0] ?? document.warnings.find(({ code }) => code === 'TAG_RESOLVE_FAILED');
    if (wrong) {
      refuse(wrong.pos[0], `expected YAML or JSON, got a document that cannot be parsed: ${wrong.message}`);
      continue;
    }
    const converted = convert(document.contents, budget);
    if (!converted.ok) refuse(converted.offset, `cannot take this document over: ${converted.message}`);
    else if (converted.value !== null && document.contents)
      documents.push(documentOf(source.file, { value: converted.value, root: document.contents, lineAt }));
  }
  for (const { offset, message } of composed.failures) refuse(offset, message);
  return { documents, problems };
}

interface Composed {
  readonly documents: readonly Document.Parsed[];
  readonly failures: readonly { readonly offset: number; readonly message: string }[];
}

// The parser's steps are taken one by one, because its last step recurses: what is nested too deep must not reach it.
// Its own check for duplicate keys compares each key with all others, which large mappings make endless; ours does not.
function compose(text: string, lines: LineCounter): Composed {
  lines.addNewLine(0);
  const parser = new Parser(lines.addNewLine);
  const composer = new Composer({
    schema: 'core',
    resolveKnownTags: false,
    merge: false,
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: 'silent',
  });
  const documents: Document.Parsed[] = [];
  const margin = new MarginWatch();
  for (const lexeme of new Lexer().lex(text)) {
    if (margin.isBlurred(lexeme)) return { documents, failures: [{ offset: parser.offset, message: BLURRED }] };
    for (const token of parser.next(lexeme)) documents.push(...composer.next(token));
    if (parser.stack.length > MOST_LEVELS)
      return {
        documents,
        failures: [
          { offset: parser.offset, message: `expected a manifest, got a document that nests more than ${MOST_LEVELS} levels deep` },
        ],
      };
  }
  for (const token of parser.end()) documents.push(...composer.next(token));
  documents.push(...composer.end());
  // Errors behind the last document, or in a text that has none, belong to no document.
  const stray = composer.streamInfo().errors.slice(0, 1);
  return { documents, failures: stray.map(({ pos, message }) => ({ offset: pos[0], message: `expected YAML or JSON: ${message}` })) };
}

function hintFor(text: string, offset: number): string | undefined {
  const around = text.slice(Math.max(0, offset - 200), offset + 200);
  return around.includes('{{') ? 'this looks like a template: render it first, e.g. helm template CHART | binauthz check -f -' : undefined;
}

interface Content {
  readonly value: unknown;
  readonly root: Node;
  readonly lineAt: (offset: number) => number;
}

function documentOf(file: string, { value, root, lineAt }: Content): YamlDocument {
  const places = new Places(root);
  return { file, value, line: lineAt(places.offsetOf([])), lineOf: (path) => lineAt(places.offsetOf(path)) };
}
