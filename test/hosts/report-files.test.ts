// SPDX-License-Identifier: Apache-2.0
// `--report FORMAT=PATH`.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { CheckResult } from '../../src/core/results.js';
import { writeReports } from '../../src/hosts/report-files.js';

const cwd = mkdtempSync(join(tmpdir(), 'binauthz-reports-'));
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

const check: CheckResult = {
  schema: 'binauthz.check/v1',
  verdict: 'DENIED',
  policy: 'projects/p/policy',
  target: { platform: 'gke' },
  images: [
    {
      image: 'nginx',
      verdict: 'DENIED',
      rule: 'defaultAdmissionRule',
      reasons: [{ code: 'IMAGE_NOT_PINNED', message: 'a tag' }],
      occurrences: [],
      target: { platform: 'gke' },
      sources: [],
    },
  ],
  platformPolicies: [],
  assumptions: [],
};
const env = { GITHUB_WORKFLOW_REF: 'octo/shop/.github/workflows/deploy.yml@refs/heads/main' };
const ALL = (folder: string) => [
  { format: 'json', path: `${folder}/a.json` } as const,
  { format: 'sarif', path: `${folder}/b/a.sarif` } as const,
  { format: 'junit', path: `${folder}/a.xml` } as const,
  { format: 'markdown', path: join(cwd, folder, 'a.md') } as const,
];
const read = (path: string) => readFileSync(join(cwd, path), 'utf8');

test('each form is written, and the folders that it lies in', async () => {
  expect(await writeReports(check, ALL('out'), { cwd, env })).toEqual([]);
  expect(JSON.parse(read('out/a.json'))).toEqual(check);
  expect(JSON.parse(read('out/b/a.sarif'))).toMatchObject({ version: '2.1.0', runs: [{ results: [{ ruleId: 'IMAGE_NOT_PINNED' }] }] });
  expect(read('out/a.xml')).toContain('<testsuites');
  expect(read('out/a.md')).toContain('DENIED');
});
test('a finding that is in no manifest lies in the workflow file', async () => {
  await writeReports(check, [{ format: 'sarif', path: 'w.sarif' }], { cwd, env });
  expect(read('w.sarif')).toContain('.github/workflows/deploy.yml');
});
test('of attest, JSON is the whole and the others tell of its check', async () => {
  const attest = { schema: 'binauthz.attest/v1', images: [], attestations: [], check } as const;
  expect(await writeReports(attest, ALL('attest'), { cwd, env: {} })).toEqual([]);
  expect(JSON.parse(read('attest/a.json'))).toEqual(attest);
  expect(read('attest/a.xml')).toContain('<testsuites');
});
test('an attest that failed before its check has only JSON to report', async () => {
  await writeReports({ schema: 'binauthz.attest/v1', images: [], attestations: [] }, ALL('early'), { cwd, env: {} });
  expect(read('early/a.json')).toContain('binauthz.attest/v1');
  expect(() => read('early/a.xml')).toThrow('ENOENT');
});
test('what cannot be written is an error that names the file; the others are written', async () => {
  mkdirSync(join(cwd, 'taken'));
  writeFileSync(join(cwd, 'file'), '');
  const targets = [
    { format: 'json', path: 'taken' },
    { format: 'junit', path: 'file/x.xml' },
    { format: 'markdown', path: 'fine.md' },
  ] as const;
  const errors = await writeReports(check, targets, { cwd, env: {} });
  expect(errors.map(({ code, message, hint }) => [code, message, hint !== undefined])).toEqual([
    ['UNAVAILABLE', 'cannot write the json report taken: EISDIR', true],
    ['UNAVAILABLE', expect.stringMatching(/^cannot write the junit report file\/x\.xml: E(?:NOTDIR|EXIST)$/), true],
  ]);
  expect(read('fine.md')).toContain('DENIED');
});
// Node's recursive mkdir never ends there.
test.skipIf(!existsSync('/proc/self'))('a folder that takes nothing is an error, not an endless attempt', async () => {
  const [error] = await writeReports(check, [{ format: 'json', path: '/proc/none/deeper/a.json' }], { cwd, env });
  expect(error?.message).toBe('cannot write the json report /proc/none/deeper/a.json: ENOENT');
});
test('many reports may lie in one new folder', async () => {
  const targets = ['a', 'b', 'c', 'd'].map((name) => ({ format: 'json', path: `new/er/est/${name}.json` }) as const);
  expect(await writeReports(check, targets, { cwd, env })).toEqual([]);
  for (const { path } of targets) expect(JSON.parse(read(path))).toEqual(check);
});
