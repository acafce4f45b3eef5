// SPDX-License-Identifier: Apache-2.0
// Google's own client through its whole life cycle. It proves routes and shapes; validate proves the cryptography.
import { createHash, createPublicKey, verify } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as openpgp from 'openpgp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestEmulator, type TestEmulator } from '../support/emulator.js';
import { gcloudFor, HAS_GCLOUD, type Gcloud } from '../support/gcloud.js';
import { pushImage, singleImage } from '../support/images.js';
import { signingKey } from '../support/keys.js';

const P = 'demo-proj';
const KEY = ['--location=global', '--keyring=ring', '--key=ec'];
const KV = `projects/${P}/locations/global/keyRings/ring/cryptoKeys/ec/cryptoKeyVersions/1`;
const KEYVERSION = [
  '--keyversion-project=demo-proj',
  '--keyversion-location=global',
  '--keyversion-keyring=ring',
  '--keyversion-key=ec',
  '--keyversion=1',
];
const CANONICAL = `//cloudkms.googleapis.com/v1/${KV}`;
const REPOSITORY = `us-central1-docker.pkg.dev/${P}/repo`;
const IMAGE = singleImage('gcloud');
const APP = `${REPOSITORY}/app@${IMAGE.digest}`;
const BINAUTHZ = ['container', 'binauthz'];

describe.skipIf(!HAS_GCLOUD)(HAS_GCLOUD ? 'gcloud' : 'gcloud (skipped: gcloud is not on the PATH)', { timeout: 120_000 }, () => {
  let emulator: TestEmulator;
  let gcloud: Gcloud;
  beforeAll(async () => {
    emulator = await startTestEmulator();
    gcloud = await gcloudFor(emulator, P);
    const headers = { 'x-binauthz-registry': 'us-central1-docker.pkg.dev' };
    for (const name of ['app', 'team/nested']) await pushImage(emulator.url, `${P}/repo/${name}`, 'v1', IMAGE, { headers });
    // gcloud has no command for notes.
    await emulator.api('POST', `/v1/projects/${P}/notes/?noteId=note`, {
      name: `projects/${P}/notes/note`,
      attestation: { hint: { human_readable_name: 'note' } },
    });
  });
  afterAll(async () => {
    expect(emulator.lastErrors).toEqual([]);
    await gcloud.remove();
    await emulator.close();
  });
  const file = async (name: string, content: string | Uint8Array) => {
    const path = join(gcloud.folder, name);
    await writeFile(path, content);
    return path;
  };

  describe('kms', () => {
    it('creates a key ring and a signing key', async () => {
      await gcloud.ok('kms', 'keyrings', 'create', 'ring', '--location=global');
      await gcloud.ok(
        'kms',
        'keys',
        'create',
        'ec',
        '--keyring=ring',
        '--location=global',
        '--purpose=asymmetric-signing',
        '--default-algorithm=ec-sign-p256-sha256',
      );
      expect((await gcloud.run('kms', 'keyrings', 'create', 'ring', '--location=global')).stderr).toMatch(
        /already exists|ALREADY_EXISTS|conflict/,
      );
    });

    it('lists and describes versions', async () => {
      expect(await gcloud.json('kms', 'keys', 'versions', 'list', ...KEY)).toMatchObject([
        { name: KV, state: 'ENABLED', algorithm: 'EC_SIGN_P256_SHA256' },
      ]);
      expect(await gcloud.json('kms', 'keys', 'versions', 'describe', '1', ...KEY)).toMatchObject({ name: KV, state: 'ENABLED' });
    });

    it.each([
      ['data', []],
      ['digest', ['--digest-algorithm=sha256']],
    ])('signs %s, with every checksum in order', async (_name, options) => {
      const input = await file('input', 'to be signed');
      const signature = join(gcloud.folder, 'signature');
      await gcloud.ok(
        'kms',
        'asymmetric-sign',
        '--version=1',
        ...KEY,
        `--input-file=${input}`,
        `--signature-file=${signature}`,
        ...options,
      );
      const pem = join(gcloud.folder, 'ec.pem');
      await gcloud.ok('kms', 'keys', 'versions', 'get-public-key', '1', ...KEY, `--output-file=${pem}`);
      expect(verify('sha256', Buffer.from('to be signed'), createPublicKey(await readFile(pem)), await readFile(signature))).toBe(true);
    });

    it('notices a corrupted signature', async () => {
      await emulator.api('POST', '/_emulator/faults', { rules: [{ path: ':asymmetricSign$', do: 'corrupt', field: 'signature' }] });
      const input = await file('input', 'to be signed');
      const run = await gcloud.run('kms', 'asymmetric-sign', '--version=1', ...KEY, `--input-file=${input}`, '--signature-file=/dev/null');
      expect(run).toMatchObject({ code: 1, stderr: expect.stringContaining('corrupted in-transit') });
    });

    it('disables and enables a version', async () => {
      expect(await gcloud.json('kms', 'keys', 'versions', 'disable', '1', ...KEY)).toMatchObject({ state: 'DISABLED' });
      expect((await gcloud.run('kms', 'keys', 'versions', 'get-public-key', '1', ...KEY)).stderr).toContain('FAILED_PRECONDITION');
      expect(await gcloud.json('kms', 'keys', 'versions', 'enable', '1', ...KEY)).toMatchObject({ state: 'ENABLED' });
    });
  });

  describe('attestors', () => {
    const attestors = (...args: string[]) => [...BINAUTHZ, 'attestors', ...args];

    it('are created, described, listed, updated and deleted', async () => {
      const note = ['--attestation-authority-note=note', `--attestation-authority-note-project=${P}`];
      await gcloud.ok(...attestors('create', 'att', ...note, '--description=first'));
      expect(await gcloud.json(...attestors('describe', 'att'))).toMatchObject({
        name: `projects/${P}/attestors/att`,
        description: 'first',
        userOwnedGrafeasNote: { noteReference: `projects/${P}/notes/note` },
      });
      expect((await gcloud.run(...attestors('create', 'att', ...note))).stderr).toContain('is the subject of a conflict');
      await gcloud.ok(...attestors('create', 'gone', ...note));
      expect((await gcloud.json(...attestors('list'))).map(({ name }: { name: string }) => name)).toEqual([
        `projects/${P}/attestors/att`,
        `projects/${P}/attestors/gone`,
      ]);
      expect(await gcloud.json(...attestors('update', 'att', '--description=second'))).toMatchObject({ description: 'second' });
      await gcloud.ok(...attestors('delete', 'gone'));
      expect((await gcloud.run(...attestors('describe', 'gone'))).stderr).toContain('NOT_FOUND');
    });

    it('get and lose keys of all kinds', async () => {
      const keys = (verb: string, ...args: string[]) => attestors('public-keys', verb, ...args, '--attestor=att');
      await gcloud.ok(...keys('add', ...KEYVERSION, `--public-key-id-override=${CANONICAL}`, '--comment=kms'));

      const local = signingKey('ECDSA_P384_SHA384');
      const pkixId = `ni:///sha-256;${createHash('sha256').update(local.der).digest('base64url')}`;
      const added = await gcloud.json(
        ...keys('add', `--pkix-public-key-file=${await file('p384.pem', local.pem)}`, '--pkix-public-key-algorithm=ecdsa-p384-sha384'),
      );
      expect(added).toMatchObject({ id: pkixId, pkixPublicKey: { signatureAlgorithm: 'ECDSA_P384_SHA384' } });

      const pgp = await openpgp.generateKey({ userIDs: [{ name: 'gcloud' }], format: 'object' });
      const fingerprint = pgp.publicKey.getFingerprint().toUpperCase();
      expect(await gcloud.json(...keys('add', `--pgp-public-key-file=${await file('key.asc', pgp.publicKey.armor())}`))).toMatchObject({
        id: fingerprint,
      });

      const ids = async () =>
        (await gcloud.json(...attestors('describe', 'att'))).userOwnedGrafeasNote.publicKeys.map(({ id }: { id: string }) => id);
      expect(await ids()).toEqual([CANONICAL, pkixId, fingerprint]);
      expect(await gcloud.json(...keys('update', pkixId, '--comment=local'))).toMatchObject({ comment: 'local' });
      await gcloud.ok(...keys('remove', pkixId));
      await gcloud.ok(...keys('remove', fingerprint));
      expect(await ids()).toEqual([CANONICAL]);
    });

    it.each(['attestor', 'policy'])('IAM bindings of the %s come and go', async (kind) => {
      const own = (verb: string, ...args: string[]) => [
        ...BINAUTHZ,
        ...(kind === 'policy' ? ['policy', verb] : ['attestors', verb, 'att']),
        ...args,
      ];
      const binding = [
        '--member=serviceAccount:ci@demo-proj.iam.gserviceaccount.com',
        '--role=roles/binaryauthorization.attestorsVerifier',
      ];
      expect(await gcloud.json(...own('get-iam-policy'))).toEqual({ etag: 'ACAB' });
      expect((await gcloud.json(...own('add-iam-policy-binding', ...binding))).bindings).toHaveLength(1);
      const { bindings } = await gcloud.json(...own('get-iam-policy'));
      expect(bindings).toEqual([
        { role: 'roles/binaryauthorization.attestorsVerifier', members: ['serviceAccount:ci@demo-proj.iam.gserviceaccount.com'] },
      ]);
      expect((await gcloud.json(...own('remove-iam-policy-binding', ...binding))).bindings).toBeUndefined();
    });
  });

  describe('attestations', () => {
    const sign = (...args: string[]) => [
      'beta',
      ...BINAUTHZ,
      'attestations',
      'sign-and-create',
      `--artifact-url=https://${APP}`,
      '--attestor=att',
      `--attestor-project=${P}`,
      ...KEYVERSION,
      ...args,
    ];
    const list = (...args: string[]) => [...BINAUTHZ, 'attestations', 'list', '--attestor=att', `--attestor-project=${P}`, ...args];

    it('are signed by KMS and stored', async () => {
      await gcloud.ok(...sign(`--public-key-id-override=${CANONICAL}`));
      const listed = await gcloud.json(...list(`--artifact-url=${APP}`));
      expect(listed).toMatchObject([
        {
          kind: 'ATTESTATION',
          noteName: `projects/${P}/notes/note`,
          resourceUri: APP,
          attestation: { signatures: [{ publicKeyId: CANONICAL }] },
        },
      ]);
      const again = await gcloud.run(...list(`--artifact-url=${REPOSITORY}/app@sha256:${'0'.repeat(64)}`));
      expect(again).toMatchObject({ code: 0, stderr: expect.stringContaining('Listed 0 items.') });
    });

    it('are validated, first in vain, and then with the right of the service agent', async () => {
      const refused = await gcloud.run(...sign('--validate', `--public-key-id-override=${CANONICAL}`));
      expect(refused.stderr).toContain('Attestation could not be validated!');
      expect(refused.stderr).toContain('roles/containeranalysis.notes.occurrences.viewer');
      const { userOwnedGrafeasNote } = await gcloud.json(...BINAUTHZ, 'attestors', 'describe', 'att');
      const member = `serviceAccount:${userOwnedGrafeasNote.delegationServiceAccountEmail}`;
      await emulator.api('POST', `/v1/projects/${P}/notes/note:setIamPolicy`, {
        policy: { bindings: [{ role: 'roles/containeranalysis.notes.occurrences.viewer', members: [member] }] },
      });
      const accepted = await gcloud.run(...sign('--validate', `--public-key-id-override=${CANONICAL}`));
      expect(accepted.stderr).not.toContain('could not be validated');
      expect(accepted.code).toBe(0);
    });

    it('carry the canonical key id when gcloud goes through the emulator as a proxy', async () => {
      const names = ['binaryauthorization', 'containeranalysis', 'cloudkms'];
      const overrides = names.map((name) => [`CLOUDSDK_API_ENDPOINT_OVERRIDES_${name.toUpperCase()}`, `http://${name}.googleapis.com/`]);
      const proxied = gcloud.with({ ...Object.fromEntries(overrides), HTTP_PROXY: emulator.url, NO_PROXY: 'localhost' });
      const before = (await gcloud.json(...list())).length;
      const run = await proxied.run(...sign('--validate'));
      expect(run).toMatchObject({ code: 0, stderr: expect.not.stringContaining('WARNING') });
      const all = await gcloud.json(...list());
      expect(all.length).toBe(before + 1);
      for (const { attestation } of all) expect(attestation.signatures[0].publicKeyId).toBe(CANONICAL);
    });

    it('may be brought along', async () => {
      const payload = Buffer.from(await gcloud.ok(...BINAUTHZ, 'create-signature-payload', `--artifact-url=${APP}`));
      const local = signingKey('ECDSA_P256_SHA256');
      const pem = await file('own.pem', local.pem);
      const { id } = await gcloud.json(
        ...BINAUTHZ,
        'attestors',
        'public-keys',
        'add',
        '--attestor=att',
        `--pkix-public-key-file=${pem}`,
        '--pkix-public-key-algorithm=ecdsa-p256-sha256',
      );
      const signature = await file('own.sig', local.sign(payload));
      const create = [
        ...BINAUTHZ,
        'attestations',
        'create',
        `--artifact-url=${APP}`,
        '--attestor=att',
        `--attestor-project=${P}`,
        `--signature-file=${signature}`,
        `--public-key-id=${id}`,
        '--validate',
      ];
      const first = await gcloud.run(...create);
      expect(first).toMatchObject({ code: 0, stderr: expect.not.stringContaining('could not be validated') });
      expect((await gcloud.run(...create)).stderr).toContain('is the subject of a conflict');
    });

    it('come in pages', async () => {
      const total = (await gcloud.json(...list())).length;
      expect(total).toBeGreaterThan(2);
      expect(await gcloud.json(...list('--page-size=1'))).toHaveLength(total);
      expect(await gcloud.json(...list('--limit=2'))).toHaveLength(2);
    });
  });

  describe('the policy', () => {
    const exported = async () => (await gcloud.ok(...BINAUTHZ, 'policy', 'export')).toString();
    const importing = async (text: string) => gcloud.run(...BINAUTHZ, 'policy', 'import', await file('policy.yaml', text));

    it('goes out and in again unchanged, with its etag', async () => {
      const rule = `  enforcementMode: ENFORCED_BLOCK_AND_AUDIT_LOG\n  evaluationMode: REQUIRE_ATTESTATION\n  requireAttestationsBy:\n  - projects/${P}/attestors/att\n`;
      const cluster =
        'clusterAdmissionRules:\n  us-east1-a.my_prod:\n    enforcementMode: DRYRUN_AUDIT_LOG_ONLY\n    evaluationMode: ALWAYS_DENY\n';
      expect(
        await importing(
          `admissionWhitelistPatterns:\n- namePattern: gcr.io/p/*\n${cluster}defaultAdmissionRule:\n${rule}globalPolicyEvaluationMode: ENABLE\n`,
        ),
      ).toMatchObject({ code: 0 });
      const first = await exported();
      expect(first).toContain('us-east1-a.my_prod');
      expect(first).toContain('etag:');
      expect(await importing(first)).toMatchObject({ code: 0 });
      const second = await exported();
      const content = (text: string) => text.split('\n').filter((line) => !/^(etag|updateTime):/.test(line));
      expect(content(second)).toEqual(content(first));
      expect(await importing(first)).toMatchObject({ code: 1, stderr: expect.stringContaining('is the subject of a conflict') });
      expect(await exported()).toBe(second);
    });

    it('is refused when it is not valid', async () => {
      expect(await importing('globalPolicyEvaluationMode: ENABLE\n')).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('default_admission_rule'),
      });
    });

    it('of the system says that it is made up', async () => {
      expect(await gcloud.json('alpha', ...BINAUTHZ, 'policy', 'export-system-policy', '--location=us-central1')).toMatchObject({
        name: 'locations/us-central1/policy',
        description: expect.stringContaining('Made up'),
      });
    });

    it('has no continuous validation', async () => {
      expect(await gcloud.ok('alpha', ...BINAUTHZ, 'continuous-validation', 'describe')).toContain('enabled: false');
    });
  });

  describe('images', () => {
    it.each([
      ['app:v1', 'app', ':v1'],
      ['app by digest', 'app', `@${IMAGE.digest}`],
      ['a nested image', 'team/nested', ':v1'],
      ['a nested image by digest', 'team/nested', `@${IMAGE.digest}`],
    ])('%s is described', async (_name, image, reference) => {
      const described = await gcloud.json('artifacts', 'docker', 'images', 'describe', `${REPOSITORY}/${image}${reference}`);
      expect(described.image_summary).toMatchObject({
        digest: IMAGE.digest,
        fully_qualified_digest: `${REPOSITORY}/${image}@${IMAGE.digest}`,
      });
    });

    it('that are missing are not found', async () => {
      expect((await gcloud.run('artifacts', 'docker', 'images', 'describe', `${REPOSITORY}/app:none`)).stderr).toContain(
        'Image not found.',
      );
    });

    it('are described by the registry itself', async () => {
      // Of all loopback names gcloud takes only this one for plain http.
      const { stdout, stderr, code } = await gcloud.run(
        'container',
        'images',
        'describe',
        `localhost:${emulator.port}/${P}/repo/app:v1`,
        '--format=json',
      );
      expect({ code, stderr }).toMatchObject({ code: 0 });
      expect(JSON.parse(stdout).image_summary.digest).toBe(IMAGE.digest);
    });
  });

  describe('the project', () => {
    it('is described, and its IAM bindings come and go', async () => {
      expect(await gcloud.json('projects', 'describe', P)).toMatchObject({ projectId: P, projectNumber: expect.stringMatching(/^\d+$/) });
      const binding = ['--member=user:u@example.com', '--role=roles/viewer'];
      expect((await gcloud.json('projects', 'add-iam-policy-binding', P, ...binding)).bindings).toHaveLength(1);
      expect((await gcloud.json('projects', 'get-iam-policy', P)).bindings).toHaveLength(1);
      expect((await gcloud.json('projects', 'remove-iam-policy-binding', P, ...binding)).bindings).toBeUndefined();
    });

    it('switches services, and names their agents', async () => {
      const enabled = async () =>
        (await gcloud.json('services', 'list', '--enabled')).map(({ config }: { config: { name: string } }) => config.name);
      await gcloud.ok('services', 'disable', 'run.googleapis.com', '--force');
      expect(await enabled()).not.toContain('run.googleapis.com');
      await gcloud.ok('services', 'enable', 'run.googleapis.com', 'cloudkms.googleapis.com');
      expect(await enabled()).toContain('run.googleapis.com');
      expect(await gcloud.json('beta', 'services', 'identity', 'create', '--service=binaryauthorization.googleapis.com')).toMatchObject({
        email: expect.stringContaining('@gcp-sa-binaryauthorization.'),
      });
    });
  });
});
