// SPDX-License-Identifier: Apache-2.0
// Shows that the suite sees mistakes: applies each patch of this folder to a copy of the tree, runs the tests that the
// patch names, and demands that one fails. `node test/mutations/run.mjs [NAME…]`; exit 1 if a mutant survives, a patch
// does not apply, or the tests fail without it.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';

const HERE = import.meta.dirname;
const ROOT = resolve(HERE, '../..');
const COPIED = ['src', 'test', 'package.json', 'tsconfig.json', 'vitest.config.mts'];
// The generated cases are the same in every run, so that a patch is caught today if it was yesterday.
const SEED = '20260101';

/** A patch with what its head says: `Mutation: TITLE` and `Tests: FILE…`. */
function read(file) {
  const text = readFileSync(join(HERE, file), 'utf8');
  const head = (name) => new RegExp(`^${name}: (.+)$`, 'm').exec(text)?.[1] ?? '';
  return { file, name: basename(file, '.patch'), title: head('Mutation'), tests: head('Tests').split(' ').filter(Boolean) };
}

function copyOfTree() {
  const folder = mkdtempSync(join(tmpdir(), 'binauthz-mutations-'));
  for (const entry of COPIED) cpSync(join(ROOT, entry), join(folder, entry), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

function apply(folder, file, ...options) {
  // Outside of any repository, so that git looks at nothing but the patch and the files.
  const env = { ...process.env, GIT_CEILING_DIRECTORIES: tmpdir() };
  const { status, stderr, error } = spawnSync('git', ['apply', '--recount', ...options, join(HERE, file)], {
    cwd: folder,
    env,
    encoding: 'utf8',
  });
  return status === 0 ? '' : (error?.message ?? stderr).trim();
}

/** Runs test files; only failed assertions count, not files that could not be loaded. */
function run(folder, tests) {
  const report = join(folder, 'report.json');
  rmSync(report, { force: true });
  const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
  const args = [vitest, 'run', '--reporter=json', `--outputFile=${report}`, ...tests];
  const { stderr } = spawnSync(process.execPath, args, { cwd: folder, env: { ...process.env, BINAUTHZ_START: SEED }, encoding: 'utf8' });
  try {
    const { numFailedTests, numPassedTests, testResults } = JSON.parse(readFileSync(report, 'utf8'));
    const broken = testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0);
    return {
      failed: numFailedTests,
      passed: numPassedTests,
      broken: broken.map((file) => `${basename(file.name)}: ${file.message}`).join('; '),
    };
  } catch {
    return { failed: 0, passed: 0, broken: stderr.trim().split('\n')[0] || 'vitest wrote no report' };
  }
}

function judge(folder, { file, tests }) {
  if (tests.length === 0) return { ok: false, said: 'names no tests' };
  const refused = apply(folder, file);
  if (refused) return { ok: false, said: `does not apply: ${refused.split('\n')[0]}` };
  try {
    const { failed, passed, broken } = run(folder, tests);
    if (broken) return { ok: false, said: `breaks the tests instead of failing them: ${broken.split('\n')[0]}` };
    return failed > 0
      ? { ok: true, said: `caught by ${failed} of ${failed + passed} tests` }
      : { ok: false, said: `SURVIVED ${passed} tests` };
  } finally {
    const stuck = apply(folder, file, '--reverse');
    if (stuck) throw new Error(`${file} cannot be taken back: ${stuck}`);
  }
}

const wanted = process.argv.slice(2);
const patches = readdirSync(HERE)
  .filter((file) => file.endsWith('.patch'))
  .sort()
  .map(read)
  .filter(({ name }) => wanted.length === 0 || wanted.includes(name));
const folder = copyOfTree();
try {
  const tests = [...new Set(patches.flatMap((patch) => patch.tests))];
  const clean = run(folder, tests);
  const isClean = clean.failed === 0 && clean.passed > 0 && clean.broken === '';
  const lines = patches.map((patch) => ({ ...patch, ...judge(folder, patch) }));
  const width = Math.max(0, ...lines.map(({ title }) => title.length));
  process.stdout.write(
    `${isClean ? 'ok  ' : 'FAIL'}  ${'(no mutation)'.padEnd(width)}  ${clean.passed} tests pass, ${clean.failed} fail ${clean.broken}\n`,
  );
  for (const { ok, title, said } of lines) process.stdout.write(`${ok ? 'ok  ' : 'FAIL'}  ${title.padEnd(width)}  ${said}\n`);
  process.exitCode = isClean && lines.length > 0 && lines.every(({ ok }) => ok) ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
