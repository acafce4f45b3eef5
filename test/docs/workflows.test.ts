// SPDX-License-Identifier: Apache-2.0
// The workflows of this repository: pinned, least permissions, and e2e.yml played step by step as a runner would.
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { anyNode } from '../support/nodes.js';
import { plainEnvironment } from '../support/spawn.js';

const ROOT = resolve(import.meta.dirname, '../..');
const WORKFLOWS = join(ROOT, '.github/workflows');

interface Step {
  readonly id?: string;
  readonly name?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Record<string, string>;
  readonly env?: Record<string, string>;
  readonly 'continue-on-error'?: boolean;
}

interface Workflow {
  readonly permissions: Record<string, string>;
  readonly jobs: Record<string, { readonly steps: readonly Step[]; readonly permissions?: unknown }>;
}

const texts = new Map<string, string>();
beforeAll(async () => {
  for (const name of await readdir(WORKFLOWS)) texts.set(name, await readFile(join(WORKFLOWS, name), 'utf8'));
});

const load = (name: string): Workflow => parse(texts.get(name) ?? '') as Workflow;

describe('workflows', () => {
  it('pin every action by its commit, with the version as a comment', () => {
    const lines = [...texts].flatMap(([name, text]) =>
      text
        .split('\n')
        .filter((line) => /\buses:/.test(line))
        .map((line) => `${name}: ${line.trim()}`),
    );
    expect(lines.length).toBeGreaterThan(5);
    expect(lines.filter((line) => !/uses: (\.\/(?:check|audit)?|[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$)/.test(line))).toEqual([]);
  });

  it('read contents, and nothing more unless a job says so', () => {
    for (const name of texts.keys()) expect([name, load(name).permissions]).toEqual([name, { contents: 'read' }]);
  });

  it('put nothing into a shell but environment variables', () => {
    const injected = [...texts.keys()].flatMap((name) =>
      Object.values(load(name).jobs).flatMap(({ steps }) =>
        steps.filter(({ run }) => run?.includes('${{')).map((step) => `${name}: ${step.name ?? step.run}`),
      ),
    );
    expect(injected).toEqual([]);
  });

  it('use the Node of .node-version, which the tests pin as well', async () => {
    const version = (await readFile(join(ROOT, '.node-version'), 'utf8')).trim();
    const pinned = JSON.parse(await readFile(join(ROOT, 'test/support/node24/package.json'), 'utf8')) as { version: string };
    expect(pinned.version).toBe(version);
  });
});

describe('e2e.yml', () => {
  let folder: string;
  const children: ChildProcess[] = [];
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'binauthz-e2e-'));
  });
  afterAll(async () => {
    // A step's background processes live on in its group, as they do in a job.
    for (const { pid } of children) {
      try {
        if (pid !== undefined) process.kill(-pid, 'SIGTERM');
      } catch {
        // The group ended by itself.
      }
    }
    await rm(folder, { recursive: true, force: true });
  });

  it('passes, step by step', async () => {
    const job = new Job(folder, children);
    for (const step of Object.values(load('e2e.yml').jobs).flatMap(({ steps }) => steps)) await job.play(step);
    expect(job.played).toEqual([
      'Start the emulator and set the stage',
      'Attest',
      'The outputs say what happened',
      'Check what was attested',
      'Check what was not',
      'The gate is open for the one only',
      'Audit what was let past the policy',
      'Nothing was',
      'A missing image fails the step',
      'And says why',
    ]);
  });
});

/** The little of a runner that e2e.yml needs. */
class Job {
  readonly played: string[] = [];
  private readonly outputs = new Map<string, string>();
  private environment: Record<string, string> = {};

  constructor(
    private readonly folder: string,
    private readonly children: ChildProcess[],
  ) {}

  async play(step: Step): Promise<void> {
    if (step.uses !== undefined && !step.uses.startsWith('./')) return;
    const files = {
      GITHUB_OUTPUT: join(this.folder, 'output'),
      GITHUB_ENV: join(this.folder, 'env'),
      GITHUB_STEP_SUMMARY: join(this.folder, 'summary'),
    };
    for (const file of Object.values(files)) await writeFile(file, '');
    const inputs = Object.entries(step.with ?? {}).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, this.fill(value)]);
    const own = Object.entries(step.env ?? {}).map(([name, value]) => [name, this.fill(value)]);
    const env = {
      ...plainEnvironment(),
      ...this.environment,
      ...files,
      RUNNER_TEMP: this.folder,
      ...Object.fromEntries([...inputs, ...own]),
    } as NodeJS.ProcessEnv;
    const { code, log } = await (step.run === undefined
      ? this.start(anyNode.path, [join(ROOT, 'dist', step.uses === './' ? 'action' : (step.uses?.slice(2) ?? ''), 'index.js')], env)
      : this.start('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', step.run], env));
    const outcome = code === 0 ? 'success' : 'failure';
    if (code !== 0 && !step['continue-on-error']) throw new Error(`${step.name ?? ''} failed:\n${log}`);
    for (const [name, value] of await readFileCommands(files.GITHUB_OUTPUT)) this.outputs.set(`steps.${step.id}.outputs.${name}`, value);
    this.outputs.set(`steps.${step.id}.outcome`, outcome);
    this.environment = { ...this.environment, ...Object.fromEntries(await readFileCommands(files.GITHUB_ENV)) };
    this.played.push(step.name ?? '');
  }

  private fill(text: string): string {
    return String(text).replace(/\$\{\{ ([\w.-]+) \}\}/g, (_match, name: string) => {
      const value = this.outputs.get(name);
      if (value === undefined) throw new Error(`no step has set ${name}`);
      return value;
    });
  }

  private start(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<{ code: number | null; log: string }> {
    return new Promise((done, reject) => {
      const child = spawn(command, args, { cwd: ROOT, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
      this.children.push(child);
      let log = '';
      for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (log += text));
      child.on('error', reject);
      // Not `close`: a background process keeps the pipes open.
      child.on('exit', (code) => done({ code, log }));
    });
  }
}

/** `NAME=VALUE` lines and heredocs of a file command. */
async function readFileCommands(path: string): Promise<readonly (readonly [string, string])[]> {
  const text = await readFile(path, 'utf8');
  const pattern = /^([\w-]+)<<(.+)\r?\n([\s\S]*?)\r?\n?\2$|^([\w-]+)=(.*)$/gm;
  return [...text.matchAll(pattern)].map((match) => [match[1] ?? match[4] ?? '', match[3] ?? match[5] ?? ''] as const);
}
