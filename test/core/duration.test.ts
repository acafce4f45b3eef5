// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { formatAge, formatDuration, parseDuration } from '../../src/core/duration.js';

describe('a duration as options take it', () => {
  it.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['0s', 0],
    ['1.5m', 90_000],
    ['0.25s', 250],
    ['1.001s', 1_001],
    ['1.4ms', 1],
    ['24h', 86_400_000],
    ['30d', 2_592_000_000],
    ['999999999ms', 999_999_999],
  ])('%s is %i ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each([
    '',
    '5',
    's',
    '-5s',
    '5 s',
    '5S',
    '1e3s',
    '5m30s',
    'soon',
    '٥s',
    '5x',
    '5s ',
    ' 5s',
    '.5s',
    '5.s',
    '5,5s',
    '1x5s',
    '1.0001s',
    '1.xs',
    '1000000000ms',
  ])('%j is none', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });
});

describe('a duration as a person reads it', () => {
  it.each([
    [0, '0 ms'],
    [12.4, '12 ms'],
    [999, '999 ms'],
    [1_000, '1.0 s'],
    [2_440, '2.4 s'],
    [59_900, '59.9 s'],
    [60_000, '1 min'],
    [90_000, '1.5 min'],
    [7_200_000, '120 min'],
  ])('%d ms reads %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  it.each([
    [2_440, '2.4 s'],
    [3_599_999, '60 min'],
    [3_600_000, '1 h'],
    [5_400_000, '1.5 h'],
    [172_799_999, '48 h'],
    [172_800_000, '2 days'],
    [1_080_000_000, '12.5 days'],
  ])('as an age, %d ms reads %s', (ms, text) => {
    expect(formatAge(ms)).toBe(text);
  });
});
