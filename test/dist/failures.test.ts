// SPDX-License-Identifier: Apache-2.0
// The bad days of attest: each ends with its exit code, one error that names the resource, a hint, and nothing posted.
import { generateKeyPairSync } from 'node:crypto';
import * as openpgp from 'openpgp';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { cli, type CliEnded } from '../support/cli.js';
import { startTestEmulator, type TestEmulator } from '../support/emulator.js';
import { pushImage, singleImage } from '../support/images.js';
import { pkixEntry, PROJECT, Stage, type StagedKey } from '../support/stage.js';

const REPOSITORY = `us-docker.pkg.dev/${PROJECT}/shop`;
const NOBODY = 'ci@shop-prod.iam.gserviceaccount.com';

let emulator: TestEmulator;
let stage: Stage;
let image: string;
let configDigest: string;
let attestor: string;
let key: StagedKey;

beforeAll(async () => {
  emulator = await startTestEmulator();
  stage = new Stage(emulator);
  ({ attestor, key } = await stage.kmsAttestor('ci'));
  const pushed = singleImage('app');
  const digest = await pushImage(emulator.url, `${PROJECT}/shop/app`, 'v1', pushed, {
    headers: { 'x-binauthz-registry': 'us-docker.pkg.dev' },
  });
  image = `${REPOSITORY}/app@${digest}`;
  configDigest = pushed.blobs[0]!.digest;
});
afterAll(() => emulator.close());

interface Options {
  readonly image?: string;
  readonly attestor?: string;
  readonly key?: readonly string[];
  readonly env?: Record<string, string>;
}

async function attest(options: Options = {}): Promise<CliEnded> {
  const args = [
    'attest',
    options.image ?? image,
    '--attestor',
    options.attestor ?? attestor,
    ...(options.key ?? ['--kms-key-version', key.version]),
    '--output',
    'json',
    '--wait-timeout',
    '5s',
  ];
  return cli(args, { emulator: emulator.host, env: options.env ?? {} });
}

async function expectFailure(ended: CliEnded, exitCode: number, code: string): Promise<void> {
  const errors = (ended.json?.errors ?? []) as { code: string; exitCode: number; message: string; hint?: string }[];
  expect({ exit: ended.code, codes: errors.map((error) => error.code) }).toEqual({ exit: exitCode, codes: [code] });
  for (const error of errors) {
    expect(error.exitCode).toBe(exitCode);
    expect(error.message).not.toContain('\n');
    expect(error.hint, error.message).toMatch(/\S/);
    expect(ended.stderr).toContain(error.message);
  }
  expect(await stage.occurrences()).toEqual([]);
}

describe('a key', () => {
  it('that the attestor does not trust is 7, and both sides are listed', async () => {
    const wrong = await stage.kmsKey('wrong');
    const ended = await attest({ key: ['--kms-key-version', wrong.version] });
    await expectFailure(ended, 7, 'KEY_NOT_TRUSTED');
    expect(ended.json.errors[0].message).toContain(wrong.version);
    expect(ended.json.errors[0].message).toContain(`//cloudkms.googleapis.com/v1/${key.version}`);
  });

  it('that no attestor trusts is 7, also beside one that is trusted', async () => {
    const wrong = await stage.kmsKey('leftover');
    await expectFailure(
      await attest({ key: ['--kms-key-version', key.version, '--kms-key-version', wrong.version] }),
      7,
      'KEY_NOT_TRUSTED',
    );
  });

  it.each(['EC_SIGN_SECP256K1_SHA256', 'EC_SIGN_ED25519'])(
    'of the algorithm %s is 7, and the usable ones are listed',
    async (algorithm) => {
      const unusable = await stage.kmsKey(algorithm.toLowerCase().replaceAll('_', '-'), algorithm);
      const ended = await attest({ key: ['--kms-key-version', unusable.version] });
      await expectFailure(ended, 7, 'KEY_ALGORITHM_UNSUPPORTED');
      expect(ended.json.errors[0].message).toContain('EC_SIGN_P256_SHA256');
    },
  );

  it('that is not there is 6', async () => {
    await expectFailure(await attest({ key: ['--kms-key-version', key.version.replace(/1$/, '7')] }), 6, 'KEY_NOT_FOUND');
  });

  it.each([
    ['disabled', (version: string) => stage.call('PATCH', `/v1/${version}?updateMask=state`, { state: 'DISABLED' })],
    ['scheduled for destruction', (version: string) => stage.call('POST', `/v1/${version}:destroy`, {})],
  ])('whose version is %s is 7', async (state, change) => {
    const staged = await stage.kmsAttestor(state.replaceAll(' ', '-'));
    await change(staged.key.version);
    await expectFailure(await attest({ attestor: staged.attestor, key: ['--kms-key-version', staged.key.version] }), 7, 'KEY_UNUSABLE');
    await expectFailure(await attest({ attestor: staged.attestor, key: ['--kms-key', staged.key.key] }), 7, 'KEY_UNUSABLE');
  });

  it('that the attestor lists under another algorithm is 7, and the hint says so', async () => {
    const rsa = await stage.kmsKey('misdeclared', 'RSA_SIGN_PKCS1_2048_SHA256');
    const misdeclared = await stage.attestor('misdeclared', [pkixEntry(rsa, 'RSA_SIGN_PSS_2048_SHA256')]);
    const ended = await attest({ attestor: misdeclared, key: ['--kms-key-version', rsa.version] });
    await expectFailure(ended, 7, 'KEY_NOT_TRUSTED');
    expect(ended.json.errors[0].hint).toContain('declares it as');
  });

  it('is missing in an attestor without keys: 7', async () => {
    await expectFailure(await attest({ attestor: await stage.attestor('keyless', []) }), 7, 'KEY_NOT_TRUSTED');
  });
});

describe('a PGP key', () => {
  const passphrase = 'correct horse battery staple';
  const env = (armored: string, secret = passphrase): Record<string, string> => ({ THE_KEY: armored, THE_PASSPHRASE: secret });
  const flags = ['--pgp-private-key-env', 'THE_KEY', '--pgp-passphrase-env', 'THE_PASSPHRASE'];
  let pgp: { privateKey: string; publicKey: string; revocationCertificate: string };
  let pgpAttestor: string;
  beforeAll(async () => {
    pgp = await openpgp.generateKey({ type: 'ecc', curve: 'ed25519Legacy', userIDs: [{ name: 'ci' }], passphrase, format: 'armored' });
    pgpAttestor = await stage.attestor('pgp', [{ asciiArmoredPgpPublicKey: pgp.publicKey }]);
  });

  it('with the wrong passphrase is 2', async () => {
    await expectFailure(
      await attest({ attestor: pgpAttestor, key: flags, env: env(pgp.privateKey, 'wrong horse') }),
      2,
      'PASSPHRASE_REJECTED',
    );
  });

  it('without its passphrase is 2', async () => {
    await expectFailure(
      await attest({ attestor: pgpAttestor, key: flags.slice(0, 2), env: { THE_KEY: pgp.privateKey } }),
      2,
      'PASSPHRASE_REJECTED',
    );
  });

  it.each([
    ['an unset variable', {}],
    ['an empty variable', { THE_KEY: '' }],
  ])('in %s is 2', async (_title, variables) => {
    await expectFailure(await attest({ attestor: pgpAttestor, key: flags.slice(0, 2), env: variables }), 2, 'INVALID_INPUT');
  });

  it.each([
    ['a public key', () => pgp.publicKey],
    ['no key at all', () => 'bm90IGEga2V5'],
    ['half a key', () => pgp.privateKey.slice(0, 300)],
  ])('that is %s is 2', async (_title, text) => {
    await expectFailure(await attest({ attestor: pgpAttestor, key: flags.slice(0, 2), env: { THE_KEY: text() } }), 2, 'SECRET_UNUSABLE');
  });

  it('that is revoked is 7', async () => {
    const revoked = await openpgp.generateKey({ type: 'ecc', curve: 'ed25519Legacy', userIDs: [{ name: 'ci' }], format: 'object' });
    const { privateKey } = await openpgp.revokeKey({
      key: revoked.privateKey,
      revocationCertificate: revoked.revocationCertificate,
      format: 'armored',
    });
    await expectFailure(await attest({ attestor: pgpAttestor, key: flags.slice(0, 2), env: { THE_KEY: privateKey } }), 7, 'KEY_UNUSABLE');
  });

  it('that has expired is 7', async () => {
    const expired = await openpgp.generateKey({
      type: 'ecc',
      curve: 'ed25519Legacy',
      userIDs: [{ name: 'ci' }],
      date: new Date('2020-01-01'),
      keyExpirationTime: 60,
      format: 'armored',
    });
    await expectFailure(
      await attest({ attestor: pgpAttestor, key: flags.slice(0, 2), env: { THE_KEY: expired.privateKey } }),
      7,
      'KEY_UNUSABLE',
    );
  });

  it('that the attestor does not trust is 7', async () => {
    const stranger = await openpgp.generateKey({ type: 'ecc', curve: 'ed25519Legacy', userIDs: [{ name: 'ci' }], format: 'armored' });
    await expectFailure(
      await attest({ attestor: pgpAttestor, key: flags.slice(0, 2), env: { THE_KEY: stranger.privateKey } }),
      7,
      'KEY_NOT_TRUSTED',
    );
  });
});

describe('a local PKIX key', () => {
  it('of a kind that no attestor can name is 7', async () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    await expectFailure(
      await attest({
        key: ['--pkix-private-key-env', 'THE_KEY'],
        env: { THE_KEY: String(privateKey.export({ type: 'pkcs8', format: 'pem' })) },
      }),
      7,
      'KEY_ALGORITHM_UNSUPPORTED',
    );
  });
});

describe('an image', () => {
  it('whose tag is not there is 6', async () => {
    await expectFailure(await attest({ image: `${REPOSITORY}/app:v2` }), 6, 'IMAGE_NOT_FOUND');
  });

  it('whose repository is not there is 6, and the hint says where it looked', async () => {
    const ended = await attest({ image: `us-docker.pkg.dev/${PROJECT}/attic/app:v1` });
    await expectFailure(ended, 6, 'IMAGE_NOT_FOUND');
    expect(ended.json.errors[0].hint).toContain('attic');
  });

  it('named by its image id is 6, and the difference is explained', async () => {
    const ended = await attest({ image: `${REPOSITORY}/app@${configDigest}` });
    await expectFailure(ended, 6, 'IMAGE_ID_NOT_DIGEST');
    expect(ended.json.errors[0].hint).toContain('digest');
  });
});

describe('an attestor', () => {
  it('that is not there is 6', async () => {
    await expectFailure(await attest({ attestor: `projects/${PROJECT}/attestors/nobody` }), 6, 'ATTESTOR_NOT_FOUND');
  });

  it('whose note is not there is 6', async () => {
    const staged = await stage.kmsAttestor('noteless');
    await stage.call('DELETE', `/v1/projects/${PROJECT}/notes/noteless`);
    await expectFailure(await attest({ attestor: staged.attestor, key: ['--kms-key-version', staged.key.version] }), 6, 'NOTE_NOT_FOUND');
  });

  it('whose service agent may not read the note is 7 before anything is posted, and the hint names the role', async () => {
    const staged = await stage.kmsAttestor('ungranted');
    await stage.call('POST', `/v1/projects/${PROJECT}/notes/ungranted:setIamPolicy`, { policy: {} });
    const ended = await attest({ attestor: staged.attestor, key: ['--kms-key-version', staged.key.version] });
    await expectFailure(ended, 7, 'ATTESTATION_NOT_VERIFIABLE');
    expect(ended.json.errors[0].hint).toContain('roles/containeranalysis.notes.occurrences.viewer');
  });
});

describe('an identity without', () => {
  const note = `projects/${PROJECT}/notes/ci`;
  const grants: readonly (readonly [string, string, string, string])[] = [
    [
      'artifactregistry.repositories.downloadArtifacts',
      `projects/${PROJECT}/locations/us/repositories/shop`,
      'roles/artifactregistry.reader',
      'resolve',
    ],
    ['binaryauthorization.attestors.get', attestorName(), 'roles/binaryauthorization.attestorsViewer', 'attestor'],
    [
      'cloudkms.cryptoKeyVersions.viewPublicKey',
      `projects/${PROJECT}/locations/global/keyRings/ci/cryptoKeys/ci`,
      'roles/cloudkms.publicKeyViewer',
      'public key',
    ],
    [
      'cloudkms.cryptoKeyVersions.useToSign',
      `projects/${PROJECT}/locations/global/keyRings/ci/cryptoKeys/ci`,
      'roles/cloudkms.signer',
      'sign',
    ],
    ['containeranalysis.notes.listOccurrences', note, 'roles/containeranalysis.notes.occurrences.viewer', 'list'],
    ['containeranalysis.notes.attachOccurrence', note, 'roles/containeranalysis.notes.attacher', 'attach'],
    ['containeranalysis.occurrences.create', `projects/${PROJECT}`, 'roles/containeranalysis.occurrences.editor', 'create'],
  ];
  const member = `serviceAccount:${NOBODY}`;
  const as = { TOKEN: `as:${NOBODY}` };
  const asNobody = (): Promise<CliEnded> => attest({ key: ['--kms-key-version', key.version, '--access-token-env', 'TOKEN'], env: as });

  function attestorName(): string {
    return `projects/${PROJECT}/attestors/ci`;
  }

  async function setPolicies(missing: string | undefined): Promise<void> {
    const bindings = new Map<string, { role: string; members: string[] }[]>();
    for (const [permission, resource, role] of grants) {
      bindings.set(resource, [...(bindings.get(resource) ?? []), ...(permission === missing ? [] : [{ role, members: [member] }])]);
    }
    const agent = (await stage.call('GET', `/v1/${attestorName()}`)).userOwnedGrafeasNote.delegationServiceAccountEmail as string;
    bindings.get(note)?.push({ role: 'roles/containeranalysis.notes.occurrences.viewer', members: [`serviceAccount:${agent}`] });
    for (const [resource, list] of bindings) await stage.call('POST', `/v1/${resource}:setIamPolicy`, { policy: { bindings: list } });
  }

  beforeEach(() => setPolicies(undefined));

  it.each(grants)('%s on %s is 5, and the role %s is named', async (permission, _resource, role) => {
    await setPolicies(permission);
    const ended = await asNobody();
    await expectFailure(ended, 5, 'PERMISSION_DENIED');
    expect(`${ended.json.errors[0].message} ${ended.json.errors[0].hint}`).toContain(permission);
    expect(`${ended.json.errors[0].message} ${ended.json.errors[0].hint}`).toContain(role);
  });

  it('binaryauthorization.attestors.verifyImageAttested relies on the local verifier, with a warning', async () => {
    const ended = await asNobody();
    expect([ended.code, ended.json.attestations]).toMatchObject([0, [{ status: 'created', validated: 'local' }]]);
    expect(ended.json.warnings.join(' ')).toContain('binaryauthorization.attestors.verifyImageAttested');
    await stage.call('DELETE', `/v1/${ended.json.attestations[0].occurrence as string}`);
  });
});

describe('bad input', () => {
  it('is 2, all of it at once, before any call', async () => {
    const before = (await stage.requests()).length;
    const ended = await cli(
      [
        'attest',
        'nginx:latest',
        'gcr.io/p/App',
        '--attestor',
        'ci',
        '--kms-key-version',
        'my-key',
        '--wait-timeout',
        'soon',
        '--multi-platform',
        'all',
        '--colour',
        '--output',
        'json',
      ],
      { emulator: emulator.host },
    );
    expect([ended.code, ended.json.schema]).toEqual([2, 'binauthz.error/v1']);
    const messages = (ended.json.errors as { message: string }[]).map(({ message }) => message).join('\n');
    for (const part of ['nginx:latest', 'gcr.io/p/App', '--attestor', 'my-key', 'soon', 'all', '--colour'])
      expect(messages).toContain(part);
    expect((await stage.requests()).length).toBe(before);
  });

  it('in BINAUTHZ_EMULATOR_HOST is 2: only loopback is accepted', async () => {
    const ended = await cli(['list', '--project', PROJECT, '--output', 'json'], { emulator: 'emulator.example.com:80' });
    expect([ended.code, ended.json.errors[0].message]).toEqual([2, expect.stringContaining('BINAUTHZ_EMULATOR_HOST')]);
  });
});
