// SPDX-License-Identifier: Apache-2.0
// What a run loads: nothing heavy for help, versions and bad input; openpgp only when a PGP key appears.
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cli, DIST } from '../support/cli.js';
import { startTestEmulator, type TestEmulator } from '../support/emulator.js';
import { pushImage, singleImage } from '../support/images.js';
import { nodes } from '../support/nodes.js';
import { PROJECT, Stage, type StagedKey } from '../support/stage.js';

/** Text that only the named package's chunks hold. */
const MARKS = {
  'Google’s clients': /@google-cloud\/|google-gax|KeyManagementServiceClient/,
  'google-auth-library': /GoogleAuth\b/,
  openpgp: /OpenPGP\.js v/,
  'the toolkit': /GITHUB_STEP_SUMMARY/,
  'the emulator': /GOOGLE_MANIFEST_DANGLING_TAG/,
} as const;

let folder: string;
let hook: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'binauthz-startup-'));
  hook = join(folder, 'hook.cjs');
  await writeFile(
    hook,
    "process.on('exit', () => require('fs').writeFileSync(process.env.LOADED, JSON.stringify(Object.keys(require.cache))));\n",
  );
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('knows each package by a text that dist holds', async () => {
  const chunks = await Promise.all(
    (await readdir(join(DIST, 'main'))).filter((name) => name.endsWith('.js')).map((name) => readFile(join(DIST, 'main', name), 'utf8')),
  );
  for (const [name, mark] of Object.entries(MARKS))
    expect(
      chunks.some((chunk) => mark.test(chunk)),
      name,
    ).toBe(true);
});

describe.each(nodes)('on Node $version', (node) => {
  async function loaded(
    args: readonly string[],
    env: Record<string, string> = {},
  ): Promise<{ code: number | null; chunks: readonly string[]; text: string }> {
    const record = join(folder, 'loaded.json');
    const { code } = await cli(args, { node, env: { ...env, LOADED: record, NODE_OPTIONS: `--require ${hook}` } });
    const files = (JSON.parse(await readFile(record, 'utf8')) as string[]).filter((path) => path.startsWith(DIST));
    return { code, chunks: files, text: (await Promise.all(files.map((file) => readFile(file, 'utf8')))).join('\n') };
  }

  it.each<[string, number, readonly string[]]>([
    ['--version', 0, ['--version']],
    ['--help', 0, ['--help']],
    ['help attest', 0, ['help', 'attest']],
    ['an input error', 2, ['attest', 'nginx']],
    ['an unknown command', 2, ['attes']],
  ])('%s loads nothing heavy', async (_title, exitCode, args) => {
    const { code, text, chunks } = await loaded(args);
    expect([code, chunks.length > 0]).toEqual([exitCode, true]);
    for (const [name, mark] of Object.entries(MARKS)) expect(mark.test(text), name).toBe(false);
    expect(text.length).toBeLessThan(200_000);
  });

  describe('attest with Cloud KMS', () => {
    let emulator: TestEmulator;
    let key: StagedKey;
    let attestor: string;
    let digest: string;
    beforeAll(async () => {
      emulator = await startTestEmulator();
      ({ attestor, key } = await new Stage(emulator).kmsAttestor('ci'));
      digest = await pushImage(emulator.url, `${PROJECT}/shop/app`, 'v1', singleImage('startup'), {
        headers: { 'x-binauthz-registry': 'us-docker.pkg.dev' },
      });
    });
    afterAll(() => emulator.close());

    it('loads no openpgp, no toolkit, no emulator', async () => {
      const args = ['attest', `us-docker.pkg.dev/${PROJECT}/shop/app@${digest}`, '--attestor', attestor, '--kms-key-version', key.version];
      const { code, text } = await loaded(args, { BINAUTHZ_EMULATOR_HOST: emulator.host });
      expect(code).toBe(0);
      expect(MARKS.openpgp.test(text)).toBe(false);
      expect(MARKS['the toolkit'].test(text)).toBe(false);
      expect(MARKS['the emulator'].test(text)).toBe(false);
      // The marks are those of the packages: this run loads them.
      expect(MARKS['Google’s clients'].test(text)).toBe(true);
      expect(MARKS['google-auth-library'].test(text)).toBe(true);
    });

    it('takes five round trips in a row: (manifest, attestor, public key) → (list, sign) → validate → create → seen', async () => {
      await emulator.api('POST', '/_emulator/reset');
      const stage = new Stage(emulator);
      const again = await stage.kmsAttestor('ci');
      const pushed = await pushImage(emulator.url, `${PROJECT}/shop/app`, 'v1', singleImage('round trips'), {
        headers: { 'x-binauthz-registry': 'us-docker.pkg.dev' },
      });
      const before = (await stage.requests()).length;
      await loaded(
        ['attest', `us-docker.pkg.dev/${PROJECT}/shop/app@${pushed}`, '--attestor', again.attestor, '--kms-key-version', again.key.version],
        { BINAUTHZ_EMULATOR_HOST: emulator.host },
      );
      const calls = (await stage.requests())
        .slice(before)
        .map((call) => call.replace(/projects.*\/(\w+|[\w-]+:\w+)$/, '…/$1').replace(/sha256:\w+/, 'D'));
      expect(calls).toHaveLength(8);
      expect(calls.at(-1)).toMatch(/^GET .*occurrences$/);
      expect(calls.at(-2)).toMatch(/^POST .*occurrences$/);
      expect(calls.at(-3)).toMatch(/validateAttestationOccurrence$/);
    });
  });
});
