// SPDX-License-Identifier: Apache-2.0
import { afterEach, expect, test, vi } from 'vitest';
import { systemClock } from '../../src/hosts/clock.js';

afterEach(() => vi.restoreAllMocks());

test('tells the time', () => {
  expect(Math.abs(systemClock(new AbortController().signal).now() - Date.now())).toBeLessThan(60_000);
});

test('goes on where the machine\u2019s clock is set in the middle of a run', () => {
  const { now } = systemClock(new AbortController().signal);
  const before = now();
  vi.spyOn(Date, 'now').mockReturnValue(before - 3_600_000);
  const behind = now();
  vi.spyOn(Date, 'now').mockReturnValue(before + 3_600_000);
  const ahead = now();
  expect(behind).toBeGreaterThanOrEqual(before);
  expect(ahead - before).toBeLessThan(60_000);
});
