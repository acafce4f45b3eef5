// SPDX-License-Identifier: Apache-2.0
// What Google's client, OpenSSL and GnuPG say about what we write, and we about what they write.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as openpgp from 'openpgp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cli, type CliEnded } from '../support/cli.js';
import { startTestEmulator, type TestEmulator } from '../support/emulator.js';
import { gcloudFor, HAS_GCLOUD, type Gcloud } from '../support/gcloud.js';
import { pushImage, singleImage } from '../support/images.js';
import { run } from '../support/spawn.js';
import { PROJECT, Stage } from '../support/stage.js';
import { found, titled } from '../support/tools.js';

const KMS_ALGORITHMS: Readonly<Record<string, readonly string[]>> = {
  RSA_SIGN_PSS_2048_SHA256: ['-sha256', '-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:digest'],
  RSA_SIGN_PSS_3072_SHA256: ['-sha256', '-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:digest'],
  RSA_SIGN_PSS_4096_SHA256: ['-sha256', '-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:digest'],
  RSA_SIGN_PSS_4096_SHA512: ['-sha512', '-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:digest'],
  RSA_SIGN_PKCS1_2048_SHA256: ['-sha256'],
  RSA_SIGN_PKCS1_3072_SHA256: ['-sha256'],
  RSA_SIGN_PKCS1_4096_SHA256: ['-sha256'],
  RSA_SIGN_PKCS1_4096_SHA512: ['-sha512'],
  EC_SIGN_P256_SHA256: ['-sha256'],
  EC_SIGN_P384_SHA384: ['-sha384'],
};

let emulator: TestEmulator;
let stage: Stage;
let folder: string;
beforeAll(async () => {
  emulator = await startTestEmulator();
  stage = new Stage(emulator);
  folder = await mkdtemp(join(tmpdir(), 'binauthz-trip-'));
});
afterAll(async () => {
  await emulator.close();
  await rm(folder, { recursive: true, force: true });
});

async function push(name: string): Promise<string> {
  const digest = await pushImage(emulator.url, `${PROJECT}/shop/${name}`, 'v1', singleImage(name), {
    headers: { 'x-binauthz-registry': 'us-docker.pkg.dev' },
  });
  return `us-docker.pkg.dev/${PROJECT}/shop/${name}@${digest}`;
}

function binauthz(...args: readonly string[]): Promise<CliEnded> {
  return cli([...args, '--output', 'json'], { emulator: emulator.host });
}

/** What is stored: the payload's and the first signature's bytes. */
async function stored(occurrence: string): Promise<{ payload: Buffer; signature: Buffer }> {
  const { attestation } = await stage.call('GET', `/v1/${occurrence}`);
  return {
    payload: Buffer.from(attestation.serializedPayload as string, 'base64'),
    signature: Buffer.from(attestation.signatures[0].signature as string, 'base64'),
  };
}

async function write(name: string, content: string | Buffer): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

describe.skipIf(!found('openssl'))(titled('OpenSSL', 'openssl'), () => {
  it.each(Object.entries(KMS_ALGORITHMS))('verifies what Cloud KMS signed with %s, and nothing else', async (algorithm, options) => {
    const id = algorithm.toLowerCase().replaceAll('_', '-');
    const { attestor, key } = await stage.kmsAttestor(id, algorithm);
    const ended = await binauthz('attest', await push(id), '--attestor', attestor, '--kms-key-version', key.version);
    expect(ended.code).toBe(0);
    const { payload, signature } = await stored(ended.json.attestations[0].occurrence as string);
    const pem = await write(`${id}.pem`, key.pem);
    const verify = async (bytes: Buffer) =>
      run('openssl', [
        'dgst',
        ...options,
        '-verify',
        pem,
        '-signature',
        await write(`${id}.sig`, signature),
        await write(`${id}.json`, bytes),
      ]);
    expect((await verify(payload)).stdout).toContain('Verified OK');
    expect((await verify(Buffer.from(payload.toString().replace('sha256:', 'sha256;')))).stdout).not.toContain('Verified OK');
  });
});

describe.skipIf(!found('gpg'))(titled('GnuPG', 'gpg'), () => {
  it.each([
    ['rsa', { type: 'rsa', rsaBits: 4096 }],
    ['ed25519', { type: 'ecc', curve: 'ed25519Legacy' }],
    ['nistp256', { type: 'ecc', curve: 'nistP256' }],
  ] as const)('verifies what a %s key signed, and finds the payload in it', async (name, kind) => {
    const pgp = await openpgp.generateKey({
      ...kind,
      userIDs: [{ name: 'ci', email: 'ci@example.com' }],
      passphrase: 'secret',
      format: 'armored',
    });
    const attestor = await stage.attestor(`pgp-${name}`, [{ asciiArmoredPgpPublicKey: pgp.publicKey }]);
    const ended = await cli(
      [
        'attest',
        await push(`pgp-${name}`),
        '--attestor',
        attestor,
        '--pgp-private-key-env',
        'K',
        '--pgp-passphrase-env',
        'P',
        '--output',
        'json',
      ],
      { emulator: emulator.host, env: { K: pgp.privateKey, P: 'secret' } },
    );
    expect(ended.code).toBe(0);
    const { payload, signature } = await stored(ended.json.attestations[0].occurrence as string);
    const home = await mkdtemp(join(tmpdir(), 'gpg-'));
    try {
      const env = { GNUPGHOME: home };
      await run('gpg', ['--batch', '--import'], { env, stdin: pgp.publicKey });
      const message = await write(`${name}.asc`, signature);
      const status = await run('gpg', ['--batch', '--status-fd', '1', '--verify', message], { env });
      const fingerprint = (await openpgp.readKey({ armoredKey: pgp.publicKey })).getFingerprint().toUpperCase();
      expect(status.stdout).toMatch(new RegExp(`^\\[GNUPG:\\] VALIDSIG .*${fingerprint}`, 'm'));
      expect(status.stdout).toContain('[GNUPG:] GOODSIG');
      expect(status.stdout).not.toMatch(/REVKEYSIG|EXPKEYSIG|EXPSIG|BADSIG/);
      expect((await run('gpg', ['--batch', '--decrypt', message], { env })).stdout).toBe(payload.toString());
    } finally {
      await run('gpgconf', ['--kill', 'all'], { env: { GNUPGHOME: home } }).catch(() => undefined);
      await rm(home, { recursive: true, force: true });
    }
  });
});

describe.skipIf(!HAS_GCLOUD)(titled('gcloud', 'gcloud'), () => {
  let gcloud: Gcloud;
  let attestor: string;
  let keyVersion: string;
  beforeAll(async () => {
    gcloud = await gcloudFor(emulator, PROJECT);
    const staged = await stage.kmsAttestor('trip');
    attestor = staged.attestor;
    keyVersion = staged.key.version;
  });
  afterAll(() => gcloud.remove());
  const attestations = ['beta', 'container', 'binauthz', 'attestations'];

  it('makes the payload that we make, byte for byte', async () => {
    const image = await push('payload');
    const ended = await binauthz('attest', image, '--attestor', attestor, '--kms-key-version', keyVersion);
    const { payload } = await stored(ended.json.attestations[0].occurrence as string);
    expect(payload.toString()).toBe(await gcloud.ok('container', 'binauthz', 'create-signature-payload', `--artifact-url=${image}`));
  });

  it('lists what we attest', async () => {
    const image = await push('listed');
    const ended = await binauthz('attest', image, '--attestor', attestor, '--kms-key-version', keyVersion);
    const listed = await gcloud.json('container', 'binauthz', 'attestations', 'list', `--attestor=${attestor}`, `--artifact-url=${image}`);
    expect(listed).toMatchObject([{ name: ended.json.attestations[0].occurrence, kind: 'ATTESTATION', resourceUri: `https://${image}` }]);
  });

  it('signs and creates what we call verified', async () => {
    const image = await push('theirs');
    await gcloud.ok(
      ...attestations,
      'sign-and-create',
      `--artifact-url=${image}`,
      `--attestor=${attestor}`,
      `--keyversion=${keyVersion}`,
      `--public-key-id-override=//cloudkms.googleapis.com/v1/${keyVersion}`,
      '--validate',
    );
    const listed = await binauthz('list', image, '--attestor', attestor);
    expect([listed.code, listed.json.attestations]).toMatchObject([
      0,
      [{ verified: true, publicKeyId: `//cloudkms.googleapis.com/v1/${keyVersion}` }],
    ]);
    const ours = await binauthz('attest', image, '--attestor', attestor, '--kms-key-version', keyVersion);
    expect(ours.json.attestations).toMatchObject([{ status: 'existing', occurrence: listed.json.attestations[0].occurrence }]);
  });

  it('posts a key id that the attestor does not know, and we say which id it should be', async () => {
    const image = await push('wrong-id');
    await gcloud.ok(...attestations, 'sign-and-create', `--artifact-url=${image}`, `--attestor=${attestor}`, `--keyversion=${keyVersion}`);
    const listed = await binauthz('list', image, '--attestor', attestor);
    expect([listed.code, listed.json.attestations[0].verified, listed.json.attestations[0].reason.code]).toEqual([
      7,
      false,
      'TRUSTED_KEY_UNDER_OTHER_ID',
    ]);
  });

  it('stores a PGP signature made by gpg that we call verified', async (context) => {
    if (!found('gpg')) context.skip('gpg is not on the PATH');
    const home = await mkdtemp(join(tmpdir(), 'gpg-'));
    const env = { GNUPGHOME: home };
    try {
      await run('gpg', ['--batch', '--passphrase', '', '--quick-generate-key', 'qa@example.com', 'rsa3072', 'sign', 'never'], { env });
      const armored = (await run('gpg', ['--armor', '--export'], { env })).stdout;
      const fingerprint = (await openpgp.readKey({ armoredKey: armored })).getFingerprint().toUpperCase();
      const pgpAttestor = await stage.attestor('gpg', [{ asciiArmoredPgpPublicKey: armored }]);
      const image = await push('by-gpg');
      const payload = await write(
        'payload.json',
        await gcloud.ok('container', 'binauthz', 'create-signature-payload', `--artifact-url=${image}`),
      );
      const signature = join(folder, 'payload.pgp');
      await run('gpg', ['--batch', '--armor', '--output', signature, '--sign', payload], { env });
      await gcloud.ok(
        'container',
        'binauthz',
        'attestations',
        'create',
        `--artifact-url=${image}`,
        `--attestor=${pgpAttestor}`,
        `--signature-file=${signature}`,
        `--public-key-id=${fingerprint}`,
        '--validate',
      );
      const listed = await binauthz('list', image, '--attestor', pgpAttestor);
      expect([listed.code, listed.json.attestations]).toMatchObject([0, [{ verified: true, publicKeyId: fingerprint }]]);
    } finally {
      await run('gpgconf', ['--kill', 'all'], { env }).catch(() => undefined);
      await rm(home, { recursive: true, force: true });
    }
  });
});
