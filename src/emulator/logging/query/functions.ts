// SPDX-License-Identifier: Apache-2.0
// The functions of the query language. Those that are not carried out here are refused by name: a filter that let
// everything pass, or nothing, would hide it.
import { fieldAt } from './fields.js';
import { fold, Haystack, type Test } from './texts.js';
import { invalidFilter } from './tokens.js';

/** An argument: a path of a field, or a value. */
export type Argument = { readonly path: readonly string[] } | { readonly text: string };

/** A call of a function as a test of an entry. */
export function callFunction(name: string, args: readonly Argument[]): Test {
  switch (name.toLowerCase()) {
    case 'log_id':
      return logId(args);
    case 'search':
      return search(args);
    case 'sample':
    case 'ip_in_net':
    case 'cast':
    case 'regexp_extract':
    case 'source':
      throw invalidFilter(`function ${name} is not supported by this emulator`);
    default:
      throw invalidFilter(`unknown function: ${name}`);
  }
}

function logId(args: readonly Argument[]): Test {
  const [id, more] = args;
  if (id === undefined || more !== undefined || !('text' in id)) throw invalidFilter('log_id takes one value, the id of a log');
  const wanted = fold(id.text);
  return ({ entry }) => {
    const name = String(entry['logName']);
    return fold(decoded(name.slice(name.indexOf('/logs/') + '/logs/'.length))) === wanted;
  };
}

function decoded(id: string): string {
  try {
    return decodeURIComponent(id);
  } catch {
    return id;
  }
}

/** All tokens of the query are tokens of the entry, or of the field; a phrase in backticks is tokens side by side. */
function search(args: readonly Argument[]): Test {
  const query = args.at(-1);
  const [first] = args;
  if (first === undefined || query === undefined || args.length > 2 || !('text' in query))
    throw invalidFilter('SEARCH takes a query, or a field and a query');
  const phrases = phrasesOf(query.text);
  if (args.length === 1) return ({ haystack }) => includesAll(haystack, phrases);
  if (!('path' in first)) throw invalidFilter('SEARCH takes a field before its query');
  const field = fieldAt(first.path);
  return ({ entry }) => field.read(entry).some((part) => includesAll(new Haystack(part, field.areKeysData), phrases));
}

function includesAll(haystack: Haystack, phrases: readonly string[]): boolean {
  const texts = haystack.split().map((text) => ` ${tokensOf(text).join(' ')} `);
  return phrases.every((phrase) => texts.some((text) => text.includes(` ${phrase} `)));
}

function phrasesOf(query: string): string[] {
  return query
    .split('`')
    .flatMap((part, index) => (index % 2 === 1 ? [tokensOf(fold(part)).join(' ')] : tokensOf(fold(part))))
    .filter((phrase) => phrase !== '');
}

function tokensOf(text: string): string[] {
  return text.split(/[\s[\]<>(){}|!;,'"*&?+/:=@.\-$%\\_`]+/).filter((token) => token !== '');
}
