// SPDX-License-Identifier: Apache-2.0
// Whole processes, timed one after the other and never side by side.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const CLI = join(import.meta.dirname, '..', 'dist', 'cli', 'index.js');

const folder = mkdtempSync(join(tmpdir(), 'binauthz-bench-'));
const hook = join(folder, 'peak.cjs');
const peakFile = join(folder, 'peak');
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
writeFileSync(
  hook,
  `process.on('exit', () => require('node:fs').writeFileSync(${JSON.stringify(peakFile)}, String(process.resourceUsage().maxRSS)));\n`,
);

/** Runs a program to its end: milliseconds of wall time, and its output. Fails loudly where it ends otherwise than expected. */
export function timed(command, args, { env = process.env, expect = 0 } = {}) {
  return new Promise((resolve, reject) => {
    const started = process.hrtime.bigint();
    const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const out = [];
    const err = [];
    child.stdout.on('data', (chunk) => out.push(chunk));
    child.stderr.on('data', (chunk) => err.push(chunk));
    child.on('error', reject);
    child.on('close', (code) => {
      const ms = Number(process.hrtime.bigint() - started) / 1e6;
      const stdout = Buffer.concat(out).toString();
      if (code === expect) resolve({ ms, stdout });
      else reject(new Error(`${command} ${args.slice(0, 3).join(' ')} … ended with ${code}:\n${stdout}\n${Buffer.concat(err)}`));
    });
  });
}

/** Runs the shipped command line: also the peak of its memory, in bytes. */
export async function binauthz(args, { env = process.env, expect = 0 } = {}) {
  const run = await timed(process.execPath, ['--require', hook, CLI, ...args], { env, expect });
  return { ...run, peakBytes: Number(readFileSync(peakFile, 'utf8')) * 1024 };
}

/**
 * Runs several things in turn, A B A B …, so that a machine whose speed drifts slows all of them. Milliseconds of each
 * run by name; the first round warms the caches and is not counted.
 */
export async function interleaved(things, rounds) {
  const times = Object.fromEntries(Object.keys(things).map((name) => [name, []]));
  for (let round = 0; round <= rounds; round += 1) {
    for (const [name, run] of Object.entries(things)) {
      const ms = await run(round);
      if (round > 0) times[name].push(ms);
    }
  }
  return times;
}

/** The median of pairwise ratios. */
export function ratio(above, below) {
  return median(above.map((value, index) => value / below[index]));
}

export function median(values) {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
