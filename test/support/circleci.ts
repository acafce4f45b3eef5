// SPDX-License-Identifier: Apache-2.0
// A job on CircleCI, as far as an orb sees it: steps that orb.ts expanded run for real under bash, with BASH_ENV, `when`,
// artifacts and the `circleci` program. Our model of it, not CircleCI itself.
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { DIST } from './cli.js';
import { anyNode } from './nodes.js';
import type { FlatStep } from './orb.js';
import { run } from './spawn.js';

/** A script as the only step, for tests of what a user's own step sees. */
export function scriptStep(command: string, keys: Readonly<Record<string, unknown>> = {}): FlatStep {
  return { type: 'run', keys: { command, ...keys } };
}

/** What a job may use; `binauthz` is the shipped one, as an image would bring it. */
export const PROGRAMS = [
  'bash',
  'cat',
  'chmod',
  'circleci',
  'curl',
  'dirname',
  'gzip',
  'mkdir',
  'mktemp',
  'mv',
  'node',
  'rm',
  'rmdir',
].concat(['sha256sum', 'tar', 'touch', 'tr']);
/** The same, with `binauthz` on PATH. */
export const INSTALLED: readonly string[] = [...PROGRAMS, 'binauthz'];

/** A job's machine, and its folders below `root`. */
export interface Machine {
  readonly root: string;
  readonly home: string;
  readonly tmp: string;
  readonly workspace: string;
  readonly bashEnv: string;
  readonly artifacts: string;
  /** What jobs of a workflow hand on; the jobs' machines share it. */
  readonly handedOn: string;
  /** One file per program: the words of every call. */
  readonly calls: string;
  readonly bin: string;
}

/** What becomes of a step. */
export interface StepEnded {
  readonly name: string;
  readonly isSkipped: boolean;
  readonly code: number;
  /** Both streams, standard output first. */
  readonly log: string;
}

/** What becomes of a job. */
export interface JobEnded {
  readonly isGreen: boolean;
  readonly steps: readonly StepEnded[];
  /** Of all steps. */
  readonly log: string;
}

const machines: string[] = [];

/** A fresh machine with these programs on PATH, and no others; each call is kept. It finds what an earlier job of the workflow handed on. */
export async function makeMachine(programs: readonly string[] = INSTALLED, earlier?: Machine): Promise<Machine> {
  const root = await mkdtemp(join(tmpdir(), 'binauthz-circleci-'));
  machines.push(root);
  const at = (name: string): string => join(root, name);
  const machine = {
    root,
    home: at('home'),
    tmp: at('tmp'),
    workspace: at('project'),
    bashEnv: at('bash_env'),
    artifacts: at('artifacts'),
    handedOn: earlier?.handedOn ?? at('handed_on'),
    calls: at('calls'),
    bin: at('bin'),
  };
  await Promise.all(
    [machine.home, machine.tmp, machine.workspace, machine.artifacts, machine.calls, machine.bin, machine.handedOn].map((path) =>
      mkdir(path, { recursive: true }),
    ),
  );
  await writeFile(at('circleci.cjs'), CIRCLECI);
  await Promise.all(programs.map((program) => addProgram(machine, program)));
  return machine;
}

/** For afterAll. */
export async function removeMachines(): Promise<void> {
  await Promise.all(machines.splice(0).map((root) => rm(root, { recursive: true, force: true })));
}

/** Puts a program on the machine: the real one of that name, or `body` for sh; either way its calls are kept. */
export async function addProgram(machine: Machine, program: string, body = `exec ${realOf(program, machine)} "$@"`): Promise<void> {
  const path = join(machine.bin, program);
  await writeFile(path, `#!/bin/sh\nfor word in "$@"; do printf '%s\\n' "$word"; done >>'${machine.calls}/${program}'\n${body}\n`);
  await chmod(path, 0o755);
}

function realOf(program: string, machine: Machine): string {
  if (program === 'node') return quoted(anyNode.path);
  if (program === 'binauthz') return `${quoted(anyNode.path)} ${quoted(resolve(DIST, 'cli/index.js'))}`;
  if (program === 'circleci')
    return `${quoted(anyNode.path)} ${quoted(join(machine.root, 'circleci.cjs'))} ${quoted(join(machine.root, 'halted'))}`;
  const found = (process.env['PATH'] ?? '').split(delimiter).find((folder) => existsSync(join(folder, program)));
  if (found === undefined) throw new Error(`${program} is not on the PATH`);
  return quoted(join(found, program));
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

// `env subst` after the library that the real one uses (a8m/envsubst): $NAME, ${NAME}, ${NAME:-default}, and $$ for a
// dollar; anything else behind a dollar is text.
const CIRCLECI = `
const [, , halted, group, verb, ...words] = process.argv;
if (group === 'step' && verb === 'halt') require('node:fs').writeFileSync(halted, '');
else if (group === 'env' && verb === 'subst') {
  const text = words.length > 0 ? words[0] : require('node:fs').readFileSync(0, 'utf8');
  if (/\\$\\{[^}]*$/.test(text)) { console.error('Error: closing brace expected'); process.exit(1); }
  const pattern = /\\$\\$|\\$\\{(\\w+)(?::-([^}]*))?\\}|\\$(\\w+)/g;
  process.stdout.write(text.replace(pattern, (found, braced, fallback, plain) =>
    found === '$$' ? '$' : process.env[braced ?? plain] || (fallback ?? '')));
} else { console.error('Error: unknown command'); process.exit(1); }
`;

/** Runs the steps of a job as CircleCI does: in order, each in a shell of its own that reads BASH_ENV first. */
export async function runJob(machine: Machine, steps: readonly FlatStep[], env: Readonly<Record<string, string>> = {}): Promise<JobEnded> {
  const ended: StepEnded[] = [];
  let isGreen = true;
  for (const [index, step] of steps.entries()) {
    const name = String(step.keys['name'] ?? step.type);
    if (existsSync(join(machine.root, 'halted')) || !isDue(step, isGreen)) {
      ended.push({ name, isSkipped: true, code: 0, log: '' });
      continue;
    }
    const { code, log } = step.type === 'run' ? await runScript(machine, step, index, env) : await runBuiltIn(machine, step);
    if (code !== 0) isGreen = false;
    ended.push({ name, isSkipped: false, code, log });
  }
  return { isGreen, steps: ended, log: ended.map(({ log }) => log).join('') };
}

/** What stores results does so whatever happened before. */
function isDue({ type, keys }: FlatStep, isGreen: boolean): boolean {
  if (type.startsWith('store_')) return true;
  const when = keys['when'] ?? 'on_success';
  return when === 'always' || (when === 'on_success') === isGreen;
}

interface ScriptEnded {
  readonly code: number;
  readonly log: string;
}

async function runScript(machine: Machine, { keys }: FlatStep, index: number, env: Readonly<Record<string, string>>): Promise<ScriptEnded> {
  const { command, environment = {} } = keys;
  const others = Object.keys(keys).filter((key) => !['name', 'command', 'environment', 'when'].includes(key));
  if (others.length > 0) throw new Error(`${String(command)}: ${others.join(', ')} is not modelled`);
  const script = join(machine.root, `step-${String(index)}.sh`);
  await writeFile(script, String(command));
  const { code, stdout, stderr } = await run('/bin/bash', ['-eo', 'pipefail', script], {
    cwd: machine.workspace,
    env: {
      PATH: machine.bin,
      HOME: machine.home,
      TMPDIR: machine.tmp,
      LANG: 'C.UTF-8',
      CI: 'true',
      CIRCLECI: 'true',
      CIRCLE_JOB: 'test',
      CIRCLE_WORKING_DIRECTORY: machine.workspace,
      BASH_ENV: machine.bashEnv,
      ...env,
      ...(environment as Record<string, string>),
    },
  });
  return { code: code ?? -1, log: stdout + stderr };
}

/** Artifacts, test results and workspaces are copied; a result that is not there is only mentioned. */
async function runBuiltIn(machine: Machine, { type, keys }: FlatStep): Promise<ScriptEnded> {
  if (type === 'attach_workspace') {
    await cp(machine.handedOn, resolve(machine.workspace, String(keys['at'])), { recursive: true });
    return { code: 0, log: '' };
  }
  if (type === 'persist_to_workspace') {
    const root = resolve(machine.workspace, String(keys['root']));
    for (const path of keys['paths'] as readonly string[]) await cp(join(root, path), join(machine.handedOn, path), { recursive: true });
    return { code: 0, log: '' };
  }
  if (type !== 'store_artifacts' && type !== 'store_test_results') return { code: 0, log: '' };
  const path = String(keys['path']);
  const from = resolve(machine.workspace, path);
  if (!existsSync(from)) return { code: 0, log: `${path} not found\n` };
  await cp(from, join(machine.artifacts, type, String(keys['destination'] ?? '')), { recursive: true });
  return { code: 0, log: '' };
}

/** What later steps find in their environment: BASH_ENV, read by bash itself. */
export async function variableOf(machine: Machine, name: string): Promise<string | undefined> {
  // A file and not -c: for that, bash reads ~/.bashrc instead where its input is a socket, as it is here.
  const script = join(machine.root, 'variable.sh');
  await writeFile(script, 'printf "%s" "${!1-(unset)}"');
  const { stdout } = await run('/bin/bash', [script, name], { env: { PATH: machine.bin, HOME: machine.home, BASH_ENV: machine.bashEnv } });
  return stdout === '(unset)' ? undefined : stdout;
}

/** The words of all calls of a program, one per line. */
export async function callsOf(machine: Machine, program: string): Promise<string> {
  return readFile(join(machine.calls, program), 'utf8').catch(() => '');
}
