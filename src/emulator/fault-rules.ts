// SPDX-License-Identifier: Apache-2.0
// The fault document of `POST /_emulator/faults` and `--faults FILE`: what it may hold, and everything wrong with one.
import { ApiError, isObject, type JsonObject } from './wire.js';
import type { Settings } from './world.js';

const ACTIONS = ['status', 'reset-before', 'reset-after', 'truncate', 'corrupt', 'delay'] as const;
const DUPLICATES = ['identical', 'note-resource'] as const;
const DOCUMENT_MEMBERS = ['propagationDelayMs', 'duplicates', 'rules'];
const RULE_MEMBERS = ['id', 'method', 'path', 'after', 'times', 'do', 'status', 'headers', 'body', 'bytes', 'field', 'delayMs'];

/** One rule of the fault document, checked, with its defaults filled in. */
export interface FaultRule {
  readonly id: string;
  readonly method: RegExp;
  readonly path: RegExp;
  /** How many matches pass untouched before the rule acts. */
  readonly after: number;
  /** How often it acts; -1 is always. */
  readonly times: number;
  readonly do: (typeof ACTIONS)[number];
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly bytes: number;
  readonly field: string;
  readonly delayMs: number;
}

/** A checked fault document. A member that it leaves out takes the value with which the emulator was started. */
export interface FaultDocument {
  readonly propagationDelayMs?: number;
  readonly duplicates?: Settings['duplicates'];
  readonly rules: readonly FaultRule[];
}

/** Reads a fault document; INVALID_ARGUMENT lists everything that is wrong with it. */
export function parseFaults(input: unknown): FaultDocument {
  const issues: string[] = [];
  const document = isObject(input) ? input : {};
  if (!isObject(input)) issues.push('the fault document must be an object');
  unknownMembers(document, DOCUMENT_MEMBERS, '', issues);
  const propagationDelayMs = wholeNumber(document, 'propagationDelayMs', { least: 0, at: '', issues });
  const duplicates = oneOf(document['duplicates'], DUPLICATES, 'duplicates', issues);
  const list = document['rules'] ?? [];
  if (!Array.isArray(list)) issues.push('rules must be a list');
  const rules = Array.isArray(list) ? list.map((rule: unknown, index) => parseRule(rule, index, issues)) : [];
  if (issues.length > 0) throw new ApiError('INVALID_ARGUMENT', `Invalid faults: ${issues.join('; ')}`);
  return {
    ...(propagationDelayMs === undefined ? {} : { propagationDelayMs }),
    ...(duplicates === undefined ? {} : { duplicates }),
    rules,
  };
}

function parseRule(input: unknown, index: number, issues: string[]): FaultRule {
  const at = `rules[${index}]`;
  const rule = isObject(input) ? input : {};
  if (!isObject(input)) issues.push(`${at} must be an object`);
  unknownMembers(rule, RULE_MEMBERS, `${at}.`, issues);
  const number = (member: string, least: number, absent = 0) => wholeNumber(rule, member, { least, at: `${at}.`, issues }) ?? absent;
  const action = oneOf(rule['do'], ACTIONS, `${at}.do`, issues);
  if (action === undefined && rule['do'] === undefined) issues.push(`${at}.do is missing: one of ${ACTIONS.join(', ')}`);
  const parsed: FaultRule = {
    id: text(rule, 'id', at, issues) ?? `r${index + 1}`,
    method: pattern(rule, 'method', at, issues),
    path: pattern(rule, 'path', at, issues),
    after: number('after', 0),
    times: number('times', -1, 1),
    do: action ?? 'delay',
    status: number('status', 100),
    headers: headers(rule, at, issues),
    body: rule['body'],
    bytes: number('bytes', 0),
    field: text(rule, 'field', at, issues) ?? '',
    delayMs: number('delayMs', 0),
  };
  if (action !== undefined) requireParts(action, rule, at, issues);
  return parsed;
}

/** Each action needs a member of its own: a rule without it would silently do nothing. */
function requireParts(action: FaultRule['do'], rule: JsonObject, at: string, issues: string[]): void {
  const needed: Partial<Record<FaultRule['do'], string>> = { status: 'status', truncate: 'bytes', corrupt: 'field', delay: 'delayMs' };
  const member = needed[action];
  if (member !== undefined && rule[member] === undefined) issues.push(`${at}.${member} is missing: "do": "${action}" needs it`);
  const status = rule['status'];
  if (typeof status === 'number' && (status < 200 || status > 599))
    issues.push(`${at}.status must be an HTTP status from 200 to 599, not ${status}`);
}

function unknownMembers(object: JsonObject, known: readonly string[], prefix: string, issues: string[]): void {
  for (const member of Object.keys(object)) {
    if (!known.includes(member)) issues.push(`${prefix}${member} is unknown: expected ${known.join(', ')}`);
  }
}

function wholeNumber(object: JsonObject, member: string, rule: { least: number; at: string; issues: string[] }): number | undefined {
  const value = object[member];
  if (value === undefined) return undefined;
  if (typeof value === 'number' && Number.isInteger(value) && value >= rule.least) return value;
  rule.issues.push(`${rule.at}${member} must be a whole number of at least ${rule.least}, not ${JSON.stringify(value)}`);
  return undefined;
}

function oneOf<T extends string>(value: unknown, choices: readonly T[], at: string, issues: string[]): T | undefined {
  if (value === undefined) return undefined;
  const found = choices.find((choice) => choice === value);
  if (found === undefined) issues.push(`${at} must be one of ${choices.join(', ')}, not ${JSON.stringify(value)}`);
  return found;
}

function text(rule: JsonObject, member: string, at: string, issues: string[]): string | undefined {
  const value = rule[member];
  if (value === undefined || typeof value === 'string') return value;
  issues.push(`${at}.${member} must be a string, not ${JSON.stringify(value)}`);
  return undefined;
}

function pattern(rule: JsonObject, member: string, at: string, issues: string[]): RegExp {
  try {
    return new RegExp(text(rule, member, at, issues) ?? '');
  } catch (error) {
    issues.push(`${at}.${member} is not a regular expression: ${error instanceof Error ? error.message : String(error)}`);
    return /(?!)/;
  }
}

function headers(rule: JsonObject, at: string, issues: string[]): Record<string, string> {
  const value = rule['headers'] ?? {};
  const entries = isObject(value) ? Object.entries(value) : [];
  if (!isObject(value) || entries.some(([, entry]) => typeof entry !== 'string')) issues.push(`${at}.headers must be an object of strings`);
  try {
    return Object.fromEntries(new Headers(entries.map(([name, entry]) => [name, String(entry)])));
  } catch (error) {
    issues.push(`${at}.headers: ${error instanceof Error ? error.message : String(error)}`);
    return {};
  }
}
