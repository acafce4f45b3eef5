// SPDX-License-Identifier: Apache-2.0
// setup as it ships: from nothing to an admitted image, killed on the way, and beside what Google's own client makes.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cli, type CliEnded, type CliOptions } from '../support/cli.js';
import { startTestEmulator, type TestEmulator } from '../support/emulator.js';
import { gcloudFor, HAS_GCLOUD, type Gcloud } from '../support/gcloud.js';
import { pushImage, singleImage } from '../support/images.js';
import { desired, scattered, SIGNER, stateOf, writesOn } from '../support/setup.js';
import { run } from '../support/spawn.js';
import { Stage } from '../support/stage.js';
import { found, titled } from '../support/tools.js';
import type { Desired } from '../../src/core/provisioning/desired.js';

let emulator: TestEmulator;
beforeEach(async () => {
  emulator = await startTestEmulator();
});
afterEach(() => emulator.close());

/** The words of a command line for what is wanted. */
function words({ project, attestor, note, key, attestationProject, signers }: Desired): readonly string[] {
  const names = ['--project', project, '--attestor', attestor, '--note', note, '--attestation-project', attestationProject];
  return ['setup', ...names, ...(key.kind === 'kms' ? ['--kms-key', key.key] : []), ...signers.flatMap((signer) => ['--signer', signer])];
}

function binauthz(args: readonly string[], options: CliOptions = {}): Promise<CliEnded> {
  return cli([...args, '--output', 'json'], { emulator: emulator.host, ...options });
}

async function push(name = 'app'): Promise<string> {
  const digest = await pushImage(emulator.url, `shop/apps/${name}`, 'v1', singleImage(name), {
    headers: { 'x-binauthz-registry': 'us-docker.pkg.dev' },
  });
  return `us-docker.pkg.dev/shop/apps/${name}@${digest}`;
}

const actions = ({ json }: CliEnded): ReadonlySet<string> => new Set((json.changes as { action: string }[]).map(({ action }) => action));

describe('an empty project', () => {
  it('is ready after one command, which then has nothing more to write', async () => {
    const wanted = desired({ signers: [] });
    const image = await push();
    const kms = wanted.key.kind === 'kms' ? wanted.key.key : '';
    const made = await binauthz([...words(wanted), '--apply']);
    expect([made.code, made.json.schema, made.json.applied]).toEqual([0, 'binauthz.plan/v1', true]);
    const check = ['check', image, '--project', 'shop'];
    expect([(await binauthz(check)).code, (await binauthz(check)).json.verdict]).toEqual([3, 'DENIED']);
    const attested = await binauthz(['attest', image, '--attestor', wanted.attestor, '--kms-key', kms]);
    expect([attested.code, attested.json.attestations[0].status]).toEqual([0, 'created']);
    const checked = await binauthz(check);
    expect([checked.code, checked.json.verdict, checked.json.images[0].rule]).toEqual([0, 'ALLOWED', 'defaultAdmissionRule']);
    const written = await writesOn(emulator);
    const again = await binauthz([...words(wanted), '--apply']);
    expect([again.code, again.json.applied, [...actions(again)]]).toEqual([0, true, ['none']]);
    expect(await writesOn(emulator)).toEqual(written);
  });

  it('prints the plan for people, and changes nothing', async () => {
    const { code, stdout } = await cli(words(desired()), { emulator: emulator.host });
    expect(code).toBe(0);
    expect(stdout).toContain('5. create  planned  projects/shop/attestors/built');
    expect(stdout).toContain('gcloud container binauthz attestors create built --project=shop --attestation-authority-note=built');
    expect(stdout).toContain('10 to do, nothing was changed; --apply carries it out');
    expect(await writesOn(emulator)).toEqual([]);
  });

  it('is ready too where its APIs were off, and only come on after a while', async () => {
    const stage = new Stage(emulator, 'shop');
    for (const service of ['binaryauthorization', 'containeranalysis', 'cloudkms'])
      await stage.call('POST', `/v1/projects/shop/services/${service}.googleapis.com:disable`, {});
    await emulator.api('POST', '/_emulator/faults', { propagationDelayMs: 700 });
    const made = await binauthz([...words(desired()), '--apply']);
    expect([made.code, made.json.applied]).toEqual([0, true]);
    expect(made.stderr).toContain('it may just not be known everywhere yet');
  });
});

describe('a signer', () => {
  const SIGNER_EMAIL = SIGNER.replace('serviceAccount:', '');

  it.each([
    ['in one project', desired()],
    ['with a project for each part', scattered()],
  ])('%s may attest and check, and nothing more', async (_, wanted) => {
    const stage = new Stage(emulator, wanted.project);
    expect((await binauthz([...words(wanted), '--apply'])).code).toBe(0);
    const image = await push();
    // Pulling is the registry's matter: whoever builds may do it already.
    await stage.grant('projects/shop', SIGNER, 'roles/artifactregistry.reader');
    const env = { TOKEN: `as:${SIGNER_EMAIL}` };
    const asSigner = (...args: readonly string[]): Promise<CliEnded> => binauthz([...args, '--access-token-env', 'TOKEN'], { env });
    const key = wanted.key.kind === 'kms' ? wanted.key.key : '';
    const attested = await asSigner(
      'attest',
      image,
      '--attestor',
      wanted.attestor,
      '--kms-key',
      key,
      '--project',
      wanted.attestationProject,
    );
    expect([attested.code, attested.stderr]).toEqual([0, expect.not.stringContaining('error')]);
    const checked = await asSigner('check', image, '--project', wanted.project);
    expect([checked.code, checked.json.verdict]).toEqual([0, 'ALLOWED']);
    const attempts: readonly (readonly [string, string, unknown])[] = [
      [
        'PUT',
        `/v1/projects/${wanted.project}/policy`,
        { defaultAdmissionRule: { evaluationMode: 'ALWAYS_ALLOW', enforcementMode: 'ENFORCED_BLOCK_AND_AUDIT_LOG' } },
      ],
      ['PUT', `/v1/${wanted.attestor}`, { userOwnedGrafeasNote: { noteReference: wanted.note, publicKeys: [] } }],
      ['DELETE', `/v1/${wanted.attestor}`, undefined],
      ['DELETE', `/v1/${wanted.note}`, undefined],
      ['PATCH', `/v1/${key}/cryptoKeyVersions/1?updateMask=state`, { state: 'DISABLED' }],
      ['POST', `/v1/${key}/cryptoKeyVersions`, {}],
      ...[
        wanted.note,
        wanted.attestor,
        key,
        `projects/${wanted.project}/policy`,
        `projects/${wanted.project}`,
        `projects/${wanted.attestationProject}`,
      ].map((resource): readonly [string, string, unknown] => ['POST', `/v1/${resource}:setIamPolicy`, { policy: {} }]),
    ];
    const statuses = await Promise.all(attempts.map(([method, path, body]) => emulator.api(method, path, body, env.TOKEN)));
    expect(statuses.map(({ status }) => status)).toEqual(attempts.map(() => 403));
    expect((await asSigner(...words(wanted), '--apply')).code).toBe(5);
  });
});

describe('killed', () => {
  it.each([1, 5, 9])('after write %i, the next run ends in the same state', async (writes) => {
    const wanted = desired();
    const other = await startTestEmulator();
    await cli([...words(wanted), '--apply'], { emulator: other.host });
    const whole = await stateOf(other, wanted);
    await other.close();
    const made = /(?:POST|PUT) \S+(?<!:getIamPolicy) 200/g;
    const killed = await binauthz([...words(wanted), '--apply', '--verbose'], {
      onStderr: (text, kill) => {
        if ((text.match(made) ?? []).length >= writes) kill('SIGKILL');
      },
    });
    expect(killed.signal).toBe('SIGKILL');
    const finished = await binauthz([...words(wanted), '--apply']);
    expect([finished.code, finished.json.applied]).toEqual([0, true]);
    expect(await stateOf(emulator, wanted)).toEqual(whole);
  });
});

describe('the policy', () => {
  it('that would be weakened is refused with exit 3, the plan printed, nothing made', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'binauthz-setup-'));
    const file = join(folder, 'policy.yaml');
    await writeFile(file, 'defaultAdmissionRule:\n  evaluationMode: ALWAYS_ALLOW\n  enforcementMode: ENFORCED_BLOCK_AND_AUDIT_LOG\n');
    const stage = new Stage(emulator, 'shop');
    await stage.call('PUT', '/v1/projects/shop/policy', {
      defaultAdmissionRule: { evaluationMode: 'ALWAYS_DENY', enforcementMode: 'ENFORCED_BLOCK_AND_AUDIT_LOG' },
    });
    const before = await writesOn(emulator);
    const refused = await binauthz([...words(desired()), '--policy', file, '--apply']);
    expect([refused.code, refused.json.applied, refused.json.errors[0].code]).toEqual([3, false, 'POLICY_WEAKENED']);
    expect(refused.json.changes.at(-1)).toMatchObject({
      status: 'failed',
      details: expect.arrayContaining([expect.stringMatching(/^weaker: /)]),
    });
    expect(await writesOn(emulator)).toEqual(before);
    const allowed = await binauthz([...words(desired()), '--policy', file, '--apply', '--allow-weakening']);
    expect(allowed.code).toBe(0);
    await rm(folder, { recursive: true, force: true });
  });
});

const CAN_RUN = HAS_GCLOUD && found('jq') && found('curl');

describe.skipIf(!CAN_RUN)(titled('Google’s client', 'gcloud'), () => {
  const wanted = scattered();
  const MONITORED = [...words(wanted), '--monitoring'];

  async function switchOff(on: TestEmulator): Promise<void> {
    await new Stage(on, 'key-prod').call('POST', '/v1/projects/key-prod/services/cloudkms.googleapis.com:disable', {});
  }

  it('makes the same with the printed commands', async () => {
    const other = await startTestEmulator();
    await Promise.all([switchOff(emulator), switchOff(other)]);
    const planned = await binauthz(MONITORED, { emulator: other.host });
    expect(planned.code).toBe(0);
    const folder = await mkdtemp(join(tmpdir(), 'binauthz-setup-'));
    const commands = (planned.json.changes as { gcloud: string }[]).map(({ gcloud }) => gcloud).filter(Boolean);
    const script = ['set -eo pipefail', ...other.exportLines(), ...commands].join('\n');
    // gcloud honours the emulator's export lines; curl goes where it is told.
    const redirected = script.replaceAll('https://containeranalysis.googleapis.com/', `${other.url}/`);
    const ended = await run('bash', ['-c', redirected], { cwd: folder, env: { HOME: folder, TMPDIR: folder } });
    expect([ended.code, ended.code === 0 ? '' : ended.stderr]).toEqual([0, '']);
    expect((await binauthz([...MONITORED, '--apply'])).code).toBe(0);
    expect(await stateOf(other, wanted)).toEqual(await stateOf(emulator, wanted));
    const checked = await binauthz(MONITORED, { emulator: other.host });
    expect([...actions(checked)]).toEqual(['none']);
    await Promise.all([other.close(), rm(folder, { recursive: true, force: true })]);
  }, 240_000);

  it('describes everything that was made', async () => {
    expect((await binauthz([...MONITORED, '--apply'])).code).toBe(0);
    const gcloud = await gcloudFor(emulator, wanted.project);
    await expectDescribed(gcloud);
    await gcloud.remove();
  }, 120_000);

  async function expectDescribed(gcloud: Gcloud): Promise<void> {
    const binary = ['container', 'binauthz'];
    const attestor = await gcloud.json(...binary, 'attestors', 'describe', 'built', '--project=attestor-prod');
    expect(attestor.userOwnedGrafeasNote).toMatchObject({
      noteReference: wanted.note,
      publicKeys: [{ id: expect.stringContaining('/cryptoKeyVersions/1') }],
    });
    const key = await gcloud.json('kms', 'keys', 'describe', 'built', '--keyring=ci', '--location=europe-west4', '--project=key-prod');
    expect(key).toMatchObject({ purpose: 'ASYMMETRIC_SIGN', versionTemplate: { algorithm: 'EC_SIGN_P256_SHA256' } });
    const policy = await gcloud.ok(...binary, 'policy', 'export', '--project=deployer-prod');
    expect(policy).toContain(wanted.attestor);
    const roles = async (...words_: string[]): Promise<readonly string[]> =>
      ((await gcloud.json(...words_)).bindings as { role: string }[]).map(({ role }) => role);
    expect(await roles(...binary, 'attestors', 'get-iam-policy', 'built', '--project=attestor-prod')).toEqual([
      'roles/binaryauthorization.attestorsVerifier',
    ]);
    expect(await roles('projects', 'get-iam-policy', 'attestation-prod')).toEqual(['roles/containeranalysis.occurrences.editor']);
    expect(await roles('kms', 'keys', 'get-iam-policy', 'built', '--keyring=ci', '--location=europe-west4', '--project=key-prod')).toEqual([
      'roles/cloudkms.signerVerifier',
      'roles/cloudkms.viewer',
    ]);
    const metrics = (await gcloud.json('logging', 'metrics', 'list', '--project=deployer-prod')) as { name: string }[];
    expect(metrics.map(({ name }) => name)).toContain('binauthz-cloud-run-break-glass');
    const alerts = (await gcloud.json('alpha', 'monitoring', 'policies', 'list', '--project=deployer-prod')) as { displayName: string }[];
    expect(alerts.map(({ displayName }) => displayName).sort()).toEqual([
      'Binary Authorization: blocked deployments',
      'Binary Authorization: break-glass deployments',
      'Binary Authorization: fail-open admissions',
    ]);
  }
});
