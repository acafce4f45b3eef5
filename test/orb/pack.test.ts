// SPDX-License-Identifier: Apache-2.0
// The packer keeps CircleCI's rules, and what it packs is a valid orb by a strict schema of the 2.1 configuration.
import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { expandCommand, expandJob, packOrb, packText, problemsOf, ROOT, type Component, type FlatStep, type Orb } from '../support/orb.js';
import { run } from '../support/spawn.js';

let folder: string;
let text: string;
let orb: Orb;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'binauthz-pack-'));
  text = await packText();
  orb = parse(text, { version: '1.1' }) as Orb;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const script = (name: string): Promise<string> => readFile(join(ROOT, 'orb/scripts', name), 'utf8');

/** A folder with the files of an orb that packs, with some of them changed; null takes a file away. */
async function sourceWith(changes: Readonly<Record<string, string | null>>): Promise<string> {
  const files: Readonly<Record<string, string | null>> = {
    '@orb.yml': 'version: 2.1\ndescription: A small orb.\ndisplay: { source_url: "https://example.com" }\n',
    'commands/install.yml': [
      'description: Installs.',
      'parameters:',
      ...['version', 'url', 'sha256'].map((name) => `  ${name}: { description: The ${name}., type: string, default: "" }`),
      'steps:',
      '  - run:',
      '      name: Install',
      '      environment:',
      ...['version', 'url', 'sha256'].map((name) => `        X_${name.toUpperCase()}: << parameters.${name} >>`),
      '      command: <<include(scripts/install.sh)>>',
      '',
    ].join('\n'),
    'scripts/install.sh': 'cat <<EOF\n<< parameters.version >>\nEOF\n',
    ...changes,
  };
  const source = await mkdtemp(join(folder, 'source-'));
  for (const [path, content] of Object.entries(files)) {
    if (content === null) continue;
    await mkdir(dirname(join(source, path)), { recursive: true });
    await writeFile(join(source, path), content);
  }
  return source;
}

const packWith = async (changes: Readonly<Record<string, string | null>>, ...args: readonly string[]): Promise<string> =>
  packText(['--source', await sourceWith(changes), ...args]);

describe('the packed orb', () => {
  it('is valid', () => expect(problemsOf(orb)).toEqual([]));

  it('is the same every time', async () => expect(await packText()).toBe(text));

  it('means the same in YAML 1.1, which CircleCI reads, and in YAML 1.2', () => {
    expect(parse(text, { version: '1.2' })).toEqual(orb);
    expect(JSON.stringify(orb.commands['attest']?.parameters?.['check'])).toContain('"enum":["off","warn","enforce"],"default":"off"');
  });

  it('has a folder each, whole', async () => {
    for (const name of ['commands', 'jobs', 'executors', 'examples'] as const)
      expect(Object.keys(orb[name]).map((key) => `${key}.yml`)).toEqual((await readdir(join(ROOT, 'orb', name))).sort());
  });

  it('starts with the licence, and is far from CircleCI’s limit of 8 MB', () => {
    expect(text.split('\n')[0]).toBe('# SPDX-License-Identifier: Apache-2.0');
    expect(text.length).toBeLessThan(256 * 1024);
  });

  it('lies where git does not see it', async () =>
    expect((await readFile(join(ROOT, '.gitignore'), 'utf8')).split('\n')).toEqual(expect.arrayContaining(['/build/'])));

  it.each([
    ['install', 'install.sh', {}],
    ['setup_oidc', 'setup_oidc.sh', {}],
    ['cleanup_oidc', 'cleanup_oidc.sh', {}],
    ['attest', 'run.sh', { images: 'i', attestors: 'a' }],
    ['check', 'run.sh', { project: 'p' }],
  ])('runs, in %s, %s as it is written', async (command, name, args) => {
    const [step] = expandCommand(orb, command, args);
    expect(step?.keys['command']).toBe(await script(name));
  });
});

describe('parameters and scripts', () => {
  const environmentOf = (component: Component): Record<string, string> => {
    const [step] = component.steps ?? [];
    return ((step as { run: { environment?: Record<string, string> } }).run.environment ?? {}) as Record<string, string>;
  };

  it('meet in the environment only, under the name of the parameter', () => {
    for (const [name, command] of Object.entries(orb.commands)) {
      const verb = ['attest', 'audit', 'check'].includes(name) ? { BINAUTHZ_VERB: name } : {};
      const parameters = Object.keys(command.parameters ?? {}).filter((parameter) => parameter !== 'store_results');
      const mapped = Object.fromEntries(
        parameters.map((parameter) => [`BINAUTHZ_PARAM_${parameter.toUpperCase()}`, `<< parameters.${parameter} >>`]),
      );
      expect([name, environmentOf(command)]).toEqual([name, { ...verb, ...mapped }]);
    }
  });

  it('no script reads a parameter that its commands do not have', async () => {
    for (const [name, command] of Object.entries(orb.commands)) {
      const [step] = command.steps ?? [];
      const { command: text } = (step as { run: { command: string } }).run;
      const code = text.replace(/^\s*#.*$/gm, '');
      const read = [...code.matchAll(/\bBINAUTHZ_PARAM_([A-Z][A-Z0-9_]*)/g)].map(([, parameter]) => parameter?.toLowerCase());
      const known = Object.keys(command.parameters ?? {});
      expect([name, read.filter((parameter) => !known.includes(parameter ?? ''))]).toEqual([name, []]);
    }
  });

  it('no run step has a command of its own', async () => {
    for (const place of ['commands', 'jobs'])
      for (const name of await readdir(join(ROOT, 'orb', place))) {
        const source = await readFile(join(ROOT, 'orb', place, name), 'utf8');
        const commands = source.split('\n').filter((line) => /^\s*(- )?command:/.test(line));
        expect(commands.filter((line) => !/command: <<include\(scripts\/\w+\.sh\)>>$/.test(line))).toEqual([]);
        expect(commands.length).toBe(source.split('\n').filter((line) => /^\s*- run\b/.test(line)).length);
      }
  });

  it('no script has a parameter of CircleCI or an eval in it', async () => {
    for (const name of await readdir(join(ROOT, 'orb/scripts'))) {
      const lines = (await script(name)).split('\n').filter((line) => !line.trim().startsWith('#'));
      expect(lines.filter((line) => /<<\s*(parameters|pipeline|include)\b|\beval\b/.test(line))).toEqual([]);
    }
  });
});

describe('the jobs', () => {
  const OPTIONS: Readonly<Record<string, Record<string, unknown>>> = {
    attest: { images: 'i', attestors: 'a' },
    check: { project: 'p' },
    gate: { project: 'p', deploy_steps: [{ run: { name: 'Deploy', command: 'echo deployed' } }] },
  };
  const names = (steps: readonly FlatStep[]): readonly string[] => steps.map(({ type, keys }) => String(keys['name'] ?? type));

  it.each(Object.keys(OPTIONS))('%s removes the token in a last step that always runs', (job) => {
    const { steps } = expandJob(orb, job, { ...OPTIONS[job], use_oidc: true });
    expect(steps.at(-1)).toMatchObject({ type: 'run', keys: { name: 'Remove the OIDC credentials', when: 'always' } });
    expect(names(steps).indexOf('Set up credentials from the OIDC token')).toBe(1);
    expect(names(expandJob(orb, job, OPTIONS[job]).steps).filter((name) => name.includes('OIDC'))).toEqual([]);
  });

  it('gate deploys after the check, by steps that a failed step stops', () => {
    const { steps } = expandJob(orb, 'gate', OPTIONS['gate']);
    expect(names(steps)).toEqual([
      'Install binauthz',
      'Check images against Binary Authorization',
      'store_artifacts',
      'store_test_results',
      'Deploy',
    ]);
    const [, check, , , deploy] = steps;
    for (const step of [check, deploy]) expect(step?.keys['when'] ?? 'on_success').toBe('on_success');
  });

  it('store the results of the check and its verdicts', () => {
    const { steps } = expandJob(orb, 'check', { ...OPTIONS['check'], results_dir: 'out' });
    expect(steps.filter(({ type }) => type.startsWith('store_'))).toEqual([
      { type: 'store_artifacts', keys: { path: 'out', destination: 'binauthz' } },
      { type: 'store_test_results', keys: { path: 'out/junit' } },
    ]);
    expect(names(expandCommand(orb, 'check', { project: 'p', store_results: false }))).toEqual([
      'Check images against Binary Authorization',
    ]);
  });

  it('hand booleans on as 1 and 0, and texts as they are', () => {
    const images = '  a "b" $(c)\n<< not';
    const environment = expandJob(orb, 'check', { project: 'p', strict: true, images }).steps[1]?.keys['environment'];
    expect(environment).toMatchObject({ BINAUTHZ_VERB: 'check', BINAUTHZ_PARAM_STRICT: '1', BINAUTHZ_PARAM_IMAGES: images });
    expect(expandCommand(orb, 'install')[0]?.keys['environment']).toMatchObject({ BINAUTHZ_PARAM_FORCE_INSTALL: '0' });
  });

  it('run on the executor that the caller names, with its parameters', () => {
    const image = (executor: unknown): unknown =>
      expandJob(orb, 'check', { project: 'p', ...(executor === undefined ? {} : { executor }) }).executor;
    expect(image(undefined)).toEqual({ docker: [{ image: 'cimg/node:24.18.0' }] });
    expect(image({ name: 'default', tag: '22.9.0' })).toEqual({ docker: [{ image: 'cimg/node:22.9.0' }] });
    expect(() => image('elsewhere')).toThrow('there is no executor elsewhere');
  });
});

describe('the packer', () => {
  it('escapes what CircleCI would take for its own', async () => {
    const small = parse(await packWith({}), { version: '1.1' }) as Orb;
    expect(problemsOf(small)).toEqual([]);
    expect(expandCommand(small, 'install')[0]?.keys['command']).toBe('cat <<EOF\n<< parameters.version >>\nEOF\n');
  });

  const INSTALL = 'description: Installs.\nparameters:\n  version: { description: V., type: string, default: "" }\nsteps:\n';
  it.each<[string, Record<string, string | null>, string]>([
    [
      'an include with text around it',
      { 'commands/b.yml': `${INSTALL}  - run: { name: B, command: "x <<include(scripts/install.sh)>>" }\n` },
      'entire value',
    ],
    [
      'two includes in a value',
      { 'commands/b.yml': `${INSTALL}  - run: { name: B, command: "<<include(scripts/install.sh)>><<include(scripts/install.sh)>>" }\n` },
      'more than one include',
    ],
    [
      'a missing file',
      { 'commands/b.yml': `${INSTALL}  - run: { name: B, command: "<<include(scripts/no.sh)>>" }\n` },
      'could not open scripts/no.sh',
    ],
    ['a file outside', { 'commands/b.yml': `${INSTALL}  - run: { name: B, command: "<<include(../../../etc/passwd)>>" }\n` }, 'outside'],
    [
      'an include in a form of its own',
      { 'commands/b.yml': `${INSTALL}  - run: { name: B, command: "<<include(scripts/in-stall.sh)>>" }\n` },
      'nothing replaces',
    ],
    [
      'an include in an example',
      { 'examples/b.yml': 'description: B.\nusage: { x: "<<include(scripts/install.sh)>>" }\n' },
      'nothing replaces',
    ],
    ['a script that nothing includes', { 'scripts/other.sh': 'true\n' }, 'scripts/other.sh: no component includes this'],
    ['a folder that nothing packs', { 'tests/a.bats': '' }, 'tests: nothing packs this'],
    ['a file of another kind', { 'commands/README.md': '' }, 'README.md: expected files NAME.yml'],
    ['components in @orb.yml', { '@orb.yml': 'version: 2.1\ncommands: {}\n' }, 'commands belongs into files of its own'],
    ['a key twice', { '@orb.yml': 'version: 2.1\nversion: 2.1\n' }, 'unique'],
    ['no @orb.yml', { '@orb.yml': null }, 'no @orb.yml'],
    [
      'a place for the version that is filled',
      { 'commands/install.yml': `${INSTALL.replace('""', '"1.0.0"')}  - run: { name: B, command: "<<include(scripts/install.sh)>>" }\n` },
      'expected a parameter version with the default ""',
    ],
  ])('refuses %s', async (_what, changes, message) => {
    await expect(packWith(changes)).rejects.toThrow(message);
  });

  describe('with a package', () => {
    let tarball: string;
    beforeAll(async () => {
      tarball = join(folder, 'binauthz-9.9.9.tgz');
      await writeFile(tarball, 'not really a package');
    });
    const URL_OF = 'https://example.com/binauthz-9.9.9.tgz';

    it('bakes its URL and its SHA-256, and always the version', async () => {
      const sha256 = createHash('sha256').update('not really a package').digest('hex');
      const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { version: string };
      const environment = (packed: Orb): unknown => expandCommand(packed, 'install')[0]?.keys['environment'];
      expect(environment(await packOrb(['--tarball', tarball, '--url', URL_OF]))).toMatchObject({
        BINAUTHZ_PARAM_VERSION: version,
        BINAUTHZ_PARAM_URL: URL_OF,
        BINAUTHZ_PARAM_SHA256: sha256,
      });
      expect(environment(orb)).toMatchObject({ BINAUTHZ_PARAM_VERSION: version, BINAUTHZ_PARAM_URL: '', BINAUTHZ_PARAM_SHA256: '' });
    });

    it.each([
      ['a URL alone', ['--url', URL_OF], 'belong together'],
      ['a URL without https', ['--tarball', 'T', '--url', 'http://example.com/a.tgz'], 'expected https'],
      ['a URL that is none', ['--tarball', 'T', '--url', 'binauthz'], 'expected an address'],
      ['a URL with a command in it', ['--tarball', 'T', '--url', 'https://example.com/$(id)'], 'no white space, quotes or $'],
      ['a file that is not there', ['--tarball', 'nowhere.tgz', '--url', URL_OF], 'there is no file nowhere.tgz'],
      ['a release without a package', ['--release'], '--release: expected --tarball and --url'],
      ['an option that it does not have', ['--sha256', 'x'], 'Unknown option'],
    ])('refuses %s', async (_what, args, message) => {
      await expect(packText(args.map((arg) => (arg === 'T' ? tarball : arg)))).rejects.toThrow(message);
    });

    it('refuses a release of a placeholder’s', async () => {
      const release = ['--release', '--tarball', tarball, '--url', URL_OF];
      const placeholder = { '@orb.yml': 'version: 2.1\ndescription: D\ndisplay: { source_url: "https://github.com/OWNER/binauthz" }\n' };
      await expect(packWith(placeholder, ...release)).rejects.toThrow('the owner is still OWNER');
      expect(await packWith({}, ...release)).toContain(URL_OF);
    });
  });
});

describe('the strict schema refuses', () => {
  type Draft = Record<string, any>; // eslint-disable-line @typescript-eslint/no-explicit-any -- a value to spoil, of no shape
  const attest = (draft: Draft): Draft => draft['commands'].attest;
  it.each<[string, (draft: Draft) => unknown, string]>([
    ['an unknown key of the orb', (draft) => (draft['aliases'] = {}), 'unknown key aliases'],
    ['another version', (draft) => (draft['version'] = 2), 'version: expected 2.1'],
    ['no source_url', (draft) => delete draft['display'].source_url, 'expected the key source_url'],
    ['an unknown key of a command', (draft) => (attest(draft)['executor'] = 'default'), 'commands.attest: unknown key executor'],
    ['an unknown key of run', (draft) => (attest(draft)['steps'][0].run.comand = 'x'), 'unknown key comand'],
    ['run without a command', (draft) => delete attest(draft)['steps'][0].run.command, 'expected the key command'],
    ['an unknown when', (draft) => (attest(draft)['steps'][0].run.when = 'sometimes'), 'expected when to be a known word'],
    ['a parameter without a type', (draft) => delete attest(draft)['parameters'].project.type, 'expected the key type'],
    ['an unknown type', (draft) => (attest(draft)['parameters'].project.type = 'list'), 'expected a type, got "list"'],
    ['a default of another type', (draft) => (attest(draft)['parameters'].no_wait.default = 'false'), 'expected boolean, got "false"'],
    ['a default that is no choice', (draft) => (attest(draft)['parameters'].check.default = 'on'), 'expected one of off, warn, enforce'],
    [
      'a choice that YAML 1.1 takes for a boolean',
      (draft) => (attest(draft)['parameters'].check.enum = [false, 'warn']),
      'enum of different texts',
    ],
    ['an enum of a text', (draft) => (attest(draft)['parameters'].project.enum = ['a']), 'with the type enum, and with no other'],
    ['an empty variable’s name', (draft) => (attest(draft)['parameters'].access_token_env.default = ''), 'expected env_var_name, got ""'],
    ['a parameter without a sentence', (draft) => (attest(draft)['parameters'].project.description = ''), 'expected a text'],
    [
      'a parameter that is not used',
      (draft) => (attest(draft)['parameters'].more = { description: 'M.', type: 'string', default: '' }),
      'more is not used',
    ],
    ['a parameter that is not declared', (draft) => delete attest(draft)['parameters'].cluster, 'the parameter cluster is not declared'],
    ['an expression that is no parameter', (draft) => (attest(draft)['steps'][0].run.name = '<< pipeline.id >>'), 'is no parameter'],
    ['a script that is not escaped', (draft) => (attest(draft)['steps'][0].run.command = 'cat <<EOF'), '<<EOF>> is no parameter'],
    ['a step that there is not', (draft) => attest(draft)['steps'].push('chekout'), 'neither a built-in step nor a command'],
    ['two steps in one', (draft) => (attest(draft)['steps'][0].checkout = {}), 'expected one step'],
    [
      'a call with an unknown parameter',
      (draft) => (draft['jobs'].check.steps[0].install.mirrors = ''),
      'the command has no parameter mirrors',
    ],
    ['a call without a required one', (draft) => delete draft['jobs'].check.steps[2].check.project, 'the parameter project is required'],
    [
      'a call with a parameter of another type',
      (draft) => (draft['jobs'].check.steps[2].check.strict = '<< parameters.project >>'),
      'project is string, expected boolean',
    ],
    ['a call with a value of another type', (draft) => (draft['jobs'].check.steps[2].check.project = 7), 'expected string, got 7'],
    [
      'a job’s parameter under a reserved name',
      (draft) => (draft['jobs'].check.parameters.context = { description: 'C.', type: 'string' }),
      'reserved name',
    ],
    ['a job without an executor', (draft) => delete draft['jobs'].check.executor, 'expected one executor'],
    ['an executor that there is not', (draft) => (draft['jobs'].check.parameters.executor.default = 'other'), 'there is no executor other'],
    ['steps of a text', (draft) => (draft['jobs'].gate.parameters.deploy_steps.type = 'string'), 'deploy_steps is not of the type steps'],
    ['an executor without an image', (draft) => (draft['executors'].default.docker = [{}]), 'expected the key image'],
    ['an environment of booleans', (draft) => (attest(draft)['steps'][0].run.environment.X = true), 'environment.X: expected a text'],
    ['a name in capitals', (draft) => (draft['commands'].Attest = attest(draft)), 'expected a name of a-z'],
    ['an example without usage', (draft) => delete draft['examples'].several_projects.usage, 'expected the key usage'],
  ])('%s', (_what, spoil, message) => {
    const draft = structuredClone(orb) as unknown as Draft;
    spoil(draft);
    expect(problemsOf(draft).join('\n')).toContain(message);
  });
});

describe('the owner', () => {
  const FILES = ['package.json', 'README.md', 'docs', 'orb', 'examples', '.circleci'];
  let version: string;
  beforeAll(async () => {
    ({ version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { version: string });
  });
  const owner = (root: string, ...args: readonly string[]): ReturnType<typeof run> =>
    run(process.execPath, [join(ROOT, 'scripts/owner.mjs'), '--root', root, ...args]);

  /** A copy of what the owner is written into, with another package.json. */
  async function copyWith(changes: Record<string, unknown>): Promise<string> {
    const root = await mkdtemp(join(folder, 'owner-'));
    for (const name of FILES) await cp(join(ROOT, name), join(root, name), { recursive: true });
    const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Record<string, unknown>;
    delete manifest['repository'];
    await writeFile(join(root, 'package.json'), JSON.stringify({ ...manifest, ...changes }));
    return root;
  }

  async function wholeText(root: string): Promise<string> {
    const inFolder = async (name: string): Promise<readonly string[]> =>
      (await readdir(join(root, name), { recursive: true, withFileTypes: true }))
        .filter((entry) => entry.isFile())
        .map((entry) => relative(root, join(entry.parentPath, entry.name)));
    const examples = (await Promise.all(['orb/examples', 'docs/guides', 'examples'].map(inFolder))).flat();
    const paths = ['README.md', 'docs/MIGRATION.md', 'docs/FIRST-HOUR.md', 'orb/@orb.yml', '.circleci/test-deploy.yml', ...examples];
    return (await Promise.all(paths.map((path) => readFile(join(root, path), 'utf8')))).join('\n');
  }

  it('is in this repository what package.json says', async () =>
    expect(await owner(ROOT, '--check')).toMatchObject({ code: 0, stderr: '' }));

  it.each(['github:Acme-1/binauthz', 'Acme-1/binauthz', { type: 'git', url: 'git+https://github.com/Acme-1/binauthz.git' }])(
    'comes from the repository %o, into everything, and goes again',
    async (repository) => {
      const root = await copyWith({});
      expect(await owner(root)).toMatchObject({ code: 0 });
      const before = await wholeText(root);
      await writeFile(join(root, 'package.json'), JSON.stringify({ version, repository }));
      expect(await owner(root, '--check')).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('README.md, docs/MIGRATION.md, orb/@orb.yml'),
      });
      expect(await owner(root)).toMatchObject({ code: 0 });
      const after = await wholeText(root);
      expect(after).not.toMatch(/\bOWNER\b/);
      expect(after).toContain('https://github.com/Acme-1/binauthz');
      expect(after).toContain('uses: Acme-1/binauthz/check@v1');
      // CircleCI's namespaces are in lower case.
      expect(after).toContain(`binauthz: acme-1/binauthz@${version}`);
      expect(after).toContain('orb_name: acme-1/binauthz');
      expect(after).toContain(`npm install --global --ignore-scripts binauthz@${version}\n`);
      expect(await owner(root, '--release')).toMatchObject({ code: 0, stderr: '' });
      await writeFile(join(root, 'package.json'), JSON.stringify({ version }));
      expect(await owner(root)).toMatchObject({ code: 0 });
      expect(await wholeText(root)).toBe(before);
    },
  );

  it('and the version of the examples is package.json’s', async () => {
    const root = await copyWith({ version: '1.2.3' });
    expect(await owner(root)).toMatchObject({ code: 0 });
    const text = await wholeText(root);
    expect(text).toContain('binauthz: OWNER/binauthz@1.2.3');
    expect(text.match(/binauthz: [\w-]+\/binauthz@(?!1\.2\.3)/g)).toBeNull();
    expect(text).toContain('uses: OWNER/binauthz@v1');
  });

  it.each([
    ['a placeholder', {}, ['--release'], 'a release takes no placeholder'],
    ['another name', { repository: 'github:acme/binary-authorization' }, [], 'its name is binary-authorization'],
    ['another host', { repository: 'https://gitlab.com/acme/binauthz' }, [], 'expected github:OWNER/binauthz'],
    ['an owner that cannot be', { repository: 'github:ac$me/binauthz' }, [], 'expected github:OWNER/binauthz'],
  ])('refuses %s', async (_what, changes, args, message) => {
    expect(await owner(await copyWith(changes), ...args)).toMatchObject({ code: 1, stderr: expect.stringContaining(message) });
  });
});
