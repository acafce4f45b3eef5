// SPDX-License-Identifier: Apache-2.0
// npm run bench -- [--only NAME]... [--json FILE]: measures the shipped dist and prints a table. It never judges the
// build: a target that is missed is marked, and the exit status is 0.
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { BENCHMARKS } from './benchmarks.mjs';

const { values } = parseArgs({ options: { only: { type: 'string', multiple: true }, json: { type: 'string' } } });
const names = values.only ?? Object.keys(BENCHMARKS);
const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, Node ${process.version}`;
console.log(`${machine}\n\n| what | figure | target | met |\n|---|---|---|---|`);
const results = [];
for (const name of names) {
  const bench = BENCHMARKS[name];
  if (!bench) throw new Error(`no benchmark ${name}; there are ${Object.keys(BENCHMARKS).join(', ')}`);
  for (const row of await bench()) {
    results.push({ name, ...row });
    console.log(`| ${row.what} | ${row.figure} | ${row.target} | ${row.met ? 'yes' : '**no**'} |`);
  }
}
if (values.json) writeFileSync(values.json, `${JSON.stringify({ machine, results }, null, 2)}\n`);
