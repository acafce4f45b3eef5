// SPDX-License-Identifier: Apache-2.0
// The orb's example of staged approvals, end to end: every job with the contexts that it names, against the emulator's IAM.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as openpgp from 'openpgp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addProgram, INSTALLED, makeMachine, removeMachines, runJob, type JobEnded, type Machine } from '../support/circleci.js';
import { startTestEmulator, type TestEmulator } from '../support/emulator.js';
import { pushImage, singleImage } from '../support/images.js';
import { expandConfig, packOrb, type Config, type FlatJob, type FlatStep } from '../support/orb.js';
import { pkixEntry, PROJECT, Stage } from '../support/stage.js';
import { APPROVER, CI, DEPLOYER, mayCheck, maySign, requireAll, untilAsked } from '../support/staged-approvals.js';

const [BUILT, APPROVED] = ['built-by-ci', 'approved-by-qa'] as const;
const PASSPHRASE = 'swordfish';
const DEPLOYMENT = `apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec: { template: { spec: { containers: [{ name: web, image: IMAGE_THAT_WAS_BUILT }] } } }
`;

interface Invocation {
  readonly name?: string;
  readonly context?: string;
  readonly requires?: readonly string[];
  readonly type?: string;
}

let emulator: TestEmulator;
let stage: Stage;
let usage: Config;
let jobs: ReadonlyMap<string, FlatJob>;
let contexts: Readonly<Record<string, Readonly<Record<string, string>>>>;
let image: string;
let first: Machine;

beforeAll(async () => {
  emulator = await startTestEmulator();
  stage = new Stage(emulator);
  const key = await stage.kmsKey('attest');
  await stage.attestor(BUILT, [pkixEntry(key, 'EC_SIGN_P256_SHA256')]);
  const pgp = await openpgp.generateKey({
    type: 'ecc',
    curve: 'ed25519Legacy',
    userIDs: [{ name: 'qa' }],
    passphrase: PASSPHRASE,
    date: new Date(Date.now() - 3_600_000),
    format: 'armored',
  });
  await stage.attestor(APPROVED, [{ asciiArmoredPgpPublicKey: pgp.publicKey }]);
  await maySign(stage, CI, BUILT, key.key);
  await maySign(stage, APPROVER, APPROVED);
  await mayCheck(stage, DEPLOYER, [BUILT, APPROVED]);
  await requireAll(stage, [BUILT, APPROVED]);
  contexts = {
    'google-cloud-ci': identity(CI),
    'qa-signers': { ...identity(APPROVER), QA_PGP_KEY: Buffer.from(pgp.privateKey).toString('base64'), QA_PGP_PASSPHRASE: PASSPHRASE },
    'google-cloud-deploy': identity(DEPLOYER),
  };
  const orb = await packOrb();
  usage = orb.examples['approve_then_attest']!.usage;
  jobs = new Map(expandConfig(usage, orb).map((job) => [job.name, job]));
  const headers = { 'x-binauthz-registry': 'us-docker.pkg.dev' };
  const digest = await pushImage(emulator.url, `${PROJECT}/apps/web`, 'v1', singleImage('staged'), { headers });
  image = `us-docker.pkg.dev/${PROJECT}/apps/web@${digest}`;
});
afterAll(async () => {
  await emulator.close();
  await removeMachines();
});

/** What a context for OIDC holds. The token service is not played: the token that it would give is in the default variable. */
function identity(email: string): Readonly<Record<string, string>> {
  return {
    GOOGLE_PROJECT_NUMBER: '123456789',
    OIDC_WIP_ID: 'circleci',
    OIDC_WIP_PROVIDER_ID: 'main',
    OIDC_SERVICE_ACCOUNT_EMAIL: email,
    BINAUTHZ_ACCESS_TOKEN: `as:${email}`,
  };
}

/** The jobs of the workflow as they are written, by name. */
function invocations(): ReadonlyMap<string, Invocation> {
  const entries = Object.values(usage.workflows ?? {}).flatMap(({ jobs: list }) => list);
  return new Map(
    entries.map((entry) => {
      const [reference = '', given = {}] = typeof entry === 'string' ? [entry] : (Object.entries(entry)[0] ?? []);
      const invocation = given as Invocation;
      return [invocation.name ?? reference, invocation];
    }),
  );
}

const stepsOf = (name: string): readonly FlatStep[] => jobs.get(name)?.steps ?? [];

/** The step with a wait timeout of 90 seconds, where it is our check. */
function patient(step: FlatStep): FlatStep {
  const environment = step.keys['environment'] as Readonly<Record<string, unknown>> | undefined;
  if (environment?.['BINAUTHZ_VERB'] !== 'check') return step;
  return { ...step, keys: { ...step.keys, environment: { ...environment, BINAUTHZ_PARAM_WAIT_TIMEOUT: '90s' } } };
}

/** Plays a job on a machine of its own, with the contexts that the workflow gives it and `env` over them. */
async function play(
  name: string,
  env: Readonly<Record<string, string>> = {},
  steps = stepsOf(name),
): Promise<JobEnded & { machine: Machine }> {
  const machine = await makeMachine([...INSTALLED, 'sed'], first);
  await addProgram(machine, 'docker', `if [ "$1" = inspect ]; then echo '${image}'; fi`);
  await addProgram(machine, 'gcloud', 'true');
  // There is no cluster: what would be applied is kept.
  await addProgram(machine, 'kubectl', `cat "$3" > '${machine.root}/applied.yaml'`);
  await mkdir(join(machine.workspace, 'k8s'));
  await writeFile(join(machine.workspace, 'k8s/deployment.yaml'), DEPLOYMENT);
  const context = contexts[invocations().get(name)?.context ?? ''];
  if (!context) throw new Error(`${name} has no context that there is`);
  const ended = await runJob(machine, steps, {
    BINAUTHZ_EMULATOR_HOST: emulator.host,
    CIRCLE_OIDC_TOKEN_V2: 'header.body.signature',
    CIRCLE_SHA1: 'a'.repeat(40),
    REPOSITORY: `us-docker.pkg.dev/${PROJECT}/apps/web`,
    ...context,
    ...env,
  });
  return { ...ended, machine };
}

const codeOf = ({ steps }: JobEnded): number => steps.find(({ isSkipped, code }) => !isSkipped && code !== 0)?.code ?? 0;
// Tests look into results of many shapes; a wrong path fails the assertion that uses it.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
const report = async (machine: Machine, name: string): Promise<any> =>
  JSON.parse(await readFile(join(machine.artifacts, 'store_artifacts/binauthz', name), 'utf8'));
const applied = ({ root }: Machine): Promise<string> => readFile(join(root, 'applied.yaml'), 'utf8').catch(() => '');

describe('staged approvals on CircleCI', () => {
  it('lets each job wait for the one before it, with a person between', () => {
    const needs = Object.fromEntries([...invocations()].map(([name, { requires = [], type }]) => [type ?? name, requires]));
    expect(needs).toEqual({ build: [], approval: ['build'], attest_as_qa: ['approve'], deploy: ['attest_as_qa'] });
    expect(new Set([...invocations().values()].flatMap(({ context }) => context ?? [])).size).toBe(3);
  });

  it('builds, and attests as CI', async () => {
    const ended = await play('build');
    first = ended.machine;
    expect(ended.isGreen, ended.log).toBe(true);
    expect((await report(first, 'attest.json')).attestations).toMatchObject([{ image, status: 'created' }]);
  });

  it('refuses CI that would approve by itself, even with the key of QA', async () => {
    const before = await stage.occurrences();
    const ended = await play('attest_as_qa', identity(CI));
    expect(codeOf(ended), ended.log).toBe(5);
    expect(ended.log).toContain(`attestors/${APPROVED}`);
    expect(await stage.occurrences()).toEqual(before);
  });

  it('denies the deploy before the approval, names who is missing, and applies nothing', async () => {
    const ended = await play('deploy');
    expect(codeOf(ended), ended.log).toBe(3);
    expect(ended.log).toContain(`2 of 2 attestors required, missing: projects/${PROJECT}/attestors/${APPROVED}`);
    expect(ended.log).toMatch(
      new RegExp(`attestors/${APPROVED} +missing\n +projects/${PROJECT}/attestors/${BUILT} +signed by \\S+ at \\d{4}-`),
    );
    expect(await applied(ended.machine)).toBe('');
  });

  it('waits for the approval, and deploys once it is there', async () => {
    const seen = (await stage.requests()).length;
    const waiting = play('deploy', {}, stepsOf('deploy').map(patient));
    await untilAsked(stage, new RegExp(`^GET /v1/projects/${PROJECT}/notes/${APPROVED}/occurrences`), seen);
    const approval = await play('attest_as_qa');
    expect(approval.isGreen, approval.log).toBe(true);
    const ended = await waiting;
    expect(ended.isGreen, ended.log).toBe(true);
    expect(ended.log).toContain('lack attestations; looking again');
    expect(await applied(ended.machine)).toContain(image);
  });

  it('deploys what both attested, and shows who signed', async () => {
    const ended = await play('deploy');
    expect(ended.isGreen, ended.log).toBe(true);
    const { images } = await report(ended.machine, 'check.json');
    expect(images[0].occurrences.map(({ attestor }: { attestor: string }) => attestor.split('/').at(-1)).toSorted()).toEqual([
      APPROVED,
      BUILT,
    ]);
    expect(await applied(ended.machine)).toContain(image);
    expect(ended.log).not.toContain('same key');
  });
});
