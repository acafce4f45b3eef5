// SPDX-License-Identifier: Apache-2.0
// The review checks of orb-tools that need no network, RC001 to RC005 and RC008 to RC012, over orb/. Stricter where the
// originals look at the first level of steps alone, or at nothing at all (RC004). Each has a twin that must fail.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { run } from '../support/spawn.js';
import { found } from '../support/tools.js';
import { ROOT } from '../support/orb.js';

type Table = Record<string, unknown>;
type Folder = 'commands' | 'jobs' | 'executors' | 'examples';

/** The files of an orb before packing. */
interface Source {
  readonly orb: Table;
  readonly files: Record<string, Table>;
}

const MAX_COMMAND = 64;

async function load(): Promise<Source> {
  const read = async (path: string): Promise<Table> => parse(await readFile(join(ROOT, 'orb', path), 'utf8')) as Table;
  const folders: readonly Folder[] = ['commands', 'jobs', 'executors', 'examples'];
  const paths = (
    await Promise.all(folders.map(async (folder) => (await readdir(join(ROOT, 'orb', folder))).map((name) => `${folder}/${name}`)))
  ).flat();
  return {
    orb: await read('@orb.yml'),
    files: Object.fromEntries(await Promise.all(paths.map(async (path) => [path, await read(path)] as const))),
  };
}

const filesIn = ({ files }: Source, ...folders: readonly Folder[]): readonly (readonly [string, Table])[] =>
  Object.entries(files).filter(([path]) => folders.some((folder) => path.startsWith(`${folder}/`)));

/** The value at each path, the value itself included. */
function* walk(value: unknown, path: readonly string[] = []): Generator<readonly [readonly string[], unknown]> {
  yield [path, value];
  if (typeof value !== 'object' || value === null) return;
  for (const [key, item] of Object.entries(value)) yield* walk(item, [...path, key]);
}

/** Every `run` step of jobs and commands, however deep. */
function runs(source: Source): readonly (readonly [string, unknown])[] {
  return filesIn(source, 'jobs', 'commands').flatMap(([path, file]) =>
    [...walk(file['steps'])].filter(([keys]) => keys.at(-1) === 'run').map(([, step]) => [path, step] as const),
  );
}

const isText = (value: unknown): value is string => typeof value === 'string' && value.trim() !== '';
const named = (failing: readonly (readonly [string, unknown])[]): readonly string[] => failing.map(([path]) => path);

/** What each check finds wrong. */
const CHECKS: Readonly<Record<string, (source: Source) => readonly string[]>> = {
  RC001: ({ orb }) => (isText((orb['display'] as Table | undefined)?.['source_url']) ? [] : ['@orb.yml']),
  RC002: (source) => named(filesIn(source, 'jobs', 'commands', 'executors', 'examples').filter(([, file]) => !isText(file['description']))),
  RC003: (source) => (filesIn(source, 'examples').length > 0 ? [] : ['examples']),
  RC004: (source) => named(filesIn(source, 'examples').filter(([path]) => path.slice('examples/'.length).includes('example'))),
  RC005: ({ orb }) => (String(orb['description'] ?? '').length >= 64 ? [] : ['@orb.yml']),
  RC008: (source) => named(runs(source).filter(([, step]) => typeof step === 'string' || !isText((step as Table)['name']))),
  RC009: (source) =>
    named(
      runs(source).filter(([, step]) => {
        if (typeof step === 'string') return true;
        const command = String((step as Table)['command'] ?? '');
        return command.length > MAX_COMMAND && !command.includes('<<include(');
      }),
    ),
  RC010: (source) =>
    filesIn(source, 'jobs', 'commands', 'executors').flatMap(([path, file]) => [
      ...(path.includes('-') ? [path] : []),
      ...Object.keys((file['parameters'] as Table | undefined) ?? {}).filter((name) => name.includes('-')),
    ]),
  RC012: (source) =>
    filesIn(source, 'jobs', 'commands', 'executors').flatMap(([path, file]) =>
      Object.entries((file['parameters'] ?? {}) as Record<string, Table>)
        .filter(([, parameter]) => /\$(?!$)/.test(String(parameter['default'] ?? '')))
        .filter(([name]) =>
          [...walk(file)].some(([keys, value]) => keys.at(-1)?.endsWith('key') && typeof value === 'string' && value.includes(name)),
        )
        .map(([name]) => `${path} ${name}`),
    ),
};

/** RC011 needs a tag: every example must pin the orb's major version. */
function rc011(source: Source, tag: string): readonly string[] {
  const major = /^v(\d+)\.\d+\.\d+$/.exec(tag)?.[1];
  if (major === undefined) return [];
  return named(
    filesIn(source, 'examples').filter(([, file]) => {
      const { orbs = {} } = file['usage'] as { orbs?: Record<string, string> };
      return orbs['binauthz']?.split('@')[1]?.split('.')[0] !== major;
    }),
  );
}

const TWINS: readonly (readonly [code: string, what: string, spoil: (source: Source) => void])[] = [
  ['RC001', 'no source_url', ({ orb }) => delete (orb['display'] as Table)['source_url']],
  ['RC002', 'a job without a description', ({ files }) => delete files['jobs/gate.yml']?.['description']],
  ['RC002', 'an executor with an empty one', ({ files }) => Object.assign(files['executors/default.yml']!, { description: '' })],
  [
    'RC003',
    'no example',
    ({ files }) => Object.keys(files).forEach((path) => path.startsWith('examples/') && Reflect.deleteProperty(files, path)),
  ],
  [
    'RC004',
    'a file called example',
    ({ files }) => Object.assign(files, { 'examples/simple_example.yml': files['examples/several_projects.yml'] }),
  ],
  ['RC005', 'a short description', ({ orb }) => Object.assign(orb, { description: 'Binary Authorization for everyone' })],
  [
    'RC008',
    'a run without a name',
    ({ files }) => Object.assign(files['commands/install.yml']!, { steps: [{ run: { command: 'true' } }] }),
  ],
  ['RC008', 'a run that is a text', ({ files }) => Object.assign(files['jobs/check.yml']!, { steps: [{ run: 'true' }] })],
  [
    'RC008',
    'a run without a name below when',
    ({ files }) =>
      Object.assign(files['jobs/check.yml']!, { steps: [{ when: { condition: true, steps: [{ run: { command: 'true' } }] } }] }),
  ],
  [
    'RC009',
    'a long command that is not included',
    ({ files }) => Object.assign(files['commands/check.yml']!, { steps: [{ run: { name: 'Check', command: 'true; '.repeat(11) } }] }),
  ],
  ['RC010', 'a file name with a dash', ({ files }) => Object.assign(files, { 'commands/setup-oidc.yml': { description: 'x', steps: [] } })],
  [
    'RC010',
    'a parameter with a dash',
    ({ files }) => Object.assign(files['commands/check.yml']!['parameters'] as Table, { 'kms-key': {} }),
  ],
  [
    'RC012',
    'a variable in a default that a key takes',
    ({ files }) =>
      Object.assign(files['commands/install.yml']!, {
        parameters: { cache: { type: 'string', default: 'v1-$CIRCLE_SHA1' } },
        steps: [{ save_cache: { key: '<< parameters.cache >>', paths: ['x'] } }],
      }),
  ],
];

let source: Source;
let version: string;
beforeAll(async () => {
  source = await load();
  ({ version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { version: string });
});

describe('the review of orb-tools', () => {
  it.each(Object.keys(CHECKS))('%s passes', (code) => expect(CHECKS[code]?.(source)).toEqual([]));

  it.each(TWINS)('%s finds %s', (code, _what, spoil) => {
    const spoilt = structuredClone(source);
    spoil(spoilt);
    expect(CHECKS[code]?.(spoilt)).not.toEqual([]);
  });

  it('RC011 passes for the version of package.json, and on anything but a release’s tag', () => {
    expect(rc011(source, `v${version}`)).toEqual([]);
    expect(rc011(source, 'nightly')).toEqual([]);
  });

  it('RC011 finds examples of another major version', () => {
    const next = `v${Number(version.split('.')[0]) + 1}.0.0`;
    expect(rc011(source, next)).toEqual(filesIn(source, 'examples').map(([path]) => path));
    const spoilt = structuredClone(source);
    Object.assign(spoilt.files['examples/attest_with_pgp.yml']!['usage'] as Table, { orbs: {} });
    expect(rc011(spoilt, `v${version}`)).toEqual(['examples/attest_with_pgp.yml']);
  });

  it('RC012 lets a $ at the very end be', () => {
    const spoilt = structuredClone(source);
    TWINS.find(([code]) => code === 'RC012')?.[2](spoilt);
    (spoilt.files['commands/install.yml']!['parameters'] as Record<string, Table>)['cache']!['default'] = 'a$';
    expect(CHECKS['RC012']?.(spoilt)).toEqual([]);
  });
});

describe('yamllint', () => {
  const lint = (...args: readonly string[]): ReturnType<typeof run> =>
    run('yamllint', ['--strict', '-c', join(ROOT, '.yamllint'), ...args]);

  it('has nothing to say about the orb and the configurations of CircleCI', async (context) => {
    if (!found('yamllint')) context.skip('yamllint is not on the PATH');
    expect(await lint(join(ROOT, 'orb'), join(ROOT, '.circleci'))).toMatchObject({ code: 0, stdout: '' });
  });

  it('would say something', async (context) => {
    if (!found('yamllint')) context.skip('yamllint is not on the PATH');
    const ended = await run('yamllint', ['--strict', '-c', join(ROOT, '.yamllint'), '-'], { stdin: 'a: 1\na: 2\n' });
    expect(ended).toMatchObject({ code: 1, stdout: expect.stringContaining('duplication of key') });
  });
});
