// SPDX-License-Identifier: Apache-2.0
// What docs/guides/migrate-from-gcloud.md says of both sides, held against Google's own client. Its blocks run in guides.test.ts.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cli, type CliEnded } from '../support/cli.js';
import { startTestEmulator, type TestEmulator } from '../support/emulator.js';
import { gcloudFor, HAS_GCLOUD, type Gcloud } from '../support/gcloud.js';
import { imageIndex, pushImage } from '../support/images.js';
import { PROJECT, Stage, type StagedKey } from '../support/stage.js';
import { titled } from '../support/tools.js';

const NAME = `us-docker.pkg.dev/${PROJECT}/apps/web`;
const ATTESTATIONS = ['beta', 'container', 'binauthz', 'attestations'];

describe.skipIf(!HAS_GCLOUD)(titled('beside gcloud', 'gcloud'), () => {
  let emulator: TestEmulator;
  let stage: Stage;
  let gcloud: Gcloud;
  let key: StagedKey;
  let attestor: string;
  let image: string;
  beforeEach(async () => {
    emulator = await startTestEmulator();
    stage = new Stage(emulator);
    gcloud = asAtGoogle(await gcloudFor(emulator, PROJECT), emulator);
    ({ key, attestor } = await stage.kmsAttestor('built-by-ci'));
    const headers = { 'x-binauthz-registry': 'us-docker.pkg.dev' };
    const index = imageIndex('migrated', ['linux/amd64', 'linux/arm64']);
    image = `${NAME}@${await pushImage(emulator.url, `${PROJECT}/apps/web`, '1.2.3', index, { headers })}`;
  });
  afterEach(async () => {
    await gcloud.remove();
    await emulator.close();
  });

  const binauthz = (...args: readonly string[]): Promise<CliEnded> => cli([...args, '--output', 'json'], { emulator: emulator.host });
  const attest = (...more: readonly string[]): Promise<CliEnded> =>
    binauthz('attest', image, '--attestor', attestor, '--kms-key-version', key.version, ...more);
  const signAndCreate = (url: string, ...more: readonly string[]) =>
    gcloud.run(
      ...[...ATTESTATIONS, 'sign-and-create', `--artifact-url=${url}`, `--attestor=${attestor}`],
      ...[`--keyversion=${key.version}`, '--validate', ...more],
    );
  const statuses = ({ json }: CliEnded): readonly string[] => (json.attestations as { status: string }[]).map(({ status }) => status);
  const stored = async (occurrence: string) => (await stage.call('GET', `/v1/${occurrence}`)).attestation;
  const file = async (name: string, base64: string): Promise<string> => {
    const path = join(gcloud.folder, name);
    await writeFile(path, Buffer.from(base64, 'base64'));
    return path;
  };

  it.each([
    ['plain', (digest: string) => `${NAME}@${digest}`],
    ['with a scheme', (digest: string) => `https://${NAME}@${digest}`],
    ['with a tag', (digest: string) => `${NAME}:1.2.3@${digest}`],
  ])('what gcloud attested by a name %s exists for attest, which posts nothing', async (_, spelled) => {
    const url = spelled(image.split('@')[1] ?? '');
    const ended = await signAndCreate(url);
    expect([ended.code, ended.stderr]).toEqual([0, '']);
    const [occurrence = ''] = await stage.occurrences();
    const listed = await binauthz('list', image, '--attestor', attestor);
    expect([listed.code, listed.json.attestations]).toMatchObject([0, [{ verified: true, occurrence }]]);
    const ours = await attest('--multi-platform', 'index');
    expect([ours.code, ours.json.attestations]).toMatchObject([0, [{ status: 'existing', occurrence }]]);
    expect(await stage.occurrences()).toEqual([occurrence]);
    // Its platforms are what gcloud did not attest.
    expect(statuses(await attest('--dry-run'))).toEqual(['existing', 'dry-run', 'dry-run']);
    expect(statuses(await attest())).toEqual(['existing', 'created', 'created']);
  });

  it('what attest posted gcloud lists and validates, and its payload is gcloud’s', async () => {
    const [posted] = (await attest('--multi-platform', 'index')).json.attestations;
    const at = [`--attestor=${attestor}`, `--artifact-url=${image}`];
    expect(await gcloud.json('container', 'binauthz', 'attestations', 'list', ...at)).toMatchObject([{ name: posted.occurrence }]);
    const { serializedPayload, signatures } = await stored(posted.occurrence);
    const payload = await gcloud.ok('container', 'binauthz', 'create-signature-payload', `--artifact-url=${image}`);
    expect(Buffer.from(serializedPayload, 'base64').toString()).toBe(payload);
    // The very same bytes, as a signature that gcloud is handed.
    const files = [
      `--signature-file=${await file('ours.sig', signatures[0].signature)}`,
      `--payload-file=${await file('ours.json', serializedPayload)}`,
    ];
    const create = [...ATTESTATIONS, 'create', ...at, ...files, `--public-key-id=${signatures[0].publicKeyId}`, '--validate'];
    expect(await gcloud.run(...create)).toMatchObject({ code: 0, stderr: '' });
    expect(await stage.requests()).toContain(`POST /v1beta1/${attestor}:validateAttestationOccurrence`);
  });

  it.each([
    ['EC_SIGN_P256_SHA256', 0, 2],
    ['RSA_SIGN_PKCS1_2048_SHA256', 1, 1],
  ])('gcloud attests again or fails, attest finds what is there: %s', async (algorithm, code, count) => {
    ({ key, attestor } = await stage.kmsAttestor(`again-${count}`, algorithm));
    expect((await signAndCreate(image)).code).toBe(0);
    expect((await signAndCreate(image)).code).toBe(code);
    expect(statuses(await attest('--multi-platform', 'index'))).toEqual(['existing']);
    expect(await stage.occurrences()).toHaveLength(count);
  });

  it('gcloud posts what does not verify and ends with 0, attest posts nothing and ends with 7', async () => {
    const bad = await signAndCreate(image, '--public-key-id-override=//example.com/other');
    expect([bad.code, bad.stderr]).toEqual([0, expect.stringContaining('Attestation could not be validated!')]);
    const before = await stage.occurrences();
    expect(before).toHaveLength(1);
    const listed = await binauthz('list', image, '--attestor', attestor);
    expect([listed.code, listed.json.attestations[0].reason.code]).toEqual([7, 'TRUSTED_KEY_UNDER_OTHER_ID']);
    const untrusted = await stage.kmsKey('untrusted');
    const refused = await binauthz('attest', image, '--attestor', attestor, '--kms-key-version', untrusted.version);
    expect(refused.code).toBe(7);
    expect(await stage.occurrences()).toEqual(before);
  });

  it('a signature of the PAE does not count', async () => {
    expect((await signAndCreate(image, '--pae-encode-payload')).code).toBe(0);
    expect((await binauthz('list', image, '--attestor', attestor)).code).toBe(7);
    expect(statuses(await attest('--multi-platform', 'index'))).toEqual(['created']);
  });

  it('an identity that served gcloud needs the right to list under the note, and nothing else', async () => {
    const email = `ci@${PROJECT}.iam.gserviceaccount.com`;
    const member = `serviceAccount:${email}`;
    const note = `projects/${PROJECT}/notes/built-by-ci`;
    await stage.grant(`projects/${PROJECT}`, member, 'roles/artifactregistry.reader', 'roles/containeranalysis.occurrences.editor');
    await stage.grant(attestor, member, 'roles/binaryauthorization.attestorsVerifier');
    await stage.grant(note, member, 'roles/containeranalysis.notes.attacher');
    await stage.grant(key.key, member, 'roles/cloudkms.signerVerifier');
    const token = join(gcloud.folder, 'token');
    await writeFile(token, `as:${email}`);
    gcloud = gcloud.with({ CLOUDSDK_AUTH_DISABLE_CREDENTIALS: 'false', CLOUDSDK_AUTH_ACCESS_TOKEN_FILE: token });
    const describing = ['artifacts', 'docker', 'images', 'describe', `${NAME}:1.2.3`, '--format=value(image_summary.digest)'];
    expect(`${NAME}@${(await gcloud.ok(...describing)).trim()}`).toBe(image);
    expect(await signAndCreate(image)).toMatchObject({ code: 0, stderr: '' });

    const words = ['attest', `${NAME}:1.2.3`, '--attestor', attestor, '--kms-key-version', key.version];
    const asCi = () => cli([...words, '--access-token-env', 'TOKEN'], { emulator: emulator.host, env: { TOKEN: `as:${email}` } });
    const refused = await asCi();
    expect([refused.code, refused.stderr]).toEqual([5, expect.stringContaining('containeranalysis.notes.listOccurrences')]);
    await stage.grant(note, member, 'roles/containeranalysis.notes.occurrences.viewer');
    expect((await asCi()).code).toBe(0);
  });
});

/** Through a proxy gcloud speaks to Google's addresses, of which it makes the ids of Cloud KMS keys. */
function asAtGoogle(gcloud: Gcloud, emulator: TestEmulator): Gcloud {
  const apis = ['BINARYAUTHORIZATION', 'CONTAINERANALYSIS', 'CLOUDKMS', 'ARTIFACTREGISTRY', 'SERVICEUSAGE'];
  const addresses = apis.map((api) => [`CLOUDSDK_API_ENDPOINT_OVERRIDES_${api}`, `http://${api.toLowerCase()}.googleapis.com/`]);
  return gcloud.with({ ...Object.fromEntries(addresses), HTTP_PROXY: emulator.url });
}
