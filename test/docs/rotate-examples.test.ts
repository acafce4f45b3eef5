// SPDX-License-Identifier: Apache-2.0
// The examples of a rotation in shards run: on GitHub as a matrix, on CircleCI as parallel containers, and then the old key goes.
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import Ajv from 'ajv';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { INSTALLED, makeMachine, removeMachines, runJob } from '../support/circleci.js';
import { DIST } from '../support/cli.js';
import { startTestEmulator, type TestEmulator } from '../support/emulator.js';
import { anyNode } from '../support/nodes.js';
import { expandConfig, packOrb, type Config, type FlatJob } from '../support/orb.js';
import { digests, entryOf, oldKey, plant, signaturesBy, trusted } from '../support/rotation.js';
import { run, type Ended } from '../support/spawn.js';
import { Stage } from '../support/stage.js';

const FOLDER = resolve(import.meta.dirname, '../../examples/rotate');
const KEY = 'projects/shop-prod/locations/global/keyRings/ci/cryptoKeys/attest';
const [FROM, TO] = [`//cloudkms.googleapis.com/v1/${KEY}/cryptoKeyVersions/1`, `${KEY}/cryptoKeyVersions/2`];
const FRESH = `//cloudkms.googleapis.com/v1/${TO}`;
const NOTE = 'projects/shop-prod/notes/built-by-ci';
const IMAGES = digests('example', 24);

let emulator: TestEmulator;
let stage: Stage;
let attestor: string;

beforeEach(async () => {
  emulator = await startTestEmulator();
  stage = new Stage(emulator);
  await stage.kmsKey('attest');
  await stage.call('POST', `/v1/${KEY}/cryptoKeyVersions`, {});
  // Listed under the name of the first version: it planted what the old pipeline attested, and signs nothing any more.
  const old = oldKey(FROM);
  attestor = await stage.attestor('built-by-ci', [entryOf(old)]);
  await plant(stage, NOTE, old, IMAGES);
});
afterEach(async () => {
  expect(emulator.lastErrors).toEqual([]);
  await emulator.close();
});
afterAll(removeMachines);

async function expectAttestedOnce(): Promise<void> {
  const { pem } = await stage.keyVersion(KEY, 2);
  const found = await signaturesBy(stage, NOTE, { id: FRESH, pem });
  expect([...found.keys()].sort()).toEqual([...IMAGES].sort());
  expect(new Set(found.values())).toEqual(new Set([1]));
  expect(await trusted(stage, attestor)).toEqual([FROM, FRESH]);
}

/** What the schema that editors use says against a configuration. */
function problems(name: string, document: unknown): readonly string[] {
  const ajv = new Ajv({ schemaId: 'auto', allErrors: true, logger: false, unknownFormats: 'ignore' });
  ajv.addMetaSchema(schema('ajv/lib/refs/json-schema-draft-04.json'));
  const validate = ajv.compile(schema(`schemastore/schemas/json/${name}`));
  return validate(document) === true ? [] : (validate.errors ?? []).map(({ dataPath, message }) => `${dataPath} ${message ?? ''}`);
}

function schema(path: string): object {
  return JSON.parse(readFileSync(createRequire(import.meta.url).resolve(path), 'utf8')) as object;
}

interface WorkflowJob {
  readonly needs?: string;
  readonly environment?: string;
  readonly strategy?: { readonly matrix: { readonly shard: readonly number[] } };
  readonly steps: readonly { readonly uses?: string; readonly run?: string; readonly env?: Readonly<Record<string, string>> }[];
}

interface Workflow {
  readonly env: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<'attest-anew' | 'retire', WorkflowJob>>;
}

describe('on GitHub', () => {
  let workflow: Workflow;
  let workspace: string;
  beforeAll(async () => {
    workflow = parse(await readFile(join(FOLDER, 'github.yml'), 'utf8')) as Workflow;
    workspace = await mkdtemp(join(tmpdir(), 'binauthz-matrix-'));
    // What the checkout of the product would put there.
    await symlink(DIST, join(workspace, 'dist'));
  });
  afterAll(() => rm(workspace, { recursive: true, force: true }));

  /** The shell steps of a job, with the values of these expressions. */
  async function play(job: WorkflowJob, expressions: Readonly<Record<string, string>>): Promise<Ended> {
    const scripts = job.steps.filter((step) => step.run !== undefined);
    expect(scripts).toHaveLength(1);
    const [{ run: script = '', env = {} } = {}] = scripts;
    const filled = Object.entries(env).map(([name, text]) => [name, fill(text, expressions)] as const);
    return run('bash', ['-e', '-c', script], {
      cwd: workspace,
      env: {
        ...workflow.env,
        ...Object.fromEntries(filled),
        BINAUTHZ_EMULATOR_HOST: emulator.host,
        PATH: `${dirname(anyNode.path)}${delimiter}${process.env['PATH'] ?? ''}`,
      },
    });
  }

  function fill(text: string, expressions: Readonly<Record<string, string>>): string {
    return text.replace(/\$\{\{ ([\w.-]+) \}\}/g, (_, name: string) => {
      const value = expressions[name];
      if (value === undefined) throw new Error(`the example names ${name}, which this run does not have`);
      return value;
    });
  }

  it('is a workflow, and puts no expression into a shell', () => {
    expect(problems('github-workflow.json', workflow)).toEqual([]);
    expect(problems('github-workflow.json', { ...workflow, jobs: { a: { steps: [] } } })).not.toEqual([]);
    const scripts = Object.values(workflow.jobs).flatMap(({ steps }) => steps.flatMap((step) => step.run ?? []));
    expect(scripts.filter((script) => script.includes('${{'))).toEqual([]);
    expect([workflow.jobs.retire.needs, workflow.jobs.retire.environment]).toEqual(['attest-anew', 'production']);
  });

  it('shares the images out over the matrix, and retires the old key', async () => {
    const { 'attest-anew': job, retire } = workflow.jobs;
    const shards = job.strategy?.matrix.shard ?? [];
    expect(shards.length).toBeGreaterThan(1);
    const inputs = { 'inputs.to': TO, 'inputs.retire': FROM, 'strategy.job-total': String(shards.length) };
    const ended = await Promise.all(shards.map((shard) => play(job, { ...inputs, 'matrix.shard': String(shard) })));
    expect(ended.map(({ code, stderr }) => [code, code === 0 ? '' : stderr])).toEqual(shards.map(() => [0, '']));
    await expectAttestedOnce();
    const last = await play(retire, inputs);
    expect(last.code, last.stderr).toBe(0);
    expect(await trusted(stage, attestor)).toEqual([FRESH]);
  });
});

describe('on CircleCI', () => {
  let config: Config;
  let jobs: ReadonlyMap<string, FlatJob>;
  beforeAll(async () => {
    // The schema knows namespaces in lower case only, as they will be.
    config = parse((await readFile(join(FOLDER, 'circleci.yml'), 'utf8')).replaceAll('OWNER', 'owner')) as Config;
    jobs = new Map(expandConfig(config, await packOrb()).map((job) => [job.name, job]));
  });

  /** One container of a job; what the gcp-cli orb does is not played. */
  async function play(name: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
    const steps = (jobs.get(name)?.steps ?? []).filter(({ type }) => type !== 'gcp-cli/setup');
    const environment = config.jobs?.[name]?.['environment'] as Readonly<Record<string, string>>;
    const ended = await runJob(await makeMachine(INSTALLED), steps, { ...environment, ...env, BINAUTHZ_EMULATOR_HOST: emulator.host });
    return ended.isGreen ? '' : ended.log;
  }

  it('is a configuration', () => {
    expect(problems('circleciconfig.json', config)).toEqual([]);
    expect(problems('circleciconfig.json', { ...config, jobs: { a: { parallelism: 'four' } } })).not.toEqual([]);
    expect([...jobs.keys()].sort()).toEqual(['attest_anew', 'retire']);
  });

  it('shares the images out over parallel containers, and retires the old key', async () => {
    const total = config.jobs?.['attest_anew']?.['parallelism'] as number;
    expect(total).toBeGreaterThan(1);
    const containers = Array.from({ length: total }, (_, index) => ({
      CIRCLE_NODE_INDEX: String(index),
      CIRCLE_NODE_TOTAL: String(total),
    }));
    expect(await Promise.all(containers.map((env) => play('attest_anew', env)))).toEqual(containers.map(() => ''));
    await expectAttestedOnce();
    expect(await play('retire')).toBe('');
    expect(await trusted(stage, attestor)).toEqual([FRESH]);
  });
});
