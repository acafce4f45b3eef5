// SPDX-License-Identifier: Apache-2.0
// The command line on a bad day: full disks, closed pipes, no network, wrong ports, signals, and what it says then.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cli, DIST } from '../support/cli.js';
import { startTestEmulator, type TestEmulator } from '../support/emulator.js';
import { pushImage, singleImage } from '../support/images.js';
import { anyNode } from '../support/nodes.js';
import { run } from '../support/spawn.js';
import { PROJECT, Stage, type StagedKey } from '../support/stage.js';

let emulator: TestEmulator;
let stage: Stage;
let attestor: string;
let key: StagedKey;

beforeAll(async () => {
  emulator = await startTestEmulator();
  stage = new Stage(emulator);
  ({ attestor, key } = await stage.kmsAttestor('ci'));
});
afterAll(() => emulator.close());

async function push(tag: string): Promise<string> {
  const digest = await pushImage(emulator.url, `${PROJECT}/shop/app`, tag, singleImage(tag), {
    headers: { 'x-binauthz-registry': 'us-docker.pkg.dev' },
  });
  return `us-docker.pkg.dev/${PROJECT}/shop/app@${digest}`;
}

/** `binauthz WORDS`, with the rest of a shell's line behind it. */
function shell(words: string, behind: string): ReturnType<typeof run> {
  return run('/bin/bash', ['-c', `"$NODE" "$BINAUTHZ" ${words} ${behind}`], {
    env: { NODE: anyNode.path, BINAUTHZ: resolve(DIST, 'cli/index.js'), BINAUTHZ_EMULATOR_HOST: emulator.host },
  });
}

describe('standard output', () => {
  it.skipIf(!existsSync('/dev/full')).each([`list --project ${PROJECT}`, `list --project ${PROJECT} --output json`, '--help'])(
    'on a full disk is no success: %s',
    async (words) => {
      const ended = await shell(words, '> /dev/full');
      expect([ended.code, ended.stderr]).toEqual([
        1,
        expect.stringMatching(/^error\[INTERNAL\]: cannot write the result to standard output: .*no space left.*\n {2}hint: /m),
      ]);
    },
  );

  it.each(['--help', `list --project ${PROJECT}`])('whose reader went away is no failure: %s', async (words) => {
    expect((await shell(words, '| true; exit ${PIPESTATUS[0]}')).code).toBe(0);
  });

  it('and standard input and error may be closed', async () => {
    expect((await shell(`list --project ${PROJECT} --output json`, '<&- 2>&-')).stdout).toContain('binauthz.list/v1');
  });
});

describe('the wait', () => {
  it('of nothing looks once: 8, not 9, where the listing answers without the attestation', async () => {
    await stage.call('POST', '/_emulator/faults', { propagationDelayMs: 3_600_000 });
    const ended = await cli(
      ['attest', await push('zero'), '--attestor', attestor, '--kms-key-version', key.version, '--wait-timeout', '0s', '--output', 'json'],
      { emulator: emulator.host },
    );
    await stage.call('POST', '/_emulator/faults', {});
    expect([ended.code, ended.json.errors[0].code, ended.json.attestations[0].status]).toEqual([8, 'NOT_VISIBLE', 'posted']);
  });
});

describe('an attestor', () => {
  it('named in two ways gets one attestation', async () => {
    const ended = await cli(
      [
        'attest',
        await push('twice'),
        '--attestor',
        attestor,
        '--attestor',
        'ci',
        '--attestor-project',
        PROJECT,
        '--kms-key-version',
        key.version,
        '--output',
        'json',
      ],
      { emulator: emulator.host },
    );
    expect([ended.code, ended.json.attestations]).toEqual([0, [expect.objectContaining({ attestor, status: 'created' })]]);
  });
});

describe('without credentials', () => {
  // No metadata server: the library must neither find one nor wait for one.
  const env = { METADATA_SERVER_DETECTION: 'none', HOME: '/nonexistent', PATH: '' };

  it('it is 5 soon, with one error and the next step, and no chatter of libraries', async () => {
    const startedAt = Date.now();
    const ended = await cli(['list', '--attestor', attestor], { env });
    expect(Date.now() - startedAt).toBeLessThan(20_000);
    expect([ended.code, ended.stderr.trimEnd().split('\n')]).toEqual([
      5,
      [
        expect.stringContaining(`error[UNAUTHENTICATED]: cannot read the attestor ${attestor}`),
        expect.stringContaining('gcloud auth application-default login'),
      ],
    ]);
  });

  it.each([
    ['missing', '/nowhere/key.json'],
    ['not JSON', resolve(import.meta.dirname, 'cli.test.ts')],
  ])('in a file that is %s it is 5, and the file’s variable is named', async (_, file) => {
    const ended = await cli(['list', '--attestor', attestor, '--output', 'json'], {
      env: { ...env, GOOGLE_APPLICATION_CREDENTIALS: file },
    });
    expect([ended.code, ended.json.errors[0]]).toEqual([
      5,
      expect.objectContaining({
        code: 'UNAUTHENTICATED',
        message: expect.stringContaining('GOOGLE_APPLICATION_CREDENTIALS'),
        hint: expect.stringMatching(/\S/),
      }),
    ]);
  });
});

describe('where no emulator answers', () => {
  it('it is 9 within the retry budget, and the hint says how to start one', async () => {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const { port } = server.address() as AddressInfo;
    await new Promise((done) => server.close(done));
    const ended = await cli(['list', '--attestor', attestor, '--output', 'json'], { emulator: `127.0.0.1:${port}` });
    expect([ended.code, ended.json.errors[0]]).toEqual([
      9,
      expect.objectContaining({
        code: 'UNAVAILABLE',
        message: expect.stringContaining(`127.0.0.1:${port}`),
        hint: expect.stringContaining(`binauthz emulator --port ${port}`),
      }),
    ]);
  }, 60_000);
});

describe('the emulator’s lines', () => {
  it('can be evaluated by a shell, and point the command line at it', async () => {
    const serving = spawn(
      anyNode.path,
      [resolve(DIST, 'cli/index.js'), 'emulator', '--port', '0', '--latency', '1ms', '--propagation-delay', '1ms'],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const text = await new Promise<string>((done) => {
      let read = '';
      serving.stdout.setEncoding('utf8').on('data', (more: string) => (read += more).includes('MONITORING=') && done(read));
    });
    const script =
      'eval "$(grep ^export <<< "$LINES_OF_IT")"; rmdir "$CLOUDSDK_CONFIG"; "$NODE" "$BINAUTHZ" list --project p --output json';
    const ended = await run('/bin/bash', ['-c', script], {
      env: { LINES_OF_IT: text, NODE: anyNode.path, BINAUTHZ: resolve(DIST, 'cli/index.js') },
    });
    const closed = new Promise((done) => serving.on('close', (code) => done(code)));
    serving.kill('SIGTERM');
    expect([ended.code, JSON.parse(ended.stdout), await closed]).toMatchObject([0, { schema: 'binauthz.list/v1', emulator: true }, 0]);
  });
});

describe('the demo', () => {
  it('is quiet when told so, and heeds nothing of the caller’s environment', async () => {
    const env = { CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDKMS: 'http://elsewhere.example.com/', BINAUTHZ_EMULATOR_HOST: 'elsewhere' };
    const ended = await cli(['demo', '--output', 'json', '--quiet'], { env });
    expect([ended.code, ended.json.schema, ended.stderr]).toEqual([0, 'binauthz.demo/v1', '']);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('cancelled by %s ends %i, wherever it is', async (signal, code) => {
    for (const at of ['Would GKE run it?', 'DENIED', '$ binauthz attest', 'created']) {
      let isSent = false;
      const onStderr = (text: string, kill: (signal: NodeJS.Signals) => void): void => {
        if (isSent || !text.includes(at)) return;
        isSent = true;
        kill(signal);
      };
      const ended = await cli(['demo', '--output', 'json'], { onStderr });
      expect([at, ended.code, ended.json.errors]).toEqual([
        at,
        code,
        [expect.objectContaining({ code: 'CANCELLED', exitCode: code, hint: expect.stringMatching(/\S/) })],
      ]);
    }
  });
});
