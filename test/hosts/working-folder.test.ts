// SPDX-License-Identifier: Apache-2.0
// A job may clean up the folder that its next step runs in.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { workingFolder } from '../../src/hosts/working-folder.js';

afterEach(() => vi.restoreAllMocks());

test('is the folder of the process', () => {
  expect(workingFolder({ PWD: '/elsewhere' })).toBe(process.cwd());
});

test.each([
  [{ PWD: '/gone' }, '/gone'],
  [{ PWD: '' }, '/'],
  [{}, '/'],
])('that is no more has the name that the environment %j gives it', (env, expected) => {
  vi.spyOn(process, 'cwd').mockImplementation(() => {
    throw Object.assign(new Error('uv_cwd'), { code: 'ENOENT' });
  });
  expect(workingFolder(env)).toBe(expected);
});

test('that is no more stops nobody who reads no file in it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'binauthz-gone-'));
  const cli = join(import.meta.dirname, '../../dist/cli/index.js');
  const { status, stdout } = spawnSync('sh', ['-c', 'rmdir "$PWD" && exec "$0" "$1" --version', process.execPath, cli], {
    cwd: folder,
    encoding: 'utf8',
  });
  rmSync(folder, { recursive: true, force: true });
  expect([status, stdout]).toEqual([0, expect.stringMatching(/^\d+\.\d+\.\d+/)]);
});
