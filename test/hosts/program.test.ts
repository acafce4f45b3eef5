// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createProgram as actionProgram, withoutInputs } from '../../src/hosts/action/program.js';
import { createProgram as cliProgram } from '../../src/hosts/cli/program.js';
import { readDockerConfig } from '../../src/hosts/files.js';

const NODE = process.execPath;
const PROGRAMS = [
  ['cli', (env: Record<string, string>, limitMs?: number) => cliProgram(env, new AbortController().signal, limitMs)],
  ['action', (env: Record<string, string>, limitMs?: number) => actionProgram(env, limitMs)],
] as const;

describe.each(PROGRAMS)('programs of the %s', (_, create) => {
  test('get their arguments and input, without a shell', async () => {
    const script =
      'process.stdin.on("data", (d) => process.stdout.write(d + process.argv[1])).on("end", () => { process.stderr.write("bad"); process.exitCode = 3; })';
    expect(await create({}).run(NODE, ['-e', script, '$HOME; `id` "x"'], 'input ')).toEqual({
      exitCode: 3,
      stdout: 'input $HOME; `id` "x"',
      stderr: 'bad',
    });
  });
  test('see the environment that they are given and no other', async () => {
    const { stdout } = await create({ GIVEN: '1' }).run(
      NODE,
      ['-p', 'JSON.stringify([process.env.GIVEN, process.env.HOME, process.env.PATH])'],
      '',
    );
    expect(JSON.parse(stdout)).toEqual(['1', null, null]);
  });
  test('that do not end are UNAVAILABLE after a while', async () => {
    await expect(create({}, 200).run(NODE, ['-e', 'setTimeout(() => {}, 2000)'], '')).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: `cannot use ${NODE}: it did not end within 200 ms`,
    });
  });
  test('that leave somebody behind who holds their output are not waited for', async () => {
    const script = `require('node:child_process').spawn(process.execPath, ['-e', 'setTimeout(() => {}, 3000)'], { stdio: ['ignore', 'inherit', 'inherit'] }).unref(); process.stdout.write('done')`;
    const startedAt = performance.now();
    await expect(create({}, 800).run(NODE, ['-e', script], '')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(performance.now() - startedAt).toBeLessThan(2_500);
  });
  test('that are not there are UNAVAILABLE', async () => {
    await expect(create({ PATH: process.env['PATH'] ?? '' }).run('docker-credential-nowhere', ['get'], '')).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('cannot run docker-credential-nowhere'),
      hint: expect.stringContaining('install docker-credential-nowhere'),
    });
  });
});

// The toolkit's own runner leaves this to the process: hosts/action/main.ts, failLate.
test('programs of the cli may end without reading their input', async () => {
  expect(await cliProgram({}, new AbortController().signal).run(NODE, ['-e', ''], 'x'.repeat(1 << 20))).toMatchObject({ exitCode: 0 });
});

test('a cancelled run ends its programs', async () => {
  const controller = new AbortController();
  const running = cliProgram({}, controller.signal).run(NODE, ['-e', 'setTimeout(() => {}, 60000)'], '');
  controller.abort();
  await expect(running).rejects.toMatchObject({ code: 'CANCELLED' });
});

test('no input of the Action is inherited', () =>
  expect(withoutInputs({ PATH: '/bin', 'INPUT_PGP-PRIVATE-KEY': 'secret', INPUT_IMAGES: 'x', input_lower: 'y' })).toEqual({
    PATH: '/bin',
  }));

describe("Docker's configuration", () => {
  const write = (text: string) => {
    const path = join(mkdtempSync(join(tmpdir(), 'binauthz-')), 'config.json');
    writeFileSync(path, text);
    return path;
  };
  test('is read', async () => expect(await readDockerConfig(write('\uFEFF{"auths":{}}'))).toEqual({ auths: {} }));
  test('may be empty, as for Docker itself', async () => expect(await readDockerConfig(write(' \n'))).toBeUndefined());
  test('may be missing', async () => expect(await readDockerConfig('/nowhere/config.json')).toBeUndefined());
  test('that is broken is named, and not quoted', async () => {
    const path = write('{"auths":{"h":{"auth":"aHVudGVyMg=="}');
    await expect(readDockerConfig(path)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      resource: path,
      message: expect.not.stringContaining('aHVudGVyMg'),
    });
  });
  test('that is a folder is named', async () =>
    expect(readDockerConfig(tmpdir())).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringContaining('it is a folder'),
    }));
});
