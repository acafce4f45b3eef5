// SPDX-License-Identifier: Apache-2.0
// Jobs that get their credentials from CircleCI's OIDC token, against a token service and Google APIs that keep what
// they are sent; and jobs whose credentials another orb set up.
import { existsSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { startStub, type Stub } from '../google/stub-server.js';
import { makeMachine, removeMachines, runJob, scriptStep, variableOf, type Machine } from '../support/circleci.js';
import { startTestEmulator, type TestEmulator } from '../support/emulator.js';
import { singleImage } from '../support/images.js';
import { startLoginRegistry, startRecordingProxy, type RecordingServer } from '../support/login-registry.js';
import { expandCommand, expandJob, packOrb, type FlatStep, type Orb } from '../support/orb.js';
import { Stage, type StagedKey } from '../support/stage.js';

const LOGIN = { user: 'robot', password: 'registry-password' };
const V1 = 'v1.v1body.v1signature';
const V2 = 'v2.v2body.v2signature';
const FEDERATED = {
  body: {
    access_token: 'from-sts',
    issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    token_type: 'Bearer',
    expires_in: 3600,
  },
};

let emulator: TestEmulator;
let google: RecordingServer;
let registry: RecordingServer;
let sts: Stub;
let orb: Orb;
let attestor: string;
let key: StagedKey;
let image: string;

beforeAll(async () => {
  emulator = await startTestEmulator();
  google = await startRecordingProxy(emulator.host, { current: () => false });
  sts = await startStub();
  const pushed = singleImage('oidc');
  registry = await startLoginRegistry(pushed, LOGIN);
  image = `${registry.host}/team/my_app@${pushed.digest}`;
  ({ attestor, key } = await new Stage(emulator).kmsAttestor('ci'));
  orb = await packOrb();
});
afterAll(async () => {
  await Promise.all([google.close(), registry.close(), emulator.close(), sts.close()]);
  await removeMachines();
});
beforeEach(() => {
  google.requests.length = 0;
  sts.asked.length = 0;
  sts.plan(FEDERATED);
});

async function machineWithLogin(): Promise<Machine> {
  const machine = await makeMachine();
  await mkdir(join(machine.home, '.docker'));
  const auth = Buffer.from(`${LOGIN.user}:${LOGIN.password}`).toString('base64');
  await writeFile(join(machine.home, '.docker/config.json'), JSON.stringify({ auths: { [registry.host]: { auth } } }));
  return machine;
}

function environment(): Record<string, string> {
  const overrides = ['ARTIFACTREGISTRY', 'BINARYAUTHORIZATION', 'CLOUDKMS', 'CONTAINERANALYSIS'].map((api) => [
    `CLOUDSDK_API_ENDPOINT_OVERRIDES_${api}`,
    `http://${google.host}/`,
  ]);
  return {
    GOOGLE_PROJECT_NUMBER: '123456',
    OIDC_WIP_ID: 'circleci',
    OIDC_WIP_PROVIDER_ID: 'our-org',
    CIRCLE_OIDC_TOKEN: V1,
    CIRCLE_OIDC_TOKEN_V2: V2,
    METADATA_SERVER_DETECTION: 'none',
    ...(Object.fromEntries(overrides) as Record<string, string>),
  };
}

const attestJob = (args: Record<string, unknown> = {}): readonly FlatStep[] =>
  withStub(expandJob(orb, 'attest', { images: image, attestors: attestor, kms_keys: key.key, use_oidc: true, ...args }).steps);

/** Lets the script send the token here. That is no parameter of the orb, whose users send it to Google and nowhere else. */
function withStub(steps: readonly FlatStep[]): readonly FlatStep[] {
  return steps.map((step) => {
    const environment = step.keys['environment'] as Record<string, string> | undefined;
    if (environment?.['BINAUTHZ_PARAM_WORKLOAD_IDENTITY_POOL_ID'] === undefined) return step;
    return { ...step, keys: { ...step.keys, environment: { ...environment, BINAUTHZ_PARAM_TOKEN_URL: `${sts.url}v1/token` } } };
  });
}

async function leftOf(machine: Machine): Promise<readonly string[]> {
  return (await Promise.all([machine.tmp, machine.home].map((path) => readdir(path, { recursive: true }))))
    .flat()
    .filter((name) => /oidc|cred/.test(name));
}

it('attests with the federated token, and leaves nothing', async () => {
  const machine = await machineWithLogin();
  const ended = await runJob(machine, attestJob(), environment());
  expect(ended.isGreen, ended.log).toBe(true);
  expect(sts.asked).toHaveLength(1);
  const asked = new URLSearchParams(sts.asked[0]!.body);
  expect(Object.fromEntries(asked)).toMatchObject({
    audience: '//iam.googleapis.com/projects/123456/locations/global/workloadIdentityPools/circleci/providers/our-org',
    subject_token: V2,
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
  });
  expect(google.requests.length).toBeGreaterThan(3);
  expect([...new Set(google.requests.map(({ headers }) => headers.authorization))]).toEqual(['Bearer from-sts']);
  expect(await leftOf(machine)).toEqual([]);
  expect(await variableOf(machine, 'GOOGLE_APPLICATION_CREDENTIALS')).toBe(undefined);
});

it('takes the first version of the token where there is no other', async () => {
  const ended = await runJob(await machineWithLogin(), attestJob(), { ...environment(), CIRCLE_OIDC_TOKEN_V2: '' });
  expect(ended.isGreen, ended.log).toBe(true);
  expect(new URLSearchParams(sts.asked[0]!.body).get('subject_token')).toBe(V1);
});

it.each([
  ['the attestation fails', {}, { attestors: 'projects/shop-prod/attestors/none' }],
  ['the token service refuses', { status: 400, body: { error: 'invalid_grant', error_description: 'the JWT is expired' } }, {}],
])('leaves nothing where %s', async (_, answer, args) => {
  sts.plan({ ...FEDERATED, ...answer });
  const machine = await machineWithLogin();
  const ended = await runJob(machine, [...attestJob(args), scriptStep('true')], environment());
  expect(ended.isGreen).toBe(false);
  expect(ended.steps.find(({ name }) => name === 'Remove the OIDC credentials')).toMatchObject({ isSkipped: false, code: 0 });
  expect(await leftOf(machine)).toEqual([]);
});

it('without a token fails before it attests, and its last step has nothing to do', async () => {
  const machine = await machineWithLogin();
  const ended = await runJob(machine, attestJob(), { ...environment(), CIRCLE_OIDC_TOKEN: '', CIRCLE_OIDC_TOKEN_V2: '' });
  expect(ended.isGreen).toBe(false);
  expect(ended.log).toContain('neither CIRCLE_OIDC_TOKEN_V2 nor CIRCLE_OIDC_TOKEN is set');
  expect(ended.log).toContain('There are no credentials of setup_oidc to remove.');
  expect(google.requests).toEqual([]);
  expect(await leftOf(machine)).toEqual([]);
});

it('names the variable that is not set', async () => {
  const ended = await runJob(await machineWithLogin(), attestJob({ workload_identity_pool_id: 'MY_POOL' }), environment());
  expect(ended.isGreen).toBe(false);
  expect(ended.log).toContain('WORKLOAD_IDENTITY_POOL_ID: the variable MY_POOL is not set or empty');
});

it('alone leaves a private file outside of the workspace, for as many steps as need it, until cleanup_oidc', async () => {
  const machine = await machineWithLogin();
  const attest = expandCommand(orb, 'attest', { images: image, attestors: attestor, kms_keys: key.key });
  const setup = await runJob(machine, [...withStub(expandCommand(orb, 'setup_oidc')), ...attest, ...attest], environment());
  expect(setup.isGreen, setup.log).toBe(true);
  const path = (await variableOf(machine, 'GOOGLE_APPLICATION_CREDENTIALS')) ?? '';
  expect(path.startsWith(`${machine.tmp}/binauthz-oidc.`)).toBe(true);
  expect(setup.log).toContain(path);
  const cleanup = await runJob(machine, expandCommand(orb, 'cleanup_oidc'), environment());
  expect(cleanup.isGreen, cleanup.log).toBe(true);
  expect(existsSync(path)).toBe(false);
  expect(await leftOf(machine)).toEqual([]);
});

it('is not needed after another orb set credentials up', async () => {
  const machine = await machineWithLogin();
  // What gcp-cli/setup leaves behind, in the form in which it does.
  const credentials = {
    type: 'external_account',
    audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q',
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    token_url: `${sts.url}v1/token`,
    credential_source: { file: join(machine.home, 'oidc_token'), format: { type: 'text' } },
  };
  await writeFile(join(machine.home, 'oidc_token'), `${V1}\n`);
  await writeFile(join(machine.home, 'gcp_cred_config.json'), JSON.stringify(credentials));
  const steps = [
    scriptStep(`echo "export GOOGLE_APPLICATION_CREDENTIALS='$HOME/gcp_cred_config.json'" | cat >> "$BASH_ENV"`),
    ...attestJob({ use_oidc: false }),
  ];
  const ended = await runJob(machine, steps, environment());
  expect(ended.isGreen, ended.log).toBe(true);
  expect(new URLSearchParams(sts.asked[0]!.body).get('subject_token')?.trim()).toBe(V1);
});
