// SPDX-License-Identifier: Apache-2.0
// A canary key, passphrase and token appear nowhere: not on stdout and stderr, in the summary, outputs, report, temporary
// files, arguments, child environments, or in what is sent; however the run ends.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { filesIn, leaksIn, makeCanaries, needlesOf, type Canaries, type Evidence, type Needle } from '../support/canaries.js';
import { DIST } from '../support/cli.js';
import { startTestEmulator, type TestEmulator } from '../support/emulator.js';
import { installHelper } from '../support/fake-helper.js';
import { singleImage } from '../support/images.js';
import { startLoginRegistry, startRecordingProxy, type Intercept, type Recorded, type RecordingServer } from '../support/login-registry.js';
import { anyNode } from '../support/nodes.js';
import { makeRunFolder, removeRunFolders, runAction, type RunFolder } from '../support/runner.js';
import { run } from '../support/spawn.js';
import { PROJECT, Stage } from '../support/stage.js';

const APIS = ['ARTIFACTREGISTRY', 'BINARYAUTHORIZATION', 'CLOUDKMS', 'CONTAINERANALYSIS'];
const LOGIN = { user: 'robot', password: 'registry-password' };
const HOSTS = ['cli', 'action'] as const;
type HostName = (typeof HOSTS)[number];

/** What a run is given, and what happens to it. */
interface Scenario {
  readonly secrets?: (canaries: Canaries) => Partial<Secrets>;
  readonly attestors?: readonly string[];
  readonly intercept?: (canaries: Canaries) => Intercept;
  readonly preload?: string;
  readonly env?: Record<string, string>;
  /** Sends SIGINT as soon as the log says so. */
  readonly cancelAt?: string;
  /** The contract's code. */
  readonly exitCode: number;
  /** What the log must say, so that the run is known to have come that far. */
  readonly says: string | RegExp;
}

interface Secrets {
  readonly pgp: string;
  readonly passphrase: string;
  readonly pkix: string;
  readonly token: string;
}

interface RunEnded {
  readonly exitCode: number;
  readonly log: string;
  readonly evidence: readonly Evidence[];
  readonly stdout: string;
}

let emulator: TestEmulator;
let proxy: RecordingServer;
let canaries: Canaries;
let needles: readonly Needle[];
const intercept: { current: Intercept } = { current: () => false };
let seed = 0;

beforeAll(async () => {
  emulator = await startTestEmulator();
  proxy = await startRecordingProxy(emulator.host, intercept);
  canaries = await makeCanaries();
  needles = await needlesOf(canaries);
  const stage = new Stage(emulator);
  await stage.attestor('pgp', [{ asciiArmoredPgpPublicKey: canaries.pgpPublic }]);
  await stage.attestor('pkix', [
    { id: 'ni:///k', pkixPublicKey: { publicKeyPem: canaries.pkixPublic, signatureAlgorithm: 'ECDSA_P256_SHA256' } },
  ]);
  await stage.kmsAttestor('other');
});
afterAll(async () => {
  await Promise.all([proxy.close(), emulator.close()]);
  await removeRunFolders();
});

async function attest(host: HostName, scenario: Scenario): Promise<RunEnded> {
  const image = singleImage(`secret-${seed++}`);
  const registry = await startLoginRegistry(image, LOGIN);
  const folder = await makeRunFolder();
  intercept.current = scenario.intercept?.(canaries) ?? (() => false);
  proxy.requests.length = 0;
  try {
    const helper = await installHelper(
      folder,
      registry.host,
      `echo '::warning::helper speaks' >&2\necho '{"Username":"${LOGIN.user}","Secret":"${LOGIN.password}"}'`,
    );
    const overrides = Object.fromEntries(APIS.map((api) => [`CLOUDSDK_API_ENDPOINT_OVERRIDES_${api}`, `http://${proxy.host}/`]));
    const given = { ...canaries, ...scenario.secrets?.(canaries) };
    const attestors = (scenario.attestors ?? ['pgp', 'pkix']).map((id) => `projects/${PROJECT}/attestors/${id}`);
    const start = host === 'cli' ? startCli : startAction;
    const ended = await start({
      folder,
      scenario,
      given,
      attestors,
      image: `${registry.host}/team/app@${image.digest}`,
      env: { ...overrides, ...helper.env, ...scenario.env },
    });
    const requests = [...proxy.requests, ...registry.requests].map((request) => ({
      where: `request ${request.method} ${request.url}`,
      text: sent(request),
    }));
    return { ...ended, evidence: [...ended.evidence, ...(await filesIn(folder.root)), ...requests] };
  } finally {
    await registry.close();
  }
}

/** A request without the one place where a token belongs. */
function sent({ url, headers, body }: Recorded): string {
  return [url, JSON.stringify({ ...headers, authorization: undefined }), body].join('\n');
}

interface Start {
  readonly folder: RunFolder;
  readonly scenario: Scenario;
  readonly given: Secrets;
  readonly attestors: readonly string[];
  readonly image: string;
  readonly env: Record<string, string>;
}

function canceller(scenario: Scenario): (text: string, kill: (signal: NodeJS.Signals) => void) => void {
  let isSent = false;
  return (text, kill) => {
    if (isSent || scenario.cancelAt === undefined || !text.includes(scenario.cancelAt)) return;
    isSent = true;
    kill('SIGINT');
  };
}

/** Keeps the environment that libraries and other children would have seen, and does what the scenario wants. */
function preloadOf({ preload = '' }: Scenario, stream: 'stdout' | 'stderr'): string {
  return `process.on('exit', () => require('node:fs').writeFileSync(require('node:path').join(require('node:os').tmpdir(), 'env-at-exit'), JSON.stringify(process.env)));
${preload.replaceAll('STREAM', stream)}`;
}

async function startCli({ folder, scenario, given, attestors, image, env }: Start): Promise<RunEnded> {
  const preload = join(folder.root, 'preload.cjs');
  await writeFile(preload, preloadOf(scenario, 'stderr'));
  const args = [
    `${DIST}/cli/index.js`,
    'attest',
    image,
    ...attestors.flatMap((name) => ['--attestor', name]),
    '--pgp-private-key-env',
    'K',
    '--pgp-passphrase-env',
    'P',
    '--pkix-private-key-env',
    'X',
    '--access-token-env',
    'T',
    '--output',
    'json',
    '--verbose',
  ];
  const ended = await run(anyNode.path, args, {
    cwd: folder.workspace,
    env: {
      HOME: folder.home,
      TMPDIR: folder.tmp,
      K: given.pgp,
      P: given.passphrase,
      X: given.pkix,
      T: given.token,
      NODE_OPTIONS: `--require=${preload}`,
      ...env,
    },
    onStderr: canceller(scenario),
  });
  const evidence = [
    { where: 'stdout', text: ended.stdout },
    { where: 'stderr', text: ended.stderr },
  ];
  return { exitCode: ended.code ?? -1, log: ended.stderr, stdout: ended.stdout, evidence };
}

async function startAction({ folder, scenario, given, attestors, image, env }: Start): Promise<RunEnded> {
  const inputs = {
    images: image,
    attestors: attestors.join('\n'),
    'pgp-private-key': given.pgp,
    'pgp-passphrase': given.passphrase,
    'pkix-private-key': given.pkix,
    'access-token': given.token,
  };
  const ended = await runAction({
    folder,
    inputs,
    env: { RUNNER_DEBUG: '1', ...env },
    onLog: canceller(scenario),
    preload: preloadOf(scenario, 'stdout'),
  });
  const unmasked = ended.stdout
    .split('\n')
    .filter((line) => !line.startsWith('::add-mask::'))
    .join('\n');
  const evidence = [
    { where: 'stdout', text: unmasked },
    { where: 'stderr', text: ended.stderr },
  ];
  expect(ended.code).toBe(ended.outputs['exit-code'] === '0' ? 0 : 1);
  return {
    exitCode: Number(ended.outputs['exit-code']),
    log: ended.commands.map(({ data }) => data).join('\n') + ended.log,
    stdout: ended.stdout,
    evidence,
  };
}

const body = (key: string): readonly string[] => key.split('\n').filter((line) => line !== '' && !line.includes('-----'));
const withoutMiddle = (key: string): string =>
  key
    .split('\n')
    .filter((line, index) => index !== 4 || line.includes('-----'))
    .join('\n')
    .replace(/[A-Za-z]{3}\n=/, '\n=');
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const escaped = (text: string): string => text.trim().replaceAll('\n', '\\n');

/** Answers with everything that it was sent. */
const echo =
  (status: number, path: RegExp, times = Infinity) =>
  (): Intercept => {
    let left = times;
    return (request, response) => {
      if (!path.test(request.url) || left-- <= 0) return false;
      const message = `echo: ${request.url} ${JSON.stringify(request.headers)} ${request.body.slice(0, 300)}`;
      response
        .writeHead(status, { 'content-type': 'application/json' })
        .end(JSON.stringify({ error: { code: status, message, status: 'ANY' } }));
      return true;
    };
  };

/** Throws as soon as the run says that it posts, with every secret still in memory. */
const CRASH = `const { write } = process.STREAM;
  process.STREAM.write = function (text, ...rest) {
    if (String(text).includes('Posting')) process.nextTick(() => { throw 'crashed'; });
    return write.call(this, text, ...rest);
  }`;

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'a success': { exitCode: 0, says: 'posted projects/' },
  'a success with keys in base64': {
    secrets: ({ pgp, pkix }) => ({ pgp: base64(pgp), pkix: base64(pkix) }),
    exitCode: 0,
    says: 'posted projects/',
  },
  'a success with keys in one line': {
    secrets: ({ pgp, pkix }) => ({ pgp: escaped(pgp), pkix: escaped(pkix) }),
    exitCode: 0,
    says: 'posted projects/',
  },
  'a wrong passphrase that looks like the right one': {
    secrets: ({ passphrase }) => ({ passphrase: `${passphrase}!` }),
    exitCode: 2,
    says: 'PASSPHRASE_REJECTED',
  },
  'a PGP key with a line missing': {
    secrets: ({ pgp }) => ({ pgp: withoutMiddle(pgp) }),
    env: { NODE_ENV: 'development' },
    exitCode: 2,
    says: 'SECRET_UNUSABLE',
  },
  'a PGP key without its armor': {
    secrets: ({ pgp }) => ({ pgp: body(pgp).slice(0, -1).join('\n').slice(0, -3) }),
    env: { NODE_ENV: 'development' },
    exitCode: 2,
    says: 'SECRET_UNUSABLE',
  },
  'a PGP key whose lines pass for headers': {
    secrets: ({ pgp }) => ({ pgp: pgp.replace('\n\n', `\n${body(pgp)[1]!.replaceAll(/[+/]/g, 'x')}: ${body(pgp)[2]!}\n`) }),
    env: { NODE_ENV: 'development' },
    exitCode: 2,
    says: 'SECRET_UNUSABLE',
  },
  'a PKIX key that is cut off': { secrets: ({ pkix }) => ({ pkix: pkix.slice(0, 120) }), exitCode: 2, says: 'SECRET_UNUSABLE' },
  'a PKIX key that is damaged': { secrets: ({ pkix }) => ({ pkix: pkix.replace(/\n.{7}/, '\n') }), exitCode: 2, says: 'SECRET_UNUSABLE' },
  'a PKIX key without its PEM lines, behind a comment': {
    secrets: ({ pkix }) => ({ pkix: `# ${body(pkix).join('\n')}` }),
    exitCode: 2,
    says: 'SECRET_UNUSABLE',
  },
  'the passphrase in place of the PKIX key': { secrets: ({ passphrase }) => ({ pkix: passphrase }), exitCode: 2, says: 'SECRET_UNUSABLE' },
  'keys in each other’s place': { secrets: ({ pgp, pkix }) => ({ pgp: pkix, pkix: pgp }), exitCode: 2, says: 'SECRET_UNUSABLE' },
  'key and passphrase in each other’s place': {
    secrets: ({ pgp, passphrase }) => ({ pgp: passphrase, passphrase: pgp }),
    exitCode: 2,
    says: 'SECRET_UNUSABLE',
  },
  'keys that no attestor trusts': { attestors: ['other'], exitCode: 7, says: 'KEY_NOT_TRUSTED' },
  'a server that repeats what it was sent, after two failures': {
    intercept: () => {
      const failing = echo(503, /\/attestors\/pgp$/, 2)();
      const refusing = echo(400, /:validateAttestationOccurrence/)();
      return (request, response) => failing(request, response) || refusing(request, response);
    },
    exitCode: 2,
    says: /echo: /,
  },
  'a server that refuses and repeats': { intercept: echo(403, /occurrences/), exitCode: 5, says: 'PERMISSION_DENIED' },
  'a server that says the token is bad': { intercept: echo(401, /./), exitCode: 5, says: 'UNAUTHENTICATED' },
  'a server that quotes the bare token': {
    intercept:
      ({ token }) =>
      (_, response) => {
        response.writeHead(403, { 'content-type': 'application/json' }).end(
          JSON.stringify({
            error: { code: 403, message: `no such token ${token} (${encodeURIComponent(token)})`, status: 'PERMISSION_DENIED' },
          }),
        );
        return true;
      },
    exitCode: 5,
    says: 'PERMISSION_DENIED',
  },
  'a run that is cancelled': {
    cancelAt: 'Posting',
    intercept: () => (request) => request.method === 'POST' && request.url.endsWith('/occurrences'),
    exitCode: 130,
    says: 'CANCELLED',
  },
  'a crash': { preload: CRASH, exitCode: 1, says: 'crashed' },
};

describe.each(HOSTS)('with the %s', (host) => {
  it.each(Object.entries(SCENARIOS))('%s shows no secret', async (_, scenario) => {
    const ended = await attest(host, scenario);
    expect(ended.log).toMatch(scenario.says);
    expect(ended.exitCode).toBe(scenario.exitCode);
    expect(leaksIn(ended.evidence, needles)).toEqual([]);
  });
});

describe('in the Action', () => {
  it('every mask is set before anything else is said', async () => {
    const { stdout } = await attest('action', SCENARIOS['a success']!);
    const isMask = stdout
      .trim()
      .split('\n')
      .map((line) => line.startsWith('::add-mask::'));
    expect(isMask.indexOf(false)).toBe(isMask.lastIndexOf(true) + 1);
    const masks = stdout
      .split('\n')
      .filter((line) => line.startsWith('::add-mask::'))
      .map((line) => line.slice('::add-mask::'.length).replaceAll('%25', '%'));
    expect(masks).toEqual(
      expect.arrayContaining([
        canaries.passphrase,
        canaries.token,
        ...[canaries.pgp, canaries.pkix].flatMap(body).filter((line) => line.length >= 8),
        base64(canaries.passphrase),
        base64(canaries.pgp.trimEnd()),
      ]),
    );
  });
});

describe('on the command line', () => {
  const refuse = async (...words: readonly string[]): Promise<void> => {
    const ended = await run(anyNode.path, [
      `${DIST}/cli/index.js`,
      'attest',
      'h.example/app:1',
      '--attestor',
      `projects/${PROJECT}/attestors/pgp`,
      ...words,
    ]);
    expect(ended.code).toBe(2);
    expect(
      leaksIn(
        [
          { where: 'stdout', text: ended.stdout },
          { where: 'stderr', text: ended.stderr },
        ],
        needles,
      ),
    ).toEqual([]);
  };
  it.each([
    ['the key in place of a variable’s name', () => ['--pgp-private-key-env', canaries.pgp]],
    ['the key in place of a variable’s name, unquoted', () => ['--pgp-private-key-env', ...canaries.pgp.split(/\s+/)]],
    ['the base64 of the key', () => ['--pgp-private-key-env', base64(canaries.pgp)]],
    ['the passphrase in place of a variable’s name', () => ['--pgp-passphrase-env', canaries.passphrase]],
    ['the passphrase to an option that is none', () => ['--pgp-passphrase', canaries.passphrase]],
    ['the passphrase attached to an option that is none', () => [`--pgp-passphrase=${canaries.passphrase}`]],
    ['the token to an option that is none', () => ['--access-token', canaries.token]],
    ['the PKIX key to an option that is none', () => ['--pkix-private-key', canaries.pkix]],
  ])('%s is refused and not repeated', async (_, words) => {
    await refuse(...words());
  });
});

describe('the search itself', () => {
  const text = (make: (all: Canaries) => string) => leaksIn([{ where: 'here', text: `before ${make(canaries)} after` }], needles);
  it.each<[string, (all: Canaries) => string, string]>([
    ['the passphrase', ({ passphrase }) => passphrase, 'passphrase'],
    ['its JSON', ({ passphrase }) => JSON.stringify({ passphrase }), 'passphrase'],
    ['its URL encoding', ({ passphrase }) => `https://h.example/?p=${encodeURIComponent(passphrase)}`, 'passphrase'],
    ['its base64', ({ passphrase }) => base64(passphrase), 'passphrase'],
    ['its base64 inside of other base64', ({ passphrase }) => base64(`user:${passphrase}`), 'passphrase'],
    ['its hexadecimal', ({ passphrase }) => Buffer.from(passphrase).toString('hex'), 'passphrase'],
    ['a line of the armored key', ({ pgp }) => body(pgp)[2]!, 'PGP key'],
    ['the key in one line with escapes', ({ pgp }) => escaped(pgp), 'PGP key'],
    ['the base64 of the key, in lines', ({ pgp }) => base64(pgp).replace(/(.{76})/g, '$1\n'), 'PGP key'],
    ['the URL encoding of the key', ({ pgp }) => encodeURIComponent(pgp), 'PGP key'],
    ['the first 80 characters of the PKIX key', ({ pkix }) => pkix.slice(0, 80), 'PKIX key'],
    ['the PKIX key in base64', ({ pkix }) => base64(pkix), 'PKIX key'],
    ['the token', ({ token }) => `Bearer ${token}`, 'access token'],
    ['the token as a registry’s password', ({ token }) => `Basic ${base64(`oauth2accesstoken:${token}`)}`, 'access token'],
  ])('finds %s', (_, make, secret) => expect(text(make)).toContain(`${secret} in here`));
  it('finds nothing in public keys', () =>
    expect([text(({ pgpPublic }) => pgpPublic), text(({ pkixPublic }) => pkixPublic)]).toEqual([[], []]));
  it('reads every file of a run, the arguments and environment of its children among them', async () => {
    const { evidence } = await attest('action', SCENARIOS['a success']!);
    const places = evidence.map(({ where }) => where.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/, 'ID'));
    for (const place of [
      'stdout',
      'stderr',
      'file dump/argv',
      'file dump/parent',
      'file dump/env',
      'file dump/stdin',
      'file tmp/env-at-exit',
      'file file_commands/output',
      'file file_commands/step_summary',
      'file runner-temp/binauthz-attest-ID.json',
    ])
      expect(places).toContain(place);
    expect(evidence.find(({ where }) => where === 'file dump/parent')?.text).toContain('action/index.js');
    expect(places.filter((place) => place.startsWith('request POST')).length).toBeGreaterThanOrEqual(4);
  });
});
