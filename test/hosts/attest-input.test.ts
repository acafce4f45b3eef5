// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { parseAttest } from '../../src/hosts/commands/attest/parse.js';
import { actionOptions, ATTESTOR, cliOptions, DIGEST, IMAGE, issuesOf, KEY, messagesOf, VERSION_1 } from './world.js';

const CLI = ['attest', IMAGE, '--attestor', ATTESTOR, '--kms-key-version', VERSION_1];
const ACTION = { images: IMAGE, attestors: ATTESTOR, 'kms-key-versions': VERSION_1 };

const cli = (argv: readonly string[], env = {}) => parseAttest(cliOptions(argv, env), env);
const action = (inputs: Readonly<Record<string, string>>, env = {}) => parseAttest(actionOptions(inputs), env);

describe('what both hosts make of good input', () => {
  const full = {
    request: {
      images: [expect.objectContaining({ original: IMAGE, digest: DIGEST })],
      attestors: [ATTESTOR],
      multiPlatform: 'both',
      waitTimeoutMs: 300_000,
      dryRun: false,
    },
    keys: [{ kind: 'kms-key-version', version: VERSION_1 }],
    common: { environment: { endpointOverrides: {} } },
  };

  test('the defaults of the command line', () => expect(cli(CLI)).toMatchObject(full));
  test('the defaults of the Action, whose runner passes defaults as inputs', () => {
    expect(
      action({ ...ACTION, 'multi-platform': 'both', 'wait-timeout': '5m', 'no-wait': 'false', 'dry-run': 'false', project: '' }),
    ).toMatchObject(full);
  });

  test('every option on the command line', () => {
    const parsed = cli(
      [
        'attest',
        '--image=docker.io/library/nginx:1',
        IMAGE,
        '--attestor',
        'ci',
        '--attestor=qa',
        '--attestor-project',
        'my-project',
        '--kms-key',
        KEY,
        '--kms-key-version',
        VERSION_1,
        '--pgp-private-key-env',
        'PGP',
        '--pgp-passphrase-env',
        'PASS',
        '--pkix-private-key-env',
        'ONE',
        '--pkix-private-key-env',
        'TWO',
        '--project',
        'store',
        '--multi-platform',
        'index',
        '--wait-timeout',
        '90s',
        '--dry-run',
        '--access-token-env',
        'TOKEN',
      ],
      { PGP: 'pgp key', PASS: 'pass', ONE: 'key one', TWO: 'key two', TOKEN: 'token' },
    );
    expect(parsed.request).toMatchObject({
      attestors: ['projects/my-project/attestors/ci', 'projects/my-project/attestors/qa'],
      project: 'store',
      multiPlatform: 'index',
      waitTimeoutMs: 90_000,
      dryRun: true,
    });
    expect(parsed.request.images.map(({ original }) => original)).toEqual(['docker.io/library/nginx:1', IMAGE]);
    expect(parsed.keys.map(({ kind }) => kind)).toEqual(['kms-key-version', 'kms-key', 'pgp', 'pkix', 'pkix']);
    expect(
      parsed.keys.flatMap((key) =>
        key.kind === 'pgp' ? [key.key.reveal(), key.passphrase?.reveal()] : key.kind === 'pkix' ? [key.key.reveal()] : [],
      ),
    ).toEqual(['pgp key', 'pass', 'key one', 'key two']);
    expect(parsed.common.accessToken?.reveal()).toBe('token');
  });

  test('every input of the Action, lists by line', () => {
    const parsed = action({
      images: `  ${IMAGE}\n\n docker.io/library/nginx:1  \r\n`,
      attestors: 'ci\nqa',
      'attestor-project': 'my-project',
      'kms-keys': KEY,
      'kms-key-versions': `${VERSION_1}\n`,
      'pgp-private-key': 'pgp key\n',
      'pgp-passphrase': ' pass ',
      'pkix-private-key': 'pkix',
      project: 'store',
      'multi-platform': 'children',
      'no-wait': 'True',
      'dry-run': 'TRUE',
      'access-token': 'token',
    });
    expect(parsed.request).toMatchObject({
      attestors: ['projects/my-project/attestors/ci', 'projects/my-project/attestors/qa'],
      project: 'store',
      multiPlatform: 'children',
      waitTimeoutMs: undefined,
      dryRun: true,
    });
    expect(parsed.request.images.map(({ original }) => original)).toEqual([IMAGE, 'docker.io/library/nginx:1']);
    expect(parsed.keys.flatMap((key) => (key.kind === 'pgp' ? [key.key.reveal(), key.passphrase?.reveal()] : []))).toEqual([
      'pgp key',
      ' pass ',
    ]);
  });

  test('what is given twice counts once', () => {
    const parsed = cli(
      [
        ...CLI,
        IMAGE,
        '--attestor',
        ATTESTOR,
        '--kms-key-version',
        VERSION_1,
        '--project',
        'a',
        '--project',
        'a',
        '--pkix-private-key-env',
        'A',
        '--pkix-private-key-env',
        'B',
      ],
      { A: 'same', B: 'same' },
    );
    expect([parsed.request.images.length, parsed.request.attestors.length, parsed.keys.length]).toEqual([1, 1, 2]);
  });

  test('what is given under two spellings counts once', () => {
    const parsed = cli([
      ...CLI,
      '--attestor',
      'ci',
      '--attestor-project',
      'my-project',
      `https://${IMAGE}`,
      `${IMAGE.replace('us-docker', 'US-DOCKER')}`,
    ]);
    expect([parsed.request.images.length, parsed.request.attestors]).toEqual([1, [ATTESTOR]]);
  });

  test.each([
    ['0s', 0],
    ['500ms', 500],
    ['24h', 86_400_000],
  ])('a wait timeout of %s', (text, ms) => {
    expect(cli([...CLI, '--wait-timeout', text]).request.waitTimeoutMs).toBe(ms);
  });
});

describe('what is wrong with input, in the spelling of the host', () => {
  const without = (...names: string[]) => Object.fromEntries(Object.entries(ACTION).filter(([name]) => !names.includes(name)));
  test.each<[string, () => unknown, RegExp]>([
    ['no image', () => cli(['attest', ...CLI.slice(2)]), /^IMAGE: expected at least one image, got none$/],
    ['no images', () => action(without('images')), /^input images: expected at least one image, got none$/],
    ['a short image', () => cli([...CLI, 'nginx']), /^IMAGE: expected registry\/.*a registry host must come first.*got "nginx"$/],
    [
      'an image with a bad digest',
      () => action({ ...ACTION, images: 'docker.io/library/nginx@sha256:12' }),
      /^input images: .*64 hex digits/,
    ],
    ['no attestor', () => action(without('attestors')), /^input attestors: expected at least one, got none$/],
    [
      'neither tag nor digest',
      () => cli([...CLI, 'gcr.io/p/app']),
      /^IMAGE: .*\(it has neither a tag nor a digest, and "latest" is never assumed\), got "gcr\.io\/p\/app"$/,
    ],
    ['neither tag nor digest', () => action({ ...ACTION, images: 'gcr.io/p/app' }), /^input images: .*neither a tag nor a digest/],
    [
      'a short attestor',
      () => cli([...CLI, '--attestor', 'qa']),
      /^--attestor: expected projects\/PROJECT\/attestors\/NAME, or NAME together with --attestor-project, got "qa"$/,
    ],
    [
      'a short attestor',
      () => action({ ...ACTION, attestors: 'qa' }),
      /^input attestors: .* together with input attestor-project, got "qa"$/,
    ],
    [
      'another resource as attestor',
      () => cli([...CLI, '--attestor', 'projects/p/notes/n', '--attestor-project', 'p']),
      /^--attestor: .*got "projects\/p\/notes\/n"$/,
    ],
    ['a project number', () => cli([...CLI, '--project', '123456']), /^--project: expected a project id, got "123456"$/],
    ['an empty project', () => cli([...CLI, '--project=']), /^--project: expected a project id, got nothing$/],
    ['two projects', () => cli([...CLI, '--project', 'a', '--project', 'b']), /^--project: expected one value, got "a" and "b"$/],
    [
      'no key',
      () => cli(CLI.slice(0, 4)),
      /^--kms-key-version, --kms-key, --pgp-private-key-env, --pkix-private-key-env: expected at least one key, got none$/,
    ],
    [
      'no key',
      () => action(without('kms-key-versions')),
      /^input kms-key-versions, input kms-keys, input pgp-private-key, input pkix-private-key: expected at least one key/,
    ],
    ['a key as its version', () => cli([...CLI, '--kms-key-version', KEY]), /^--kms-key-version: expected .*\/cryptoKeyVersions\/V, got/],
    ['a version as its key', () => action({ ...ACTION, 'kms-keys': VERSION_1 }), /^input kms-keys: expected .*\/cryptoKeys\/K, got/],
    [
      'a passphrase alone',
      () => cli([...CLI, '--pgp-passphrase-env', 'PASS'], { PASS: 'pass' }),
      /^--pgp-passphrase-env: expected --pgp-private-key-env beside it, got none$/,
    ],
    [
      'a passphrase alone',
      () => action({ ...ACTION, 'pgp-passphrase': 'pass' }),
      /^input pgp-passphrase: expected input pgp-private-key beside it/,
    ],
    [
      'two passphrases',
      () => cli([...CLI, '--pgp-private-key-env', 'A', '--pgp-passphrase-env', 'A', '--pgp-passphrase-env', 'B'], { A: 'x', B: 'y' }),
      /^--pgp-passphrase-env: expected one variable, got 2$/,
    ],
    [
      'a bad duration',
      () => cli([...CLI, '--wait-timeout', '5']),
      /^--wait-timeout: expected a duration such as 500ms, 30s, 5m or 24h, got "5"$/,
    ],
    [
      'a bad choice',
      () => action({ ...ACTION, 'multi-platform': 'all' }),
      /^input multi-platform: expected one of both, index, children, got "all"$/,
    ],
    ['a bad flag', () => action({ ...ACTION, 'dry-run': 'yes' }), /^input dry-run: expected true or false, got "yes"$/],
    [
      'a bad flag that the command itself never reads',
      () => action({ ...ACTION, summary: 'on' }),
      /^input summary: expected true or false, got "on"$/,
    ],
    ['a bad output format', () => cli([...CLI, '--output', 'yaml']), /^--output: expected one of text, json, got "yaml"$/],
    [
      'waiting and not waiting',
      () => cli([...CLI, '--no-wait', '--wait-timeout', '1m']),
      /^--wait-timeout and --no-wait: expected one of the two, got both$/,
    ],
    [
      'waiting and not waiting in the Action',
      () => action({ ...ACTION, 'no-wait': 'true', 'wait-timeout': '1m' }),
      /^input wait-timeout and input no-wait: expected one of the two, got both$/,
    ],
    ['a bad environment', () => cli(CLI, { BINAUTHZ_EMULATOR_HOST: '10.0.0.1:80' }), /^BINAUTHZ_EMULATOR_HOST: expected 127\.0\.0\.1:PORT/],
  ])('%s', (_, parse, message) => {
    const issues = issuesOf(parse);
    expect(issues.map((issue) => issue.message)).toEqual([expect.stringMatching(message)]);
    expect(issues.map(({ code, exitCode, hint }) => [code, exitCode, hint])).toEqual([['INVALID_INPUT', 2, expect.stringMatching(/\S/)]]);
  });

  test('the default beside --no-wait is no contradiction: the orb passes it to every run', () =>
    expect(cli([...CLI, '--no-wait', '--wait-timeout=5m']).request.waitTimeoutMs).toBeUndefined());

  test.each([
    [['--kms-key-version', `//cloudkms.googleapis.com/v1/${VERSION_1}`], 'leave out //cloudkms.googleapis.com/v1/ before projects/'],
    [['--kms-key', `gcpkms://${KEY}`], 'leave out gcpkms:// before projects/'],
    [['--attestor', 'projects/123/attestors/ci'], expect.stringContaining('gcloud projects list')],
    [['--project='], expect.stringContaining('unset or empty')],
    [['--wait-timeout', '5'], 'binauthz attest --help'],
  ])('%j has a next step of its own', (words, hint) => {
    expect(issuesOf(() => cli([...CLI, ...words])).map((issue) => issue.hint)).toEqual([hint]);
  });

  test('all of it at once, each thing once', () => {
    const messages = messagesOf(() =>
      cli(['attest', 'nginx', 'nginx', '--attestor', 'qa', '--wait-timeout', 'soon', '--multi-platform', 'all', '--bogus', '--project'], {
        BINAUTHZ_EMULATOR_HOST: 'x',
      }),
    );
    expect(messages.map((message) => message.split(':')[0])).toEqual([
      'unknown option of binauthz attest',
      '--project',
      'IMAGE',
      '--attestor',
      '--kms-key-version, --kms-key, --pgp-private-key-env, --pkix-private-key-env',
      '--multi-platform',
      '--wait-timeout',
      'BINAUTHZ_EMULATOR_HOST',
    ]);
  });

  test('a bad attestor project is one issue, not one for each attestor', () => {
    expect(messagesOf(() => cli([...CLI, '--attestor', 'a', '--attestor', 'b', '--attestor-project', '12']))).toEqual([
      '--attestor-project: expected a project id, got "12"',
    ]);
  });

  test.each([[{ ...ACTION, images: '' }], [{ ...ACTION, images: 'us-docker.pkg.dev/p/r/app@' }], [{ ...ACTION, images: `@${DIGEST}` }]])(
    'an image that masking emptied names the cause: %j',
    (inputs) => {
      expect(issuesOf(() => action(inputs))[0]?.hint).toMatch(/Skip output .* since it may contain secret.*bare digest/);
    },
  );
});

describe('secrets', () => {
  test.each<[string, Record<string, string>, RegExp]>([
    ['unset', {}, /^--pkix-private-key-env: expected the name of a variable that holds the secret, got SIGNING_KEY, which is not set$/],
    ['empty', { SIGNING_KEY: '' }, /got SIGNING_KEY, which is empty$/],
    ['blank', { SIGNING_KEY: ' \n' }, /got SIGNING_KEY, which is empty$/],
  ])('a variable that is %s', (_, env, message) => {
    expect(messagesOf(() => cli([...CLI.slice(0, 4), '--pkix-private-key-env', 'SIGNING_KEY'], env))).toEqual([
      expect.stringMatching(message),
    ]);
  });

  test.each([
    ['in two lines', 'ya29.first\nsecretbody'],
    ['with a space', 'tok secretbody'],
    ['as JSON', '{"access_token": "secretbody"}'],
    ['with special letters', 'secretbodyü'],
  ])('an access token %s is refused, and not shown', (_, token) => {
    for (const issues of [
      issuesOf(() => cli([...CLI, '--access-token-env', 'TOKEN'], { TOKEN: token })),
      issuesOf(() => action({ ...ACTION, 'access-token': token })),
    ]) {
      expect(issues.map(({ message }) => message)).toEqual([
        expect.stringMatching(/access-token(?:-env)?: expected one access token, a single word, got a text with/),
      ]);
      expect(JSON.stringify(issues.map(({ message, hint }) => [message, hint]))).not.toContain('secretbody');
    }
  });

  const ARMORED = '-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQOYBGsecretbody0123456789\n=abcd\n-----END PGP PRIVATE KEY BLOCK-----';
  test.each<[string, string[]]>([
    ['armored, in place of a name', ['--pgp-private-key-env', ARMORED]],
    ['armored, attached', [`--pgp-private-key-env=${ARMORED}`]],
    ['armored, unquoted', ['--pgp-private-key-env', ...ARMORED.split(/\s+/)]],
    ['base64, in place of a name', ['--pkix-private-key-env', 'c2VjcmV0Ym9keTAxMjM0NTY3ODk=']],
    ['base64 in lines, unquoted', ['--pkix-private-key-env', 'c2VjcmV0Ym9keTAxMjM0NTY3/ODk', 'secretbody0123456789']],
    ['under the Action’s name', ['--pgp-private-key', 'secretbody0123456789']],
    ['under the Action’s name, in lines', ['--pgp-private-key', 'c2VjcmV0', 'secretbody0123456789']],
    ['a passphrase that looks like a name', ['--pgp-private-key-env', 'K', '--pgp-passphrase-env', 'secretbody0123456789']],
  ])('a key on the command line is never repeated: %s', (_, words) => {
    const issues = issuesOf(() => cli(['attest', IMAGE, '--attestor', ATTESTOR, ...words], { K: 'key' }));
    expect(issues.length).toBeGreaterThan(0);
    expect(JSON.stringify(issues.map(({ message, hint, resource }) => [message, hint, resource]))).not.toMatch(/secretbody|c2VjcmV0/);
  });
});
