// SPDX-License-Identifier: Apache-2.0
// Canary secrets appear nowhere that a job leaves something: in no log, file, artifact, word of a command line, BASH_ENV,
// or request; however the job ends. The one exception is the token's own file, for as long as setup_oidc keeps it.
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startStub, type Planned, type Stub } from '../google/stub-server.js';
import { filesIn, leaksIn, makeCanaries, needlesOf, type Canaries, type Evidence, type Needle } from '../support/canaries.js';
import { makeMachine, PROGRAMS, removeMachines, runJob, scriptStep, type JobEnded, type Machine } from '../support/circleci.js';
import { startTestEmulator, type TestEmulator } from '../support/emulator.js';
import { singleImage } from '../support/images.js';
import { startLoginRegistry, startRecordingProxy, type RecordingServer } from '../support/login-registry.js';
import { expandCommand, packOrb, type FlatStep, type Orb } from '../support/orb.js';
import { packPackage, serveFiles, type FileServer } from '../support/package.js';
import { PROJECT, Stage } from '../support/stage.js';

const LOGIN = { user: 'robot', password: 'registry-password' };
const OIDC = [
  'eyJjYW5hcnkiOiJvaWRjLWhlYWRlciJ9',
  'eyJjYW5hcnkiOiJvaWRjLXBheWxvYWQtNTE4MjcifQ',
  'Y2FuYXJ5LW9pZGMtc2lnbmF0dXJlLTk5MTI3',
].join('.');
const FEDERATED = {
  body: {
    access_token: 'canary-from-sts-72615',
    issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    token_type: 'Bearer',
    expires_in: 3600,
  },
};

let folder: string;
let server: FileServer;
let orb: Orb;
let emulator: TestEmulator;
let google: RecordingServer;
let sts: Stub;
let canaries: Canaries;
let needles: readonly Needle[];
let seed = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'binauthz-package-'));
  const tarball = await packPackage(folder);
  server = await serveFiles({ '/binauthz-0.1.0.tgz': tarball });
  orb = await packOrb(['--tarball', tarball, '--url', `${server.url}binauthz-0.1.0.tgz`]);
  emulator = await startTestEmulator();
  google = await startRecordingProxy(emulator.host, { current: () => false });
  sts = await startStub();
  canaries = await makeCanaries();
  needles = [
    ...(await needlesOf(canaries)),
    ...OIDC.split('.').map((text) => ({ of: 'OIDC token', text })),
    { of: 'federated token', text: FEDERATED.body.access_token },
  ];
  const stage = new Stage(emulator);
  await stage.attestor('pgp', [{ asciiArmoredPgpPublicKey: canaries.pgpPublic }]);
  await stage.attestor('pkix', [
    { id: 'ni:///k', pkixPublicKey: { publicKeyPem: canaries.pkixPublic, signatureAlgorithm: 'ECDSA_P256_SHA256' } },
  ]);
  await stage.kmsAttestor('other');
});
afterAll(async () => {
  await Promise.all([server.close(), google.close(), emulator.close(), sts.close()]);
  await rm(folder, { recursive: true, force: true });
  await removeMachines();
});

interface Scenario {
  readonly attest?: Record<string, unknown>;
  readonly env?: () => Record<string, string>;
  readonly sts?: () => Planned;
  /** Whether the job's last step removes the token. */
  readonly keepsToken?: boolean;
  readonly isGreen: boolean;
  /** What the log must say, so that the job is known to have come that far. */
  readonly says: string;
}

interface ScenarioEnded extends JobEnded {
  readonly machine: Machine;
  readonly evidence: readonly Evidence[];
}

async function play(scenario: Scenario): Promise<ScenarioEnded> {
  const pushed = singleImage(`secret-${seed++}`);
  const registry = await startLoginRegistry(pushed, LOGIN);
  try {
    return await playOn(registry, `${registry.host}/team/app@${pushed.digest}`, scenario);
  } finally {
    await registry.close();
  }
}

async function playOn(registry: RecordingServer, image: string, scenario: Scenario): Promise<ScenarioEnded> {
  const { attest = {}, env = () => ({}), sts: answer = () => FEDERATED, keepsToken = false } = scenario;
  const machine = await makeMachine(PROGRAMS);
  await mkdir(join(machine.home, '.docker'));
  const auth = Buffer.from(`${LOGIN.user}:${LOGIN.password}`).toString('base64');
  await writeFile(join(machine.home, '.docker/config.json'), JSON.stringify({ auths: { [registry.host]: { auth } } }));
  google.requests.length = 0;
  sts.asked.length = 0;
  sts.plan(answer());
  const attestors = ['pgp', 'pkix'].map((id) => `projects/${PROJECT}/attestors/${id}`).join('\n');
  const keys = { pgp_private_key_env: 'K', pgp_passphrase_env: 'P', pkix_private_key_env: 'X' };
  const steps: readonly FlatStep[] = [
    ...expandCommand(orb, 'install'),
    ...expandCommand(orb, 'setup_oidc').map(withStub),
    ...expandCommand(orb, 'attest', { images: image, attestors, ...keys, check: 'warn', check_project: PROJECT, ...attest }),
    scriptStep('binauthz --version; printf "%s\\n" "$BINAUTHZ_IMAGE"'),
    ...(keepsToken ? [] : expandCommand(orb, 'cleanup_oidc')),
  ];
  const overrides = ['ARTIFACTREGISTRY', 'BINARYAUTHORIZATION', 'CLOUDKMS', 'CONTAINERANALYSIS'].map((api) => [
    `CLOUDSDK_API_ENDPOINT_OVERRIDES_${api}`,
    `http://${google.host}/`,
  ]);
  const ended = await runJob(machine, steps, {
    GOOGLE_PROJECT_NUMBER: '123456',
    OIDC_WIP_ID: 'circleci',
    OIDC_WIP_PROVIDER_ID: 'our-org',
    CIRCLE_OIDC_TOKEN: OIDC,
    CIRCLE_OIDC_TOKEN_V2: OIDC,
    METADATA_SERVER_DETECTION: 'none',
    K: canaries.pgp,
    P: canaries.passphrase,
    X: canaries.pkix,
    T: canaries.token,
    ...(Object.fromEntries(overrides) as Record<string, string>),
    ...env(),
  });
  // A token belongs into the header of a request and, once, to the token service.
  const requests = google.requests.map(({ method, url, headers, body }) => ({
    where: `request ${method} ${url}`,
    text: [url, JSON.stringify({ ...headers, authorization: undefined }), body].join('\n'),
  }));
  // The package itself holds no secret and is large.
  const files = (await filesIn(machine.root)).filter(({ where }) => !where.includes('/package/dist/'));
  return { ...ended, machine, evidence: [{ where: 'log', text: ended.log }, ...files, ...requests] };
}

function withStub(step: FlatStep): FlatStep {
  const environment = step.keys['environment'] as Record<string, string>;
  return { ...step, keys: { ...step.keys, environment: { ...environment, BINAUTHZ_PARAM_TOKEN_URL: `${sts.url}v1/token` } } };
}

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'a success': { isGreen: true, says: 'posted projects/' },
  'a success with an access token': { attest: { access_token_env: 'T' }, isGreen: true, says: 'posted projects/' },
  'a wrong passphrase': { env: () => ({ P: `${canaries.passphrase}!` }), isGreen: false, says: 'PASSPHRASE_REJECTED' },
  'a key that is cut off': { env: () => ({ X: canaries.pkix.slice(0, 120) }), isGreen: false, says: 'SECRET_UNUSABLE' },
  'keys in each other’s place': { env: () => ({ K: canaries.pkix, X: canaries.pgp }), isGreen: false, says: 'SECRET_UNUSABLE' },
  'a secret that is absent': { env: () => ({ P: '' }), isGreen: false, says: 'P, which is empty' },
  'keys that no attestor trusts': { attest: { attestors: `projects/${PROJECT}/attestors/other` }, isGreen: false, says: 'KEY_NOT_TRUSTED' },
  'a token service that repeats what it was sent': {
    sts: () => ({ status: 400, body: { error: 'invalid_grant', error_description: `rejected: ${OIDC}` } }),
    isGreen: false,
    says: 'rejected',
  },
  'an OIDC setup that fails': { env: () => ({ GOOGLE_PROJECT_NUMBER: OIDC }), isGreen: false, says: 'GOOGLE_PROJECT_NUMBER does not hold' },
};

describe('a job', () => {
  it.each(Object.entries(SCENARIOS))('with %s shows no secret', async (_, scenario) => {
    const ended = await play(scenario);
    expect(ended.log).toContain(scenario.says);
    expect(ended.isGreen, ended.log).toBe(scenario.isGreen);
    expect(leaksIn(ended.evidence, needles)).toEqual([]);
  });

  it('without a last step keeps the token in its own file and nowhere else', async () => {
    const ended = await play({ keepsToken: true, isGreen: true, says: '' });
    expect(ended.isGreen, ended.log).toBe(true);
    expect(leaksIn(ended.evidence, needles)).toEqual([expect.stringMatching(/^OIDC token in file tmp\/binauthz-oidc\.\w+\/token$/)]);
  });

  it('is searched in all places', async () => {
    const { machine, evidence } = await play(SCENARIOS['a success']!);
    const places = evidence.map(({ where }) => where);
    for (const place of [
      'log',
      'file bash_env',
      'file project/binauthz-results/attest.json',
      'file artifacts/store_artifacts/binauthz/attest.sarif',
      ...['node', 'curl', 'tar', 'mktemp'].map((program) => `file calls/${program}`),
    ])
      expect(places).toContain(place);
    expect(await readFile(join(machine.calls, 'node'), 'utf8')).toContain('--pgp-private-key-env=K\n');
    expect(places.filter((place) => place.startsWith('request POST')).length).toBeGreaterThanOrEqual(2);
    expect(sts.asked.length).toBeGreaterThanOrEqual(1);
    expect(sts.asked[0]!.body).toContain(OIDC);
  });
});
