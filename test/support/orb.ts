// SPDX-License-Identifier: Apache-2.0
// Our model of CircleCI's compiler, as far as an orb needs it: pack, validate strictly, and expand with parameters. It
// refuses more than CircleCI does: unknown keys anywhere, and parameters that nothing uses.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import { run } from './spawn.js';

export const ROOT = resolve(import.meta.dirname, '../..');

export type ParameterType = 'string' | 'boolean' | 'integer' | 'enum' | 'executor' | 'steps' | 'env_var_name';

export interface Parameter {
  readonly description?: string;
  readonly type: ParameterType;
  readonly default?: unknown;
  readonly enum?: readonly string[];
}

export type Step = string | Readonly<Record<string, unknown>>;

/** A command, a job or an executor. */
export interface Component {
  readonly description?: string;
  readonly parameters?: Readonly<Record<string, Parameter>>;
  readonly steps?: readonly Step[];
  readonly executor?: unknown;
  readonly docker?: unknown;
  readonly [key: string]: unknown;
}

export interface Example {
  readonly description?: string;
  readonly usage: Config;
}

export interface Orb {
  readonly version: number;
  readonly description: string;
  readonly display: { readonly home_url?: string; readonly source_url?: string };
  readonly commands: Readonly<Record<string, Component>>;
  readonly jobs: Readonly<Record<string, Component>>;
  readonly executors: Readonly<Record<string, Component>>;
  readonly examples: Readonly<Record<string, Example>>;
}

/** A configuration that uses orbs, such as an example's `usage`. */
export interface Config {
  readonly version: number;
  readonly orbs?: Readonly<Record<string, unknown>>;
  readonly jobs?: Readonly<Record<string, Component>>;
  readonly workflows?: Readonly<Record<string, { readonly jobs: readonly Step[] }>>;
}

/** A step after expansion: a built-in one with its keys, such as `run` with its environment as texts. */
export interface FlatStep {
  readonly type: string;
  readonly keys: Readonly<Record<string, unknown>>;
}

/** A job after expansion. */
export interface FlatJob {
  readonly name: string;
  readonly executor: Readonly<Record<string, unknown>>;
  readonly steps: readonly FlatStep[];
}

type Values = Readonly<Record<string, unknown>>;
type Table = Readonly<Record<string, unknown>>;

// ---- packing

/** Packs the orb of a folder with the project's packer and returns the file's text. */
export async function packText(args: readonly string[] = []): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'binauthz-orb-'));
  try {
    const out = join(folder, 'orb.yml');
    const ended = await run(process.execPath, [join(ROOT, 'scripts/orb-pack.mjs'), '--out', out, ...args]);
    if (ended.code !== 0) throw new Error(ended.stderr);
    return await readFile(out, 'utf8');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The packed orb, read as YAML 1.1, as CircleCI reads it. */
export async function packOrb(args: readonly string[] = []): Promise<Orb> {
  return parse(await packText(args), { version: '1.1' }) as Orb;
}

// ---- what a configuration may hold

const NAME = /^[a-z][a-z0-9_-]*$/;
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;
const TYPES: readonly string[] = ['string', 'boolean', 'integer', 'enum', 'executor', 'steps', 'env_var_name'];
const RESERVED: readonly string[] = ['name', 'requires', 'context', 'type', 'filters', 'matrix'];
const INVOCATION: readonly string[] = [...RESERVED, 'pre-steps', 'post-steps', 'serial-group', 'override-with'];

/** The built-in steps with their keys; those with `!` are required. */
const BUILT_IN: Readonly<Record<string, readonly string[]>> = {
  run: [
    'command!',
    'name',
    'environment',
    'when',
    'shell',
    'background',
    'working_directory',
    'no_output_timeout',
    'max_auto_reruns',
    'auto_rerun_delay',
  ],
  checkout: ['path', 'method'],
  setup_remote_docker: ['version', 'docker_layer_caching'],
  store_artifacts: ['path!', 'destination'],
  store_test_results: ['path!'],
  attach_workspace: ['at!'],
  persist_to_workspace: ['root!', 'paths!'],
  save_cache: ['key!', 'paths!', 'name', 'when'],
  restore_cache: ['key', 'keys', 'name'],
  add_ssh_keys: ['fingerprints'],
};
const JOB_KEYS = [
  'description',
  'parameters',
  'executor',
  'docker',
  'machine',
  'environment',
  'steps!',
  'working_directory',
  'resource_class',
  'parallelism',
  'shell',
];
const EXECUTOR_KEYS = ['description', 'parameters', 'docker', 'machine', 'environment', 'working_directory', 'resource_class', 'shell'];
const PIPELINE = /^pipeline\.(number|id|git\.(revision|branch|tag)|project\.(type|slug|git_url))$/;

function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function without(value: Table, ...keys: readonly string[]): Table {
  return Object.fromEntries(Object.entries(value).filter(([key]) => !keys.includes(key)));
}

/** Every `<< … >>` of a text that is not escaped, without its brackets. */
function expressions(text: string): readonly string[] {
  return [...text.matchAll(/(?<!\\)<<(.*?)(?:>>|$)/gs)].map(([, inner]) => (inner ?? '').trim());
}

function texts(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap(texts);
  return isTable(value) ? Object.values(value).flatMap(texts) : [];
}

/** The parameter that a value consists of, if it is nothing else. */
function wholeParameter(value: unknown): string | undefined {
  return typeof value === 'string' ? /^<<\s*parameters\.([\w-]+)\s*>>$/.exec(value)?.[1] : undefined;
}

/** What is wrong with a value for a parameter; undefined where it fits. */
function misfit({ type, enum: choices = [] }: Parameter, value: unknown): string | undefined {
  const fits: Record<ParameterType, boolean> = {
    string: typeof value === 'string',
    boolean: typeof value === 'boolean',
    integer: Number.isInteger(value),
    enum: typeof value === 'string' && choices.includes(value),
    executor: typeof value === 'string' || (isTable(value) && typeof value['name'] === 'string'),
    steps: Array.isArray(value),
    env_var_name: typeof value === 'string' && VARIABLE.test(value),
  };
  const expected = type === 'enum' ? `one of ${choices.join(', ')}` : type;
  return fits[type] ? undefined : `expected ${expected}, got ${JSON.stringify(value)}`;
}

// ---- validation

/** Everything that is wrong with a packed orb. */
export function problemsOf(orb: unknown): readonly string[] {
  const checker = new Checker();
  checker.orb(orb);
  return checker.problems;
}

class Checker {
  readonly problems: string[] = [];
  private commands: Readonly<Record<string, Component>> = {};
  private executors: Readonly<Record<string, Component>> = {};

  orb(orb: unknown): void {
    if (!this.keys('orb', orb, ['version!', 'description!', 'display!', 'orbs', 'commands', 'jobs', 'executors', 'examples'])) return;
    if (orb['version'] !== 2.1) this.add('version', 'expected 2.1');
    this.text('description', orb['description']);
    if (this.keys('display', orb['display'], ['home_url', 'source_url!']))
      for (const [key, url] of Object.entries(orb['display']))
        if (typeof url !== 'string' || !url.startsWith('https://')) this.add(`display.${key}`, 'expected an https address');
    this.commands = this.section(orb, 'commands');
    this.executors = this.section(orb, 'executors');
    for (const [name, command] of Object.entries(this.commands)) {
      const where = `commands.${name}`;
      if (Object.hasOwn(BUILT_IN, name)) this.add(where, 'hides a built-in step');
      if (this.keys(where, command, ['description', 'parameters', 'steps!'])) this.component(where, command);
    }
    for (const [name, job] of Object.entries(this.section(orb, 'jobs'))) {
      const where = `jobs.${name}`;
      if (!this.keys(where, job, JOB_KEYS)) continue;
      if (['executor', 'docker', 'machine'].filter((key) => key in job).length !== 1) this.add(where, 'expected one executor');
      for (const parameter of Object.keys(job.parameters ?? {}))
        if (INVOCATION.includes(parameter)) this.add(`${where}.parameters.${parameter}`, 'is a reserved name');
      this.component(where, job);
    }
    for (const [name, executor] of Object.entries(this.executors)) {
      const where = `executors.${name}`;
      if (!this.keys(where, executor, EXECUTOR_KEYS)) continue;
      if (['docker', 'machine'].filter((key) => key in executor).length !== 1) this.add(where, 'expected docker or machine');
      this.component(where, executor);
    }
    for (const [name, example] of Object.entries(this.section(orb, 'examples'))) this.example(`examples.${name}`, example);
  }

  private section(orb: Table, name: string): Readonly<Record<string, Component>> {
    const section = orb[name] ?? {};
    if (!isTable(section)) {
      this.add(name, 'expected a mapping');
      return {};
    }
    for (const key of Object.keys(section)) if (!NAME.test(key)) this.add(`${name}.${key}`, 'expected a name of a-z, 0-9, _ and -');
    return section as Readonly<Record<string, Component>>;
  }

  /** What commands, jobs and executors have in common. */
  private component(where: string, component: Component): void {
    this.text(`${where}.description`, component.description);
    const declared = component.parameters ?? {};
    if (!isTable(declared)) return this.add(`${where}.parameters`, 'expected a mapping');
    for (const [name, parameter] of Object.entries(declared)) this.parameter(`${where}.parameters.${name}`, name, parameter);
    const body = without(component, 'parameters');
    const used = new Set<string>();
    for (const expression of texts(body).flatMap(expressions)) {
      const name = /^parameters\.([\w-]+)$/.exec(expression)?.[1];
      if (name === undefined) this.add(where, `<<${expression}>> is no parameter`);
      else if (!Object.hasOwn(declared, name)) this.add(where, `the parameter ${name} is not declared`);
      else used.add(name);
    }
    for (const name of Object.keys(declared)) if (!used.has(name)) this.add(where, `the parameter ${name} is not used`);
    if (component.steps !== undefined) this.steps(`${where}.steps`, component.steps, declared);
    if (component.docker !== undefined) this.docker(`${where}.docker`, component.docker);
    if ('executor' in component) this.executor(`${where}.executor`, component.executor, declared);
    this.environment(where, component['environment'], declared);
  }

  private parameter(where: string, name: string, parameter: unknown): void {
    if (!NAME.test(name)) this.add(where, 'expected a name of a-z, 0-9, _ and -');
    if (!this.keys(where, parameter, ['description!', 'type!', 'default', 'enum'])) return;
    this.text(`${where}.description`, parameter['description']);
    const { type, enum: choices } = parameter;
    if (typeof type !== 'string' || !TYPES.includes(type)) return this.add(where, `expected a type, got ${JSON.stringify(type)}`);
    if ((type === 'enum') !== (choices !== undefined)) return this.add(where, 'expected an enum with the type enum, and with no other');
    if (choices !== undefined) {
      const isList = Array.isArray(choices) && choices.length > 0 && choices.every((choice) => typeof choice === 'string');
      if (!isList || new Set(choices).size !== choices.length) return this.add(where, 'expected an enum of different texts');
    }
    if (!('default' in parameter)) return;
    const wrong = misfit(parameter as unknown as Parameter, parameter['default']);
    if (wrong !== undefined) this.add(`${where}.default`, wrong);
  }

  private docker(where: string, docker: unknown): void {
    if (!Array.isArray(docker) || docker.length === 0) return this.add(where, 'expected a list of images');
    for (const container of docker as readonly unknown[])
      if (this.keys(where, container, ['image!', 'name', 'auth', 'environment', 'user', 'entrypoint', 'command']))
        this.text(`${where}.image`, container['image']);
  }

  private executor(where: string, executor: unknown, declared: Readonly<Record<string, Parameter>>): void {
    const parameter = wholeParameter(executor);
    if (parameter !== undefined) {
      if (declared[parameter] && declared[parameter].type !== 'executor') this.add(where, `${parameter} is no executor`);
      const name = declared[parameter]?.default;
      if (typeof name === 'string' && !Object.hasOwn(this.executors, name)) this.add(where, `there is no executor ${name}`);
    } else if (typeof executor !== 'string' || !Object.hasOwn(this.executors, executor)) this.add(where, 'there is no such executor');
  }

  private steps(where: string, steps: unknown, declared: Readonly<Record<string, Parameter>>): void {
    const parameter = wholeParameter(steps);
    if (parameter !== undefined) {
      if (declared[parameter]?.type !== 'steps') this.add(where, `${parameter} is not of the type steps`);
      return;
    }
    if (!Array.isArray(steps)) return this.add(where, 'expected a list of steps');
    steps.forEach((step: unknown, index) => this.step(`${where}[${index}]`, step, declared));
  }

  private step(where: string, step: unknown, declared: Readonly<Record<string, Parameter>>): void {
    const [name, args] = typeof step === 'string' ? [step, {}] : isTable(step) ? (Object.entries(step)[0] ?? ['', {}]) : ['', {}];
    if (name === '' || (isTable(step) && Object.keys(step).length !== 1)) return this.add(where, 'expected one step');
    const at = `${where}.${name}`;
    if (name === 'steps') return this.steps(at, args, declared);
    if (name === 'when' || name === 'unless') {
      if (!this.keys(at, args, ['condition!', 'steps!'])) return;
      const condition = wholeParameter(args['condition']);
      if (condition === undefined) this.add(at, 'expected a parameter as condition');
      return this.steps(`${at}.steps`, args['steps'], declared);
    }
    const command = this.commands[name];
    if (command) return this.call(at, command, args ?? {}, declared);
    if (!Object.hasOwn(BUILT_IN, name)) return this.add(at, 'is neither a built-in step nor a command of this orb');
    if (!this.keys(at, args ?? {}, BUILT_IN[name] ?? [])) return;
    const { when, environment, background } = args as Table;
    if (when !== undefined && !['always', 'on_success', 'on_fail'].includes(String(when))) this.add(at, 'expected when to be a known word');
    if (background !== undefined && typeof background !== 'boolean') this.add(at, 'expected background to be a boolean');
    this.environment(at, environment, declared);
  }

  private environment(where: string, environment: unknown, declared: Readonly<Record<string, Parameter>>): void {
    if (environment === undefined) return;
    if (!isTable(environment)) return this.add(`${where}.environment`, 'expected a mapping');
    for (const [name, value] of Object.entries(environment)) {
      if (!VARIABLE.test(name)) this.add(`${where}.environment`, `${name} is no name of a variable`);
      if (typeof value !== 'string' && typeof value !== 'number') this.add(`${where}.environment.${name}`, 'expected a text');
      const type = declared[wholeParameter(value) ?? '']?.type;
      if (type === 'steps' || type === 'executor') this.add(`${where}.environment.${name}`, `${type} is no text`);
    }
  }

  private call(where: string, command: Component, args: unknown, declared: Readonly<Record<string, Parameter>>): void {
    if (!isTable(args)) return this.add(where, 'expected parameters');
    const wanted = command.parameters ?? {};
    for (const [name, value] of Object.entries(args)) {
      const parameter = wanted[name];
      if (!parameter) this.add(where, `the command has no parameter ${name}`);
      else this.argument(`${where}.${name}`, parameter, value, declared);
    }
    for (const [name, parameter] of Object.entries(wanted))
      if (!('default' in parameter) && !(name in args)) this.add(where, `the parameter ${name} is required`);
  }

  private argument(where: string, parameter: Parameter, value: unknown, declared: Readonly<Record<string, Parameter>>): void {
    const name = wholeParameter(value);
    if (name === undefined) {
      const wrong = misfit(parameter, value);
      if (wrong !== undefined) this.add(where, wrong);
      return;
    }
    const given = declared[name];
    const isText = parameter.type === 'string' && (given?.type === 'enum' || given?.type === 'env_var_name');
    if (given && given.type !== parameter.type && !isText) this.add(where, `${name} is ${given.type}, expected ${parameter.type}`);
    if (given?.type === 'enum' && JSON.stringify(given.enum) !== JSON.stringify(parameter.enum))
      this.add(where, `${name} has other choices`);
  }

  private example(where: string, example: unknown): void {
    if (!this.keys(where, example, ['description!', 'usage!', 'result'])) return;
    this.text(`${where}.description`, example['description']);
    if (!this.keys(`${where}.usage`, example['usage'], ['version!', 'orbs!', 'jobs', 'workflows!', 'commands', 'executors'])) return;
    if (example['usage']['version'] !== 2.1) this.add(`${where}.usage.version`, 'expected 2.1');
  }

  private keys(where: string, value: unknown, known: readonly string[]): value is Table {
    if (!isTable(value)) {
      this.add(where, 'expected a mapping');
      return false;
    }
    const names = known.map((key) => key.replace('!', ''));
    for (const key of Object.keys(value)) if (!names.includes(key)) this.add(where, `unknown key ${key}`);
    const missing = known.filter((key) => key.endsWith('!') && !(key.slice(0, -1) in value)).map((key) => key.slice(0, -1));
    for (const key of missing) this.add(where, `expected the key ${key}`);
    return missing.length === 0;
  }

  private text(where: string, value: unknown): void {
    if (typeof value !== 'string' || value.trim() === '') this.add(where, 'expected a text');
  }

  private add(where: string, problem: string): void {
    this.problems.push(`${where}: ${problem}`);
  }
}

// ---- expansion

/** The steps of a command of the orb with these parameters. */
export function expandCommand(orb: Orb, name: string, args: Values = {}): readonly FlatStep[] {
  const command = orb.commands[name];
  if (!command) throw new Error(`the orb has no command ${name}`);
  return finished(bodyOf(command, args, name, { orb, orbName: '' }));
}

/** A job of the orb as a workflow would start it; `args` may hold pre-steps and post-steps. */
export function expandJob(orb: Orb, name: string, args: Values = {}): FlatJob {
  const job = orb.jobs[name];
  if (!job) throw new Error(`the orb has no job ${name}`);
  return startJob(job, name, args, { orb, orbName: '' });
}

/** Every job of a configuration that uses the orb under the name `orbName`, in the order of its workflows. */
export function expandConfig(config: Config, orb: Orb, orbName = 'binauthz'): readonly FlatJob[] {
  if (!Object.hasOwn(config.orbs ?? {}, orbName)) throw new Error(`the configuration does not declare the orb ${orbName}`);
  const others = Object.keys(config.orbs ?? {}).filter((name) => name !== orbName);
  const scope: Scope = { orb, orbName, others };
  const started = new Set<string>();
  const jobs = Object.values(config.workflows ?? {}).flatMap(({ jobs: entries }) => {
    const names = new Set<string>();
    return entries.flatMap((entry) => {
      const [reference = '', args = {}] = typeof entry === 'string' ? [entry] : (Object.entries(entry)[0] ?? []);
      if (!isTable(args)) throw new Error(`${reference}: expected parameters`);
      const name = String(args['name'] ?? reference);
      for (const required of (args['requires'] ?? []) as readonly string[])
        if (!names.has(required)) throw new Error(`${name} requires ${required}, which no job before it is called`);
      if (names.has(name)) throw new Error(`two jobs are called ${name}`);
      names.add(name);
      started.add(reference);
      if (args['type'] === 'approval' || others.includes(reference.split('/')[0] ?? '')) return [];
      const prefix = `${orbName}/`;
      const job = reference.startsWith(prefix) ? orb.jobs[reference.slice(prefix.length)] : config.jobs?.[reference];
      if (!job) throw new Error(`there is no job ${reference}`);
      const isOurs = reference.startsWith(prefix);
      return [startJob(job, name, args, isOurs ? { ...scope, isInside: true } : scope)];
    });
  });
  const idle = Object.keys(config.jobs ?? {}).filter((name) => !started.has(name));
  if (idle.length > 0) throw new Error(`no workflow starts ${idle.join(', ')}`);
  return jobs;
}

/** Where names are looked up. */
interface Scope {
  readonly orb: Orb;
  /** The orb's name in the configuration; empty where there is no configuration. */
  readonly orbName: string;
  readonly others?: readonly string[];
  /** Whether the steps are the orb's own, so that its commands need no prefix. */
  readonly isInside?: boolean;
}

function startJob(job: Component, name: string, args: Values, scope: Scope): FlatJob {
  const own = Object.fromEntries(Object.entries(args).filter(([key]) => !INVOCATION.includes(key)));
  const values = bound(job.parameters ?? {}, own, name);
  const around = (key: 'pre-steps' | 'post-steps'): readonly FlatStep[] =>
    flatten((args[key] ?? []) as readonly Step[], {}, { ...scope, isInside: scope.orbName === '' });
  const body = bodyOf(job, own, name, { ...scope, isInside: scope.isInside ?? scope.orbName === '' });
  const steps = finished([...around('pre-steps'), ...body, ...around('post-steps')]);
  return { name, executor: executorOf(job, values, name, scope), steps };
}

function bodyOf(component: Component, args: Values, where: string, scope: Scope): readonly FlatStep[] {
  const isInside = scope.isInside ?? scope.orbName === '';
  return flatten(component.steps ?? [], bound(component.parameters ?? {}, args, where), { ...scope, isInside });
}

function executorOf(job: Component, values: Values, where: string, { orb, orbName }: Scope): Table {
  if (!('executor' in job)) return { docker: job.docker };
  const given = substituted(job.executor, values);
  const { name, ...args } = isTable(given) ? given : { name: given };
  const known = String(name).replace(orbName === '' ? /^$/ : new RegExp(`^${orbName}/`), '');
  const executor = orb.executors[known];
  if (!executor) throw new Error(`${where}: there is no executor ${String(name)}`);
  return substituted(without(executor, 'parameters', 'description'), bound(executor.parameters ?? {}, args, known)) as Table;
}

/** The values of parameters: what is given, checked, and the defaults. */
function bound(parameters: Readonly<Record<string, Parameter>>, args: Values, where: string): Values {
  const unknown = Object.keys(args).filter((name) => !Object.hasOwn(parameters, name));
  if (unknown.length > 0) throw new Error(`${where}: unknown parameter ${unknown.join(', ')}`);
  return Object.fromEntries(
    Object.entries(parameters).map(([name, parameter]) => {
      if (!(name in args) && !('default' in parameter)) throw new Error(`${where}: the parameter ${name} is required`);
      const value = name in args ? args[name] : parameter.default;
      const wrong = misfit(parameter, value);
      if (wrong !== undefined) throw new Error(`${where}: ${name}: ${wrong}`);
      return [name, value];
    }),
  );
}

function flatten(steps: readonly Step[], values: Values, scope: Scope): readonly FlatStep[] {
  return steps.flatMap((step) => {
    const [name = '', raw] = typeof step === 'string' ? [step] : (Object.entries(step)[0] ?? []);
    if (name === 'when' || name === 'unless') {
      const { condition, steps: inner } = raw as { condition: unknown; steps: readonly Step[] };
      const isMet = Boolean(substituted(condition, values));
      return isMet === (name === 'when') ? flatten(inner, values, scope) : [];
    }
    // Steps that were given as a parameter are the caller's: its commands and its values.
    if (name === 'steps') return flatten(substituted(raw, values) as readonly Step[], {}, { ...scope, isInside: scope.orbName === '' });
    return called(name, raw, values, scope);
  });
}

function called(name: string, raw: unknown, values: Values, scope: Scope): readonly FlatStep[] {
  if (name === 'run' && typeof raw === 'string') return called(name, { command: raw }, values, scope);
  const args = (substituted(raw ?? {}, values) ?? {}) as Table;
  const [prefix, local] = name.includes('/') ? name.split('/', 2) : ['', name];
  if (scope.others?.includes(prefix ?? '')) return [{ type: name, keys: args }];
  const isOurs = prefix === '' ? scope.isInside : prefix === scope.orbName;
  const command = isOurs ? scope.orb.commands[local ?? ''] : undefined;
  if (command) return bodyOf(command, args, name, { ...scope, isInside: true });
  const known = BUILT_IN[name];
  if (!known) throw new Error(`there is no step ${name}`);
  for (const key of Object.keys(args))
    if (!known.some((one) => one.replace('!', '') === key)) throw new Error(`${name}: unknown key ${key}`);
  for (const key of known) if (key.endsWith('!') && !(key.slice(0, -1) in args)) throw new Error(`${name}: expected ${key.slice(0, -1)}`);
  return [{ type: name, keys: args }];
}

/** A value with its parameters filled in. One that is nothing but a parameter keeps the parameter's type. */
function substituted(value: unknown, values: Values, isEnvironment = false): unknown {
  if (Array.isArray(value)) return value.map((item) => substituted(item, values, isEnvironment));
  if (isTable(value))
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, substituted(item, values, isEnvironment || key === 'environment')]),
    );
  if (typeof value !== 'string') return value;
  for (const expression of expressions(value))
    if (!PIPELINE.test(expression) && !/^parameters\.[\w-]+$/.test(expression)) throw new Error(`<< ${expression} >> is not known`);
  const valueOf = (name: string): unknown => {
    if (!Object.hasOwn(values, name)) throw new Error(`the parameter ${name} is not declared`);
    const found = values[name];
    // "A boolean in the environment is 1 or 0."
    return isEnvironment && typeof found === 'boolean' ? String(Number(found)) : found;
  };
  const whole = wholeParameter(value);
  if (whole !== undefined) return valueOf(whole);
  return value.replace(/(?<!\\)<<\s*parameters\.([\w-]+)\s*>>/g, (_match, name: string) => String(valueOf(name)));
}

/** What comes last: an escaped `<<` becomes a plain one. */
function finished(steps: readonly FlatStep[]): readonly FlatStep[] {
  const plain = (value: unknown): unknown => {
    if (typeof value === 'string') return value.replaceAll('\\<<', '<<');
    if (Array.isArray(value)) return value.map(plain);
    return isTable(value) ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)])) : value;
  };
  return steps.map(({ type, keys }) => ({ type, keys: plain(keys) as Table }));
}
