// SPDX-License-Identifier: Apache-2.0
// GitHub's runner, as far as a JavaScript action sees it: inputs with their defaults, file commands, workflow commands
// on both streams, and the masker. After actions/runner (ActionCommand.cs, ActionCommandManager.cs,
// FileCommandManager.cs, NodeScriptActionHandler.cs).
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { anyNode, type Node } from './nodes.js';

const ROOT = resolve(import.meta.dirname, '../..');

/** The folders of one run, nobody else's. */
export interface RunFolder {
  readonly root: string;
  readonly home: string;
  readonly tmp: string;
  readonly runnerTemp: string;
  readonly workspace: string;
  /** The runner's file commands. */
  readonly commands: string;
}

/** How a step is started. */
export interface ActionOptions {
  /** The folder of its action.yml in this repository; by default the root. */
  readonly action?: 'check' | 'audit';
  /** What `with:` says; the rest are defaults. */
  readonly inputs?: Readonly<Record<string, string>>;
  /** `127.0.0.1:PORT` */
  readonly emulator?: string;
  /** Added to the runner's own; undefined takes one away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly node?: Node;
  readonly folder?: RunFolder;
  /** JavaScript (CommonJS) that Node runs before the action. */
  readonly preload?: string;
  /** Told of the log as it grows; may signal the process. */
  readonly onLog?: (text: string, kill: (signal: NodeJS.Signals) => void) => void;
}

/** An annotation as the runner would show it: masked, and with its properties. */
export interface Annotation {
  readonly level: 'error' | 'warning' | 'notice';
  readonly message: string;
  readonly properties: Readonly<Record<string, string>>;
}

/** How a step ended. */
export interface ActionEnded {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly outputs: Readonly<Record<string, string>>;
  readonly annotations: readonly Annotation[];
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
  readonly masks: readonly string[];
  /** Workflow commands other than add-mask, in their order. */
  readonly commands: readonly Command[];
  /** What the log page shows. */
  readonly log: string;
  readonly summary: string;
  // Tests look into results of many shapes; a wrong path fails the assertion that uses it.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly report: any;
  readonly folder: RunFolder;
}

/** A workflow command. */
export interface Command {
  readonly name: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly data: string;
}

const folders: string[] = [];

/** A fresh set of folders; removed by removeRunFolders. */
export async function makeRunFolder(): Promise<RunFolder> {
  const root = await mkdtemp(join(tmpdir(), 'binauthz-run-'));
  folders.push(root);
  const folder = {
    root,
    home: join(root, 'home'),
    tmp: join(root, 'tmp'),
    runnerTemp: join(root, 'runner-temp'),
    workspace: join(root, 'workspace'),
    commands: join(root, 'file_commands'),
  };
  await Promise.all([folder.home, folder.tmp, folder.runnerTemp, folder.workspace, folder.commands].map((path) => mkdir(path)));
  return folder;
}

/** For afterAll. */
export async function removeRunFolders(): Promise<void> {
  await Promise.all(folders.splice(0).map((path) => rm(path, { recursive: true, force: true })));
}

/** An action.yml, which is a subset of YAML on purpose: two spaces a level, every text a JSON string. */
export function actionMetadata(action = ''): {
  readonly main: string;
  readonly inputs: ReadonlyMap<string, string>;
  readonly outputs: readonly string[];
} {
  const inputs = new Map<string, string>();
  const outputs: string[] = [];
  let main = '';
  let section = '';
  let current = '';
  for (const line of readFileSync(join(ROOT, action, 'action.yml'), 'utf8').split('\n')) {
    const [, indent = '', key = '', value = ''] = /^( *)([a-z0-9-]+):(?: (.+))?$/.exec(line) ?? [];
    if (indent === '' && key !== '') section = key;
    if (indent.length === 2) current = key;
    if (section === 'inputs' && indent.length === 2) inputs.set(current, '');
    if (section === 'inputs' && indent.length === 4 && key === 'default')
      inputs.set(current, String(JSON.parse(value)).replace('${{ github.token }}', 'ghs_theTokenThatTheRunnerMakes0000'));
    if (section === 'outputs' && indent.length === 2) outputs.push(key);
    if (section === 'runs' && key === 'main') main = String(JSON.parse(value));
  }
  return { main, inputs, outputs };
}

/** Runs the action as a step of a job. */
export async function runAction(options: ActionOptions = {}): Promise<ActionEnded> {
  const folder = options.folder ?? (await makeRunFolder());
  const env = await environmentOf(options, folder);
  const ended = await spawned(options, { folder, env });
  const log = readLog(ended.lines);
  const outputs = parseFileCommand(await read(env['GITHUB_OUTPUT']));
  const report = existsSync(outputs['report'] ?? '') ? (JSON.parse(await read(outputs['report'])) as unknown) : undefined;
  const of = (level: string): string[] => log.annotations.filter((annotation) => annotation.level === level).map(({ message }) => message);
  return {
    ...ended,
    ...log,
    errors: of('error'),
    warnings: of('warning'),
    outputs,
    report,
    summary: await read(env['GITHUB_STEP_SUMMARY']),
    folder,
  };
}

async function read(path: string | undefined): Promise<string> {
  return readFile(path ?? '', 'utf8').catch(() => '');
}

/** What the runner sets for a step; every input, given or not. */
async function environmentOf(
  { action, inputs = {}, emulator, env = {}, preload }: ActionOptions,
  folder: RunFolder,
): Promise<Record<string, string>> {
  const metadata = actionMetadata(action);
  const unknown = Object.keys(inputs).filter((name) => !metadata.inputs.has(name));
  if (unknown.length > 0) throw new Error(`${join(action ?? '', 'action.yml')} has no input ${unknown.join(', ')}`);
  const event = join(folder.root, 'event.json');
  await writeFile(event, JSON.stringify({ ref: 'refs/heads/main', repository: { name: 'shop', owner: { login: 'octo' } } }));
  const files = Object.fromEntries(
    ['OUTPUT', 'STATE', 'ENV', 'PATH', 'STEP_SUMMARY'].map((name) => [`GITHUB_${name}`, join(folder.commands, name.toLowerCase())]),
  );
  await Promise.all(Object.values(files).map((path) => writeFile(path, '')));
  if (preload !== undefined) await writeFile(join(folder.root, 'preload.cjs'), preload);
  const all: Record<string, string | undefined> = {
    PATH: process.env['PATH'],
    LANG: process.env['LANG'],
    HOME: folder.home,
    TMPDIR: folder.tmp,
    CI: 'true',
    GITHUB_ACTIONS: 'true',
    GITHUB_ACTION: '__self',
    GITHUB_ACTION_PATH: join(ROOT, action ?? ''),
    GITHUB_EVENT_NAME: 'push',
    GITHUB_EVENT_PATH: event,
    GITHUB_JOB: 'build',
    GITHUB_REPOSITORY: 'octo/shop',
    GITHUB_RUN_ID: '4711',
    GITHUB_RUN_ATTEMPT: '1',
    GITHUB_RUN_NUMBER: '7',
    GITHUB_SERVER_URL: 'https://github.example',
    GITHUB_SHA: 'a'.repeat(40),
    GITHUB_WORKFLOW: 'ci',
    GITHUB_WORKSPACE: folder.workspace,
    RUNNER_OS: 'Linux',
    RUNNER_ARCH: 'X64',
    RUNNER_TEMP: folder.runnerTemp,
    RUNNER_TOOL_CACHE: join(folder.root, 'tools'),
    ...files,
    ...Object.fromEntries([...metadata.inputs].map(([name, value]) => [variable(name), inputs[name] ?? value])),
    ...(emulator === undefined ? {} : { BINAUTHZ_EMULATOR_HOST: emulator }),
    ...(preload === undefined ? {} : { NODE_OPTIONS: `--require=${join(folder.root, 'preload.cjs')}` }),
    ...env,
  };
  return Object.fromEntries(Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

function variable(input: string): string {
  return `INPUT_${input.replaceAll(' ', '_').toUpperCase()}`;
}

interface Spawned {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Of both streams, as they came. */
  readonly lines: readonly string[];
}

function spawned(
  { action, node = anyNode, onLog }: ActionOptions,
  { folder, env }: { readonly folder: RunFolder; readonly env: Record<string, string> },
): Promise<Spawned> {
  return new Promise((resolveRun, reject) => {
    const child = spawn(node.path, [resolve(ROOT, action ?? '', actionMetadata(action).main)], {
      env: env as NodeJS.ProcessEnv,
      cwd: folder.workspace,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const text = { stdout: '', stderr: '' };
    const pending = { stdout: '', stderr: '' };
    const lines: string[] = [];
    const listen = (stream: 'stdout' | 'stderr'): void => {
      child[stream].setEncoding('utf8').on('data', (chunk: string) => {
        text[stream] += chunk;
        const parts = (pending[stream] + chunk).split(/\r?\n/);
        pending[stream] = parts.pop() ?? '';
        lines.push(...parts);
        onLog?.(text.stdout + text.stderr, (signal) => child.kill(signal));
      });
    };
    listen('stdout');
    listen('stderr');
    child.on('error', reject);
    child.on('close', (code, signal) => {
      lines.push(...[pending.stdout, pending.stderr].filter((line) => line !== ''));
      resolveRun({ code, signal, ...text, lines });
    });
  });
}

const COMMANDS: ReadonlySet<string> = new Set([
  ...['add-mask', 'add-matcher', 'remove-matcher', 'add-path', 'debug', 'echo', 'endgroup', 'error', 'group', 'internal-set-repo-path'],
  ...['notice', 'save-state', 'set-env', 'set-output', 'stop-commands', 'warning'],
]);

function readLog(lines: readonly string[]): Pick<ActionEnded, 'annotations' | 'masks' | 'commands' | 'log'> {
  const masks: string[] = [];
  const annotations: Annotation[] = [];
  const commands: Command[] = [];
  const log: string[] = [];
  let stopToken: string | undefined;
  const say = (text: string): unknown => log.push(mask(text, masks));
  for (const line of lines) {
    if (stopToken !== undefined) {
      if (line.trim() === `::${stopToken}::`) stopToken = undefined;
      else say(line);
      continue;
    }
    const command = parseCommand(line);
    if (command?.name === 'add-mask') masks.push(...masksIn(command.data));
    else if (command) commands.push(command);
    if (command?.name === 'stop-commands') stopToken = command.data;
    if (command?.name === 'error' || command?.name === 'warning' || command?.name === 'notice') {
      annotations.push({ level: command.name, message: mask(command.data, masks), properties: command.properties });
      say(`${command.name}: ${command.data}`);
    }
    if (!command) say(line);
  }
  return { annotations, masks, commands, log: log.join('\n') };
}

function masksIn(data: string): readonly string[] {
  return data.trim() === '' ? [] : [data, ...data.split(/[\r\n]+/).filter((line) => line !== '')];
}

/** The runner's masker: overlapping finds become one `***`. */
export function mask(text: string, masks: readonly string[]): string {
  const hidden = new Uint8Array(text.length);
  for (const secret of masks) {
    for (let at = text.indexOf(secret); secret !== '' && at >= 0; at = text.indexOf(secret, at + 1)) hidden.fill(1, at, at + secret.length);
  }
  let shown = '';
  for (let index = 0; index < text.length; index++) {
    if (!hidden[index]) shown += text[index] ?? '';
    else if (index === 0 || !hidden[index - 1]) shown += '***';
  }
  return shown;
}

/** A line as a command, in either of the runner's forms; undefined for a line that it only prints. */
export function parseCommand(line: string): Command | undefined {
  const [, head, data = ''] = /^\s*::(.*?)::(.*)$/.exec(line) ?? [];
  const command = head === undefined ? undefined : commandOf(head, ',', unescapeData(data));
  if (command) return command;
  const [, oldHead, oldData = ''] = /##\[(.*?)\](.*)$/.exec(line) ?? [];
  return oldHead === undefined ? undefined : commandOf(oldHead, ';', oldData);
}

function commandOf(head: string, separator: string, data: string): Command | undefined {
  const space = head.indexOf(' ');
  const name = space < 0 ? head : head.slice(0, space);
  if (!COMMANDS.has(name)) return undefined;
  const pairs =
    space < 0
      ? []
      : head
          .slice(space + 1)
          .trim()
          .split(separator);
  const properties = pairs
    .filter((pair) => pair.includes('='))
    .map((pair) => [pair.slice(0, pair.indexOf('=')), unescapeProperty(pair.slice(pair.indexOf('=') + 1))]);
  return { name, properties: Object.fromEntries(properties) as Record<string, string>, data };
}

function unescapeData(text: string): string {
  return text.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%');
}

function unescapeProperty(text: string): string {
  return text.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%3A', ':').replaceAll('%2C', ',').replaceAll('%25', '%');
}

/** Names and values of a file command: `NAME=VALUE`, or `NAME<<DELIMITER`, lines, `DELIMITER`. Throws as the runner does. */
export function parseFileCommand(text: string): Record<string, string> {
  const values: Record<string, string> = {};
  const lines = text.split('\n');
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] ?? '';
    if (line === '') continue;
    const equals = line.indexOf('=');
    const heredoc = line.indexOf('<<');
    if (equals > 0 && (heredoc < 0 || equals < heredoc)) {
      values[line.slice(0, equals)] = line.slice(equals + 1);
      continue;
    }
    if (heredoc < 1) throw new Error(`Invalid format '${line}'`);
    const end = lines.indexOf(line.slice(heredoc + 2), index + 1);
    if (end < 0) throw new Error(`Matching delimiter not found '${line.slice(heredoc + 2)}'`);
    values[line.slice(0, heredoc)] = lines.slice(index + 1, end).join('\n');
    index = end;
  }
  return values;
}
