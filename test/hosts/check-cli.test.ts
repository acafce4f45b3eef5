// SPDX-License-Identifier: Apache-2.0
// `binauthz check` and `attest --check`, from words to exit status, on the emulator.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestEmulator, type TestEmulator } from '../support/emulator.js';
import { pushImage, singleImage } from '../support/images.js';
import { Stage } from '../support/stage.js';
import { run, type Surroundings } from './world.js';

const cwd = mkdtempSync(join(tmpdir(), 'binauthz-check-cli-'));
const PROJECT = 'shop-prod';
let emulator: TestEmulator;
let stage: Stage;
let key: string;
let attestor: string;

const rule = (evaluationMode: string, more: object = {}) => ({ evaluationMode, enforcementMode: 'ENFORCED_BLOCK_AND_AUDIT_LOG', ...more });
const manifest = (image: string) =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n    - name: main\n      image: ${image}\n`;

beforeAll(async () => {
  emulator = await startTestEmulator();
  stage = new Stage(emulator, PROJECT);
  const made = await stage.kmsAttestor('ci');
  [key, attestor] = [made.key.version, made.attestor];
});
afterAll(async () => {
  await emulator.close();
  rmSync(cwd, { recursive: true, force: true });
});

const policy = (defaultAdmissionRule: object) =>
  stage.call('PUT', `/v1/projects/${PROJECT}/policy`, { name: `projects/${PROJECT}/policy`, defaultAdmissionRule });
const binauthz = (argv: readonly string[], surroundings: Surroundings = {}) =>
  run(argv, { BINAUTHZ_EMULATOR_HOST: emulator.host }, { cwd, ...surroundings });
const check = (...argv: string[]) => binauthz(['check', '--project', PROJECT, ...argv]);

describe('check', () => {
  test('admits, denies, and tells why', async () => {
    await policy(rule('ALWAYS_ALLOW'));
    const allowed = await check('nginx');
    expect([allowed.status, allowed.stdout]).toEqual([0, expect.stringContaining('ALLOWED: 1 ALLOWED of 1 image')]);
    await policy(rule('ALWAYS_DENY'));
    const denied = await check('nginx', '--output', 'json');
    expect(denied.status).toBe(3);
    expect(JSON.parse(denied.stdout)).toMatchObject({ schema: 'binauthz.check/v1', verdict: 'DENIED', emulator: true });
    expect(JSON.parse(denied.stdout)).not.toHaveProperty('errors');
    expect(denied.stderr).toMatch(/error\[POLICY_DENIED\]: the check ended DENIED: nginx is DENIED under projects\/shop-prod\/policy/);
  });
  test('a rule that only logs passes with a warning, and not with --strict', async () => {
    await policy({ ...rule('ALWAYS_DENY'), enforcementMode: 'DRYRUN_AUDIT_LOG_ONLY' });
    const lenient = await check('nginx');
    expect([lenient.status, lenient.stderr]).toEqual([0, expect.stringContaining('the check ended ALLOWED_DRY_RUN')]);
    expect((await check('nginx', '--strict')).status).toBe(3);
  });
  test('what cannot be read is unknown, and fails', async () => {
    const env = { BINAUTHZ_EMULATOR_HOST: emulator.host, TOKEN: 'as:stranger@example.com' };
    const argv = ['check', 'nginx', '--project', PROJECT, '--access-token-env', 'TOKEN', '--output=json'];
    const { status, stdout, stderr } = await run(argv, env, { cwd });
    expect([status, JSON.parse(stdout)]).toEqual([4, expect.objectContaining({ verdict: 'UNKNOWN' })]);
    expect(stderr).toContain('error[UNDECIDED]: the check ended UNKNOWN');
  });
  test('reads manifests from standard input, and a policy that is not live', async () => {
    await policy(rule('ALWAYS_ALLOW'));
    writeFileSync(
      join(cwd, 'next.yaml'),
      'defaultAdmissionRule:\n  evaluationMode: ALWAYS_DENY\n  enforcementMode: ENFORCED_BLOCK_AND_AUDIT_LOG\n',
    );
    const { status, stdout } = await binauthz(['check', '-f', '-', '--project', PROJECT, '--policy', 'next.yaml', '--output', 'json'], {
      stdin: manifest('nginx'),
    });
    expect([status, JSON.parse(stdout).images[0].sources]).toEqual([3, [expect.objectContaining({ file: '-', line: 7, kind: 'Pod' })]]);
  });
  test('reports are written also on denial, and one that cannot be fails the run', async () => {
    await policy(rule('ALWAYS_DENY'));
    writeFileSync(join(cwd, 'web.yaml'), manifest('nginx'));
    const argv = ['-f', 'web.yaml', '--report', 'sarif=out/a.sarif', '--report', 'json=out/a.json'];
    const { status, stdout } = await check(...argv, '--output=json');
    expect(status).toBe(3);
    expect(readFileSync(join(cwd, 'out/a.json'), 'utf8')).toBe(stdout);
    expect(JSON.parse(readFileSync(join(cwd, 'out/a.sarif'), 'utf8')).runs[0].results).toHaveLength(1);
    const failed = await check(...argv, '--report', 'junit=out');
    expect([failed.status, failed.stderr]).toEqual([9, expect.stringContaining('cannot write the junit report out: EISDIR')]);
  });
  test('bad input calls nobody, and writes no report', async () => {
    const before = await served();
    const { status, stderr } = await check('-f', 'gone.yaml', '--report', 'json=never.json');
    expect([status, stderr]).toEqual([2, expect.stringContaining('"gone.yaml": no such file')]);
    expect(await served()).toBe(before);
    expect(() => readFileSync(join(cwd, 'never.json'))).toThrow('ENOENT');
  });
});

async function served(): Promise<number> {
  return (await stage.requests()).filter((line) => !line.includes('_emulator')).length;
}

describe('attest --check', () => {
  let digest: string;
  beforeAll(async () => {
    digest = await pushImage(emulator.url, `${PROJECT}/apps/web`, '1', singleImage('web'), {
      headers: { 'x-binauthz-registry': 'us-docker.pkg.dev' },
    });
  });
  const attest = (...argv: string[]) => {
    const image = `us-docker.pkg.dev/${PROJECT}/apps/web@${digest}`;
    return binauthz(['attest', image, '--attestor', attestor, '--kms-key-version', key, '--output', 'json', ...argv]);
  };

  test.each<[string, object, string[], number, string | undefined]>([
    ['off', rule('ALWAYS_DENY'), [], 0, undefined],
    [
      'enforce, admitted',
      rule('REQUIRE_ATTESTATION', { requireAttestationsBy: [`projects/${PROJECT}/attestors/ci`] }),
      ['--check', 'enforce'],
      0,
      'ALLOWED',
    ],
    ['enforce, denied', rule('ALWAYS_DENY'), ['--check', 'enforce'], 3, 'DENIED'],
    ['warn, denied', rule('ALWAYS_DENY'), ['--check', 'warn'], 0, 'DENIED'],
  ])('%s', async (_, live, words, status, verdict) => {
    await policy(live);
    const ended = await attest(...words);
    const result = JSON.parse(ended.stdout) as { check?: { verdict: string }; warnings?: string[]; attestations: unknown[] };
    expect([ended.status, result.check?.verdict, result.attestations.length], ended.stderr).toEqual([status, verdict, 1]);
    if (words.includes('warn')) expect(result.warnings).toContainEqual(expect.stringContaining('exit code 3'));
    if (status === 3) expect(ended.stderr).toContain('error[POLICY_DENIED]');
  });
  test('what is wrong with its files stops the run before anything is signed', async () => {
    const before = await stage.occurrences();
    const ended = await attest('--check', 'enforce', '--policy', 'none.yaml');
    expect([ended.status, await stage.occurrences()]).toEqual([2, before]);
  });
});
