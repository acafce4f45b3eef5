// SPDX-License-Identifier: Apache-2.0
// From a filter in the Logging query language to the test that it stands for
// (https://cloud.google.com/logging/docs/view/logging-query-language). NOT binds tightest, then OR, then AND, which may
// be left out. What cannot be read is refused; nothing is skipped.
import { compare, OPERATORS, type Operator } from './comparisons.js';
import { fieldAt, SEVERITIES, type Field } from './fields.js';
import { callFunction, type Argument } from './functions.js';
import { fold, type Test } from './texts.js';
import { invalidFilter, syntaxError, tokenize, type Token } from './tokens.js';

/** Deeper nesting than this is an attack on the stack, not a filter. */
const DEEPEST = 50;
const KEYWORDS: ReadonlySet<string> = new Set(['AND', 'OR', 'NOT']);
const SEGMENT = /^[A-Za-z0-9_@-]+$/;

/** The test that a filter stands for; an empty filter lets everything pass; INVALID_ARGUMENT for a wrong one. */
export function compileFilter(filter: string): Test {
  const tokens = tokenize(filter);
  return tokens.length === 1 ? () => true : new Parser(filter, tokens).parse();
}

/** The field that a path alone names, such as `labels."a.b"`; INVALID_ARGUMENT for anything else. */
export function fieldOf(path: string): Field {
  return new Parser(path, tokenize(path)).parseField();
}

/** What stands where a term is expected: a restriction, or within the parentheses of a comparison a bare value. */
type Leaf = () => Test;

class Parser {
  private position = 0;
  private depth = 0;

  constructor(
    private readonly filter: string,
    private readonly tokens: readonly Token[],
  ) {}

  parse(): Test {
    const test = this.conjunction(() => this.restriction());
    if (this.peek().kind !== 'end') throw this.unexpected();
    return test;
  }

  parseField(): Field {
    const token = this.peek();
    if (token.kind !== 'word') throw this.unexpected();
    const path = this.requirePath(this.path(), token);
    if (this.peek().kind !== 'end') throw this.unexpected();
    return fieldAt(path);
  }

  private conjunction(leaf: Leaf): Test {
    const tests = [this.disjunction(leaf)];
    while (this.peek().kind !== 'end' && !this.at('sign', ')')) {
      this.take('word', 'AND');
      tests.push(this.disjunction(leaf));
    }
    const [only] = tests;
    return tests.length === 1 && only ? only : (entry) => tests.every((test) => test(entry));
  }

  private disjunction(leaf: Leaf): Test {
    const tests = [this.term(leaf)];
    while (this.take('word', 'OR')) tests.push(this.term(leaf));
    const [only] = tests;
    return tests.length === 1 && only ? only : (entry) => tests.some((test) => test(entry));
  }

  private term(leaf: Leaf): Test {
    const isMinus = this.at('sign', '-');
    if (!isMinus && !this.at('word', 'NOT')) return this.simple(leaf);
    this.position += 1;
    if (isMinus && !this.peek().glued) throw this.unexpected();
    const test = this.simple(leaf);
    return (entry) => !test(entry);
  }

  private simple(leaf: Leaf): Test {
    if (!this.take('sign', '(')) return leaf();
    this.depth += 1;
    if (this.depth > DEEPEST) throw invalidFilter('nested too deeply');
    const test = this.conjunction(leaf);
    this.depth -= 1;
    this.expect(')');
    return test;
  }

  private restriction(): Test {
    const start = this.position;
    const token = this.peek();
    const path = token.kind === 'word' && !KEYWORDS.has(token.value) ? this.path() : undefined;
    if (path && this.at('sign', '(') && this.peek().glued) return callFunction(token.value, this.args());
    const operator = path && this.operator();
    if (path && operator) return this.comparison(this.requirePath(path, token), operator);
    if (this.position > start + 1) throw this.unexpected();
    this.position = start;
    return anywhere(this.value());
  }

  private comparison(path: readonly string[], operator: Operator): Test {
    const field = fieldAt(path);
    if (operator === ':' && this.take('word', '*')) return compare(field, ':', { text: '*', isQuoted: false });
    const leaf = () => {
      const isQuoted = this.peek().kind === 'text';
      return compare(field, operator, { text: this.value(), isQuoted });
    };
    if (this.at('sign', '(')) return this.simple(leaf);
    // Here, unlike before a term, a minus can only be that of a number.
    return this.take('sign', '-') ? this.negative((text) => compare(field, operator, { text, isQuoted: false })) : leaf();
  }

  private negative(test: (text: string) => Test): Test {
    const number = this.peek();
    if (!number.glued || !/^[\d.]/.test(number.value)) throw this.unexpected();
    this.position += 1;
    return test(`-${number.value}`);
  }

  /** The segments of a path, or of what may turn out to be a bare value: `labels."a.b".c`. */
  private path(): string[] {
    let text = this.peek().value;
    const segments = text.split('.');
    this.position += 1;
    while (this.peek().glued && this.peek().kind === (text.endsWith('.') ? 'text' : 'word')) {
      const token = this.peek();
      if (token.kind === 'text') segments.splice(-1, 1, `"${token.value}`);
      else if (token.value.startsWith('.')) segments.push(...token.value.slice(1).split('.'));
      else throw this.unexpected();
      text = token.kind === 'text' ? '"' : token.value;
      this.position += 1;
    }
    return segments;
  }

  /** Unquoted segments have no special characters; quoted ones were marked by the quote that they begin with. */
  private requirePath(segments: readonly string[], at: Token): string[] {
    return segments.map((segment) => {
      if (segment.startsWith('"')) return segment.slice(1);
      if (!SEGMENT.test(segment)) throw syntaxError(this.filter, at);
      return segment;
    });
  }

  private operator(): Operator | undefined {
    const { kind, value } = this.peek();
    const operator = kind === 'sign' ? OPERATORS.find((candidate) => candidate === value) : undefined;
    if (operator !== undefined) this.position += 1;
    return operator;
  }

  private value(): string {
    const token = this.peek();
    if (token.kind === 'word' && (KEYWORDS.has(token.value) || /^[+.]|\*/.test(token.value))) throw this.unexpected();
    if (token.kind !== 'word' && token.kind !== 'text') throw this.unexpected();
    this.position += 1;
    return token.value;
  }

  private args(): Argument[] {
    const args: Argument[] = [];
    this.expect('(');
    while (!this.at('sign', ')')) {
      if (args.length > 0) this.expect(',');
      args.push(this.argument());
    }
    this.expect(')');
    return args;
  }

  /** A bare word before a comma names a field; otherwise it is a value, as in `log_id(syslog)`. */
  private argument(): Argument {
    const token = this.peek();
    if (token.kind === 'text') return { text: this.value() };
    if (token.kind !== 'word') throw this.unexpected();
    const path = this.path();
    return this.at('sign', ',') ? { path: this.requirePath(path, token) } : { text: token.value };
  }

  private peek(): Token {
    const token = this.tokens[this.position];
    if (!token) throw new Error('the end of a filter is a token too');
    return token;
  }

  private at(kind: Token['kind'], value: string): boolean {
    const token = this.peek();
    return token.kind === kind && token.value === value;
  }

  private take(kind: Token['kind'], value: string): boolean {
    const found = this.at(kind, value);
    if (found) this.position += 1;
    return found;
  }

  private expect(sign: string): void {
    if (!this.take('sign', sign)) throw this.unexpected();
  }

  private unexpected(): Error {
    return syntaxError(this.filter, this.peek());
  }
}

/** A value without a field is looked for in every one. */
function anywhere(value: string): Test {
  const folded = fold(value);
  const severity = SEVERITIES.has(value.toUpperCase()) ? value.toUpperCase() : undefined;
  return ({ entry, haystack }) => haystack.has(folded) || (severity !== undefined && entry['severity'] === severity);
}
