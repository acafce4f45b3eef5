// SPDX-License-Identifier: Apache-2.0
// Every example of the README runs: the shell blocks in bash, the Action steps as the runner would start them.
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import * as openpgp from 'openpgp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { DIST } from '../support/cli.js';
import { startTestEmulator, type TestEmulator } from '../support/emulator.js';
import { pushImage, singleImage } from '../support/images.js';
import { anyNode } from '../support/nodes.js';
import { run, type Ended } from '../support/spawn.js';
import { Stage } from '../support/stage.js';
import { found } from '../support/tools.js';

const ROOT = resolve(import.meta.dirname, '../..');
const PROJECT = 'shop-prod';
const PASSPHRASE = 'swordfish';

interface Step {
  readonly uses?: string;
  readonly with?: Record<string, string>;
}

let readme: string;
let folder: string;
let emulator: TestEmulator;
let digest: string;
let pgpKey: string;

beforeAll(async () => {
  readme = await readFile(join(ROOT, 'README.md'), 'utf8');
  folder = await mkdtemp(join(tmpdir(), 'binauthz-readme-'));
  await writeFile(join(folder, 'binauthz'), `#!/bin/sh\nexec "${anyNode.path}" "${DIST}/cli/index.js" "$@"\n`, { mode: 0o755 });
  emulator = await startTestEmulator();
  const stage = new Stage(emulator, PROJECT);
  const key = await stage.kmsKey('attest');
  await stage.attestor('built-by-ci', [
    {
      id: `//cloudkms.googleapis.com/v1/${key.version}`,
      pkixPublicKey: { publicKeyPem: key.pem, signatureAlgorithm: 'ECDSA_P256_SHA256' },
    },
  ]);
  const pgp = await openpgp.generateKey({
    type: 'ecc',
    curve: 'ed25519Legacy',
    userIDs: [{ name: 'qa' }],
    passphrase: PASSPHRASE,
    format: 'armored',
  });
  await stage.attestor('approved-by-qa', [{ asciiArmoredPgpPublicKey: pgp.publicKey }]);
  pgpKey = Buffer.from(pgp.privateKey).toString('base64');
  digest = await pushImage(emulator.url, `${PROJECT}/apps/web`, '1.2.3', singleImage('readme'), {
    headers: { 'x-binauthz-registry': 'us-docker.pkg.dev' },
  });
});
afterAll(async () => {
  await emulator.close();
  await rm(folder, { recursive: true, force: true });
});

/** The block of code behind `<!-- example: NAME -->`. */
function example(name: string): string {
  const block = new RegExp(`<!-- example: ${name} -->\\n\`\`\`\\w+\\n([\\s\\S]*?)\`\`\``).exec(readme)?.[1];
  if (block === undefined) throw new Error(`the README has no example ${name}`);
  return block;
}

/** Runs lines of bash with `binauthz` on the PATH. */
function bash(script: string, env: Record<string, string>): Promise<Ended> {
  return run('bash', ['-euo', 'pipefail', '-c', script], { cwd: folder, env: { ...env, PATH: `${folder}:${process.env['PATH'] ?? ''}` } });
}

function steps(name: string): readonly Step[] {
  const document = parse(example(name)) as { jobs: Record<string, { steps: Step[] }> } | Step[];
  return Array.isArray(document) ? document : Object.values(document.jobs).flatMap((job) => job.steps);
}

async function runStep({ with: inputs = {} }: Step, verb: 'action' | 'check' = 'action'): Promise<Ended> {
  const fill = (text: string): string =>
    text
      .replace('${{ steps.build.outputs.digest }}', digest)
      .replace('${{ steps.auth.outputs.access_token }}', 'ya29.a-token')
      .replace('${{ secrets.QA_PGP_KEY }}', pgpKey)
      .replace('${{ secrets.QA_PGP_PASSPHRASE }}', PASSPHRASE);
  const env = Object.fromEntries(Object.entries(inputs).map(([name, text]) => [`INPUT_${name.toUpperCase()}`, fill(String(text))]));
  const files = { GITHUB_OUTPUT: join(folder, 'output'), GITHUB_STEP_SUMMARY: join(folder, 'summary') };
  for (const file of Object.values(files)) await writeFile(file, '');
  return run(anyNode.path, [join(DIST, `${verb}/index.js`)], {
    cwd: folder,
    env: { ...env, ...files, BINAUTHZ_EMULATOR_HOST: emulator.host, RUNNER_TEMP: folder },
  });
}

describe('README', () => {
  it('has at most 250 lines', () => {
    expect(readme.split('\n').length).toBeLessThanOrEqual(250);
  });

  it('shows the option table, the exit codes and the error codes as the code has them', async () => {
    expect(await run(anyNode.path, ['scripts/docs.mjs', '--check'], { cwd: ROOT })).toMatchObject({ code: 0, stderr: '' });
  });

  it.each(['action-kms', 'action-pgp'])('the example %s attests', async (name) => {
    const ours = steps(name).filter(({ uses }) => uses?.startsWith('OWNER/binauthz@'));
    expect(ours).toHaveLength(1);
    const metadata = parse(await readFile(join(ROOT, 'action.yml'), 'utf8')) as { inputs: Record<string, unknown> };
    for (const input of Object.keys(ours[0]!.with ?? {})) expect(Object.keys(metadata.inputs)).toContain(input);
    const ended = await runStep(ours[0]!);
    expect(ended.code, ended.stdout + ended.stderr).toBe(0);
    expect(await readFile(join(folder, 'output'), 'utf8')).toContain(digest);
  });

  it('the example cli attests and lists', async () => {
    const ended = await bash(example('cli'), { BINAUTHZ_EMULATOR_HOST: emulator.host, QA_PGP_KEY: pgpKey, QA_PGP_PASSPHRASE: PASSPHRASE });
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stdout).toContain(digest);
  });

  describe('the deploy check', () => {
    const images = (): string => `us-docker.pkg.dev/${PROJECT}/apps/web@${digest}`;
    beforeAll(async () => {
      const stage = new Stage(emulator, PROJECT);
      await stage.call('PUT', `/v1/projects/${PROJECT}/policy`, {
        globalPolicyEvaluationMode: 'DISABLE',
        defaultAdmissionRule: {
          evaluationMode: 'REQUIRE_ATTESTATION',
          enforcementMode: 'ENFORCED_BLOCK_AND_AUDIT_LOG',
          requireAttestationsBy: [`projects/${PROJECT}/attestors/built-by-ci`],
        },
      });
      await stage.call('POST', `/v1beta1/projects/${PROJECT}/locations/us-central1-a/clusters`, {
        cluster: { name: 'prod', binaryAuthorization: { evaluationMode: 'PROJECT_SINGLETON_POLICY_ENFORCE' } },
      });
      await mkdir(join(folder, 'k8s'));
      const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web' }, spec: { containers: [{ name: 'web', image: images() }] } };
      await writeFile(join(folder, 'k8s/pod.yaml'), JSON.stringify(pod));
      await writeFile(join(folder, 'k8s/kustomization.yaml'), 'resources: [pod.yaml]\n');
      await writeFile(
        join(folder, 'policy.yaml'),
        'defaultAdmissionRule: { evaluationMode: ALWAYS_ALLOW, enforcementMode: ENFORCED_BLOCK_AND_AUDIT_LOG }\n',
      );
      const attested = await bash(example('cli').split('\n\n')[0] ?? '', { BINAUTHZ_EMULATOR_HOST: emulator.host });
      expect(attested.code, attested.stderr).toBe(0);
    });

    it('as an Action passes', async () => {
      const [ours] = steps('action-check');
      const metadata = parse(await readFile(join(ROOT, 'check/action.yml'), 'utf8')) as { inputs: Record<string, unknown> };
      for (const input of Object.keys(ours?.with ?? {})) expect(Object.keys(metadata.inputs)).toContain(input);
      const ended = await runStep(ours!, 'check');
      expect(ended.code, ended.stdout + ended.stderr).toBe(0);
      expect(await readFile(join(folder, 'output'), 'utf8')).toContain('ALLOWED');
      expect(await readFile(join(folder, 'binauthz.sarif'), 'utf8')).toContain('2.1.0');
    });

    it('on the command line passes', async (context) => {
      if (!found('kubectl')) context.skip('kubectl is not on the PATH');
      const ended = await bash(example('cli-check'), { BINAUTHZ_EMULATOR_HOST: emulator.host });
      expect(ended.code, ended.stderr).toBe(0);
      expect(await readFile(join(folder, 'check.xml'), 'utf8')).toContain('<testsuites');
    });
  });

  it('the example cli-operations plans, diagnoses and audits', async () => {
    const lines = example('cli-operations').replaceAll('\\\n', ' ').trim().split('\n');
    expect(lines.map((line) => line.split(' ')[1])).toEqual(['setup', 'doctor', 'audit']);
    for (const line of lines) {
      const ended = await bash(line, { BINAUTHZ_EMULATOR_HOST: emulator.host });
      expect(ended.code, line + ended.stdout + ended.stderr).toBe(0);
    }
  });

  it('the example emulator serves gcloud', async (context) => {
    if (!found('gcloud')) context.skip('gcloud is not on the PATH');
    const script = example('emulator')
      .replaceAll('8899', '0')
      .replace(/curl .*/, 'until grep -q ^listening emulator.log; do sleep 0.1; done');
    const ended = await bash(`trap 'kill %1' EXIT\n${script}`, { CLOUDSDK_CORE_PROJECT: PROJECT });
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stderr).not.toContain('ERROR');
  });

  it('its two commands are scripts that exist', async () => {
    const { scripts } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
    expect(readme).toContain('```sh\nnode dist/cli/index.js demo\n```');
    expect(readme).toContain('```sh\nnpm cit\n```');
    expect([scripts['demo'], scripts['test']]).toEqual(['node dist/cli/index.js demo', 'vitest run']);
  });
});
