// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, test } from 'vitest';
import { parseRotate } from '../../src/hosts/commands/rotate/parse.js';
import { startTestEmulator, type TestEmulator } from '../support/emulator.js';
import { gcloudFor, HAS_GCLOUD } from '../support/gcloud.js';
import { imageIndex, pushImage, singleImage } from '../support/images.js';
import { makePgpKey } from '../support/pgp-keys.js';
import { digests, NAME, plant, signaturesBy, stageRotation, trusted, type Rotation } from '../support/rotation.js';
import { Stage } from '../support/stage.js';
import { titled } from '../support/tools.js';
import { ATTESTOR, cliOptions, IMAGE, messagesOfAsync, run as runCli, VERSION_1, type Ran } from './world.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'binauthz-rotate-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('input', () => {
  const parse = (...argv: string[]) =>
    parseRotate(cliOptions(['rotate', ...argv], { P: 'passphrase' }), {}, { cwd: folder, readStdin: () => Promise.resolve('') });
  const NEW = ['--to-kms-key-version', VERSION_1];
  const GOOD = ['--attestor', ATTESTOR, ...NEW];

  it('needs an attestor and a key, and changes nothing unless told to', async () => {
    expect((await parse(...GOOD)).request).toEqual({
      ...{ attestor: ATTESTOR, images: [], used: [], repositories: [], waitTimeoutMs: 300_000, apply: false },
    });
  });

  it('takes everything that names images, and a shard', async () => {
    await writeFile(join(folder, 'pod.yaml'), 'apiVersion: v1\nkind: Pod\nspec: { containers: [{ name: a, image: nginx }] }\n');
    await writeFile(join(folder, 'images.txt'), `# deployed\n${IMAGE}\ngcr.io/p/app:v1\n`);
    const lists = ['-f', 'pod.yaml', '--image-list', 'images.txt', '--image-repository', 'us-docker.pkg.dev/p/r'];
    const { request } = await parse(...GOOD, IMAGE, ...lists, '--shard', '2/4', '--project', 'p', '--apply', '--wait-timeout', '1m');
    expect(request).toMatchObject({ used: ['nginx'], shard: { index: 2, total: 4 }, project: 'p', apply: true, waitTimeoutMs: 60_000 });
    expect(request.images.map(({ original }) => original)).toEqual([IMAGE, 'gcr.io/p/app:v1']);
    expect(request.repositories.map(({ original }) => original)).toEqual(['us-docker.pkg.dev/p/r']);
  });

  test.each<[string, string[], string | RegExp]>([
    ['no attestor', NEW, '--attestor: expected at least one, got none'],
    ['two attestors', [...GOOD, '--attestor', `${ATTESTOR}2`], /^--attestor: expected one attestor/],
    ['no key', ['--attestor', ATTESTOR], '--to-kms-key-version or --to-pgp-private-key-env: expected exactly one of them, got none'],
    ['a key without a version', ['--attestor', ATTESTOR, '--to-kms-key-version', VERSION_1.replace(/\/cryptoKeyVersions.*/, '')], /V, got/],
    ['a passphrase for no key', [...GOOD, '--pgp-passphrase-env', 'P'], /^--pgp-passphrase-env/],
    ['no shard', [...GOOD, '--shard', '0/4'], '--shard: expected I/N such as 2/4, counted from 1 up to at most 1000, got "0/4"'],
    ['a shard that retires', [...GOOD, '--shard', '1/4', '--retire', 'x'], '--retire and --shard: expected one of the two, got both'],
    ['force without a key', [...GOOD, '--force'], '--force: expected --retire beside it, got none'],
    ['an empty key', [...GOOD, '--retire', ''], /^--retire: expected the id of a key/],
    ['an image without tag', [...GOOD, 'gcr.io/p/app'], /^IMAGE: expected registry/],
    ['a repository elsewhere', [...GOOD, '--image-repository', 'docker.io/library/nginx'], /^--image-repository: expected LOCATION-docker/],
    [
      'a repository with a tag',
      [...GOOD, '--image-repository', 'us-docker.pkg.dev/p/r/i:1'],
      /^--image-repository: expected LOCATION-docker/,
    ],
    ['a missing file', [...GOOD, '-f', 'none.yaml'], /^--manifest: .*none.yaml/],
    ['a missing list', [...GOOD, '--image-list', 'none.txt'], /^--image-list: .*none.txt/],
    ['empty standard input', [...GOOD, '-f', '-'], /^--manifest: expected at least one image, got none/],
  ])('%s', async (_, argv, message) => {
    const messages = await messagesOfAsync(() => parse(...argv));
    expect(messages).toHaveLength(1);
    expect(messages[0]).toMatch(message);
  });

  it('names the option with each fault of a file', async () => {
    await writeFile(join(folder, 'broken.yaml'), 'kind: Pod\nkind: Pod\n');
    await writeFile(join(folder, 'object.json'), '{"a": 1}');
    expect(await messagesOfAsync(() => parse(...GOOD, '-f', 'broken.yaml', '--image-list', 'object.json'))).toEqual([
      expect.stringMatching(/^--manifest: broken\.yaml:2: /),
      expect.stringMatching(/^--image-list: object\.json:1: /),
    ]);
  });

  it('refuses lists with names that mean no image to attest, each with its file', async () => {
    await writeFile(join(folder, 'bad.txt'), `nginx:1.27\ngcr.io/p/app\n${IMAGE}\n`);
    expect(await messagesOfAsync(() => parse(...GOOD, '--image-list', 'bad.txt'))).toEqual([
      expect.stringMatching(/^--image-list: .*"nginx:1.27" in bad.txt$/),
      expect.stringMatching(/^--image-list: .*"gcr.io\/p\/app" in bad.txt$/),
    ]);
  });
});

describe('on the emulator', () => {
  let emulator: TestEmulator;
  let stage: Stage;
  let rotation: Rotation;
  beforeEach(async () => {
    emulator = await startTestEmulator();
    stage = new Stage(emulator);
    rotation = await stageRotation(stage, 'ci');
  });
  afterEach(async () => {
    expect(emulator.lastErrors).toEqual([]);
    await emulator.close();
  });

  const run = (...more: readonly string[]): Promise<Ran> =>
    runCli(['rotate', '--attestor', rotation.attestor, '--to-kms-key-version', rotation.fresh.version, ...more], {
      BINAUTHZ_EMULATOR_HOST: emulator.host,
    });
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  const json = async (...more: readonly string[]): Promise<any> => JSON.parse((await run(...more, '--output', 'json')).stdout);
  const fresh = () => signaturesBy(stage, rotation.note, { id: rotation.freshId, pem: rotation.fresh.pem });
  const push = (name: string, image: Parameters<typeof pushImage>[3]) =>
    pushImage(emulator.url, `shop-prod/apps/${name}`, 'v1', image, { headers: { 'x-binauthz-registry': 'us-docker.pkg.dev' } });

  it('a plan reads only, whatever it plans', async () => {
    await plant(stage, rotation.note, rotation.old, digests('app', 3));
    const before = (await stage.requests()).length;
    const { status, stdout } = await run('--retire', rotation.old.id);
    expect([status, stdout]).toEqual([0, expect.stringContaining('nothing was changed, --apply carries it out; images: 3 planned')]);
    const asked = (await stage.requests()).slice(before);
    expect(asked.length).toBeGreaterThan(2);
    expect(asked.filter((request) => !request.startsWith('GET '))).toEqual([]);
  });

  it('takes the images of a repository, the platforms of its indexes among them', async () => {
    const index = imageIndex('web', ['linux/amd64', 'linux/arm64'], { provenance: true });
    await push('web', index);
    await push('never-attested', singleImage('other'));
    const [, arm] = index.children.map(({ digest }) => digest);
    await plant(stage, rotation.note, rotation.old, [index.digest, arm ?? '']);
    const { images, errors } = await json('--image-repository', 'us-docker.pkg.dev/shop-prod/apps', '--apply');
    expect(errors).toBeUndefined();
    const attested = images.filter(({ status }: { status: string }) => status === 'attested');
    const platforms = attested.map(({ image, platform }: { image: string; platform?: string }) => [image, platform]);
    expect(new Map(platforms)).toEqual(
      new Map([
        [`${NAME}@${index.digest}`, undefined],
        [`${NAME}@${String(arm)}`, 'linux/arm64'],
      ]),
    );
    expect([...(await fresh()).keys()].sort()).toEqual([index.digest, arm].sort());
  });

  it('takes running workloads as kubectl prints them, and never signs what was not attested', async () => {
    const [attested = '', other = ''] = digests('app', 2);
    await plant(stage, rotation.note, rotation.old, [attested]);
    const pod = (image: string) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'x' },
      spec: { containers: [{ name: 'c', image }] },
    });
    const list = { apiVersion: 'v1', kind: 'List', items: [pod(`${NAME}@${attested}`), pod(`${NAME}@${other}`), pod('nginx:1.27')] };
    const file = join(folder, 'pods.json');
    await writeFile(file, JSON.stringify(list));
    const { status, stdout } = await run('-f', file, '--apply');
    expect([status, stdout.split('\n').at(-2)]).toEqual([0, expect.stringMatching(/^done; images: 1 attested, 2 unattested/)]);
    expect([...(await fresh()).keys()]).toEqual([attested]);
    const named = await run(`${NAME}@${other}`, '--apply');
    expect([named.status, named.stderr]).toEqual([6, expect.stringContaining('error[ATTESTATION_NOT_FOUND]')]);
  });

  it('resolves a tag through the registry', async () => {
    const digest = await push('web', singleImage('web'));
    await plant(stage, rotation.note, rotation.old, [digest]);
    expect((await json(`${NAME}:v1`, '--apply')).images).toMatchObject([{ image: `${NAME}@${digest}`, status: 'attested' }]);
  });

  it('rotates to a PGP key, whose public half it puts on the attestor itself', async () => {
    const pgp = await makePgpKey();
    await plant(stage, rotation.note, rotation.old, digests('app', 2));
    const argv = ['rotate', '--attestor', rotation.attestor, '--to-pgp-private-key-env', 'K', '--retire', rotation.old.id, '--apply'];
    const ended = await runCli(argv, { BINAUTHZ_EMULATOR_HOST: emulator.host, K: pgp.secret });
    expect([ended.status, await trusted(stage, rotation.attestor)]).toEqual([0, [pgp.fingerprint]]);
    const { userOwnedGrafeasNote } = await stage.call('GET', `/v1/${rotation.attestor}`);
    expect(userOwnedGrafeasNote.publicKeys[0].asciiArmoredPgpPublicKey).not.toMatch(/PRIVATE/);
    expect(ended.stdout + ended.stderr).not.toMatch(/BEGIN PGP/);
    const listed = await runCli(['list', '--attestor', rotation.attestor, '--output', 'json'], { BINAUTHZ_EMULATOR_HOST: emulator.host });
    const verified = JSON.parse(listed.stdout).attestations.filter((entry: { verified: boolean }) => entry.verified);
    expect(verified.map(({ publicKeyId }: { publicKeyId: string }) => publicKeyId)).toEqual([pgp.fingerprint, pgp.fingerprint]);
  });

  it('knows the key to retire by the name of its Cloud KMS version too', async () => {
    const { attestor, key } = await stage.kmsAttestor('kms');
    const ended = await runCli(
      ['rotate', '--attestor', attestor, '--to-kms-key-version', rotation.fresh.version, '--retire', key.version, '--apply'],
      { BINAUTHZ_EMULATOR_HOST: emulator.host },
    );
    expect([ended.status, await trusted(stage, attestor)]).toEqual([0, [rotation.freshId]]);
  });

  it('says which permission is missing, and leaves everything as it was', async () => {
    await plant(stage, rotation.note, rotation.old, digests('app', 1));
    const argv = [
      'rotate',
      '--attestor',
      rotation.attestor,
      '--to-kms-key-version',
      rotation.fresh.version,
      '--access-token-env',
      'T',
      '--apply',
    ];
    await stage.grant(
      'projects/shop-prod',
      'user:dev@example.com',
      'roles/binaryauthorization.attestorsViewer',
      'roles/cloudkms.publicKeyViewer',
    );
    await stage.grant('projects/shop-prod', 'user:dev@example.com', 'roles/containeranalysis.notes.occurrences.viewer');
    const ended = await runCli(argv, { BINAUTHZ_EMULATOR_HOST: emulator.host, T: 'as:dev@example.com' });
    expect([ended.status, ended.stderr]).toEqual([5, expect.stringContaining('binaryauthorization.attestors.update')]);
    expect([await trusted(stage, rotation.attestor), (await fresh()).size]).toEqual([[rotation.old.id], 0]);
  });

  describe.skipIf(!HAS_GCLOUD)(titled('gcloud', 'gcloud'), () => {
    it('does the same with the commands that the plan prints', async () => {
      const gcloud = await gcloudFor(emulator, 'shop-prod');
      try {
        const { changes } = await json('--retire', rotation.old.id);
        for (const { gcloud: line } of changes) await gcloud.ok(...(line as string).split(' ').slice(1));
        expect(await trusted(stage, rotation.attestor)).toEqual([rotation.freshId]);
        const again = await json();
        expect(again.changes).toMatchObject([{ action: 'none' }]);
      } finally {
        await gcloud.remove();
      }
    });
  });
});
