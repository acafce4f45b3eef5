// SPDX-License-Identifier: Apache-2.0
// What stands under `fix` is a command: a shell can parse it, it holds nobody to be filled in where the signer was named, and what
// is advice for a person stands in the message.
import { generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CI, CLUSTER, Patient, type Found } from '../support/doctor.js';
import { HAS_GCLOUD } from '../support/gcloud.js';
import { run } from '../support/spawn.js';
import { PROJECT } from '../support/stage.js';
import { found, titled } from '../support/tools.js';

const SIGNER = ['--signer', `serviceAccount:${CI}`];
const COMMAND = /^(?:VERSION="\$\(gcloud|gcloud|binauthz|curl|docker|gpg|printf|sed) /;

let patient: Patient;
beforeEach(async () => {
  patient = await Patient.sound();
});
afterEach(() => patient.end());

async function expectCommands(findings: readonly Found[]): Promise<void> {
  expect(findings).not.toEqual([]);
  for (const { fix } of findings) {
    const parsed = await run('bash', ['-n', '-c', fix]);
    expect([fix, parsed.code, parsed.stderr]).toEqual([fix, 0, '']);
    expect(fix).toMatch(COMMAND);
    expect(fix).not.toContain('MEMBER');
  }
}

const faults = (...rules: readonly object[]) => patient.stage.call('POST', '/_emulator/faults', { rules });
const withKey = () => ['--attestor', patient.attestor, '--kms-key', patient.key.key, '--cluster', CLUSTER];

/** An identity that has all that attest needs, and may not read the policy. */
async function withoutPolicy(): Promise<void> {
  await patient.grantAll();
  await patient.stage.grant(patient.key.key, `serviceAccount:${CI}`, 'roles/cloudkms.viewer');
  await patient.revoke(`projects/${PROJECT}`, 'roles/binaryauthorization.policyViewer');
}

it('the policy that attest may not read is granted on itself, to the signer', async () => {
  await withoutPolicy();
  const { code, findings } = await patient.doctor([patient.image, ...withKey(), ...SIGNER], CI);
  expect([code, findings.map((finding) => [finding.code, finding.level])]).toEqual([0, [['NOT_CHECKED', 'warning']]]);
  await expectCommands(findings);
  expect(findings[0]!.fix).toBe(
    `gcloud container binauthz policy add-iam-policy-binding --project=${PROJECT} --condition=None --member=serviceAccount:${CI} --role=roles/binaryauthorization.policyViewer`,
  );
  expect(findings[0]!.message).not.toContain('MEMBER');
});

describe.skipIf(!HAS_GCLOUD || !found('jq'))(titled('and then', 'gcloud'), () => {
  it('is read', async () => {
    await withoutPolicy();
    const args = [patient.image, ...withKey(), ...SIGNER];
    const { findings } = await patient.doctor(args, CI);
    expect(await patient.paste(findings[0]!.fix)).toMatchObject({ code: 0 });
    expect((await patient.doctor(args, CI)).findings).toEqual([]);
  });
});

it.each([
  ['forbidden', 403, 'PERMISSION_DENIED'],
  ['unwilling', 418, 'UNKNOWN'],
])(
  'every call that is %s',
  async (_title, status, reason) => {
    const paths = [
      '/attestors/ci$',
      '/notes/ci$',
      '/notes/ci/occurrences$',
      ':testIamPermissions$',
      '/publicKey$',
      '/policy$',
      '/clusters/prod$',
    ];
    for (const path of [...paths, '/services:batchGet$', '^/v2/.*/manifests/']) {
      await faults({ path, times: -1, do: 'status', status, body: { error: { code: status, message: 'Not so.', status: reason } } });
      for (const eyes of [withKey(), ['--cluster', CLUSTER]]) {
        const { findings } = await patient.doctor([patient.image, ...eyes, ...SIGNER]);
        if (findings.length > 0) await expectCommands(findings);
      }
      await patient.stage.call('POST', '/_emulator/faults', {});
    }
  },
  60_000,
);

it('a local key that cannot sign, with the advice in the message', async () => {
  const { privateKey } = generateKeyPairSync('ed25519');
  patient.secrets['LOCAL_KEY'] = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const words = ['--attestor', patient.attestor, '--pkix-private-key-env', 'LOCAL_KEY', ...SIGNER];
  const { findings } = await patient.doctor(words);
  await expectCommands(findings);
  expect(findings[0]!.fix).toBe(`binauthz doctor --project ${PROJECT} ${words.join(' ')}`);
  expect(findings[0]!.message).toMatch(/ed25519.* \(.+\)$/i);
});
