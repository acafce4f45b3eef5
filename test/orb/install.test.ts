// SPDX-License-Identifier: Apache-2.0
// `install` of an orb that was packed with a package, and the jobs that begin with it.
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { addProgram, INSTALLED, makeMachine, PROGRAMS, removeMachines, runJob, scriptStep, variableOf } from '../support/circleci.js';
import { startTestEmulator, type TestEmulator } from '../support/emulator.js';
import { pushImage, singleImage } from '../support/images.js';
import { expandCommand, expandJob, packOrb, type Orb } from '../support/orb.js';
import { packPackage, serveFiles, type FileServer } from '../support/package.js';
import { PROJECT, Stage } from '../support/stage.js';

const USE = scriptStep('binauthz --version > version');
let folder: string;
let tarball: string;
let server: FileServer;
let orb: Orb;
let emulator: TestEmulator;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'binauthz-package-'));
  tarball = await packPackage(folder);
  await writeFile(join(folder, 'other.tgz'), 'another file');
  server = await serveFiles({
    '/binauthz-0.1.0.tgz': tarball,
    '/mirror/of/binauthz-0.1.0.tgz': tarball,
    '/bad/binauthz-0.1.0.tgz': join(folder, 'other.tgz'),
  });
  orb = await packOrb(['--tarball', tarball, '--url', `${server.url}binauthz-0.1.0.tgz`]);
  emulator = await startTestEmulator();
});
afterAll(async () => {
  await Promise.all([server.close(), emulator.close()]);
  await rm(folder, { recursive: true, force: true });
  await removeMachines();
});

const install = (args: Record<string, unknown> = {}) => [...expandCommand(orb, 'install', args), USE];

it('verifies the package and puts it on the PATH of the next steps', async () => {
  const machine = await makeMachine(PROGRAMS);
  const ended = await runJob(machine, install());
  expect(ended.isGreen, ended.log).toBe(true);
  expect(ended.log).toMatch(/Installed binauthz \d+\.\d+\.\d+ in .+ \(SHA-256 verified\)/);
  expect(await variableOf(machine, 'PATH')).toMatch(new RegExp(`^${machine.home}/.+/bin:`));
});

it('begins a job that attests, on a machine without binauthz', async () => {
  const stage = new Stage(emulator);
  const { attestor, key } = await stage.kmsAttestor('ci');
  const headers = { 'x-binauthz-registry': 'us-docker.pkg.dev' };
  const digest = await pushImage(emulator.url, `${PROJECT}/shop/app`, 'v1', singleImage('app'), { headers });
  const args = { images: `us-docker.pkg.dev/${PROJECT}/shop/app@${digest}`, attestors: attestor, kms_keys: key.key };
  const machine = await makeMachine(PROGRAMS);
  const ended = await runJob(machine, expandJob(orb, 'attest', args).steps, { BINAUTHZ_EMULATOR_HOST: emulator.host });
  expect(ended.isGreen, ended.log).toBe(true);
  expect(await stage.occurrences()).toHaveLength(1);
});

it.each([
  [
    'a hash that is not the package’s',
    () => ({ sha256: 'a'.repeat(64) }),
    /has the SHA-256 [0-9a-f]{64}, expected a{64}; nothing was installed/,
  ],
  [
    'a mirror that has another file',
    () => ({ mirror: `${server.url}bad/` }),
    /has the SHA-256 [0-9a-f]{64}, expected [0-9a-f]{64}; nothing/,
  ],
  ['a mirror that has none', () => ({ mirror: `${server.url}none` }), /cannot fetch .+none\/binauthz-0\.1\.0\.tgz/],
  ['a url in clear text', () => ({ url: 'http://h.example/binauthz.tgz' }), /url: expected an https/],
])('refuses %s', async (_, args, message) => {
  const machine = await makeMachine(PROGRAMS);
  const ended = await runJob(machine, install(args()));
  expect(ended.log).toMatch(message);
  expect(ended.steps.map(({ isSkipped, code }) => [isSkipped, code])).toEqual([
    [false, 1],
    [true, 0],
  ]);
  expect(await variableOf(machine, 'PATH')).not.toContain(machine.home);
  expect((await readdir(machine.home, { recursive: true })).filter((name) => name.includes('binauthz.'))).toEqual([]);
});

it('uses a mirror, with or without a slash at its end, in a variable too', async () => {
  for (const mirror of [`${server.url}mirror/of`, `${server.url}mirror/of/`, '$MIRROR/of']) {
    server.asked.length = 0;
    const ended = await runJob(await makeMachine(PROGRAMS), install({ mirror }), { MIRROR: `${server.url}mirror` });
    expect(ended.isGreen, ended.log).toBe(true);
    expect(server.asked).toEqual(['/mirror/of/binauthz-0.1.0.tgz']);
  }
});

it('of an orb that no package is baked into says that it is not released, and installs nothing', async () => {
  const unreleased = await packOrb();
  const ended = await runJob(await makeMachine(PROGRAMS), [...expandCommand(unreleased, 'install'), USE]);
  expect(ended.isGreen).toBe(false);
  expect(ended.log).toContain('it is not released yet');
});

it('takes a package of one’s own from a file', async () => {
  const unreleased = await packOrb();
  const { sha256 } = Object.fromEntries(
    Object.entries(orb.commands['install']?.parameters ?? {}).map(([name, { default: value }]) => [name, value]),
  );
  const args = { url: `file://${dirname(tarball)}/binauthz-0.1.0.tgz`, sha256 };
  const ended = await runJob(await makeMachine(PROGRAMS), [...expandCommand(unreleased, 'install', args), USE]);
  expect(ended.isGreen, ended.log).toBe(true);
});

it('uses what is on PATH, unless it is forced', async () => {
  server.asked.length = 0;
  const machine = await makeMachine(INSTALLED);
  const ended = await runJob(machine, install());
  expect(ended.log).toContain(`, which is on PATH already: ${machine.bin}/binauthz`);
  expect(server.asked).toEqual([]);
  const forced = await runJob(machine, install({ force_install: true }));
  expect(forced.isGreen, forced.log).toBe(true);
  expect(server.asked).toHaveLength(1);
});

it('needs Node 20.20', async () => {
  const bare = await makeMachine(PROGRAMS.filter((program) => program !== 'node'));
  const without = await runJob(bare, install());
  expect(without.isGreen).toBe(false);
  expect(without.log).toContain('there is no node on PATH; binauthz needs Node.js 20.20 or newer');
  await addProgram(bare, 'node', 'echo v20.19.6');
  const old = await runJob(bare, install());
  expect(old.isGreen).toBe(false);
  expect(old.log).toContain('the one on PATH is v20.19.6');
});

it('twice in a job finds what it installed', async () => {
  server.asked.length = 0;
  const ended = await runJob(await makeMachine(PROGRAMS), [...install(), ...install()]);
  expect(ended.isGreen, ended.log).toBe(true);
  expect(server.asked).toHaveLength(1);
});
