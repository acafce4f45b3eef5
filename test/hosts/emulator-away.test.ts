// SPDX-License-Identifier: Apache-2.0
// Every command where BINAUTHZ_EMULATOR_HOST names a port that nobody answers at: the next step is the emulator, and no
// outage of Google's.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fakePace } from '../support/fake-pace.js';
import { ATTESTOR, IMAGE, KEY, run, VERSION_1 } from './world.js';

const cwd = mkdtempSync(join(tmpdir(), 'binauthz-emulator-away-'));
let port: number;

beforeAll(async () => {
  writeFileSync(join(cwd, 'policy.yaml'), 'schema: binauthz.vulnerability-policy/v1\ndeny: {fixable: HIGH}\n');
  // A port that was free a moment ago.
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
  await new Promise((resolve) => server.close(resolve));
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

const OF_PROJECT = ['--project', 'my-project'];
const SETUP = [...OF_PROJECT, '--attestor', ATTESTOR, '--note', 'projects/my-project/notes/ci', '--kms-key', KEY];

test.each<[string, number, readonly string[]]>([
  ['attest', 9, [IMAGE, '--attestor', ATTESTOR, '--kms-key-version', VERSION_1]],
  ['check', 4, [IMAGE, ...OF_PROJECT]],
  ['check', 4, [IMAGE, ...OF_PROJECT, '--output', 'json']],
  ['check', 4, ['us-docker.pkg.dev/p/r/app:v1', ...OF_PROJECT, '--platform', 'cloud-run']],
  ['list', 9, [IMAGE, '--attestor', ATTESTOR]],
  ['vulnerabilities', 9, [IMAGE, '--vulnerability-policy', 'policy.yaml']],
  ['doctor', 4, OF_PROJECT],
  ['doctor', 4, [...OF_PROJECT, '--output', 'json']],
  ['doctor', 9, [IMAGE, ...OF_PROJECT, '--attestor', ATTESTOR, '--kms-key-version', VERSION_1]],
  ['setup', 9, SETUP],
  ['rotate', 9, ['--attestor', ATTESTOR, '--to-kms-key-version', VERSION_1]],
])('%s (exit %i) %j', async (command, status, words) => {
  const host = `127.0.0.1:${port}`;
  const ended = await run([command, ...words], { BINAUTHZ_EMULATOR_HOST: host }, { cwd, clock: fakePace() });
  const said = ended.stdout + ended.stderr;
  expect([ended.status, said]).toEqual([status, expect.stringContaining(`the emulator that answers at ${host}`)]);
  expect(said).toContain(`binauthz emulator --port ${port} starts one`);
  expect(said).not.toMatch(/status\.cloud\.google|run again later|that the registry runs there/);
});
