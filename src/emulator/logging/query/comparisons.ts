// SPDX-License-Identifier: Apache-2.0
// One comparison of a field with a value, as the field's type has it. The value is converted to that type first; where
// that fails, the comparison fails, whatever its operator.
import { isObject } from '../../wire.js';
import { SEVERITIES, type Field } from './fields.js';
import { compilePattern } from './pattern.js';
import { fold, Haystack, type Test } from './texts.js';
import { instantOf, secondsOf } from './times.js';
import { invalidFilter } from './tokens.js';

export const OPERATORS = ['=', '!=', '<', '<=', '>', '>=', ':', '=~', '!~'] as const;
export type Operator = (typeof OPERATORS)[number];

/** The right side of a comparison. */
export interface Operand {
  readonly text: string;
  /** In quotes it is a text, whatever it looks like. */
  readonly isQuoted: boolean;
}

type Matches = (value: unknown) => boolean;

/** The comparison as a test of an entry; INVALID_ARGUMENT where the field cannot be compared like that. */
export function compare(field: Field, operator: Operator, operand: Operand): Test {
  if (operator === ':' && operand.text === '*' && !operand.isQuoted) return ({ entry }) => field.read(entry).length > 0;
  if (field.type === undefined) return contains(field, operator, operand);
  const matches = operator === '=~' || operator === '!~' ? searches(field, operator, operand) : matcher(field, operator, operand);
  const fallback = defaultOf(field);
  return ({ entry }) => {
    const values = field.read(entry);
    return values.length === 0 ? fallback !== undefined && matches(fallback) : values.some(matches);
  };
}

/** A field that holds others has only what is somewhere in it. */
function contains(field: Field, operator: Operator, { text }: Operand): Test {
  if (operator !== ':') throw invalidFilter(`field '${field.path}' cannot be compared by '${operator}'`);
  const folded = fold(text);
  return ({ entry }) => field.read(entry).some((part) => new Haystack(part, field.areKeysData).has(folded));
}

/** Fields of LogEntry itself compare by their default where they are absent; payloads and labels are just missing. */
function defaultOf({ type }: Field): string | number | boolean | undefined {
  if (type === undefined || type === 'dynamic') return undefined;
  return { string: '', bool: false, integer: 0, severity: 'DEFAULT', timestamp: '1970-01-01T00:00:00Z', duration: '0s' }[type];
}

function searches(field: Field, operator: '=~' | '!~', { text, isQuoted }: Operand): Matches {
  if (!isQuoted) throw invalidFilter(`the pattern after '${operator}' must be quoted`);
  if (field.type !== 'string' && field.type !== 'dynamic') throw invalidFilter(`field '${field.path}' is no text: '${operator}' needs one`);
  const pattern = compilePattern(text);
  return (value) => typeof value === 'string' && pattern.test(value) === (operator === '=~');
}

function matcher({ type, areKeysData }: Field, operator: Operator, operand: Operand): Matches {
  if (type === 'string') return text(operator, operand.text);
  if (type === 'dynamic') return byValue(operator, operand, areKeysData);
  const convert = { bool: truth, integer: whole, severity, timestamp: instantOf, duration: secondsOf }[type ?? 'bool'];
  return ordered<number | string>(operator, convert, operand.text);
}

/** In payloads the value itself says what type it has. */
function byValue(operator: Operator, operand: Operand, areKeysData: boolean): Matches {
  const ofText = text(operator, operand.text);
  const ofNumber = ordered(operator, number, operand.text);
  const ofTruth = ordered(operator, truth, operand.text);
  const isNull = operand.text === 'NULL_VALUE' && !operand.isQuoted;
  const folded = fold(operand.text);
  return (value) => {
    if (typeof value === 'string') return ofText(value);
    if (typeof value === 'number') return ofNumber(String(value));
    if (typeof value === 'boolean') return ofTruth(String(value));
    if (value === null) return isNull && operator === '=';
    return operator === ':' && isObject(value) && new Haystack(value, areKeysData).has(folded);
  };
}

function text(operator: Operator, operand: string): Matches {
  const wanted = fold(operand);
  if (operator === ':') return (value) => typeof value === 'string' && fold(value).includes(wanted);
  const holds = inOrder(operator);
  return (value) => typeof value === 'string' && holds(order(fold(value), wanted));
}

function ordered<T extends number | string>(operator: Operator, convert: (text: string) => T | undefined, operand: string): Matches {
  const wanted = convert(operand);
  if (wanted === undefined) return () => false;
  const holds = inOrder(operator === ':' ? '=' : operator);
  return (value) => {
    const found = convert(String(value));
    return found !== undefined && holds(order(found, wanted));
  };
}

function order<T extends number | string>(one: T, other: T): number {
  return one === other ? 0 : one < other ? -1 : 1;
}

function inOrder(operator: Operator): (order: number) => boolean {
  switch (operator) {
    case '!=':
      return (found) => found !== 0;
    case '<':
      return (found) => found < 0;
    case '<=':
      return (found) => found <= 0;
    case '>':
      return (found) => found > 0;
    case '>=':
      return (found) => found >= 0;
    default:
      return (found) => found === 0;
  }
}

function truth(text: string): number | undefined {
  const found = ['false', 'true'].indexOf(text.toLowerCase());
  return found < 0 ? undefined : found;
}

function number(text: string): number | undefined {
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return Number(text);
  return /^-?infinity$/i.test(text) ? Number(text.replace(/i/i, 'I')) : undefined;
}

function whole(text: string): number | undefined {
  return /^[+-]?\d+$/.test(text) ? Number(text) : undefined;
}

function severity(text: string): number | undefined {
  return SEVERITIES.get(text.toUpperCase()) ?? whole(text);
}
