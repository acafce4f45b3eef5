// SPDX-License-Identifier: Apache-2.0
// Google's filter language (https://google.aip.dev/160) as its list methods take it: comparisons, functions, AND, OR,
// NOT, parentheses. OR binds tighter than AND, and two terms side by side are joined by AND. What is not understood is
// refused: a filter that silently matched everything, or nothing, would hide the mistake in it.
import { ApiError } from './wire.js';

/** A field that a filter may name. */
export interface FilterField<T> {
  readonly read: (item: T) => string;
  /** The only values that make sense, where the field is an enum. */
  readonly values?: ReadonlySet<string>;
}

/** What a list method understands. */
export interface FilterLanguage<T> {
  readonly fields: (name: string) => FilterField<T> | undefined;
  readonly operators: Readonly<Record<string, (value: string, operand: string) => boolean>>;
  readonly functions: Readonly<Record<string, (value: string, operand: string) => boolean>>;
}

type Test<T> = (item: T) => boolean;
type Token = { readonly kind: 'word' | 'text' | 'sign'; readonly value: string };

/** Deeper nesting than this is an attack on the stack, not a filter. */
const DEEPEST = 50;

/** The test that a filter stands for; an empty filter lets everything pass. */
export function compileFilter<T>(text: string, language: FilterLanguage<T>): Test<T> {
  const tokens = tokenize(text);
  return tokens.length === 0 ? () => true : new Parser(tokens, language).parse();
}

function refuse(why: string): ApiError {
  return new ApiError('INVALID_ARGUMENT', `Invalid filter: ${why}`);
}

function tokenize(text: string): Token[] {
  const pattern = /\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|(!=|<=|>=|[=:<>(),])|([^\s()"'=!:<>,]+))/y;
  const tokens: Token[] = [];
  const source = text.trimEnd();
  while (pattern.lastIndex < source.length) {
    const start = pattern.lastIndex;
    const found = pattern.exec(source);
    if (found === null) throw refuse(`unexpected character at position ${String(start + 1)}`);
    tokens.push(tokenOf(found));
  }
  return tokens;
}

function tokenOf([, double, single, sign, word]: RegExpExecArray): Token {
  const quoted = double ?? single;
  if (quoted !== undefined) return { kind: 'text', value: quoted.replace(/\\(.)/gs, '$1') };
  return sign === undefined ? { kind: 'word', value: word ?? '' } : { kind: 'sign', value: sign };
}

class Parser<T> {
  private position = 0;
  private depth = 0;

  constructor(
    private readonly tokens: readonly Token[],
    private readonly language: FilterLanguage<T>,
  ) {}

  parse(): Test<T> {
    const test = this.conjunction();
    const rest = this.tokens[this.position];
    if (rest) throw refuse(`unexpected "${rest.value}"`);
    return test;
  }

  private conjunction(): Test<T> {
    const tests = [this.disjunction()];
    while (this.position < this.tokens.length && !this.at('sign', ')')) {
      this.take('word', 'AND');
      tests.push(this.disjunction());
    }
    return (item) => tests.every((test) => test(item));
  }

  private disjunction(): Test<T> {
    const tests = [this.term()];
    while (this.take('word', 'OR')) tests.push(this.term());
    return (item) => tests.some((test) => test(item));
  }

  private term(): Test<T> {
    if (this.take('word', 'NOT') || this.take('word', '-')) return negate(this.simple());
    return this.simple();
  }

  private simple(): Test<T> {
    if (!this.take('sign', '(')) return this.restriction();
    this.depth += 1;
    if (this.depth > DEEPEST) throw refuse('nested too deeply');
    const test = this.conjunction();
    this.depth -= 1;
    this.expect(')');
    return test;
  }

  private restriction(): Test<T> {
    const name = this.next('word', 'a field name');
    if (name.startsWith('-')) return negate(this.comparison(name.slice(1)));
    return this.take('sign', '(') ? this.call(name) : this.comparison(name);
  }

  private comparison(name: string): Test<T> {
    const field = this.field(name);
    const sign = this.next('sign', `an operator after "${name}"`);
    const compare = own(this.language.operators, sign);
    if (!compare) throw refuse(`operator "${sign}" is not supported`);
    const operand = this.operand();
    if (field.values && !field.values.has(operand)) throw refuse(`"${operand}" is no value of "${name}"`);
    return (item) => compare(field.read(item), operand);
  }

  private call(name: string): Test<T> {
    const apply = own(this.language.functions, name);
    if (!apply) throw refuse(`function "${name}" is not supported`);
    const field = this.field(this.next('word', 'a field name'));
    this.expect(',');
    const operand = this.next('text', 'a quoted string');
    this.expect(')');
    return (item) => apply(field.read(item), operand);
  }

  private field(name: string): FilterField<T> {
    const field = this.language.fields(name);
    if (!field) throw refuse(`field "${name}" is not supported`);
    return field;
  }

  private operand(): string {
    const token = this.tokens[this.position];
    if (token === undefined || token.kind === 'sign') throw refuse('a value is missing');
    this.position += 1;
    return token.value;
  }

  private next(kind: Token['kind'], wanted: string): string {
    const token = this.tokens[this.position];
    if (token?.kind !== kind) throw refuse(`expected ${wanted}, found ${token ? `"${token.value}"` : 'the end'}`);
    this.position += 1;
    return token.value;
  }

  private expect(sign: string): void {
    if (!this.take('sign', sign)) throw refuse(`"${sign}" is missing`);
  }

  private at(kind: Token['kind'], value: string): boolean {
    const token = this.tokens[this.position];
    return token?.kind === kind && token.value === value;
  }

  private take(kind: Token['kind'], value: string): boolean {
    const found = this.at(kind, value);
    if (found) this.position += 1;
    return found;
  }
}

function negate<T>(test: Test<T>): Test<T> {
  return (item) => !test(item);
}

/** A member of the record itself, never of its prototype. */
function own<V>(record: Readonly<Record<string, V>>, name: string): V | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
