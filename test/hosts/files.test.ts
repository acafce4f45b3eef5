// SPDX-License-Identifier: Apache-2.0
// Files, folders, patterns and standard input, as manifests are named.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { expandFiles, isCredentials, isSameFile, readText } from '../../src/hosts/files.js';

const root = mkdtempSync(join(tmpdir(), 'binauthz-expand-'));
const cwd = join(root, 'work');
afterAll(() => rmSync(root, { recursive: true, force: true }));

const FILES = [
  'app.yaml',
  'k8s/a.yaml',
  'k8s/b.yml',
  'k8s/c.json',
  'k8s/d.JSON',
  'k8s/notes.txt',
  'k8s/.hidden.yaml',
  'k8s/.git/config.yaml',
  'k8s/node_modules/pkg/x.yaml',
  'k8s/gha-creds-1a2b.json',
  'k8s/prod/a.yaml',
  'k8s/prod/deep/er/z.yaml',
  'k8s/staging/a.yaml',
  'odd/[prod].yaml',
  'odd/p.yaml',
  'odd/a b.yaml',
  'odd/{x}.yaml',
  'odd/a+b$.yaml',
  'empty/readme.md',
  '../outside/o.yaml',
];
for (const file of FILES) {
  mkdirSync(dirname(join(cwd, file)), { recursive: true });
  writeFileSync(join(cwd, file), file);
}
symlinkSync(join(cwd, 'k8s/prod'), join(cwd, 'linked'));
mkdirSync(join(cwd, 'loop/inner'), { recursive: true });
writeFileSync(join(cwd, 'loop/inner/a.yaml'), '');
symlinkSync(join(cwd, 'loop'), join(cwd, 'loop/inner/back'));
symlinkSync(join(cwd, 'app.yaml'), join(cwd, 'loop/inner/file-link.yaml'));

mkdirSync(join(cwd, 'dangling'));
symlinkSync(join(cwd, 'nowhere'), join(cwd, 'dangling/gone.yaml'));
mkdirSync(join(cwd, 'sockets'));
execFileSync('mkfifo', [join(cwd, 'sockets/pipe.yaml')]);

const expand = (...patterns: string[]) => expandFiles(patterns, { cwd, readStdin: () => Promise.resolve('') });

describe('what a pattern means', () => {
  test.each<[string, string[]]>([
    ['app.yaml', ['app.yaml']],
    ['./k8s//a.yaml', ['k8s/a.yaml']],
    ['k8s/notes.txt', ['k8s/notes.txt']],
    ['k8s/.hidden.yaml', ['k8s/.hidden.yaml']],
    [
      'k8s',
      [
        ...['k8s/.hidden.yaml', 'k8s/a.yaml', 'k8s/b.yml', 'k8s/c.json', 'k8s/d.JSON', 'k8s/gha-creds-1a2b.json'],
        ...['k8s/prod/a.yaml', 'k8s/prod/deep/er/z.yaml', 'k8s/staging/a.yaml'],
      ],
    ],
    ['k8s/gha-creds-*.json', ['k8s/gha-creds-1a2b.json']],
    ['dangling', ['dangling/gone.yaml']],
    ['dangling/*.yaml', ['dangling/gone.yaml']],
    ['k8s/prod/', ['k8s/prod/a.yaml', 'k8s/prod/deep/er/z.yaml']],
    ['k8s/.git', ['k8s/.git/config.yaml']],
    ['k8s/node_modules', ['k8s/node_modules/pkg/x.yaml']],
    ['k8s/*.yaml', ['k8s/a.yaml']],
    ['k8s/*.y*ml', ['k8s/a.yaml', 'k8s/b.yml']],
    ['k8s/?.yml', ['k8s/b.yml']],
    ['k8s/[ab].*', ['k8s/a.yaml', 'k8s/b.yml']],
    ['k8s/[!ab].json', ['k8s/c.json']],
    ['k8s/[^ab].json', ['k8s/c.json']],
    ['k8s/[a-c].*', ['k8s/a.yaml', 'k8s/b.yml', 'k8s/c.json']],
    ['k8s/*.json', ['k8s/c.json', 'k8s/gha-creds-1a2b.json']],
    ['k8s/*/a.yaml', ['k8s/prod/a.yaml', 'k8s/staging/a.yaml']],
    ['k8s/.*.yaml', ['k8s/.hidden.yaml']],
    ['**/a.yaml', ['k8s/a.yaml', 'k8s/prod/a.yaml', 'k8s/staging/a.yaml', 'linked/a.yaml', 'loop/inner/a.yaml']],
    ['k8s/**/*.yaml', ['k8s/a.yaml', 'k8s/prod/a.yaml', 'k8s/prod/deep/er/z.yaml', 'k8s/staging/a.yaml']],
    ['k8s/prod/**', ['k8s/prod/a.yaml', 'k8s/prod/deep/er/z.yaml']],
    ['k8s/**/er/z.yaml', ['k8s/prod/deep/er/z.yaml']],
    ['k8s/**/**/z.yaml', ['k8s/prod/deep/er/z.yaml']],
    ['odd/[prod].yaml', ['odd/[prod].yaml']],
    ['odd/[p].yaml', ['odd/p.yaml']],
    ['odd/a b.yaml', ['odd/a b.yaml']],
    ['odd/{x}*', ['odd/{x}.yaml']],
    ['odd/a+b$.ya*', ['odd/a+b$.yaml']],
    ['linked', ['linked/a.yaml', 'linked/deep/er/z.yaml']],
    ['loop', ['loop/inner/a.yaml', 'loop/inner/file-link.yaml']],
    ['../outside/*', ['../outside/o.yaml']],
    ['k8s/../app.*', ['app.yaml']],
    ['-', ['-']],
  ])('%s', async (pattern, paths) => expect(await expand(pattern)).toEqual({ paths, problems: [] }));

  test('absolute ones are reported relative to the working folder', async () => {
    expect(await expand(join(cwd, 'app.yaml'), join(cwd, 'k8s/*.yml'))).toEqual({ paths: ['app.yaml', 'k8s/b.yml'], problems: [] });
  });
  test('several are sorted, each file once', async () => {
    expect(await expand('-', 'k8s/b.yml', 'k8s/*.yml', './k8s/a.yaml', '-')).toEqual({
      paths: ['-', 'k8s/a.yaml', 'k8s/b.yml'],
      problems: [],
    });
  });
});

describe('what means nothing is never passed over', () => {
  test.each<[string, string]>([
    ['nowhere.yaml', 'no such file'],
    ['app.yaml/x', 'no such file'],
    ['nul\0.yaml', 'no such file'],
    ['k8s/*.toml', 'a pattern that no file matches'],
    ['k8s/[z-a].*', 'a pattern that no file matches'],
    ['nowhere/**', 'a pattern that no file matches'],
    ['app.yaml/*', 'a pattern that no file matches'],
    ['sockets', 'something that cannot be read (pipe.yaml is neither a file nor a folder)'],
    ['sockets/*', 'something that cannot be read (pipe.yaml is neither a file nor a folder)'],
    ['empty', 'a folder without a .yaml, .yml or .json file'],
  ])('%j', async (pattern, problem) =>
    expect(await expand(pattern, 'app.yaml')).toEqual({ paths: ['app.yaml'], problems: [{ pattern, problem }] }),
  );
  test('standard input where there is none', async () => {
    expect(await expandFiles(['-'], { cwd })).toEqual({
      paths: [],
      problems: [{ pattern: '-', problem: 'standard input, which an Action does not have' }],
    });
  });
});

describe('credentials in a workspace', () => {
  const of = (file: string, value: unknown) => isCredentials({ file, text: typeof value === 'string' ? value : JSON.stringify(value) });
  test.each(['external_account', 'service_account'])('are known by their name and what they hold: %s', (type) => {
    expect([of('gha-creds-1a2b.json', { type }), of('k8s/gha-creds-1a2b.json', { type })]).toEqual([true, true]);
  });
  test('are not known by their name alone', () => {
    const holds = (value: unknown) => of('gha-creds-1a2b.json', value);
    expect(holds({ type: 'external_account', kind: 'Pod' })).toBe(false);
    expect(holds({ type: 'external_account', Kind: 'Pod' })).toBe(false);
    expect(holds({ type: 'external_account', items: [] })).toBe(false);
    expect([holds({}), holds('null'), holds('type: external_account\nkind: Pod')]).toEqual([false, false, false]);
  });
  test('are not known by what they hold alone', () => expect(of('creds.json', { type: 'external_account' })).toBe(false));
});

test('a file is the same by any of its names', () => {
  const is = (one: string, other: string) => isSameFile(one, other, { cwd });
  expect([is('./a.yaml', 'a.yaml'), is(join(cwd, 'a.yaml'), 'a.yaml'), is('-', '-')]).toEqual([true, true, true]);
  expect([is('a.yaml', 'b.yaml'), is('-', './-'), is('.', 'a.yaml')]).toEqual([false, false, false]);
});

describe('a text', () => {
  test('of a file, without the mark of its encoding', async () => {
    writeFileSync(join(cwd, 'marked.yaml'), '\uFEFFkind: Pod');
    expect(await readText('marked.yaml', { cwd })).toEqual({ file: 'marked.yaml', text: 'kind: Pod' });
  });
  test('of standard input', async () =>
    expect(await readText('-', { cwd, readStdin: () => Promise.resolve('\uFEFFx') })).toEqual({ file: '-', text: 'x' }));
  test.each<[string, Buffer | undefined, string]>([
    ['missing.yaml', undefined, 'there is no such file'],
    ['k8s', undefined, 'it is a folder'],
    ['latin.yaml', Buffer.from([0x66, 0xfc, 0x72]), 'it is not UTF-8 text'],
  ])('that cannot be had: %s', async (file, bytes, problem) => {
    if (bytes) writeFileSync(join(cwd, file), bytes);
    expect(await readText(file, { cwd })).toEqual({ problem });
  });
});
