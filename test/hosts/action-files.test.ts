// SPDX-License-Identifier: Apache-2.0
// What the Action takes from, and leaves in, the runner's folders.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { writeReport } from '../../src/hosts/action/report-file.js';
import { findRunUrl } from '../../src/hosts/action/run-url.js';

const folder = mkdtempSync(join(tmpdir(), 'binauthz-files-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the report', () => {
  test('is JSON in the runner’s temporary folder, which is made where it is gone', async () => {
    const path = await writeReport({ schema: 's' }, 'attest', { RUNNER_TEMP: join(folder, 'not/yet') });
    expect([dirname(path), JSON.parse(readFileSync(path, 'utf8'))]).toEqual([join(folder, 'not/yet'), { schema: 's' }]);
  });
  test('is a file of its own in each step', async () => {
    const [first, second] = await Promise.all([
      writeReport({}, 'attest', { RUNNER_TEMP: folder }),
      writeReport({}, 'attest', { RUNNER_TEMP: folder }),
    ]);
    expect(first).not.toBe(second);
  });
  test.each([{}, { RUNNER_TEMP: '' }])('is never put into the working folder: %j', async (env) => {
    const path = await writeReport({}, 'attest', env);
    expect(dirname(path)).toBe(resolve(tmpdir()));
    rmSync(path);
  });
  test('has an absolute path, for a later step may start elsewhere', async () => {
    const path = await writeReport({}, 'attest', { RUNNER_TEMP: './node_modules/.tmp-report' });
    expect(path).toBe(resolve(path));
    rmSync(dirname(path), { recursive: true });
  });
});

describe('the page of the run', () => {
  const event = join(folder, 'event.json');
  beforeEach(() => {
    writeFileSync(event, '{}');
    for (const [name, value] of Object.entries({
      GITHUB_SERVER_URL: 'https://ghe.example',
      GITHUB_REPOSITORY: 'octo/shop',
      GITHUB_RUN_ID: '42',
      GITHUB_RUN_ATTEMPT: '2',
      GITHUB_EVENT_PATH: event,
    }))
      vi.stubEnv(name, value);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  test('names server, repository, run and attempt', async () =>
    expect(await findRunUrl()).toBe('https://ghe.example/octo/shop/actions/runs/42/attempts/2'));
  test.each([
    ['missing', '/nowhere/event.json'],
    ['broken', import.meta.filename],
    ['a folder', folder],
  ])('needs no event: %s', async (_, path) => {
    vi.stubEnv('GITHUB_EVENT_PATH', path);
    expect(await findRunUrl()).toBe('https://ghe.example/octo/shop/actions/runs/42/attempts/2');
    // What reads the event later must not stumble over it either.
    expect(process.env['GITHUB_EVENT_PATH']).toBeUndefined();
  });
  test('is unknown without a repository', async () => {
    vi.stubEnv('GITHUB_REPOSITORY', undefined);
    expect(await findRunUrl()).toBeUndefined();
  });
});
