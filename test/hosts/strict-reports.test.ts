// SPDX-License-Identifier: Apache-2.0
// `--strict` from words and inputs to reports, summary and annotations: what fails the run shows as failed everywhere.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { annotate, markdownOf } from '../../src/hosts/action/telling.js';
import { listenForCancellation } from '../../src/hosts/cancellation.js';
import type { Ending } from '../../src/hosts/outcome.js';
import { runCommand } from '../../src/hosts/run-command.js';
import { checked, denied } from '../support/check-results.js';
import { startTestEmulator, type TestEmulator } from '../support/emulator.js';
import { pushImage, singleImage } from '../support/images.js';
import { Stage } from '../support/stage.js';
import { actionOptions, run, type Ran } from './world.js';

const cwd = mkdtempSync(join(tmpdir(), 'binauthz-strict-'));
const PROJECT = 'shop-prod';
const GLASS = '{image-policy.k8s.io/break-glass: "true"}';
const MANIFEST = (labels: string): string =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: web, labels: ${labels}}\nspec: {containers: [{name: main, image: nginx}]}\n`;
const POLICY = (enforcementMode: string): string =>
  `defaultAdmissionRule: {evaluationMode: ALWAYS_DENY, enforcementMode: ${enforcementMode}}\n`;
let emulator: TestEmulator;
let attested: string[];
let image: string;

beforeAll(async () => {
  emulator = await startTestEmulator();
  const { attestor, key } = await new Stage(emulator, PROJECT).kmsAttestor('ci');
  const digest = await pushImage(emulator.url, `${PROJECT}/apps/web`, '1', singleImage('web'), {
    headers: { 'x-binauthz-registry': 'us-docker.pkg.dev' },
  });
  image = `us-docker.pkg.dev/${PROJECT}/apps/web@${digest}`;
  attested = ['attest', image, '--attestor', attestor, '--kms-key-version', key.version];
  writeFileSync(join(cwd, 'dry.yaml'), POLICY('DRYRUN_AUDIT_LOG_ONLY'));
  writeFileSync(join(cwd, 'deny.yaml'), POLICY('ENFORCED_BLOCK_AND_AUDIT_LOG'));
  writeFileSync(join(cwd, 'glass.yaml'), MANIFEST(GLASS));
  writeFileSync(join(cwd, 'plain.yaml'), MANIFEST('{}'));
  writeFileSync(join(cwd, 'allow.yaml'), POLICY('ENFORCED_BLOCK_AND_AUDIT_LOG').replace('ALWAYS_DENY', 'ALWAYS_ALLOW'));
});
afterAll(async () => {
  await emulator.close();
  rmSync(cwd, { recursive: true, force: true });
});

const REPORTS = ['junit', 'sarif', 'markdown'].flatMap((form) => ['--report', `${form}=r.${form}`]);
const read = (form: string): string => readFileSync(join(cwd, `r.${form}`), 'utf8');
const ran = (...argv: readonly string[]): Promise<Ran> => run([...argv, ...REPORTS], { BINAUTHZ_EMULATOR_HOST: emulator.host }, { cwd });
/** How each report looks: JUnit's failures, SARIF's levels, and the mark in Markdown's headline. */
const looks = (): readonly unknown[] => [
  /failures="(\d)"/.exec(read('junit'))?.[1],
  [...new Set([...read('sarif').matchAll(/"ruleIndex":\d+,"level":"(\w+)"/g)].map(([, level]) => level))],
  /^### (\S+)/.exec(read('markdown'))?.[1],
];
const RED = ['1', ['error'], '❌'];
const YELLOW = ['0', ['warning'], '⚠️'];

describe('the reports of check', () => {
  test.each<[string, string[]]>([
    ['ALLOWED_DRY_RUN', ['nginx', '--policy', 'dry.yaml']],
    ['ALLOWED_BREAK_GLASS', ['-f', 'glass.yaml', '--policy', 'deny.yaml']],
  ])('%s fails with --strict, and is a doubt without', async (verdict, words) => {
    const strict = await ran('check', '--project', PROJECT, ...words, '--strict');
    expect([strict.status, strict.stdout, looks()]).toEqual([3, expect.stringContaining(`${verdict}: 1 ${verdict}`), RED]);
    const lenient = await ran('check', '--project', PROJECT, ...words);
    expect([lenient.status, looks()]).toEqual([0, YELLOW]);
  });
  test('what is plainly allowed stays green', async () => {
    const { status } = await ran('check', '--project', PROJECT, 'nginx', '--policy', 'allow.yaml', '--strict');
    expect([status, looks()]).toEqual([0, ['0', [], '✅']]);
  });
});

describe('the reports of attest', () => {
  test.each<[string, string, number, readonly unknown[]]>([
    ['enforce', 'enforce', 3, RED],
    ['warn: nothing of it fails the run', 'warn', 0, YELLOW],
  ])('with --strict and --check %s', async (_, mode, status, wanted) => {
    const ended = await ran(...attested, '--check', mode, '--policy', 'dry.yaml', '--strict');
    expect([ended.status, looks()], ended.stderr).toEqual([status, wanted]);
  });
});

test('the reason that denies is the one on standard error, with its own next step', async () => {
  expect((await run(attested, { BINAUTHZ_EMULATOR_HOST: emulator.host }, { cwd })).status).toBe(0);
  writeFileSync(join(cwd, 'other.txt'), `${image.slice(0, image.indexOf('@'))}@sha256:${'0'.repeat(64)}\n`);
  writeFileSync(
    join(cwd, 'attested.yaml'),
    `defaultAdmissionRule: {evaluationMode: REQUIRE_ATTESTATION, enforcementMode: ENFORCED_BLOCK_AND_AUDIT_LOG, requireAttestationsBy: [projects/${PROJECT}/attestors/ci]}\n`,
  );
  const { status, stderr } = await ran(
    'check',
    image,
    '--project',
    PROJECT,
    '--policy',
    'attested.yaml',
    '--require-attested',
    'other.txt',
  );
  expect([status, stderr]).toEqual([3, expect.stringMatching(/\(NOT_IN_ATTESTED_SET: .*\n {2}hint: deploy what this pipeline attested/)]);
  expect(read('markdown')).toMatch(/NOT_IN_ATTESTED_SET[\s\S]*ATTESTED<\/code>/);
});

describe('the Action', () => {
  const ended = (inputs: Record<string, string>): Promise<Ending> => {
    const quiet = { step: () => undefined, info: () => undefined, warn: () => undefined, debug: () => undefined };
    const raw = actionOptions({ project: PROJECT, policy: 'dry.yaml', ...inputs }, 'check');
    return runCommand('check', raw, {
      env: { BINAUTHZ_EMULATOR_HOST: emulator.host },
      cancellation: listenForCancellation({ on: () => undefined, exit: () => undefined }),
      reporter: quiet,
      program: { run: () => Promise.reject(new Error('no program')) },
      files: { cwd },
    });
  };
  const annotations = (ending: Ending): readonly string[] => {
    const before = process.exitCode;
    const lines: string[] = [];
    const spy = vi.spyOn(process.stdout, 'write').mockImplementation((text) => (lines.push(...String(text).trimEnd().split('\n')), true));
    annotate('check', ending);
    spy.mockRestore();
    process.exitCode = before;
    return lines.filter((line) => line.startsWith('::'));
  };

  test.each([
    ['', 'report'],
    ['junit=.', 'no report'],
  ])('with strict=true annotates what it refuses as an error (reports: %j)', async (reports) => {
    const ending = await ended({ manifests: 'plain.yaml', strict: 'true', reports });
    const said = annotations(ending);
    expect(said.filter((line) => !line.startsWith('::error'))).toEqual([]);
    expect(said.at(-1)).toMatch(/^::error title=binauthz check,file=plain\.yaml,line=4::ALLOWED_DRY_RUN/);
    expect(markdownOf('check', ending, undefined)).toMatch(/^### ❌ /);
  });
  test('the summary of attest shows the check at its end as failed', () => {
    const result = {
      schema: 'binauthz.attest/v1',
      images: [],
      attestations: [],
      check: checked([denied({ verdict: 'NOT_ENFORCED' })]),
    } as const;
    const headline = (strict: boolean) =>
      /^### (\S+) binauthz check/m.exec(markdownOf('attest', { result, errors: [], exitCode: 3, strict }, undefined));
    expect([headline(true)?.[1], headline(false)?.[1]]).toEqual(['❌', '⚠️']);
  });
  test('without it warns', async () => {
    const ending = await ended({ manifests: 'plain.yaml' });
    expect([ending.exitCode, annotations(ending).map((line) => line.split(' ')[0])]).toEqual([0, ['::warning', '::warning']]);
    expect(markdownOf('check', ending, undefined)).toMatch(/^### ⚠️ /);
  });
});
