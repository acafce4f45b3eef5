// SPDX-License-Identifier: Apache-2.0
// The shipped Action as GitHub's runner runs it: on good days, and on the bad ones of people and of runners.
import { existsSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as openpgp from 'openpgp';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startTestEmulator, type TestEmulator } from '../support/emulator.js';
import { installHelper } from '../support/fake-helper.js';
import { imageIndex, pushImage, singleImage, type TestImage } from '../support/images.js';
import { startLoginRegistry, startRecordingProxy, type Intercept, type RecordingServer } from '../support/login-registry.js';
import { nodes } from '../support/nodes.js';
import { actionMetadata, makeRunFolder, removeRunFolders, runAction, type ActionEnded, type ActionOptions } from '../support/runner.js';
import { PROJECT, Stage, type StagedKey } from '../support/stage.js';

const REPOSITORY = `us-docker.pkg.dev/${PROJECT}/shop`;
const OUTPUTS = ['digest', 'digests', 'images', 'attestations', 'verdict', 'report', 'exit-code'];
const EMULATOR_SAID = /BINAUTHZ_EMULATOR_HOST is set: every Google and registry call goes to the emulator/;

let emulator: TestEmulator;
let stage: Stage;
let attestor: string;
let key: StagedKey;
let digest: string;
let good: Record<string, string>;

beforeAll(async () => {
  emulator = await startTestEmulator();
  stage = new Stage(emulator);
  ({ attestor, key } = await stage.kmsAttestor('ci'));
  digest = await push('app', singleImage('app'));
  good = { images: `${REPOSITORY}/app@${digest}`, attestors: attestor, 'kms-key-versions': key.version };
});
afterEach(() => stage.call('POST', '/_emulator/faults', {}));
afterAll(async () => {
  await emulator.close();
  await removeRunFolders();
});

function push(name: string, image: TestImage, tag = 'v1'): Promise<string> {
  return pushImage(emulator.url, `${PROJECT}/shop/${name}`, tag, image, { headers: { 'x-binauthz-registry': 'us-docker.pkg.dev' } });
}

function action(inputs: Record<string, string>, options: ActionOptions = {}): Promise<ActionEnded> {
  return runAction({ emulator: emulator.host, inputs, ...options });
}

/** What holds for every end: nothing on stderr, no command that does something, every output, a report of the schema. */
function expectWellBehaved(ended: ActionEnded): void {
  expect(ended.stderr).toBe('');
  expect(ended.commands.map(({ name }) => name).filter((name) => !['error', 'warning', 'debug'].includes(name))).toEqual([]);
  expect(Object.keys(ended.outputs)).toEqual(OUTPUTS);
  expect(OUTPUTS).toEqual(actionMetadata().outputs);
  expect(ended.errors.length).toBeLessThanOrEqual(9);
  expect(ended.report.schema).toBe(ended.outputs['exit-code'] === '2' ? 'binauthz.error/v1' : 'binauthz.attest/v1');
}

/** A failed step with this code: red, its code an output, one annotation for all before at most eight in detail. */
function expectFailed(ended: ActionEnded, exitCode: number, codes: readonly string[]): void {
  expectWellBehaved(ended);
  expect({
    process: ended.code,
    output: ended.outputs['exit-code'],
    codes: ended.report.errors.map(({ code }: { code: string }) => code),
  }).toEqual({ process: 1, output: String(exitCode), codes });
  expect(ended.errors[0]).toMatch(new RegExp(`^binauthz attest failed with exit code ${exitCode} \\(`));
  expect(ended.errors.length).toBe(codes.length === 1 ? 1 : 1 + Math.min(8, codes.length));
  expect(ended.log).toContain(`binauthz attest: failed with exit code ${exitCode}`);
  expect(ended.summary).toContain(`failed with exit code ${exitCode}`);
  for (const { code, message, hint } of ended.report.errors as { code: string; message: string; hint?: string }[]) {
    expect(ended.log).toContain(`error[${code}]: ${message}`);
    if (hint !== undefined) expect(ended.log).toContain(`hint: ${hint}`);
    expect(ended.summary).toContain(code);
  }
}

describe.each(nodes)('on Node $version', (node) => {
  it('attests with Cloud KMS, and says so in every place', async () => {
    const name = `kms-${node.version}`;
    const tagged = await push(name, singleImage(name), '1.2.3');
    const ended = await action({ ...good, images: `${REPOSITORY}/${name}:1.2.3` }, { node });
    expectWellBehaved(ended);
    const [attestation] = ended.report.attestations;
    const image = `${REPOSITORY}/${name}@${tagged}`;
    expect([ended.code, ended.errors]).toEqual([0, []]);
    expect(ended.outputs).toEqual({
      digest: tagged,
      digests: tagged,
      images: image,
      attestations: attestation.occurrence,
      verdict: '',
      report: ended.outputs['report'],
      'exit-code': '0',
    });
    expect(await stage.occurrences()).toContain(attestation.occurrence);
    expect(ended.report).toMatchObject({
      emulator: true,
      run: 'https://github.example/octo/shop/actions/runs/4711/attempts/1',
      images: [{ image, digest: tagged, tag: '1.2.3', mediaType: 'application/vnd.oci.image.manifest.v1+json', children: [] }],
      attestations: [
        {
          image,
          attestor,
          note: `projects/${PROJECT}/notes/ci`,
          publicKeyId: `//cloudkms.googleapis.com/v1/${key.version}`,
          status: 'created',
          validated: 'google',
          visibleAfterMs: expect.any(Number),
        },
      ],
      warnings: expect.arrayContaining([expect.stringMatching(EMULATOR_SAID)]),
    });
    expect(dirname(ended.outputs['report']!)).toBe(ended.folder.runnerTemp);
    expect(ended.warnings[0]).toMatch(EMULATOR_SAID);
    for (const told of [
      '### binauthz attest: done',
      '**On the emulator:**',
      image,
      attestor,
      'created, visible after',
      attestation.occurrence,
      '(https://github.example/octo/shop/actions/runs/4711/attempts/1)',
    ])
      expect(ended.summary).toContain(told);
    expect(ended.log.split('\n').at(-1)).toBe(`binauthz attest: done; 1 created; report: ${ended.outputs['report']}`);
  });

  it('attests with a PGP key and passphrase, and shows neither', async () => {
    const passphrase = 'a "passphrase", 100% made up';
    const pgp = await openpgp.generateKey({
      type: 'ecc',
      curve: 'ed25519Legacy',
      userIDs: [{ name: 'ci' }],
      passphrase,
      format: 'armored',
    });
    const pgpAttestor = await stage.attestor(`pgp-${node.version.replaceAll('.', '-')}`, [{ asciiArmoredPgpPublicKey: pgp.publicKey }]);
    const inputs = { images: good['images']!, attestors: pgpAttestor, 'pgp-private-key': pgp.privateKey, 'pgp-passphrase': passphrase };
    const ended = await action(inputs, { node });
    expectWellBehaved(ended);
    const fingerprint = (await openpgp.readKey({ armoredKey: pgp.publicKey })).getFingerprint().toUpperCase();
    expect([ended.code, ended.report.attestations]).toMatchObject([0, [{ status: 'created', publicKeyId: fingerprint }]]);
    expect(ended.masks).toContain(passphrase);
    expect(ended.masks).toEqual(expect.arrayContaining(pgp.privateKey.split('\n').filter((line) => line.length === 64)));
    expect(ended.log).not.toContain('***');
    const wrong = await action({ ...inputs, 'pgp-passphrase': 'wrong' }, { node });
    expectFailed(wrong, 2, ['PASSPHRASE_REJECTED']);
    expect(wrong.errors[0]).toContain('input pgp-passphrase');
  });
});

describe('several images', () => {
  it('are outputs in the order of the input, the digest bare and of the first', async () => {
    const index = imageIndex('many', ['linux/amd64', 'linux/arm64']);
    const digests = [await push('many-b', singleImage('many-b')), await push('many-a', index), await push('many-c', singleImage('many-c'))];
    const images = ['b', 'a', 'c'].map((name, position) => `${REPOSITORY}/many-${name}@${digests[position]}`);
    const ended = await action({ ...good, images: `\n  ${images.join('\r\n\n  ')}\n${images[0]}\n` });
    expectWellBehaved(ended);
    expect(ended.code).toBe(0);
    expect(ended.outputs).toMatchObject({ digest: digests[0], digests: digests.join('\n'), images: images.join('\n') });
    const attestations = ended.outputs['attestations']!.split('\n');
    expect(attestations).toEqual(ended.report.attestations.map(({ occurrence }: { occurrence: string }) => occurrence));
    expect([attestations.length, attestations.every((name) => /^projects\/shop-prod\/occurrences\/[^/]+$/.test(name))]).toEqual([5, true]);
    expect(ended.report.images[1].children.map(({ digest: child }: { digest: string }) => child)).toEqual(
      index.children.map((child) => child.digest),
    );
    for (const image of [...images, ...index.children.map((child) => child.digest)]) expect(ended.summary).toContain(image);
  });

  it('by the hundred fill a summary that the runner still takes, and a report that holds them all', async () => {
    const names = Array.from({ length: 450 }, (_, index) => `${'long-name-'.repeat(16)}${index}`);
    for (let at = 0; at < names.length; at += 50) await Promise.all(names.slice(at, at + 50).map((name) => push(name, singleImage(name))));
    const ended = await action({ ...good, images: names.map((name) => `${REPOSITORY}/${name}:v1`).join('\n'), 'dry-run': 'true' });
    expectWellBehaved(ended);
    expect([ended.code, ended.report.attestations.length, ended.outputs['images']!.split('\n').length]).toEqual([0, 450, 450]);
    expect(Buffer.byteLength(ended.summary)).toBeLessThan((1024 * 1024) / 2);
    expect(ended.summary).toMatch(/… and \d+ more in the report/);
    expect(ended.log).toContain('450 dry-run');
    expect(ended.outputs['attestations']).toBe('');
  });

  it('of which some are missing: each is told, and the digest of another is not called that of the first', async () => {
    const missing = Array.from({ length: 12 }, (_, index) => `${REPOSITORY}/app@sha256:${index.toString(16).repeat(64).slice(0, 64)}`);
    const ended = await action({ ...good, images: [...missing, good['images']].join('\n') });
    expectFailed(
      ended,
      6,
      missing.map(() => 'IMAGE_NOT_FOUND'),
    );
    expect(ended.errors[0]).toContain('12 errors; the first 8 follow, the log and the report have all of them');
    for (const image of missing) expect(ended.log).toContain(image);
    // The summary escapes what could be read as an emoji between two colons.
    for (const image of missing) expect(ended.summary.replaceAll('&#58;', ':')).toContain(image);
    expect(ended.outputs).toMatchObject({ digest: '', digests: digest, images: good['images'] });
  });
});

describe('a run that fails', () => {
  it('reports everything that is wrong with the input at once, in the spelling of the Action', async () => {
    const bad = {
      images: 'app:v1',
      attestors: 'x',
      'kms-key-versions': 'k',
      'kms-keys': 'k',
      project: '123',
      'multi-platform': 'all',
      'wait-timeout': '5',
      'no-wait': 'yes',
      'dry-run': '1',
      summary: 'maybe',
      'pgp-passphrase': 'hunter2',
    };
    const before = (await stage.requests()).length;
    const ended = await action(bad);
    const messages = ended.report.errors.map(({ message }: { message: string }) => message) as string[];
    expectFailed(
      ended,
      2,
      messages.map(() => 'INVALID_INPUT'),
    );
    for (const name of Object.keys(bad))
      expect(
        messages.filter((message) => message.startsWith(`input ${name}: expected `)),
        name,
      ).toHaveLength(1);
    expect(messages).toHaveLength(Object.keys(bad).length);
    expect(ended.log).not.toMatch(/--[a-z]/);
    expect(ended.outputs).toMatchObject({ digest: '', digests: '', images: '', attestations: '' });
    // The one request is the count itself.
    expect((await stage.requests()).length - before).toBeLessThanOrEqual(1);
  });

  it('for an empty image names the usual cause', async () => {
    const ended = await action({ ...good, images: ' \n' });
    expectFailed(ended, 2, ['INVALID_INPUT']);
    expect(ended.errors[0]).toMatch(
      /input images: expected at least one image, got none\n {2}hint: .*Skip output.*since it may contain secret.*bare digest/,
    );
    const half = await action({ ...good, images: `@${digest}` });
    expectFailed(half, 2, ['INVALID_INPUT']);
    expect(half.errors[0]).toMatch(/hint: .*Skip output/);
  });

  it('for no key at all thinks of forks and of secrets that are not there', async () => {
    const ended = await action({ images: good['images']!, attestors: attestor });
    expectFailed(ended, 2, ['INVALID_INPUT']);
    expect(ended.errors[0]).toMatch(
      /input kms-key-versions, input kms-keys, input pgp-private-key, input pkix-private-key: expected at least one key, got none\n {2}hint: .*forks/,
    );
  });

  it.each([
    ['4', 'UNDECIDED', { path: ':validateAttestationOccurrence$', status: 200, body: {} }],
    [
      '5',
      'PERMISSION_DENIED',
      {
        path: 'asymmetricSign$',
        status: 403,
        body: { error: { code: 403, message: "Permission 'cloudkms.cryptoKeyVersions.useToSign' denied", status: 'PERMISSION_DENIED' } },
      },
    ],
    [
      '6',
      'ATTESTOR_NOT_FOUND',
      { method: '^GET$', path: '/attestors/ci$', status: 404, body: { error: { code: 404, message: 'not found', status: 'NOT_FOUND' } } },
    ],
  ])('with exit code %s (%s) exits 1 and gives the code', async (exitCode, code, rule) => {
    const name = `fails-${exitCode}`;
    const image = `${REPOSITORY}/${name}@${await push(name, singleImage(name))}`;
    await stage.call('POST', '/_emulator/faults', { rules: [{ ...rule, times: -1, do: 'status' }] });
    const ended = await action({ ...good, images: image });
    expectFailed(ended, Number(exitCode), [code]);
    expect(ended.errors[0]).toMatch(/\n {2}hint: \S/);
  });

  it('with exit code 7 lists both sides', async () => {
    const wrong = await stage.kmsKey('wrong');
    const ended = await action({ ...good, 'kms-key-versions': wrong.version });
    expectFailed(ended, 7, ['KEY_NOT_TRUSTED']);
    for (const version of [wrong.version, key.version]) expect(ended.errors[0]).toContain(version);
  });

  it('with exit code 8 still tells what is stored', async () => {
    await stage.call('POST', '/_emulator/faults', { propagationDelayMs: 3_600_000 });
    const image = `${REPOSITORY}/late@${await push('late', singleImage('late'))}`;
    const ended = await action({ ...good, images: image, 'wait-timeout': '1s' });
    expectFailed(ended, 8, ['NOT_VISIBLE']);
    expect(ended.outputs).toMatchObject({
      images: image,
      attestations: expect.stringMatching(/^projects\/shop-prod\/occurrences\/[^\n]+$/),
    });
    expect(ended.summary).toContain('posted, not visible in time');
    expect(ended.log).toContain('1 posted');
  });

  it.each([
    ['SIGINT', '130'],
    ['SIGTERM', '143'],
  ] as const)('cancelled by %s gives %s and the result so far', async (signal, exitCode) => {
    await stage.call('POST', '/_emulator/faults', { propagationDelayMs: 3_600_000 });
    const name = `cancelled-${exitCode}`;
    const image = `${REPOSITORY}/${name}@${await push(name, singleImage(name))}`;
    let isSent = false;
    const ended = await action(
      { ...good, images: image },
      {
        onLog: (text, kill) => {
          if (isSent || !text.includes('posted projects/')) return;
          isSent = true;
          kill(signal);
        },
      },
    );
    expectFailed(ended, Number(exitCode), ['CANCELLED']);
    expect(ended.outputs).toMatchObject({ digest: image.split('@')[1], 'exit-code': exitCode });
  });

  it('obeys nothing that a server says', async () => {
    const evil = 'bad\n::add-mask::shop-prod\r\n::stop-commands::x\n##[add-path]/evil %0A::set-env name=A::b';
    await stage.call('POST', '/_emulator/faults', {
      rules: [
        {
          method: '^GET$',
          path: '/attestors/ci$',
          times: -1,
          do: 'status',
          status: 400,
          body: { error: { code: 400, message: evil, status: 'INVALID_ARGUMENT' } },
        },
      ],
    });
    const ended = await action({ ...good, 'github-token': '' });
    expectWellBehaved(ended);
    expect([ended.code, ended.masks]).toEqual([1, []]);
    expect(ended.log).toContain('::set-env');
  });
});

describe('a runner on a bad day', () => {
  it('without an event file, or with a broken one, still links the run and says nothing of it', async () => {
    const folder = await makeRunFolder();
    await writeFile(join(folder.root, 'broken.json'), '{"ref":');
    for (const event of ['/nowhere/event.json', join(folder.root, 'broken.json'), undefined]) {
      const ended = await action(good, { env: { GITHUB_EVENT_PATH: event } });
      expectWellBehaved(ended);
      expect([ended.code, ended.report.run]).toEqual([0, 'https://github.example/octo/shop/actions/runs/4711/attempts/1']);
      expect(ended.log).not.toContain('GITHUB_EVENT_PATH');
    }
  });

  it('that names no repository or run gets a report and a summary without a link', async () => {
    const ended = await action(good, { env: { GITHUB_REPOSITORY: undefined, GITHUB_RUN_ID: undefined, GITHUB_EVENT_PATH: undefined } });
    expectWellBehaved(ended);
    expect([ended.code, ended.report.run, ended.summary.includes('The workflow run')]).toEqual([0, undefined, false]);
  });

  it('without RUNNER_TEMP has its report outside of the workspace', async () => {
    const ended = await action(good, { env: { RUNNER_TEMP: undefined } });
    expectWellBehaved(ended);
    expect([ended.code, dirname(ended.outputs['report']!), await readdir(ended.folder.workspace)]).toEqual([0, ended.folder.tmp, []]);
  });

  it('whose RUNNER_TEMP was cleaned up gets it back; where that cannot be, a warning and no path', async () => {
    const folder = await makeRunFolder();
    const ended = await action(good, { folder, env: { RUNNER_TEMP: join(folder.root, 'gone/temp') } });
    expect([ended.code, dirname(ended.outputs['report']!)]).toEqual([0, join(folder.root, 'gone/temp')]);
    const blocked = await action(good, { env: { RUNNER_TEMP: '/dev/null/temp' } });
    expect([blocked.code, blocked.outputs['report'], blocked.warnings.at(-1)]).toEqual([
      0,
      '',
      expect.stringMatching(/^cannot write the report: ENOTDIR/),
    ]);
  });

  it.each([
    ['is a folder', '/'],
    ['is not there', '/nowhere/summary'],
    ['is not named', undefined],
  ])('whose summary file %s gets a warning, and the same outcome', async (_, path) => {
    const ended = await action(good, { env: { GITHUB_STEP_SUMMARY: path } });
    expectWellBehaved(ended);
    expect([ended.code, ended.outputs['exit-code'], ended.warnings.at(-1)]).toEqual([
      0,
      '0',
      expect.stringMatching(/^cannot write the job summary: (?!unexpected)/),
    ]);
    const failed = await action({ ...good, images: `${REPOSITORY}/none@${digest}` }, { env: { GITHUB_STEP_SUMMARY: path } });
    expect([failed.code, failed.outputs['exit-code']]).toEqual([1, '6']);
  });

  it('that takes no outputs fails the step, after everything else was told', async () => {
    const ended = await action(good, { env: { GITHUB_OUTPUT: '/nowhere/output' } });
    expect([ended.code, ended.errors]).toEqual([
      1,
      [expect.stringMatching(/^error\[UNAVAILABLE\]: cannot write the outputs of this step: .*\/nowhere\/output\n {2}hint: \S/)],
    ]);
    expect(ended.summary).toContain('### binauthz attest: done');
    const failed = await action({ ...good, images: `${REPOSITORY}/none@${digest}` }, { env: { GITHUB_OUTPUT: '/nowhere/output' } });
    expect([failed.code, failed.errors[0], failed.errors.length]).toEqual([1, expect.stringContaining('IMAGE_NOT_FOUND'), 2]);
  });

  it('that may not have a summary has none', async () => {
    const ended = await action({ ...good, summary: 'false' });
    expectWellBehaved(ended);
    expect([ended.code, ended.summary]).toEqual([0, '']);
  });

  it('with an emulator somewhere else is refused', async () => {
    const ended = await action(good, { emulator: 'emulator.example:8899' });
    expectFailed(ended, 2, ['INVALID_INPUT']);
    expect(ended.errors[0]).toContain('BINAUTHZ_EMULATOR_HOST: expected 127.0.0.1:PORT');
  });
});

describe('what nobody foresaw', () => {
  const thrown = (value: string): string => `
    const write = process.stdout.write;
    process.stdout.write = function (text, ...rest) {
      if (String(text).startsWith('Resolving')) process.nextTick(() => { throw ${value}; });
      return write.call(this, text, ...rest);
    };`;

  it.each([
    ['a string', '"plain text"', 'plain text'],
    ['undefined', 'undefined', 'undefined'],
    ['an object without a text', 'Object.create(null)', 'a value without a text was thrown'],
    ['an error', 'new RangeError("a bug")', 'RangeError: a bug'],
  ])('%s that is thrown fails the step with code 1', async (_, value, said) => {
    const ended = await action(good, { preload: thrown(value) });
    expect([ended.code, ended.stderr, ended.outputs, ended.errors]).toEqual([
      1,
      '',
      { 'exit-code': '1' },
      [expect.stringContaining(`error[INTERNAL]: unexpected failure: `)],
    ]);
    expect(ended.errors[0]).toContain(said);
  });

  it('a promise that is rejected with nothing fails it too', async () => {
    const ended = await action(good, { preload: thrown('undefined').replace('throw undefined', 'Promise.reject(null)') });
    expect([ended.code, ended.outputs, ended.errors.length]).toEqual([1, { 'exit-code': '1' }, 1]);
  });

  it('a run that waits for nothing that will ever come is not a success', async () => {
    const never = `const { EventEmitter } = require('node:events');
      require('node:http').request = () => Object.assign(new EventEmitter(), { end() {}, destroy() {} });`;
    const ended = await action(good, { preload: never });
    expect([ended.code, ended.outputs, ended.errors]).toEqual([
      1,
      { 'exit-code': '1' },
      [expect.stringContaining('the run stopped before its end')],
    ]);
  });
});

describe('a registry that wants a login', () => {
  const image = singleImage('private');
  const login = { user: 'robot', password: 'registry-password-7531' };
  let registry: RecordingServer;
  beforeAll(async () => {
    registry = await startLoginRegistry(image, login);
  });
  afterAll(() => registry.close());

  const attest = async (script: string, options: ActionOptions & { dumps?: boolean } = {}) => {
    const folder = await makeRunFolder();
    const helper = await installHelper(folder, registry.host, script, options.dumps);
    const ended = await action({ ...good, images: `${registry.host}/team/app@${image.digest}` }, { folder, ...options, env: helper.env });
    return { ended, helper };
  };

  it('gets it from the credential program, which learns nothing of the step', async () => {
    const { ended, helper } = await attest(`echo '{"Username":"${login.user}","Secret":"${login.password}"}'`);
    expectWellBehaved(ended);
    expect([ended.code, ended.outputs['digest']]).toEqual([0, image.digest]);
    const { argv, env, stdin } = await helper.dump();
    expect([stdin, argv.trim().split('\n').slice(-1)]).toEqual([registry.host, ['get']]);
    expect(env).toMatch(/^HOME=/m);
    expect(env).not.toMatch(/^INPUT_/im);
    for (const text of [ended.stdout, ended.summary, JSON.stringify(ended.report)]) expect(text).not.toContain(login.password);
  });

  it('and a program that fails, saying secrets on both streams: the step fails with 5 and repeats none', async () => {
    const { ended } = await attest(
      `echo 'stdout ${login.password}'; echo '::add-mask::x' >&2; echo 'stderr ${login.password}' >&2; exit 3`,
    );
    expectFailed(ended, 5, ['UNAUTHENTICATED']);
    expect(ended.errors[0]).toContain('docker-credential-fake');
    expect(ended.errors[0]).toContain('exit code 3');
    for (const text of [ended.stdout, ended.summary, JSON.stringify(ended.report)]) expect(text).not.toContain(login.password);
  });

  it('and a program that answers no JSON: 5, and its answer is not repeated', async () => {
    const { ended } = await attest(`echo 'password is ${login.password}'`);
    expectFailed(ended, 5, ['UNAUTHENTICATED']);
    for (const text of [ended.stdout, ended.summary, JSON.stringify(ended.report)]) expect(text).not.toContain(login.password);
  });

  it('and a program that a signal ends: 5', async () => {
    const { ended } = await attest('kill -9 $$');
    expectFailed(ended, 5, ['UNAUTHENTICATED']);
    expect(ended.log).not.toContain('null');
  });

  it('and a wrong password: 5', async () => {
    const { ended } = await attest(`echo '{"Username":"${login.user}","Secret":"wrong-password-7531"}'`);
    expectFailed(ended, 5, ['UNAUTHENTICATED']);
    expect(ended.stdout).not.toContain('wrong-password-7531');
  });

  it('and a program that ends without reading what it is asked: its exit code is what counts', async () => {
    // When the pipe breaks depends on who is faster, so it is broken for sure.
    const breaking = `const children = require('node:child_process');
      const { spawn } = children;
      children.spawn = function (...args) {
        const child = spawn.apply(this, args);
        process.nextTick(() => child.stdin.emit('error', Object.assign(new Error('write EPIPE'), { code: 'EPIPE', syscall: 'write' })));
        return child;
      };`;
    const { ended } = await attest('exit 4', { dumps: false, preload: breaking });
    expectFailed(ended, 5, ['UNAUTHENTICATED']);
    expect(ended.errors[0]).toContain('exit code 4');
    const { ended: unbroken } = await attest('exec 0<&-; exit 4', { dumps: false });
    expectFailed(unbroken, 5, ['UNAUTHENTICATED']);
  });

  it('and no program where the config names one: 5, with the next step', async () => {
    const folder = await makeRunFolder();
    await installHelper(folder, registry.host, 'true');
    const ended = await action({ ...good, images: `${registry.host}/team/app@${image.digest}` }, { folder });
    expectFailed(ended, 5, ['UNAUTHENTICATED']);
    expect(ended.errors[0]).toMatch(/hint: check that docker-credential-fake is on PATH/);
  });
});

describe('behind gcloud’s endpoint overrides', () => {
  let proxy: RecordingServer;
  const intercept: { current: Intercept } = { current: () => false };
  beforeAll(async () => {
    proxy = await startRecordingProxy(emulator.host, intercept);
  });
  afterAll(() => proxy.close());

  it('uses the access token that is given, and says aloud where it goes', async () => {
    const image = singleImage('overridden');
    const registry = await startLoginRegistry(image, { user: 'u', password: 'p' });
    try {
      const folder = await makeRunFolder();
      const helper = await installHelper(folder, registry.host, `echo '{"Username":"u","Secret":"p"}'`);
      const overrides = Object.fromEntries(
        ['ARTIFACTREGISTRY', 'BINARYAUTHORIZATION', 'CLOUDKMS', 'CONTAINERANALYSIS'].map((api) => [
          `CLOUDSDK_API_ENDPOINT_OVERRIDES_${api}`,
          `http://${proxy.host}/`,
        ]),
      );
      const ended = await runAction({
        folder,
        inputs: { ...good, images: `${registry.host}/team/app@${image.digest}`, 'access-token': 'the-access-token-1' },
        env: { ...overrides, ...helper.env },
      });
      expectWellBehaved(ended);
      expect([ended.code, ended.report.emulator, ended.summary.includes('emulator')]).toEqual([0, undefined, false]);
      expect(ended.warnings).toEqual(
        Object.entries(overrides).map(([name, url]) => expect.stringMatching(new RegExp(`^${name} is set: .* go to ${url}$`))),
      );
      expect(proxy.requests.length).toBeGreaterThan(3);
      expect(new Set(proxy.requests.map(({ headers }) => headers.authorization))).toEqual(new Set(['Bearer the-access-token-1']));
      expect((await helper.dump()).env).not.toContain('the-access-token-1');
      expect(existsSync(join(folder.workspace, 'gha-creds'))).toBe(false);
    } finally {
      await registry.close();
    }
  });
});
