// SPDX-License-Identifier: Apache-2.0
// A newcomer's first hour, docs/FIRST-HOUR.md, walked from a clone of what is here: its blocks in order, in one shell's place,
// with the programs that it names and no others. `BINAUTHZ_FIRST_HOUR=print` prints how long each step took.
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { existsSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { addProgram, makeMachine, removeMachines, runJob } from '../support/circleci.js';
import { readMarkdown, type Block } from '../support/doc-blocks.js';
import { workflowProblems } from '../support/language-service.js';
import { runningNode } from '../support/nodes.js';
import { expandConfig, expandJob, packOrb, ROOT, type Config } from '../support/orb.js';
import { run, type Ended } from '../support/spawn.js';
import { found } from '../support/tools.js';

const page = readFileSync(join(ROOT, 'docs/FIRST-HOUR.md'), 'utf8');
const { blocks } = readMarkdown(page);
const CLONED = /^git clone (\S+)/m.exec(page)?.[1] ?? '';
/** What the page asks for, and what of a plain system its commands use. */
const PROGRAMS = 'bash cat curl cut dirname env git grep mktemp node npm rm sed sh sha256sum sleep touch'.split(' ');
/** Why there is nothing to walk, or nobody who could. */
const lacking = [
  ...(existsSync(join(ROOT, '.git')) ? [] : ['this is no clone']),
  ...PROGRAMS.filter((program) => program !== 'node' && !found(program)).map((program) => `${program} is not on the PATH`),
];
const canWalk = lacking.length === 0;
const title = (what: string): string => (canWalk ? what : `${what} (skipped: ${lacking.join(', ')})`);

let folder: string;
let walked: string;
/** Seconds by step. */
const took = new Map<string, number>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'binauthz-hour-'));
  walked = join(folder, 'walk');
  await Promise.all(['walk', 'home', 'bin', 'node'].map((name) => mkdir(join(folder, name))));
  if (!canWalk) return;
  await Promise.all(PROGRAMS.map((program) => symlink(pathOf(program), join(folder, 'bin', program))));
  await symlink(runningNode.path, join(folder, 'node/node'));
  await publish(join(folder, 'origin'));
});
afterAll(async () => {
  const pid = /^BINAUTHZ_EMULATOR_PID=(\d+)$/m.exec(await written('stage.txt'))?.[1];
  try {
    if (pid !== undefined) process.kill(Number(pid));
  } catch {
    // The page has stopped it.
  }
  await removeMachines();
  await rm(folder, { recursive: true, force: true });
  if (process.env['BINAUTHZ_FIRST_HOUR'] === 'print')
    for (const [step, seconds] of took) process.stdout.write(`${seconds.toFixed(1).padStart(6)} s  ${step}\n`);
});

function pathOf(program: string): string {
  if (program === 'node') return runningNode.path;
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((one) => !one.includes('node_modules'));
  const path = folders.map((one) => join(one, program)).find((one) => existsSync(one));
  if (path === undefined) throw new Error(`${program} is not on the PATH`);
  return path;
}

/** What is in the working tree, committed or not, as a repository that can be cloned. */
async function publish(origin: string): Promise<void> {
  const git = async (cwd: string, ...words: string[]): Promise<string> => {
    const { code, stdout, stderr } = await run('git', ['-c', 'safe.directory=*', ...words], { cwd });
    if (code !== 0) throw new Error(`git ${words.join(' ')}: ${stderr}`);
    return stdout;
  };
  const files = (await git(ROOT, 'ls-files', '-z', '--cached', '--others', '--exclude-standard')).split('\0').filter(Boolean);
  for (const file of files.filter((one) => existsSync(join(ROOT, one)))) {
    await mkdir(dirname(join(origin, file)), { recursive: true });
    await cp(join(ROOT, file), join(origin, file));
  }
  await git(origin, 'init', '--quiet');
  await git(origin, 'add', '--all', '--force');
  await git(origin, '-c', 'user.name=walker', '-c', 'user.email=walker@example.com', 'commit', '--quiet', '--message', 'all of it');
}

/** For `npm cit`, which would run this very test: what it installs is here already. */
async function standIn({ text }: Block): Promise<void> {
  const { scripts } = JSON.parse(await readFile(join(walked, 'binauthz/package.json'), 'utf8')) as { scripts: Record<string, string> };
  expect([text, scripts['test']]).toEqual(['npm cit\n', 'vitest run']);
  await symlink(join(ROOT, 'node_modules'), join(walked, 'binauthz/node_modules'));
}

/** A file beside the clone. */
function written(file: string): Promise<string> {
  return readFile(join(walked, file), 'utf8').catch(() => '');
}

/** A block of the page, where the one before it has left off. */
async function play({ text, directions }: Block): Promise<Ended> {
  const file = directions.get('file');
  if (file !== undefined) {
    const path = join(walked, 'binauthz', file);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
    return { code: 0, signal: null, stdout: '', stderr: '' };
  }
  const state = join(folder, 'state.sh');
  // Into files: what stays in the background would hold pipes open for ever.
  const out = [1, 2].map((stream) => join(folder, `stream-${stream}`));
  const lines = [
    `exec </dev/null >${out[0]} 2>${out[1]}`,
    `if [ -f ${state} ]; then . ${state}; cd "$PWD"; fi`,
    text,
    `export -p > ${state}`,
  ];
  const ended = await run('/bin/bash', ['--norc', '-euo', 'pipefail', '-c', lines.join('\n')], {
    cwd: walked,
    env: {
      HOME: join(folder, 'home'),
      TMPDIR: folder,
      ...(existsSync(state) ? {} : cloningFrom(join(folder, 'origin'))),
      PATH: join(folder, directions.get('path') === 'node' ? 'node' : 'bin'),
    },
  });
  const [stdout = '', stderr = ''] = await Promise.all(out.map((file) => readFile(file, 'utf8')));
  return { ...ended, stdout, stderr };
}

/** Sends git to a folder instead of the address that the page has. */
function cloningFrom(origin: string): Readonly<Record<string, string>> {
  return { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: `url.file://${origin}.insteadOf`, GIT_CONFIG_VALUE_0: CLONED };
}

const stepOf = ({ line }: Block): string =>
  page
    .split('\n')
    .slice(0, line)
    .findLast((one) => one.startsWith('## '))
    ?.slice(3) ?? '';
const plays = blocks.filter(({ language, directions }) => language === 'sh' || directions.has('file'));
const fileOf = (name: string): string => blocks.find(({ directions }) => directions.get('file')?.endsWith(name))?.text ?? '';

describe.skipIf(!canWalk)(title('the first hour'), () => {
  let isBroken = false;
  it.for(plays.map((block) => [stepOf(block), block.text.split('\n')[0] ?? '', block] as const))('%s: %s', async ([step, , block]) => {
    if (block.directions.get('played') === 'no') return standIn(block);
    expect(isBroken, 'a block before it failed').toBe(false);
    isBroken = true;
    const started = performance.now();
    const { code, stdout, stderr } = await play(block);
    expect(code, stdout + stderr).toBe(Number(block.directions.get('exits') ?? 0));
    took.set(step, (took.get(step) ?? 0) + (performance.now() - started) / 1000);
    isBroken = false;
  });

  it('has attested the image, as the job summary says', async () => {
    const image = /^image=(.+)$/m.exec(await written('stage.txt'))?.[1] ?? '';
    expect(image).toMatch(/@sha256:[0-9a-f]{64}$/);
    expect(await written('summary.md')).toContain(image.split('@')[1]);
    expect(await written('output.txt')).toContain(image);
  });
});

describe('the first workflow', () => {
  it('is valid, and attests what the README’s does', async () => {
    const workflow = fileOf('release.yml');
    expect(await workflowProblems(workflow)).toEqual([]);
    const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
    const shown = /<!-- example: action-kms -->\n```yaml\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
    const attested = (text: string) => {
      const { jobs } = parse(text) as { jobs: Record<string, { steps: { uses: string; with: Record<string, string> }[] }> };
      const { images, attestors, 'kms-keys': keys } = jobs['build']?.steps.find(({ uses }) => uses.includes('/binauthz@'))?.with ?? {};
      return { images, attestors, keys };
    };
    expect(attested(workflow)).toEqual(attested(shown));
  });
});

describe.skipIf(!canWalk)(title('the first orb configuration'), () => {
  it('expands with the packed orb, and its job attests', async () => {
    const orb = await packOrb();
    const config = parse(fileOf('config.yml'), { version: '1.1' }) as Config;
    expect(expandConfig(config, orb).map(({ name }) => name)).toEqual(['build', 'binauthz/attest']);
    const [, entry] = config.workflows?.['release']?.jobs ?? [];
    const { context, requires, use_oidc: oidc, ...args } = Object(entry)['binauthz/attest'] as Record<string, unknown>;
    expect([context, requires, oidc]).toEqual(['google-cloud', ['build'], true]);

    // The page has stopped its emulator. Of OIDC the emulator knows nothing: test/orb/oidc.test.ts does.
    await play(plays.find(({ text }) => text.includes('stage.sh')) as Block);
    const machine = await makeMachine();
    await addProgram(machine, 'binauthz', `exec '${runningNode.path}' '${join(walked, 'binauthz/dist/cli/index.js')}' "$@"`);
    const host = /^BINAUTHZ_EMULATOR_HOST=(.+)$/m.exec(await written('stage.txt'))?.[1] ?? '';
    const ended = await runJob(machine, expandJob(orb, 'attest', args).steps, { BINAUTHZ_EMULATOR_HOST: host, CIRCLE_SHA1: '1.2.3' });
    expect(ended.isGreen, ended.log).toBe(true);
    const result = await readFile(join(machine.artifacts, 'store_artifacts/binauthz/attest.json'), 'utf8');
    expect(JSON.parse(result)).toMatchObject({ attestations: [{ attestor: args['attestors'], status: 'created' }] });
  });
});
