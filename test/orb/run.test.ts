// SPDX-License-Identifier: Apache-2.0
// Commands and jobs of the packed orb, run step by step as CircleCI would, with the shipped CLI against the emulator.
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as openpgp from 'openpgp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callsOf, makeMachine, removeMachines, runJob, scriptStep, variableOf, type JobEnded, type Machine } from '../support/circleci.js';
import { startTestEmulator, type TestEmulator } from '../support/emulator.js';
import { pushImage, singleImage } from '../support/images.js';
import { expandCommand, expandJob, packOrb, type FlatStep, type Orb } from '../support/orb.js';
import { PROJECT, Stage, type StagedKey } from '../support/stage.js';

const REPOSITORY = `us-docker.pkg.dev/${PROJECT}/shop`;
const PASSPHRASE = 'correct "horse" $(battery) `staple`\nnewline';

let emulator: TestEmulator;
let stage: Stage;
let orb: Orb;
let attestor: string;
let key: StagedKey;
let pgpAttestor: string;
let pgp: string;
let seed = 0;

beforeAll(async () => {
  emulator = await startTestEmulator();
  stage = new Stage(emulator);
  orb = await packOrb();
  ({ attestor, key } = await stage.kmsAttestor('ci'));
  const pair = await openpgp.generateKey({
    type: 'ecc',
    curve: 'ed25519Legacy',
    userIDs: [{ name: 'ci' }],
    passphrase: PASSPHRASE,
    date: new Date(Date.now() - 3_600_000),
    format: 'armored',
  });
  pgp = pair.privateKey;
  pgpAttestor = await stage.attestor('pgp', [{ asciiArmoredPgpPublicKey: pair.publicKey }]);
  await stage.call('PUT', `/v1/projects/${PROJECT}/policy`, {
    globalPolicyEvaluationMode: 'DISABLE',
    defaultAdmissionRule: {
      evaluationMode: 'REQUIRE_ATTESTATION',
      enforcementMode: 'ENFORCED_BLOCK_AND_AUDIT_LOG',
      requireAttestationsBy: [attestor],
    },
  });
});
afterAll(async () => {
  await emulator.close();
  await removeMachines();
});

/** A fresh image, by its digest. */
async function push(): Promise<string> {
  const name = `app-${String(seed++)}`;
  const headers = { 'x-binauthz-registry': 'us-docker.pkg.dev' };
  return `${REPOSITORY}/${name}@${await pushImage(emulator.url, `${PROJECT}/shop/${name}`, 'v1', singleImage(name), { headers })}`;
}

function start(machine: Machine, steps: readonly FlatStep[], env: Readonly<Record<string, string>> = {}): Promise<JobEnded> {
  return runJob(machine, steps, { BINAUTHZ_EMULATOR_HOST: emulator.host, ...env });
}

const attest = (args: Record<string, unknown>): readonly FlatStep[] => expandCommand(orb, 'attest', { attestors: attestor, ...args });
const check = (args: Record<string, unknown>): readonly FlatStep[] => expandCommand(orb, 'check', { project: PROJECT, ...args });

/** The code of the step that ran binauthz, and of all others whether they failed. */
function codeOf(ended: JobEnded): number | undefined {
  return ended.steps.find(({ isSkipped, code }) => !isSkipped && code !== 0)?.code ?? 0;
}

// Tests look into results of many shapes; a wrong path fails the assertion that uses it.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
async function stored(machine: Machine, name: string): Promise<any> {
  return JSON.parse(await readFile(join(machine.artifacts, 'store_artifacts/binauthz', name), 'utf8'));
}

describe('attest', () => {
  it('signs with Cloud KMS, stores its result, and hands image and digest on', async () => {
    const machine = await makeMachine();
    const image = await push();
    const ended = await start(machine, [
      ...attest({ images: image, kms_keys: key.key }),
      scriptStep('printf "%s\\n" "$BINAUTHZ_IMAGE" "$BINAUTHZ_DIGEST" "$BINAUTHZ_REPORT" > seen'),
    ]);
    expect(ended.isGreen, ended.log).toBe(true);
    const report = await stored(machine, 'attest.json');
    expect(report).toMatchObject({ schema: 'binauthz.attest/v1', images: [{ image }], attestations: [{ attestor, status: 'created' }] });
    expect(await readFile(join(machine.workspace, 'seen'), 'utf8')).toBe(
      `${image}\n${image.slice(image.indexOf('@') + 1)}\n${join(machine.workspace, 'binauthz-results/attest.json')}\n`,
    );
    expect(ended.log).toContain('BINAUTHZ_EMULATOR_HOST is set');
    expect(ended.log).toContain('posted projects/');
  });

  it('signs with PGP, key and passphrase read from the variables that are named', async () => {
    const machine = await makeMachine();
    const image = await push();
    const names = { pgp_private_key_env: 'MY_KEY', pgp_passphrase_env: 'MY_PASSPHRASE' };
    const env = { MY_KEY: Buffer.from(pgp).toString('base64'), MY_PASSPHRASE: PASSPHRASE };
    const ended = await start(machine, attest({ images: image, attestors: pgpAttestor, ...names }), env);
    expect(ended.isGreen, ended.log).toBe(true);
    expect((await stored(machine, 'attest.json')).attestations).toMatchObject([{ image, attestor: pgpAttestor, status: 'created' }]);
    expect(await callsOf(machine, 'binauthz')).toContain('--pgp-private-key-env=MY_KEY\n');
  });

  it('signs with PGP, key and passphrase in the variables of the default names', async () => {
    const machine = await makeMachine();
    const env = { BINAUTHZ_PGP_PRIVATE_KEY: pgp.trim().replaceAll('\n', '\\n'), BINAUTHZ_PGP_PASSPHRASE: PASSPHRASE };
    const ended = await start(machine, attest({ images: await push(), attestors: pgpAttestor }), env);
    expect(ended.isGreen, ended.log).toBe(true);
  });

  it('says which secret is absent, and signs nothing', async () => {
    const machine = await makeMachine();
    const before = await stage.occurrences();
    const ended = await start(machine, [
      ...attest({ images: await push(), attestors: pgpAttestor, pgp_private_key_env: 'NOT_IN_THIS_CONTEXT' }),
      scriptStep('touch next'),
    ]);
    expect(codeOf(ended)).toBe(2);
    expect(ended.log).toContain('NOT_IN_THIS_CONTEXT, which is not set');
    expect(existsSync(join(machine.workspace, 'next'))).toBe(false);
    expect(await stage.occurrences()).toEqual(before);
    expect(await variableOf(machine, 'BINAUTHZ_DIGEST')).toBe(undefined);
  });

  it('without any key fails, although every secret has a default name', async () => {
    const ended = await start(await makeMachine(), attest({ images: await push() }));
    expect(codeOf(ended)).toBe(2);
    expect(ended.log).toContain('--kms-key');
  });

  it('takes lists, booleans and variables', async () => {
    const machine = await makeMachine();
    const [first, second, third] = [await push(), await push(), await push()];
    const before = await stage.occurrences();
    const images = `\n  ${first}\n\n$MORE\n`;
    const ended = await start(machine, attest({ images, kms_key_versions: '${KEY}', dry_run: true }), {
      MORE: `${second}\n${third}`,
      KEY: key.version,
    });
    expect(ended.isGreen, ended.log).toBe(true);
    const { attestations } = await stored(machine, 'attest.json');
    expect(attestations.map(({ image, status }: { image: string; status: string }) => [image, status])).toEqual(
      [first, second, third].map((image) => [image, 'dry-run']),
    );
    expect(await stage.occurrences()).toEqual(before);
  });

  it('refuses an image whose variable is not set, instead of attesting the others', async () => {
    const machine = await makeMachine();
    const before = await stage.occurrences();
    const ended = await start(machine, attest({ images: `${await push()}\n$UNSET`, kms_keys: key.key }));
    expect(codeOf(ended)).toBe(2);
    expect(ended.log).toMatch(/IMAGE: expected .+, got nothing/);
    expect(await stage.occurrences()).toEqual(before);
  });

  it('twice in a job keeps both results', async () => {
    const machine = await makeMachine();
    const [first, second] = [await push(), await push()];
    const ended = await start(machine, [
      ...attest({ images: first, kms_keys: key.key }),
      // The CLI takes the orb's default of wait_timeout for a given one, and refuses it together with no_wait.
      ...attest({ images: second, kms_keys: key.key, no_wait: true }),
    ]);
    expect(ended.isGreen, ended.log).toBe(true);
    expect((await stored(machine, 'attest.json')).images[0].image).toBe(first);
    expect((await stored(machine, 'attest-2.json')).images[0].image).toBe(second);
    expect(await variableOf(machine, 'BINAUTHZ_IMAGE')).toBe(second);
  });

  it('in its job, with a check at the end, stores the reports of the check', async () => {
    const machine = await makeMachine();
    const args = { images: await push(), attestors: attestor, kms_keys: key.key, check: 'enforce', check_project: PROJECT };
    const ended = await start(machine, expandJob(orb, 'attest', args).steps);
    expect(ended.isGreen, ended.log).toBe(true);
    expect(await stored(machine, 'attest.json')).toMatchObject({ check: { verdict: 'ALLOWED' } });
    expect(await stored(machine, 'attest.sarif')).toMatchObject({ version: '2.1.0' });
    expect(existsSync(join(machine.artifacts, 'store_test_results/attest.xml'))).toBe(true);
  });
});

describe('attest behind a vulnerability policy', () => {
  const POLICY = 'schema: binauthz.vulnerability-policy/v1\ndeny: { fixable: HIGH }\n';
  const report = (image: string, severity: string) =>
    JSON.stringify({
      SchemaVersion: 2,
      CreatedAt: '2026-11-21T11:00:00Z',
      ArtifactType: 'container_image',
      Metadata: { RepoDigests: [image] },
      Results: [{ Class: 'os-pkgs', Vulnerabilities: [{ VulnerabilityID: 'CVE-2026-1', FixedVersion: '2', Severity: severity }] }],
    });
  const judged = async (severity: string) => {
    const machine = await makeMachine();
    const image = await push();
    await writeFile(join(machine.workspace, 'policy.yaml'), POLICY);
    await writeFile(join(machine.workspace, 'trivy.json'), report(image, severity));
    const args = { images: image, attestors: attestor, kms_keys: key.key, vulnerability_policy: '$POLICY', findings: 'trivy.json\n' };
    return { machine, image, ended: await start(machine, expandJob(orb, 'attest', args).steps, { POLICY: 'policy.yaml' }) };
  };

  it('that denies signs nothing, fails its step with 3, and stores the findings as test results', async () => {
    const before = await stage.requests();
    const { machine, image, ended } = await judged('HIGH');
    expect([codeOf(ended), ended.isGreen], ended.log).toEqual([3, false]);
    expect(await stored(machine, 'attest.json')).toMatchObject({ vulnerabilities: { verdict: 'DENIED' }, attestations: [] });
    expect(await stored(machine, 'attest.sarif')).toMatchObject({ runs: [{ results: [{ ruleId: 'SEVERITY_DENIED' }] }] });
    expect(await readFile(join(machine.artifacts, 'store_test_results/attest.xml'), 'utf8')).toContain(
      `name="${image}" tests="2" failures="1"`,
    );
    expect((await stage.requests()).slice(before.length).filter((request) => request.includes(':asymmetricSign'))).toEqual([]);
  });

  it('that allows is green', async () => {
    const { machine, ended } = await judged('LOW');
    expect(ended.isGreen, ended.log).toBe(true);
    expect(await stored(machine, 'attest.json')).toMatchObject({
      vulnerabilities: { verdict: 'ALLOWED' },
      attestations: [{ status: 'created' }],
    });
  });
});

describe('check', () => {
  it('of what was attested in the job is green', async () => {
    const machine = await makeMachine();
    const ended = await start(machine, [
      ...attest({ images: await push(), kms_keys: key.key }),
      ...check({ images: '$BINAUTHZ_IMAGE', require_attested: '$BINAUTHZ_REPORT', strict: true }),
    ]);
    expect(ended.isGreen, ended.log).toBe(true);
    expect(ended.log).toContain('ALLOWED: ');
    expect(await stored(machine, 'check.json')).toMatchObject({ verdict: 'ALLOWED' });
  });

  it('that is denied fails its step with the code of the CLI, says why, and stores every report', async () => {
    const machine = await makeMachine();
    const image = await push();
    const ended = await start(machine, [...check({ images: image }), scriptStep('touch next')]);
    expect(codeOf(ended)).toBe(3);
    expect(ended.log).toContain(`DENIED  ${image}`);
    expect(ended.log).toContain('NO_TRUSTED_ATTESTATION');
    expect(existsSync(join(machine.workspace, 'next'))).toBe(false);
    expect(await stored(machine, 'check.json')).toMatchObject({ verdict: 'DENIED', images: [{ image }] });
    expect((await stored(machine, 'check.sarif')).runs[0].results).not.toEqual([]);
    expect(await readFile(join(machine.artifacts, 'store_artifacts/binauthz/check.md'), 'utf8')).toContain('DENIED');
    expect(await readFile(join(machine.artifacts, 'store_test_results/check.xml'), 'utf8')).toContain('failures="1"');
  });

  it('of a folder with another results folder', async () => {
    const machine = await makeMachine();
    const ended = await start(machine, check({ images: await push(), results_dir: 'out/my results' }));
    expect(codeOf(ended)).toBe(3);
    expect(await stored(machine, 'check.json')).toMatchObject({ verdict: 'DENIED' });
    expect(existsSync(join(machine.workspace, 'binauthz-results'))).toBe(false);
  });
});

describe('gate', () => {
  const deploy = [{ run: { name: 'Deploy', command: 'touch deployed' } }];
  const gate = (args: Record<string, unknown>) => expandJob(orb, 'gate', { project: PROJECT, deploy_steps: deploy, ...args }).steps;

  it('runs the deploy steps where the check allows', async () => {
    const machine = await makeMachine();
    const steps = [...attest({ images: await push(), kms_keys: key.key }), ...gate({ images: '$BINAUTHZ_IMAGE' })];
    const ended = await start(machine, steps);
    expect(ended.isGreen, ended.log).toBe(true);
    expect(existsSync(join(machine.workspace, 'deployed'))).toBe(true);
  });

  it.each([
    ['is denied', 3, async () => ({ images: await push() })],
    ['has nothing to check', 2, () => Promise.resolve({})],
    ['cannot be decided', 4, async () => ({ images: await push(), cluster: 'us-central1-a.does-not-exist' })],
  ])('does not run them where the check %s', async (_, code, args) => {
    const machine = await makeMachine();
    const ended = await start(machine, gate(await args()));
    expect({ isGreen: ended.isGreen, code: codeOf(ended) }, ended.log).toEqual({ isGreen: false, code });
    expect(ended.steps.find(({ name }) => name === 'Deploy')).toMatchObject({ isSkipped: true });
    expect(existsSync(join(machine.workspace, 'deployed'))).toBe(false);
  });
});

describe('parameters that look like shell', () => {
  const HOSTILE = `a b "c" 'd' $(touch planted) \`touch planted\` ; touch planted & > planted \\ * ~`;

  it.each(['project', 'cluster', 'namespace', 'service_account', 'policy', 'require_attested', 'wait_timeout', 'manifests', 'image_lists'])(
    'arrive literally as %s',
    async (name) => {
      const machine = await makeMachine();
      const ended = await start(machine, check({ images: 'h.example/a', [name]: HOSTILE }));
      expect(codeOf(ended)).toBe(2);
      const option = name.replaceAll('_', '-').replace(/s$/, '');
      expect(await callsOf(machine, 'binauthz')).toContain(`--${option}=${HOSTILE}\n`);
      expect(existsSync(join(machine.workspace, 'planted'))).toBe(false);
    },
  );

  it('arrive literally with line breaks', async () => {
    const machine = await makeMachine();
    const ended = await start(machine, check({ images: 'h.example/a', namespace: 'one\n$(touch planted)\n' }));
    expect(codeOf(ended)).toBe(2);
    expect(await callsOf(machine, 'binauthz')).toContain('--namespace=one\n$(touch planted)\n');
    expect(existsSync(join(machine.workspace, 'planted'))).toBe(false);
  });

  it('arrive literally out of variables, which are expanded once', async () => {
    const machine = await makeMachine();
    const value = '$(touch${IFS}planted)`id`$OTHER;--help';
    const ended = await start(machine, check({ images: '$IMAGE' }), { IMAGE: value, OTHER: 'no' });
    expect(codeOf(ended), ended.log).toBe(3);
    expect(await callsOf(machine, 'binauthz')).toContain(`--image=${value}\n`);
    expect(existsSync(join(machine.workspace, 'planted'))).toBe(false);
  });

  it('name files that have such names', async () => {
    const machine = await makeMachine();
    const name = `k8s "prod" $(touch planted) 'x'.yml`;
    const image = await push();
    await writeFile(
      join(machine.workspace, name),
      `apiVersion: v1\nkind: Pod\nmetadata: { name: web }\nspec: { containers: [{ name: web, image: "${image}" }] }\n`,
    );
    const ended = await start(machine, check({ manifests: name }));
    expect(codeOf(ended), ended.log).toBe(3);
    expect((await stored(machine, 'check.json')).images[0].sources).toMatchObject([{ file: name }]);
    expect(existsSync(join(machine.workspace, 'planted'))).toBe(false);
  });

  it('are in no list of processes but that of binauthz', async () => {
    const machine = await makeMachine();
    await start(machine, check({ images: 'h.example/$IMAGE', namespace: '$NAMESPACE' }), { IMAGE: 'marker-one', NAMESPACE: 'marker-two' });
    expect(await callsOf(machine, 'binauthz')).toContain('--image=h.example/marker-one\n');
    for (const program of ['circleci', 'tr', 'mkdir', 'node', 'rm']) expect(await callsOf(machine, program)).not.toMatch(/marker-/);
  });
});

describe('the model of CircleCI', () => {
  it('ends a job green at step halt, and heeds when', async () => {
    const machine = await makeMachine();
    const steps = [
      scriptStep('false | true'),
      scriptStep('touch never'),
      scriptStep('touch on_fail', { when: 'on_fail' }),
      scriptStep('touch always; circleci step halt', { when: 'always' }),
      scriptStep('touch halted', { when: 'always' }),
    ];
    const ended = await runJob(machine, steps);
    expect(ended.isGreen).toBe(false);
    expect(['never', 'on_fail', 'always', 'halted'].filter((name) => existsSync(join(machine.workspace, name)))).toEqual([
      'on_fail',
      'always',
    ]);
  });

  it('reads BASH_ENV before each step', async () => {
    const ended = await runJob(await makeMachine(), [
      scriptStep(`echo 'export X="a b"' >> "$BASH_ENV"; echo "first:\${X-unset}"`),
      scriptStep('echo "second:$X"'),
    ]);
    expect(ended.log).toBe('first:unset\nsecond:a b\n');
  });
});
