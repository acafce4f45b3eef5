// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { ATTESTOR, IMAGE, run, start, VERSION_1 } from './world.js';

describe('what needs no run', () => {
  test('--version prints the version alone', async () =>
    expect(await run(['--version'])).toEqual({ status: 0, stdout: '0.1.0\n', stderr: '' }));
  test('--help goes to standard output, even beside a mistake', async () => {
    expect(await run(['--help'])).toMatchObject({ status: 0, stdout: expect.stringContaining('Commands:'), stderr: '' });
    expect(await run(['attest', '--bogus', '--help'])).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('binauthz attest:'),
      stderr: '',
    });
    expect(await run(['help', 'list'])).toMatchObject({ status: 0, stdout: expect.stringContaining('binauthz list:') });
  });
  test('nothing at all is an input error', async () =>
    expect(await run([])).toEqual({ status: 2, stdout: '', stderr: expect.stringContaining('error[INVALID_INPUT]: expected a command') }));
});

describe('input errors', () => {
  test('as text', async () => {
    const { status, stdout, stderr } = await run(['attest', 'nginx', '--attestor', ATTESTOR, '--kms-key', VERSION_1]);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr.split('\n').map((line) => line.slice(0, 30))).toEqual(
      [
        'error[INVALID_INPUT]: IMAGE: e',
        '  hint: binauthz attest --help',
        'error[INVALID_INPUT]: --kms-ke',
        '  hint: for one version use --k',
        '',
      ].map((line) => line.slice(0, 30)),
    );
  });
  test('a next step that several share is said once, below the last of them', async () => {
    const { stderr } = await run(['attest']);
    expect(stderr.split('\n').map((line) => line.split(':')[0])).toEqual([
      'error[INVALID_INPUT]',
      'error[INVALID_INPUT]',
      'error[INVALID_INPUT]',
      '  hint',
      '',
    ]);
  });
  test.each([
    [['attest']],
    [['list']],
    [['demo', 'x']],
    [['emulator', '--port', 'x']],
    [['emulator', '--faults', '/nowhere']],
    [['check']],
    [['--output']],
    [['--bogus', 'attest']],
    [[]],
    [['list', 'gcr.io/p/x', '--project=']],
  ])('each has a next step, and no command that is not there: %j', async (argv) => {
    const { stdout } = await run([...argv, '--output=json']);
    const { errors } = JSON.parse(stdout) as { errors: { hint?: string }[] };
    for (const { hint } of errors) expect(hint).toMatch(/^(?!.*binauthz (?:setup|doctor|audit|rotate|vulnerabilities)).*\S/);
  });
  test.each([
    [['--output', 'json', 'attest', 'nginx']],
    [['attest', 'nginx', '--output=json']],
    [['demo', '--output', 'json', '--bogus']],
    [['--output', 'json', 'frobnicate']],
  ])('as JSON: %j', async (argv) => {
    const { status, stdout } = await run(argv);
    expect([status, JSON.parse(stdout)]).toEqual([
      2,
      {
        schema: 'binauthz.error/v1',
        errors: expect.arrayContaining([expect.objectContaining({ code: 'INVALID_INPUT', exitCode: 2, message: expect.any(String) })]),
      },
    ]);
  });
  test('the variables of secrets leave the environment, whatever comes next', async () => {
    const env = { SIGNING_KEY: 'secret', TOKEN: 'secret', OTHER: 'kept' };
    await run(['attest', 'nginx', '--pkix-private-key-env', 'SIGNING_KEY', '--access-token-env=TOKEN'], env);
    expect(env).toEqual({ OTHER: 'kept' });
  });
});

describe('a run', () => {
  const argv = ['attest', IMAGE, '--attestor', ATTESTOR, '--kms-key-version', VERSION_1, '--output', 'json'];

  // A service that never answers: only a signal ends the run.
  async function silentServer(): Promise<{ host: string; connected: Promise<void>; close(): void }> {
    let connect = (): void => undefined;
    const connected = new Promise<void>((resolve) => (connect = resolve));
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      connect();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closers.push(() => server.close());
    return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, connected, close: () => server.close() };
  }
  const closers: (() => void)[] = [];
  afterEach(() => closers.splice(0).forEach((close) => close()));

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('cancelled by %s prints the result so far and ends with %d', async (signal, status) => {
    const { host, connected } = await silentServer();
    const running = start(argv, { BINAUTHZ_EMULATOR_HOST: host });
    await connected;
    running.send(signal);
    const ended = await running.ended;
    expect(ended.status).toBe(status);
    expect(JSON.parse(ended.stdout)).toMatchObject({
      schema: 'binauthz.attest/v1',
      images: [],
      attestations: [],
      emulator: true,
      errors: [{ code: 'CANCELLED', message: 'the run was cancelled', exitCode: status, hint: expect.stringContaining('run again') }],
    });
  });
  test('a second signal ends the process at once', async () => {
    const { host, connected } = await silentServer();
    const running = start(argv, { BINAUTHZ_EMULATOR_HOST: host });
    await connected;
    running.send('SIGINT');
    running.send('SIGTERM');
    expect(running.exits).toEqual([143]);
    await running.ended;
  });
});

describe('the emulator', () => {
  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) await new Promise((resolve) => setImmediate(resolve));
  };
  test.each(['SIGINT', 'SIGTERM'] as const)('says where it listens, serves, and ends well with %s', async (signal) => {
    const running = start(['emulator', '--port', '0']);
    await until(() => running.stdout().includes('listening'));
    const [first, ...exports] = running.stdout().trimEnd().split('\n');
    const url = /^listening on (http:\/\/127\.0\.0\.1:\d+)$/.exec(first ?? '')?.[1] ?? '';
    expect(exports.length).toBeGreaterThan(1);
    expect(exports.filter((line) => !line.startsWith('export '))).toEqual([]);
    expect((await fetch(`${url}/_emulator/health`)).status).toBe(200);
    running.send(signal);
    expect((await running.ended).status).toBe(0);
    await expect(fetch(`${url}/_emulator/health`)).rejects.toThrow();
  });
  test('a port in use is an input error', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const ended = await run(['emulator', '--port', String(port)]);
    server.close();
    expect(ended).toMatchObject({
      status: 2,
      stdout: '',
      stderr: expect.stringContaining(`--port: expected a free port, got ${port}, which is in use`),
    });
  });
  test.each([
    ['not json', '{', /--faults: expected JSON in .*faults\.json/],
    ['not faults', '{"rules": 1}', /--faults: .*faults\.json: Invalid faults: rules must be a list/],
  ])('a fault file that is %s is an input error', async (_, text, message) => {
    const file = join(await mkdtemp(join(tmpdir(), 'binauthz-')), 'faults.json');
    await writeFile(file, text);
    expect(await run(['emulator', '--port', '0', '--faults', file])).toMatchObject({ status: 2, stderr: expect.stringMatching(message) });
  });
  test.each<[string, string, RegExp]>([
    ['no port', '{"rules": 1}', /--faults: .*faults\.json: Invalid faults: rules must be a list/],
    ['no port', '{', /--faults: expected JSON in .*faults\.json/],
  ])('what is wrong with it is told beside %s: %s', async (_, text, message) => {
    const file = join(await mkdtemp(join(tmpdir(), 'binauthz-')), 'faults.json');
    await writeFile(file, text);
    const { status, stderr } = await run(['emulator', '--port', 'x', '--faults', file]);
    expect([status, stderr]).toEqual([2, expect.stringContaining('--port: expected a port number from 0 to 65535, got "x"')]);
    expect(stderr).toMatch(message);
    expect(stderr.match(/^error\[/gm)).toHaveLength(2);
  });
  test('so is one that is missing', async () =>
    expect(await run(['emulator', '--faults', '/nowhere/f.json'])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('--faults: cannot read /nowhere/f.json: there is no such file'),
    }));
});
