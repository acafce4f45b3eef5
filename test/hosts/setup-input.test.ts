// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateKey } from 'openpgp';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { parseSetup, type ParsedSetup } from '../../src/hosts/commands/setup/parse.js';
import { cliOptions, KEY, messagesOfAsync } from './world.js';

let cwd: string;
beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'binauthz-setup-'));
  const keys = await generateKey({ type: 'ecc', curve: 'ed25519Legacy', userIDs: [{ name: 'CI' }], format: 'armored' });
  const past = { date: new Date(Date.now() - 2 * 86_400_000), keyExpirationTime: 86_400 };
  const expired = await generateKey({ type: 'ecc', curve: 'ed25519Legacy', userIDs: [{ name: 'CI' }], format: 'armored', ...past });
  await Promise.all([
    writeFile(join(cwd, 'built.asc'), keys.publicKey),
    writeFile(join(cwd, 'secret.asc'), keys.privateKey),
    writeFile(join(cwd, 'expired.asc'), expired.publicKey),
    writeFile(join(cwd, 'text.asc'), 'hello'),
    writeFile(join(cwd, 'empty.yaml'), ''),
    writeFile(join(cwd, 'broken.yaml'), 'a: ['),
    writeFile(
      join(cwd, 'good.yaml'),
      'defaultAdmissionRule: { evaluationMode: ALWAYS_DENY, enforcementMode: ENFORCED_BLOCK_AND_AUDIT_LOG }\n',
    ),
    writeFile(
      join(cwd, 'other.json'),
      JSON.stringify({
        name: 'projects/staging/policy',
        defaultAdmissionRule: { evaluationMode: 'ALWAYS_DENY', enforcementMode: 'ENFORCED_BLOCK_AND_AUDIT_LOG' },
      }),
    ),
    writeFile(
      join(cwd, 'bad.yaml'),
      'defaultAdmissionRule: { evaluationMode: SOMETIMES, enforcementMode: ENFORCED_BLOCK_AND_AUDIT_LOG }\nfoo: 1\n',
    ),
  ]);
});
afterAll(() => rm(cwd, { recursive: true, force: true }));

const parse = (...argv: string[]): Promise<ParsedSetup> =>
  parseSetup(cliOptions(['setup', ...argv]), {}, { cwd, readStdin: () => Promise.resolve('') });
const NAMES = ['--project', 'prod', '--attestor', 'built', '--attestor-project', 'security', '--note', 'built'];
const WITH_KEY = [...NAMES, '--kms-key', KEY];

describe('a request', () => {
  it('has names in the projects that they default to', async () => {
    expect((await parse(...WITH_KEY)).request).toEqual({
      apply: false,
      desired: {
        project: 'prod',
        attestor: 'projects/security/attestors/built',
        note: 'projects/security/notes/built',
        key: { kind: 'kms', key: KEY },
        attestationProject: 'security',
        signers: [],
        dryRunRollout: false,
        allowWeakening: false,
      },
    });
  });

  it('takes everything', async () => {
    const channel = 'projects/prod/notificationChannels/7';
    const more = [
      '--note',
      'projects/notes/notes/n',
      '--attestation-project',
      'store',
      '--signer',
      'serviceAccount:ci@p.iam.gserviceaccount.com',
    ];
    const flags = ['--policy', 'good.yaml', '--allow-weakening', '--monitoring', '--notification-channel', channel, '--apply'];
    const { request } = await parse(...NAMES.slice(0, 6), '--pgp-public-key-file', 'built.asc', ...more, ...flags);
    expect(request).toMatchObject({
      apply: true,
      desired: {
        note: 'projects/notes/notes/n',
        attestationProject: 'store',
        signers: ['serviceAccount:ci@p.iam.gserviceaccount.com'],
        key: { kind: 'pgp', file: 'built.asc', fingerprint: expect.stringMatching(/^[0-9A-F]{40}$/) },
        policy: { file: 'good.yaml', document: { defaultAdmissionRule: { evaluationMode: 'ALWAYS_DENY' } } },
        allowWeakening: true,
        monitoring: { channels: [channel] },
      },
    });
  });

  test.each([
    'principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/subject/s',
    'user:a@example.com',
    'group:g@example.com',
  ])('takes the signer %s', async (signer) =>
    expect((await parse(...WITH_KEY, '--signer', signer)).request.desired.signers).toEqual([signer]),
  );
});

describe('input errors', () => {
  test.each<[string, string[], RegExp[]]>([
    [
      'everything missing',
      [],
      [
        /--project: expected a value, got none/,
        /--attestor: expected at least one, got none/,
        /--note: expected a value, got none/,
        /--kms-key or --pgp-public-key-file: expected exactly one of them, got none/,
      ],
    ],
    ['two keys', [...WITH_KEY, '--pgp-public-key-file', 'built.asc'], [/expected exactly one of them, got both/]],
    [
      'two attestors',
      [...WITH_KEY, '--attestor', 'projects/security/attestors/qa'],
      [/--attestor: expected one attestor; run once for each/],
    ],
    ['a key version', [...NAMES, '--kms-key', `${KEY}/cryptoKeyVersions/1`], [/--kms-key: expected projects\/P.*cryptoKeys\/K, got/]],
    [
      'a project number in the note',
      [...WITH_KEY.filter((word, index) => WITH_KEY[index - 1] !== '--note' && word !== '--note'), '--note', 'projects/123/notes/n'],
      [/--note: expected projects\/PROJECT\/notes\/NAME/],
    ],
    ['a bare address', [...WITH_KEY, '--signer', 'ci@example.com'], [/--signer: expected serviceAccount:EMAIL.*got "ci@example.com"/]],
    ['everybody', [...WITH_KEY, '--signer', 'allUsers'], [/--signer: expected/]],
    ['a command for the shell', [...WITH_KEY, '--signer', 'serviceAccount:$(id)@x.y'], [/--signer: expected serviceAccount:EMAIL/]],
    [
      'a private key',
      [...NAMES, '--pgp-public-key-file', 'secret.asc'],
      [/exactly one armored PGP public key, got a private key in secret\.asc/],
    ],
    [
      'a key that can sign no more',
      [...NAMES, '--pgp-public-key-file', 'expired.asc'],
      [/--pgp-public-key-file: expected a key that can sign, got [0-9A-F]{40} in expired\.asc: .*expired since \d{4}-/],
    ],
    [
      'something else than a key',
      [...NAMES, '--pgp-public-key-file', 'text.asc'],
      [/exactly one armored PGP public key, got something else in text\.asc/],
    ],
    [
      'a file that is not there',
      [...NAMES, '--pgp-public-key-file', 'gone.asc'],
      [/a file that can be read, got "gone\.asc": there is no such file/],
    ],
    ['an empty policy', [...WITH_KEY, '--policy', 'empty.yaml'], [/--policy: empty\.yaml: the policy is empty/]],
    [
      'another project’s policy',
      [...WITH_KEY, '--policy', 'other.json'],
      [/name is "projects\/staging\/policy", expected projects\/prod\/policy/],
    ],
    ['a policy that the API refuses', [...WITH_KEY, '--policy', 'bad.yaml'], [/foo is not known/, /evaluationMode is "SOMETIMES"/]],
    [
      'a policy that the API refuses, of no project',
      [...WITH_KEY.slice(2), '--policy', 'bad.yaml'],
      [
        /^--project: expected a value, got none$/m,
        /^--policy: bad\.yaml: foo is not known/m,
        /^--policy: bad\.yaml: .*evaluationMode is "SOMETIMES"/m,
      ],
    ],
    [
      'a missing policy, of a bad project',
      ['--project', '12', ...WITH_KEY.slice(2), '--policy', 'gone.yaml'],
      [/^--project: expected a project id/m, /^--policy: expected a file that can be read, got "gone\.yaml"/m],
    ],
    ['some policy, of no project', [...WITH_KEY.slice(2), '--policy', 'other.json'], [/^--project: expected a value, got none$/]],
    ['a policy that is no YAML', [...WITH_KEY, '--policy', 'broken.yaml'], [/^--policy: broken\.yaml:1: expected YAML or JSON/]],
    [
      'a file and a roll-out',
      [...WITH_KEY, '--policy', 'good.yaml', '--dry-run-rollout'],
      [/--policy and --dry-run-rollout: expected one of the two, got both/],
    ],
    [
      'a channel without monitoring',
      [...WITH_KEY, '--notification-channel', 'projects/p/notificationChannels/1'],
      [/--notification-channel: expected --monitoring beside it, got none/],
    ],
    [
      'a channel that is none',
      [...WITH_KEY, '--monitoring', '--notification-channel', 'mail'],
      [/--notification-channel: expected projects\/PROJECT\/notificationChannels\/ID, got "mail"/],
    ],
    ['an image', [...WITH_KEY, 'gcr.io/p/app:1'], [/gcr\.io\/p\/app:1/]],
  ])('%s', async (_, argv, expected) => {
    const messages = await messagesOfAsync(() => parse(...argv));
    expect(messages).toHaveLength(expected.length);
    for (const pattern of expected) expect(messages.join('\n')).toMatch(pattern);
  });
});
