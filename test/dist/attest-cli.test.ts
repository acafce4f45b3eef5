// SPDX-License-Identifier: Apache-2.0
// The shipped command line against the emulator: the ways that attest goes right, on each Node.
import { generateKeyPairSync } from 'node:crypto';
import * as openpgp from 'openpgp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cli } from '../support/cli.js';
import { startTestEmulator, type TestEmulator } from '../support/emulator.js';
import { imageIndex, pushImage, singleImage } from '../support/images.js';
import { nodes } from '../support/nodes.js';
import { pkixEntry, PROJECT, Stage, type StagedKey } from '../support/stage.js';

const REPOSITORY = `us-docker.pkg.dev/${PROJECT}/shop`;
const headers = { 'x-binauthz-registry': 'us-docker.pkg.dev' };

describe.each(nodes)('attest on Node $version', (node) => {
  let emulator: TestEmulator;
  let stage: Stage;
  let attestor: string;
  let key: StagedKey;
  const push = (name: string, tag: string, image: ReturnType<typeof singleImage>) =>
    pushImage(emulator.url, `${PROJECT}/shop/${name}`, tag, image, { headers });
  const binauthz = (args: readonly string[], env: Record<string, string> = {}) =>
    cli([...args, '--output', 'json'], { node, emulator: emulator.host, env });

  beforeAll(async () => {
    emulator = await startTestEmulator({ propagationDelayMs: 200 });
    stage = new Stage(emulator);
    ({ attestor, key } = await stage.kmsAttestor('ci'));
  });
  afterAll(() => emulator.close());

  it('attests a tag with Cloud KMS, and says what it saw', async () => {
    const digest = await push('app', '1.2.3', singleImage('app'));
    const { code, json, stderr } = await binauthz([
      'attest',
      `${REPOSITORY}/app:1.2.3`,
      '--attestor',
      'ci',
      '--attestor-project',
      PROJECT,
      '--kms-key-version',
      key.version,
    ]);
    expect({ code, errors: json.errors }).toEqual({ code: 0, errors: undefined });
    expect(json).toMatchObject({
      schema: 'binauthz.attest/v1',
      emulator: true,
      images: [
        {
          image: `${REPOSITORY}/app@${digest}`,
          digest,
          tag: '1.2.3',
          mediaType: 'application/vnd.oci.image.manifest.v1+json',
          children: [],
          uploadTime: expect.stringMatching(/^20/),
        },
      ],
      attestations: [
        {
          image: `${REPOSITORY}/app@${digest}`,
          attestor,
          note: `projects/${PROJECT}/notes/ci`,
          occurrence: expect.stringMatching(/^projects\/.+\/occurrences\//),
          publicKeyId: `//cloudkms.googleapis.com/v1/${key.version}`,
          status: 'created',
          validated: 'google',
          visibleAfterMs: expect.any(Number),
        },
      ],
    });
    expect(json.attestations[0].visibleAfterMs).toBeGreaterThanOrEqual(200);
    expect(stderr).toContain('BINAUTHZ_EMULATOR_HOST is set');
    expect(stderr).toContain('is a tag');
  });

  it('attests an index and its runnable children, but no provenance', async () => {
    const index = imageIndex('multi', ['linux/amd64', 'linux/arm64'], { provenance: true });
    const digest = await push('multi', 'v1', index);
    const { code, json } = await binauthz(['attest', `${REPOSITORY}/multi@${digest}`, '--attestor', attestor, '--kms-key', key.key]);
    expect(code).toBe(0);
    expect(json.images[0].children.map(({ platform }: { platform: string }) => platform)).toEqual(['linux/amd64', 'linux/arm64']);
    expect(json.attestations.map(({ image }: { image: string }) => image)).toEqual(
      [digest, ...index.children.slice(0, 2).map((child) => child.digest)].map((of) => `${REPOSITORY}/multi@${of}`),
    );
  });

  it('picks the newest version that the attestor trusts for --kms-key', async () => {
    const rotated = await stage.kmsAttestor('rotated');
    const second = await stage.call('POST', `/v1/${rotated.key.key}/cryptoKeyVersions`, {});
    const third = await stage.call('POST', `/v1/${rotated.key.key}/cryptoKeyVersions`, {});
    const { version, pem } = await stage.keyVersion(rotated.key.key, 2);
    expect([second.name, third.name]).toEqual([version, `${rotated.key.key}/cryptoKeyVersions/3`]);
    await stage.replaceKeys(rotated.attestor, [
      pkixEntry(rotated.key, 'EC_SIGN_P256_SHA256'),
      pkixEntry({ ...rotated.key, version, pem }, 'EC_SIGN_P256_SHA256'),
    ]);
    const digest = await push('rotated', 'v1', singleImage('rotated'));
    const { json } = await binauthz([
      'attest',
      `${REPOSITORY}/rotated@${digest}`,
      '--attestor',
      rotated.attestor,
      '--kms-key',
      rotated.key.key,
    ]);
    expect(json.attestations).toMatchObject([{ status: 'created', publicKeyId: `//cloudkms.googleapis.com/v1/${version}` }]);
  });

  it.each([
    ['base64 of the armored key', (armored: string) => Buffer.from(armored).toString('base64')],
    ['the armored key', (armored: string) => armored],
    ['one line with \\n escapes', (armored: string) => armored.replaceAll('\n', '\\n')],
  ])('attests with a PGP secret given as %s', async (form, spell) => {
    const passphrase = 'correct horse';
    const pgp = await openpgp.generateKey({
      type: 'ecc',
      curve: 'ed25519Legacy',
      userIDs: [{ name: 'ci' }],
      passphrase,
      format: 'armored',
    });
    const id = `pgp-${form.replaceAll(/\W+/g, '-').toLowerCase()}x`;
    const pgpAttestor = await stage.attestor(id, [{ asciiArmoredPgpPublicKey: pgp.publicKey }]);
    const digest = await push('pgp', id, singleImage(id));
    const { code, json } = await binauthz(
      [
        'attest',
        `${REPOSITORY}/pgp@${digest}`,
        '--attestor',
        pgpAttestor,
        '--pgp-private-key-env',
        'THE_KEY',
        '--pgp-passphrase-env',
        'THE_PASSPHRASE',
      ],
      { THE_KEY: spell(pgp.privateKey), THE_PASSPHRASE: passphrase },
    );
    const fingerprint = (await openpgp.readKey({ armoredKey: pgp.publicKey })).getFingerprint().toUpperCase();
    expect([code, json.attestations]).toMatchObject([0, [{ status: 'created', validated: 'google', publicKeyId: fingerprint }]]);
  });

  it('attests with a local PKIX key, whatever id the attestor gave it', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-521' });
    const entry = {
      id: 'https://example.com/keys/1',
      pkixPublicKey: { publicKeyPem: publicKey.export({ type: 'spki', format: 'pem' }), signatureAlgorithm: 'ECDSA_P521_SHA512' },
    };
    const pkixAttestor = await stage.attestor('pkix', [entry]);
    const digest = await push('pkix', 'v1', singleImage('pkix'));
    const { code, json } = await binauthz(
      ['attest', `${REPOSITORY}/pkix@${digest}`, '--attestor', pkixAttestor, '--pkix-private-key-env', 'THE_KEY'],
      { THE_KEY: String(privateKey.export({ type: 'pkcs8', format: 'pem' })) },
    );
    expect([code, json.attestations]).toMatchObject([0, [{ status: 'created', publicKeyId: entry.id }]]);
  });

  it('attests several images for several attestors in one run, each pair once', async () => {
    const second = await stage.kmsAttestor('second');
    const digests = await Promise.all(['a', 'b', 'c'].map((name) => push(name, 'v1', singleImage(name))));
    const images = ['a', 'b', 'c'].map((name, index) => `${REPOSITORY}/${name}@${digests[index]}`);
    const { code, json } = await binauthz([
      'attest',
      ...images,
      '--image',
      images[0]!,
      '--attestor',
      attestor,
      '--attestor',
      second.attestor,
      '--kms-key-version',
      key.version,
      '--kms-key-version',
      second.key.version,
    ]);
    expect([code, json.attestations.length, json.images.length]).toEqual([0, 6, 3]);
    const listed = await binauthz(['list', ...images, '--attestor', attestor, '--attestor', second.attestor]);
    expect([
      listed.code,
      listed.json.attestations.every(({ verified }: { verified: boolean }) => verified),
      listed.json.attestations.length,
    ]).toEqual([0, true, 6]);
  });

  it('stores the attestation in another project, where the enforcer finds it all the same', async () => {
    const digest = await push('elsewhere', 'v1', singleImage('elsewhere'));
    const { code, json } = await binauthz([
      'attest',
      `${REPOSITORY}/elsewhere@${digest}`,
      '--attestor',
      attestor,
      '--kms-key-version',
      key.version,
      '--project',
      'attestations',
    ]);
    expect([code, json.attestations[0].occurrence]).toEqual([0, expect.stringMatching(/^projects\/attestations\/occurrences\//)]);
  });

  it('waits as long as it is told, and says that it is posted', async () => {
    await stage.call('POST', '/_emulator/faults', { propagationDelayMs: 3_600_000 });
    const digest = await push('slow', 'v1', singleImage('slow'));
    const args = ['attest', `${REPOSITORY}/slow@${digest}`, '--attestor', attestor, '--kms-key-version', key.version];
    const waited = await binauthz([...args, '--wait-timeout', '1s']);
    expect([waited.code, waited.json.attestations]).toMatchObject([
      8,
      [{ status: 'posted', visibleAfterMs: null, error: { code: 'NOT_VISIBLE' } }],
    ]);
    const unwaited = await binauthz([
      ...args.with(1, `${REPOSITORY}/slow2@${await push('slow2', 'v1', singleImage('slow2'))}`),
      '--no-wait',
    ]);
    expect([unwaited.code, unwaited.json.attestations]).toMatchObject([0, [{ status: 'created', visibleAfterMs: null }]]);
    await stage.call('POST', '/_emulator/faults', { propagationDelayMs: 200 });
  });

  it('shows a person what happened', async () => {
    const digest = await push('person', 'v1', singleImage('person'));
    const { code, stdout, stderr } = await cli(
      ['attest', `${REPOSITORY}/person@${digest}`, '--attestor', attestor, '--kms-key-version', key.version],
      { node, emulator: emulator.host },
    );
    expect(code).toBe(0);
    expect(stdout).toContain(digest);
    expect(stdout).toContain('created');
    expect(stderr).toMatch(/Resolving 1 image/);
  });
});
