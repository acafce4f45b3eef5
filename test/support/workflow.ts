// SPDX-License-Identifier: Apache-2.0
// A workflow of GitHub, played job by job: our Actions run as the runner starts them, `run` steps under bash, and every other
// action is played by a stand-in that the test gives. Our model of it, not GitHub itself.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { makeRunFolder, parseFileCommand, runAction, type RunFolder } from './runner.js';
import { run } from './spawn.js';

interface WorkflowStep {
  readonly id?: string;
  readonly name?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
}

interface WorkflowJob {
  readonly needs?: string | readonly string[];
  readonly environment?: string;
  readonly outputs?: Readonly<Record<string, string>>;
  readonly steps: readonly WorkflowStep[];
}

interface Workflow {
  readonly env?: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, WorkflowJob>>;
}

type Texts = Readonly<Record<string, string>>;

/** What a stand-in for somebody else's action may do: set outputs, and tell who the job is from now on. */
export interface Played {
  readonly outputs?: Texts;
  /** The e-mail address of the identity that the steps after it have. */
  readonly identity?: string;
}

/** How a job is played. */
export interface WorkflowOptions {
  /** `127.0.0.1:PORT` */
  readonly emulator: string;
  /** By the action's name without its version. */
  readonly actions: Readonly<Record<string, (inputs: Texts, job: RunFolder) => Played | Promise<Played>>>;
  /** A folder of programs that come first on the PATH of `run` steps. */
  readonly bin?: string;
  /** Replaces inputs of our own Actions, such as a longer wait. */
  readonly inputs?: Texts;
}

/** How a job ended. */
export interface JobPlayed {
  /** Of the step that failed; 0 where none did. */
  readonly exitCode: number;
  readonly log: string;
  readonly outputs: Texts;
  readonly summary: string;
  // Tests look into results of many shapes; a wrong path fails the assertion that uses it.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly reports: readonly any[];
  readonly folder: RunFolder;
}

/** A run of a workflow: jobs are played one by one, each only when those that it needs have succeeded and its environment is approved. */
export class WorkflowRun {
  private readonly finished = new Map<string, JobPlayed>();
  private readonly approved = new Set<string>();

  private constructor(
    private readonly workflow: Workflow,
    private readonly options: WorkflowOptions,
  ) {}

  static async of(path: string, options: WorkflowOptions): Promise<WorkflowRun> {
    return new WorkflowRun(parse(await readFile(path, 'utf8')) as Workflow, options);
  }

  /** A reviewer approves the environment. */
  approve(environment: string): void {
    this.approved.add(environment);
  }

  /** Why a job does not start yet; undefined where it may. */
  blocked(name: string): string | undefined {
    const job = this.job(name);
    const missing = listOf(job.needs).filter((needed) => this.finished.get(needed)?.exitCode !== 0);
    if (missing.length > 0) return `needs ${missing.join(', ')}`;
    if (job.environment !== undefined && !this.approved.has(job.environment)) return `environment ${job.environment} is not approved`;
    return undefined;
  }

  /** Plays a job that is due. */
  async play(name: string, options: Partial<WorkflowOptions> = {}): Promise<JobPlayed> {
    const why = this.blocked(name);
    if (why !== undefined) throw new Error(`the job ${name} does not start: ${why}`);
    const played = await this.force(name, options);
    this.finished.set(name, played);
    return played;
  }

  /** Plays a job whether it is due or not, as somebody would who runs its steps by hand; it does not count as finished. */
  async force(name: string, options: Partial<WorkflowOptions> = {}): Promise<JobPlayed> {
    const player = new Player({ ...this.options, ...options }, await makeRunFolder(), {
      env: this.workflow.env ?? {},
      needs: Object.fromEntries([...this.finished].map(([needed, { outputs }]) => [needed, outputs])),
    });
    const { steps, outputs = {} } = this.job(name);
    for (const step of steps) if (!(await player.step(step))) return player.ended({});
    return player.ended(outputs);
  }

  private job(name: string): WorkflowJob {
    const job = this.workflow.jobs[name];
    if (!job) throw new Error(`the workflow has no job ${name}`);
    return job;
  }
}

/** What expressions may name. */
interface Contexts {
  readonly env: Texts;
  readonly needs: Readonly<Record<string, Texts>>;
}

class Player {
  private readonly values: Map<string, string>;
  private readonly reports: unknown[] = [];
  private log = '';
  private summary = '';
  private exitCode = 0;
  private identity: string | undefined;

  constructor(
    private readonly options: WorkflowOptions,
    private readonly folder: RunFolder,
    { env, needs }: Contexts,
  ) {
    const outputs = Object.entries(needs).flatMap(([job, texts]) =>
      Object.entries(texts).map(([name, text]) => [`needs.${job}.outputs.${name}`, text] as const),
    );
    const variables = Object.entries(env).map(([name, text]) => [`env.${name}`, text] as const);
    this.values = new Map([['github.sha', 'a'.repeat(40)], ...variables, ...outputs]);
  }

  /** Whether the step succeeded. */
  async step({ id, uses, run: script, with: given = {}, env = {} }: WorkflowStep): Promise<boolean> {
    const filled = (texts: Readonly<Record<string, unknown>>): Texts =>
      Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, this.fill(String(text))]));
    const outputs = script === undefined ? await this.action(uses ?? '', filled(given)) : await this.script(script, filled(env));
    if (id !== undefined) for (const [name, text] of Object.entries(outputs)) this.values.set(`steps.${id}.outputs.${name}`, text);
    return this.exitCode === 0;
  }

  ended(outputs: Texts): JobPlayed {
    const { exitCode, log, summary, reports, folder } = this;
    const texts = Object.fromEntries(Object.entries(outputs).map(([name, text]) => [name, this.fill(text)]));
    return { exitCode, log, summary, reports, folder, outputs: texts };
  }

  private async action(uses: string, inputs: Texts): Promise<Texts> {
    const [name = ''] = uses.split('@');
    const ours = /^[\w-]+\/binauthz(?:\/(check))?$/.exec(name);
    if (!ours) {
      const play = this.options.actions[name];
      if (!play) throw new Error(`no stand-in for ${uses}`);
      const { outputs = {}, identity } = await play(inputs, this.folder);
      this.identity = identity ?? this.identity;
      return outputs;
    }
    const action = ours[1] === 'check' ? ({ action: 'check' } as const) : {};
    const ended = await runAction({
      ...action,
      folder: this.folder,
      emulator: this.options.emulator,
      inputs: {
        ...inputs,
        ...this.options.inputs,
        ...(this.identity === undefined ? {} : { 'access-token': `as:${this.identity}` }),
      },
    });
    this.log += `${ended.log}\n${ended.stderr}`;
    this.summary += ended.summary;
    this.reports.push(ended.report);
    if (ended.code !== 0) this.exitCode = Number(ended.outputs['exit-code'] ?? -1);
    return ended.outputs;
  }

  private async script(script: string, env: Texts): Promise<Texts> {
    const output = join(this.folder.commands, 'script_output');
    await writeFile(output, '');
    const path = [this.options.bin, process.env['PATH']].filter((part) => part !== undefined).join(':');
    const { code, stdout, stderr } = await run('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', script], {
      cwd: this.folder.workspace,
      env: { HOME: this.folder.home, ...env, PATH: path, GITHUB_OUTPUT: output },
    });
    this.log += stdout + stderr;
    if (code !== 0) this.exitCode = code ?? -1;
    return parseFileCommand(await readFile(output, 'utf8'));
  }

  private fill(text: string): string {
    return text.replace(/\$\{\{\s*([\w.-]+)\s*\}\}/g, (_match, name: string) => {
      const value = this.values.get(name);
      if (value === undefined) throw new Error(`nothing has set ${name}`);
      return value;
    });
  }
}

function listOf(needs: string | readonly string[] | undefined): readonly string[] {
  return typeof needs === 'string' ? [needs] : (needs ?? []);
}
