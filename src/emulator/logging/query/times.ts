// SPDX-License-Identifier: Apache-2.0
// Times to the nanosecond, in a form in which the order of texts is the order of times.

const RFC_3339 = /^(\d{4}-\d{2}-\d{2})(?:[Tt ](\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?([Zz]|[+-]\d{2}:\d{2}))?$/;

/**
 * `2024-01-31T12:00:00+01:00` → `2024-01-31T11:00:00.000000000Z`. A date alone is its midnight in UTC. Undefined where
 * the text is no time.
 */
export function instantOf(text: string): string | undefined {
  const [, date, time = '00:00:00', fraction = '', zone = 'Z'] = RFC_3339.exec(text) ?? [];
  if (date === undefined) return undefined;
  const millis = Date.parse(`${date}T${time}${zone.toUpperCase()}`);
  // A day that the month does not have rolls over to the next in some engines.
  if (Number.isNaN(millis) || !Date.parse(`${date}T00:00:00Z`) || new Date(`${date}T00:00:00Z`).toISOString().slice(0, 10) !== date)
    return undefined;
  return `${new Date(millis).toISOString().slice(0, 19)}.${fraction.padEnd(9, '0')}Z`;
}

/** An instant as Google's JSON shows it: with as many digits as needed, in threes. */
export function shown(instant: string): string {
  const fraction = instant.slice(20, 29).replace(/(?:000){1,3}$/, '');
  return `${instant.slice(0, 19)}${fraction === '' ? '' : `.${fraction}`}Z`;
}

const UNITS: Readonly<Record<string, number>> = { ns: 1e-9, us: 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600 };

/** A duration such as `3.2s` or `100ms` in seconds; undefined where the text is none. */
export function secondsOf(text: string): number | undefined {
  const [, number, unit = ''] = /^([+-]?\d+(?:\.\d+)?)(ns|us|ms|s|m|h)$/.exec(text) ?? [];
  const factor = UNITS[unit];
  return number === undefined || factor === undefined ? undefined : Number(number) * factor;
}
