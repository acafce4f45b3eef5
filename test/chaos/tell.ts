// SPDX-License-Identifier: Apache-2.0
import type { Violation } from './perform.js';
import type { Schedule } from './schedule.js';

/** Everything that is needed to look into a broken schedule: what broke, the schedule, and the command that repeats it. */
export function describeViolations(schedule: Schedule, violations: readonly Violation[]): string {
  return [
    `VIOLATION with seed ${schedule.seed}`,
    ...violations.map(({ invariant, run, what }) => `  ${invariant} (${run} run): ${what}`),
    `  schedule: ${JSON.stringify(schedule)}`,
    `  replay:   npm run chaos -- --seed ${schedule.seed} --schedules 1`,
  ].join('\n');
}
