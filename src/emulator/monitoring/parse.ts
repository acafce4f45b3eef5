// SPDX-License-Identifier: Apache-2.0
// How Cloud Monitoring refuses a value, and the kinds of values that its messages share.
import { ApiError, enumMember, isObject, stringMapMember, stringMember, type JsonObject } from '../wire.js';

/** `Field alert_policy.combiner had an invalid value of "X": why`. */
export function invalidField(field: string, value: unknown, why: string): ApiError {
  const shown = typeof value === 'string' ? value : JSON.stringify(value ?? '');
  return new ApiError('INVALID_ARGUMENT', `Field ${field} had an invalid value of "${shown}": ${why}.`);
}

/** A message, or undefined where it is absent. */
export function messageMember(object: JsonObject, member: string, at: string): JsonObject | undefined {
  const value = object[member];
  if (value === undefined || value === null) return undefined;
  if (!isObject(value)) throw new ApiError('INVALID_ARGUMENT', `Invalid value at '${at}' (message expected)`);
  return value;
}

/** The seconds of a duration such as `60s`, or undefined where it is absent. */
export function durationMember(object: JsonObject, member: string, at: string): number | undefined {
  const text = stringMember(object, member);
  if (text === '') return undefined;
  if (!/^\d+(\.\d{1,9})?s$/.test(text))
    throw new ApiError('INVALID_ARGUMENT', `Invalid value at '${at}' (Field 'duration'), Illegal duration format; "${text}"`);
  return Number(text.slice(0, -1));
}

/** A number, as JSON has it. */
export function numberMember(object: JsonObject, member: string, at: string): number {
  const value = object[member] ?? 0;
  if (typeof value !== 'number') throw new ApiError('INVALID_ARGUMENT', `Invalid value at '${at}' (TYPE_DOUBLE), ${JSON.stringify(value)}`);
  return value;
}

/** A name of an enum, by name or number, or undefined where it is absent or its zero. */
export function choiceMember(object: JsonObject, member: string, names: readonly string[], at: string): string | undefined {
  const [zero = ''] = names;
  const choice = enumMember(object[member], new Map(names.map((name, index) => [name, index])), at, zero);
  return choice === zero ? undefined : choice;
}

/** "The field can contain up to 64 entries": lower-case keys, values of at most 63 characters. */
export function userLabelsOf(object: JsonObject, at: string): JsonObject {
  const labels = stringMapMember(object, 'userLabels');
  if (Object.keys(labels).length > 64) throw invalidField(at, labels, 'at most 64 labels are allowed');
  for (const [key, value] of Object.entries(labels))
    if (!/^\p{Ll}[\p{Ll}\d_-]{0,62}$/u.test(key) || String(value).length > 63)
      throw invalidField(`${at}["${key}"]`, value, 'not a valid label');
  return labels;
}

/** Google's JSON leaves out what is absent or empty. */
export function present(members: JsonObject): JsonObject {
  const isEmpty = (value: unknown) =>
    value === undefined || value === '' || (typeof value === 'object' && value !== null && Object.keys(value).length === 0);
  return Object.fromEntries(Object.entries(members).filter(([, value]) => !isEmpty(value)));
}
