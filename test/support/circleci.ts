// SPDX-License-Identifier: Apache-2.0
// CircleCI, as far as an orb sees it: parameters and conditions are expanded as its compiler does, and steps run for
// real under bash, with BASH_ENV, `when`, artifacts and the `circleci` program. Our model of it, not CircleCI itself.
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { DIST } from './cli.js';
import { anyNode } from './nodes.js';
import { run } from './spawn.js';

/** What a parameter may hold. */
export type Value = string | number | boolean | null | readonly Value[] | { readonly [key: string]: Value };

/** Arguments by the names of parameters. */
export type Arguments = Readonly<Record<string, Value>>;

/** A parameter's declaration. */
export interface Parameter {
  readonly type: 'string' | 'boolean' | 'integer' | 'enum' | 'executor' | 'steps' | 'env_var_name';
  readonly default?: Value;
  readonly enum?: readonly string[];
}

/** A command or a job. */
export interface Definition {
  readonly parameters?: Readonly<Record<string, Parameter>>;
  readonly environment?: Readonly<Record<string, Value>>;
  readonly steps: readonly Value[];
}

/** A packed orb. */
export interface Orb {
  readonly commands?: Readonly<Record<string, Definition>>;
  readonly jobs?: Readonly<Record<string, Definition>>;
}

/** A `run` step with nothing left to expand. */
export interface RunStep {
  readonly name?: string;
  readonly command: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly when: 'on_success' | 'on_fail' | 'always';
}

/** A step with nothing left to expand. */
export type Step =
  | { readonly run: RunStep }
  | { readonly store_artifacts: { readonly path: string; readonly destination?: string } }
  | { readonly store_test_results: { readonly path: string } };

type Members = { readonly [key: string]: Value };

/** The steps of a command of an orb. Throws where CircleCI would refuse the configuration. */
export function commandSteps(orb: Orb, name: string, given: Arguments = {}): readonly Step[] {
  return definedSteps(orb, orb.commands?.[name], name, given);
}

/** The steps of a job of an orb, with those that the workflow puts before and after them. */
export function jobSteps(
  orb: Orb,
  name: string,
  given: Arguments & { readonly 'pre-steps'?: Value; readonly 'post-steps'?: Value } = {},
): readonly Step[] {
  const { 'pre-steps': before = [], 'post-steps': after = [], ...rest } = given;
  const around = (steps: Value): readonly Step[] => (isList(steps) ? steps.flatMap((step) => expandStep(orb, step)) : []);
  return [...around(before), ...definedSteps(orb, orb.jobs?.[name], name, rest), ...around(after)];
}

/** One script as the only step of a command, for tests that need no packed orb. */
export function scriptStep(
  command: string,
  environment: Readonly<Record<string, string | boolean>> = {},
  when: RunStep['when'] = 'on_success',
): Step {
  return { run: { command, when, environment: environmentOf(environment) } };
}

function definedSteps(orb: Orb, definition: Definition | undefined, name: string, given: Arguments): readonly Step[] {
  if (!definition) throw new Error(`the orb has no ${name}`);
  const values = argumentsOf(definition.parameters ?? {}, given, name);
  return definition.steps.flatMap((step) => expandStep(orb, substitute(step, values)));
}

function argumentsOf(declared: Readonly<Record<string, Parameter>>, given: Arguments, name: string): Arguments {
  const unknown = Object.keys(given).filter((key) => !(key in declared));
  if (unknown.length > 0) throw new Error(`${name}: unexpected argument ${unknown.join(', ')}`);
  return Object.fromEntries(
    Object.entries(declared).map(([key, parameter]) => {
      const value = given[key] ?? parameter.default;
      if (value === undefined) throw new Error(`${name}: missing argument ${key}`);
      if (!fits(value, parameter))
        throw new Error(`${name}: type error for argument ${key}: expected ${parameter.type}, got ${JSON.stringify(value)}`);
      return [key, value];
    }),
  );
}

function fits(value: Value, parameter: Parameter): boolean {
  switch (parameter.type) {
    case 'string':
      return typeof value === 'string' || typeof value === 'number';
    case 'boolean':
      return typeof value === 'boolean';
    case 'integer':
      return Number.isInteger(value);
    case 'enum':
      return parameter.enum?.includes(String(value)) === true;
    case 'env_var_name':
      return typeof value === 'string' && /^[A-Za-z_][A-Za-z0-9_]*$/.test(value);
    case 'steps':
      return isList(value);
    case 'executor':
      return typeof value === 'string' || isMembers(value);
  }
}

const WHOLE = /^<<\s*parameters\.([a-z0-9_]+)\s*>>$/;
const PART = /(?<!\\)<<\s*parameters\.([a-z0-9_]+)\s*>>/g;

/** A value that is one reference keeps the type of what it refers to; in the midst of a text it becomes text. */
function substitute(value: Value, values: Arguments): Value {
  const valueOf = (key: string): Value => {
    const found = values[key];
    if (found === undefined) throw new Error(`no parameter ${key}`);
    return found;
  };
  if (typeof value === 'string') {
    const whole = WHOLE.exec(value)?.[1];
    return whole === undefined ? value.replace(PART, (_, key: string) => String(valueOf(key))) : valueOf(whole);
  }
  if (isList(value)) return value.map((each) => substitute(each, values));
  if (isMembers(value)) return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, substitute(each, values)]));
  return value;
}

function expandStep(orb: Orb, step: Value): readonly Step[] {
  if (typeof step === 'string') return step === 'checkout' ? [] : commandSteps(orb, step);
  if (!isMembers(step)) throw new Error(`no step: ${JSON.stringify(step)}`);
  const [entry] = Object.entries(step);
  if (!entry || Object.keys(step).length !== 1) throw new Error(`a step has one key: ${JSON.stringify(step)}`);
  const [key, body] = entry;
  switch (key) {
    case 'run':
      return [{ run: runStep(body) }];
    case 'store_artifacts':
    case 'store_test_results':
      return [step as unknown as Step];
    case 'steps':
      return isList(body) ? body.flatMap((each) => expandStep(orb, each)) : [];
    case 'when':
    case 'unless': {
      const { condition = null, steps = [] } = body as Members;
      return holds(condition) === (key === 'when') && isList(steps) ? steps.flatMap((each) => expandStep(orb, each)) : [];
    }
    default:
      return commandSteps(orb, key, isMembers(body) ? body : {});
  }
}

function runStep(body: Value): RunStep {
  const { name, command, environment = {}, when = 'on_success', ...others } = isMembers(body) ? body : { command: body };
  if (typeof command !== 'string' || !isMembers(environment)) throw new Error(`no run step: ${JSON.stringify(body)}`);
  if (Object.keys(others).length > 0) throw new Error(`a run step with ${Object.keys(others).join(', ')} is not modelled`);
  return {
    command: command.replaceAll('\\<<', '<<'),
    when: when as RunStep['when'],
    environment: environmentOf(environment),
    ...(name === undefined ? {} : { name: String(name) }),
  };
}

/** A boolean arrives as 1 or 0; everything else as it is written. */
function environmentOf(environment: Members): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).map(([key, value]) => [key, typeof value === 'boolean' ? String(Number(value)) : String(value ?? '')]),
  );
}

function holds(condition: Value): boolean {
  if (!isMembers(condition)) return Boolean(condition);
  const { and, or, not, equal } = condition;
  if (isList(and)) return and.every(holds);
  if (isList(or)) return or.some(holds);
  if (isList(equal)) return equal.every((each) => JSON.stringify(each) === JSON.stringify(equal[0]));
  if (not !== undefined) return !holds(not);
  throw new Error(`no condition: ${JSON.stringify(condition)}`);
}

function isList(value: Value | undefined): value is readonly Value[] {
  return Array.isArray(value);
}

function isMembers(value: Value | undefined): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
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
  /** One file per program: the words of every call. */
  readonly calls: string;
  readonly bin: string;
}

/** What becomes of a step. */
export interface StepEnded {
  readonly step: Step;
  readonly isSkipped: boolean;
  readonly code: number;
  readonly log: string;
}

/** What becomes of a job. */
export interface JobEnded {
  readonly isGreen: boolean;
  readonly steps: readonly StepEnded[];
  /** Of all steps, both streams. */
  readonly log: string;
}

const machines: string[] = [];

/** A fresh machine with these programs on PATH, and no others; each call is kept. */
export async function makeMachine(programs: readonly string[] = INSTALLED): Promise<Machine> {
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
    calls: at('calls'),
    bin: at('bin'),
  };
  await Promise.all(
    [machine.home, machine.tmp, machine.workspace, machine.artifacts, machine.calls, machine.bin].map((path) => mkdir(path)),
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
export async function runJob(machine: Machine, steps: readonly Step[], env: Readonly<Record<string, string>> = {}): Promise<JobEnded> {
  const ended: StepEnded[] = [];
  let isGreen = true;
  for (const [index, step] of steps.entries()) {
    const isHalted = existsSync(join(machine.root, 'halted'));
    if (isHalted || ('run' in step && !isDue(step.run.when, isGreen))) {
      ended.push({ step, isSkipped: true, code: 0, log: '' });
      continue;
    }
    const { code, log } = 'run' in step ? await runScript(machine, step.run, { index, env }) : await store(machine, step);
    if (code !== 0) isGreen = false;
    ended.push({ step, isSkipped: false, code, log });
  }
  return { isGreen, steps: ended, log: ended.map(({ log }) => log).join('') };
}

function isDue(when: RunStep['when'], isGreen: boolean): boolean {
  return when === 'always' || (when === 'on_success') === isGreen;
}

async function runScript(
  machine: Machine,
  { command, environment }: RunStep,
  job: { readonly index: number; readonly env: Readonly<Record<string, string>> },
): Promise<{ readonly code: number; readonly log: string }> {
  const script = join(machine.root, `step-${String(job.index)}.sh`);
  await writeFile(script, command);
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
      ...job.env,
      ...environment,
    },
  });
  return { code: code ?? -1, log: stdout + stderr };
}

/** Artifacts and test results are kept whatever happened before; a path that is not there is only mentioned. */
async function store(machine: Machine, step: Exclude<Step, { run: unknown }>): Promise<{ readonly code: number; readonly log: string }> {
  const [kind, { path, destination = path }] =
    'store_artifacts' in step
      ? (['artifacts', step.store_artifacts] as const)
      : (['test-results', { ...step.store_test_results, destination: undefined }] as const);
  const from = resolve(machine.workspace, path);
  if (!existsSync(from)) return { code: 0, log: `${path} not found\n` };
  await cp(from, join(machine.artifacts, kind, destination), { recursive: true });
  return { code: 0, log: '' };
}

/** What later steps find in their environment: BASH_ENV, read by bash itself. */
export async function variableOf(machine: Machine, name: string): Promise<string | undefined> {
  const { stdout } = await run('/bin/bash', ['-c', 'printf "%s" "${!1-(unset)}"', 'bash', name], { env: { BASH_ENV: machine.bashEnv } });
  return stdout === '(unset)' ? undefined : stdout;
}

/** The words of all calls of a program, one per line. */
export async function callsOf(machine: Machine, program: string): Promise<string> {
  return readFile(join(machine.calls, program), 'utf8').catch(() => '');
}
