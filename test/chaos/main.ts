// SPDX-License-Identifier: Apache-2.0
// `npm run chaos -- --schedules N [--seed S] [--jobs J]`: plays the schedules of the seeds S to S + N - 1, in so many
// processes; exit 1 on a violation.
import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';
import { Theatre } from './perform.js';
import type { Product } from './product.js';
import { scheduleOf } from './schedule.js';
import { describeViolations } from './tell.js';

/** What the runner has of its process. */
export interface Surroundings {
  readonly say: (line: string) => void;
  /** What is played with; the product in this process unless given. */
  readonly product?: Product;
}

/** Plays them and tells about it; the exit status. */
export async function main(argv: readonly string[], { say, product }: Surroundings): Promise<number> {
  const { schedules, first, jobs } = readOptions(argv);
  if (jobs > 1) return inProcesses(jobs, { schedules, first });
  say(`${schedules} schedules from seed ${first}`);
  const theatre = await Theatre.open();
  const endings = new Map<string, number>();
  const startedAt = Date.now();
  let broken = 0;
  for (let seed = first; seed < first + schedules; seed++) {
    const schedule = scheduleOf(seed);
    const { violations, status } = await theatre.perform(schedule, product);
    const ending = `${schedule.host === 'dist' ? 'dist: ' : ''}${status ?? 'killed'}`;
    endings.set(ending, (endings.get(ending) ?? 0) + 1);
    if (violations.length > 0) {
      broken += 1;
      say(describeViolations(schedule, violations));
    }
    if ((seed - first + 1) % 1_000 === 0) say(`${seed - first + 1} played, ${broken} with violations, ${seconds(startedAt)} s`);
  }
  await theatre.close();
  const byEnding = [...endings].sort().map(([ending, count]) => `${ending} × ${count}`);
  say(`First runs by exit code: ${byEnding.join(', ')}`);
  say(`${schedules} schedules, seeds ${first} to ${first + schedules - 1}, ${broken} with violations, ${seconds(startedAt)} s`);
  return broken === 0 ? 0 : 1;
}

interface Range {
  readonly schedules: number;
  readonly first: number;
}

async function inProcesses(jobs: number, { schedules, first }: Range): Promise<number> {
  const each = Math.ceil(schedules / jobs);
  const statuses = Array.from({ length: jobs }, (_, index) => {
    const mine = Math.min(each, schedules - index * each);
    return mine > 0 ? playElsewhere({ schedules: mine, first: first + index * each }) : Promise.resolve(0);
  });
  return Math.max(...(await Promise.all(statuses)));
}

function playElsewhere({ schedules, first }: Range): Promise<number> {
  const script = process.argv[1] ?? '';
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, '--schedules', String(schedules), '--seed', String(first)], { stdio: 'inherit' });
    child.on('error', reject);
    child.on('close', (status) => resolve(status ?? 1));
  });
}

function readOptions(argv: readonly string[]): Range & { readonly jobs: number } {
  const { values } = parseArgs({
    args: [...argv],
    options: { schedules: { type: 'string', default: '100' }, seed: { type: 'string' }, jobs: { type: 'string', default: '1' } },
  });
  return {
    schedules: wholeNumber('schedules', values.schedules),
    jobs: wholeNumber('jobs', values.jobs),
    // Other schedules every time; the seed is printed.
    first: wholeNumber('seed', values.seed ?? String(Math.floor(Math.random() * 1e9))),
  };
}

function seconds(since: number): string {
  return ((Date.now() - since) / 1000).toFixed(1);
}

function wholeNumber(option: string, text: string): number {
  const number = Number(text);
  if (text.trim() === '' || !Number.isSafeInteger(number) || number < 0) throw new Error(`--${option} expects a whole number, got ${text}`);
  return number;
}
