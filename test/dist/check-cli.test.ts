// SPDX-License-Identifier: Apache-2.0
// Verdicts of the shipped command line, against an emulator that is driven only by Google's REST surface and its
// documented admin paths.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { cli, type CliEnded } from '../support/cli.js';
import { startTestEmulator, type TestEmulator } from '../support/emulator.js';
import { imageIndex, pushImage, singleImage } from '../support/images.js';
import { PROJECT, Stage, type StagedKey } from '../support/stage.js';

const REPOSITORY = `us-docker.pkg.dev/${PROJECT}/shop`;
const headers = { 'x-binauthz-registry': 'us-docker.pkg.dev' };
const BLOCK = 'ENFORCED_BLOCK_AND_AUDIT_LOG';
const ALLOW = { evaluationMode: 'ALWAYS_ALLOW', enforcementMode: BLOCK };
const DENY = { evaluationMode: 'ALWAYS_DENY', enforcementMode: BLOCK };

let emulator: TestEmulator;
let stage: Stage;
let folder: string;
let attestor: string;
let second: string;
let key: StagedKey;
let attested: string;
let bare: string;

beforeAll(async () => {
  emulator = await startTestEmulator();
  stage = new Stage(emulator);
  folder = await mkdtemp(join(tmpdir(), 'binauthz-check-'));
  ({ attestor, key } = await stage.kmsAttestor('ci'));
  second = (await stage.kmsAttestor('qa')).attestor;
  attested = `${REPOSITORY}/app@${await pushImage(emulator.url, `${PROJECT}/shop/app`, 'v1', singleImage('app'), { headers })}`;
  bare = `${REPOSITORY}/bare@${await pushImage(emulator.url, `${PROJECT}/shop/bare`, 'v1', singleImage('bare'), { headers })}`;
  const ended = await cli(['attest', attested, '--attestor', attestor, '--kms-key-version', key.version, '--quiet'], {
    emulator: emulator.host,
  });
  expect(ended.code).toBe(0);
});
afterAll(async () => {
  await emulator.close();
  await rm(folder, { recursive: true, force: true });
});

const requiring = (...names: readonly string[]) => ({
  evaluationMode: 'REQUIRE_ATTESTATION',
  enforcementMode: BLOCK,
  requireAttestationsBy: names,
});
const policy = (members: Record<string, unknown>, version = 'v1') =>
  stage.call('PUT', `/${version}/projects/${PROJECT}/policy`, {
    globalPolicyEvaluationMode: 'DISABLE',
    defaultAdmissionRule: requiring(attestor),
    ...members,
  });

beforeEach(() => policy({}));

async function check(...args: readonly string[]): Promise<CliEnded> {
  return cli(['check', '--project', PROJECT, '--output', 'json', ...args], { emulator: emulator.host, cwd: folder });
}

async function manifest(name: string, text: string): Promise<string> {
  await writeFile(join(folder, name), text);
  return name;
}

function pod(
  images: readonly string[],
  members: { labels?: string; annotations?: string; namespace?: string; serviceAccount?: string; init?: string } = {},
): string {
  return [
    'apiVersion: v1',
    'kind: Pod',
    'metadata:',
    '  name: web',
    ...(members.namespace === undefined ? [] : [`  namespace: ${members.namespace}`]),
    ...(members.labels === undefined ? [] : [`  labels: ${members.labels}`]),
    ...(members.annotations === undefined ? [] : [`  annotations: ${members.annotations}`]),
    'spec:',
    ...(members.serviceAccount === undefined ? [] : [`  serviceAccountName: ${members.serviceAccount}`]),
    ...(members.init === undefined ? [] : ['  initContainers:', '    - name: init', `      image: ${members.init}`]),
    '  containers:',
    ...images.flatMap((image, index) => [`    - name: c${index}`, `      image: ${image}`]),
    '',
  ].join('\n');
}

const EXIT: Readonly<Record<string, number>> = {
  ALLOWED: 0,
  ALLOWED_DRY_RUN: 0,
  ALLOWED_BREAK_GLASS: 0,
  NOT_ENFORCED: 0,
  UNKNOWN: 4,
  DENIED: 3,
};

function expectVerdict(ended: CliEnded, verdict: string): void {
  expect({ verdict: ended.json?.verdict, code: ended.code }, ended.stdout + ended.stderr).toEqual({ verdict, code: EXIT[verdict] });
}

describe('an image', () => {
  it('that is attested is allowed, one that is not is denied in Google’s words', async () => {
    expectVerdict(await check(attested), 'ALLOWED');
    const denied = await check(bare);
    expectVerdict(denied, 'DENIED');
    expect(denied.json.images[0].denial).toContain(
      `Image ${bare} denied by attestor ${attestor}: No attestations found that were valid and signed by a key trusted by the attestor`,
    );
    expect(denied.json.images[0].reasons[0]).toMatchObject({
      code: 'NO_TRUSTED_ATTESTATION',
      attestor,
      hint: expect.stringContaining('binauthz attest'),
    });
  });

  it('named by a tag is denied on GKE, although the tag’s image is attested', async () => {
    const ended = await check(`${REPOSITORY}/app:v1`);
    expectVerdict(ended, 'DENIED');
    expect(ended.json.images[0].reasons[0].code).toBe('IMAGE_NOT_PINNED');
    expect(await check(`${REPOSITORY}/app@sha256:short`)).toMatchObject({ code: 3 });
  });

  it('needs every attestor', async () => {
    await policy({ defaultAdmissionRule: requiring(attestor, second) });
    const ended = await check(attested);
    expectVerdict(ended, 'DENIED');
    expect(ended.json.images[0].reasons.map(({ attestor: name }: { attestor: string }) => name)).toContain(second);
  });

  it('is allowed in a dry run, with a warning, and not under --strict', async () => {
    await policy({ defaultAdmissionRule: { ...requiring(attestor), enforcementMode: 'DRYRUN_AUDIT_LOG_ONLY' } });
    const ended = await check(bare);
    expectVerdict(ended, 'ALLOWED_DRY_RUN');
    expect(ended.stderr).toContain('warning');
    expect((await check(bare, '--strict')).code).toBe(3);
    expect((await check(attested, '--strict')).code).toBe(0);
  });

  it('is exempted by a pattern as written, and by nothing else', async () => {
    await policy({ admissionWhitelistPatterns: [{ namePattern: `${REPOSITORY}/bare@*` }, { namePattern: 'nginx' }] });
    expectVerdict(await check(bare), 'ALLOWED');
    expectVerdict(await check('nginx'), 'ALLOWED');
    expectVerdict(await check('docker.io/library/nginx'), 'DENIED');
    expectVerdict(await check('nginx:1.27'), 'DENIED');
  });

  it('is exempted by the system policy of the cluster’s region', async () => {
    await policy({ globalPolicyEvaluationMode: 'ENABLE' });
    await stage.call('PUT', '/_emulator/system-policy/us-central1', {
      admissionWhitelistPatterns: [{ namePattern: 'gke.gcr.io/**' }],
      defaultAdmissionRule: DENY,
    });
    await cluster('us-central1-a', 'prod', 'PROJECT_SINGLETON_POLICY_ENFORCE');
    expectVerdict(await check('gke.gcr.io/addons/x:v1', '--cluster', 'us-central1-a.prod'), 'ALLOWED');
    expectVerdict(await check(bare, '--cluster', 'us-central1-a.prod'), 'DENIED');
  });

  it('under a policy that admits all is allowed with a warning', async () => {
    await policy({ defaultAdmissionRule: ALLOW });
    const ended = await check('nginx');
    expectVerdict(ended, 'ALLOWED');
    expect([ended.json.images[0].reasons[0].code, ended.stderr]).toEqual(['POLICY_ALLOWS_ALL', expect.stringContaining('warning')]);
  });
});

async function cluster(location: string, name: string, evaluationMode: string): Promise<void> {
  const path = `/v1beta1/projects/${PROJECT}/locations/${location}/clusters`;
  const answer = await emulator.api('POST', path, { cluster: { name, binaryAuthorization: { evaluationMode } } });
  if (answer.status === 200 || answer.status === 409) return;
  throw new Error(`${path}: ${answer.status} ${answer.text}`);
}

describe('rules', () => {
  it('of the cluster win over the default, and of no other cluster', async () => {
    await policy({ defaultAdmissionRule: DENY, clusterAdmissionRules: { 'us-central1-a.prod': requiring(attestor) } });
    await cluster('us-central1-a', 'prod', 'PROJECT_SINGLETON_POLICY_ENFORCE');
    await cluster('us-central1-a', 'dev', 'PROJECT_SINGLETON_POLICY_ENFORCE');
    expectVerdict(await check(attested, '--cluster', 'us-central1-a.prod'), 'ALLOWED');
    expectVerdict(await check(attested, '--cluster', 'us-central1-a.dev'), 'DENIED');
    const open = await check(attested);
    expectVerdict(open, 'UNKNOWN');
    expect(JSON.stringify(open.json.images[0].reasons)).toContain('--cluster');
    expectVerdict(await check(bare), 'DENIED');
  });

  it('of a mistyped cluster never give a green', async () => {
    await policy({ defaultAdmissionRule: ALLOW });
    expectVerdict(await check(attested, '--cluster', 'us-central1-a.prdo'), 'UNKNOWN');
    expect((await check(attested, '--cluster', 'prod')).code).toBe(2);
  });

  it('of the namespace and of the service account are found for each workload', async () => {
    await policy({ defaultAdmissionRule: DENY, kubernetesNamespaceAdmissionRules: { prod: requiring(attestor) } });
    expectVerdict(await check('-f', await manifest('ns.yaml', pod([attested], { namespace: 'prod' }))), 'ALLOWED');
    expectVerdict(await check('-f', await manifest('ns.yaml', pod([attested]))), 'DENIED');
    expectVerdict(await check('-f', await manifest('ns.yaml', pod([attested])), '--namespace', 'prod'), 'ALLOWED');
    await policy({ defaultAdmissionRule: DENY, kubernetesServiceAccountAdmissionRules: { 'prod:web': requiring(attestor) } });
    expectVerdict(await check('-f', await manifest('sa.yaml', pod([attested], { namespace: 'prod', serviceAccount: 'web' }))), 'ALLOWED');
    expectVerdict(await check('-f', await manifest('sa.yaml', pod([attested], { namespace: 'prod' }))), 'DENIED');
  });

  it('of two kinds in one live policy give UNKNOWN', async () => {
    await policy({ clusterAdmissionRules: { 'us-central1-a.prod': ALLOW }, kubernetesNamespaceAdmissionRules: { prod: ALLOW } }, 'v1beta1');
    const ended = await check(attested);
    expectVerdict(ended, 'UNKNOWN');
    expect(ended.json.images[0].reasons[0].code).toBe('RULE_MAPS_CONFLICT');
  });
});

describe('a cluster', () => {
  it.each([
    ['PROJECT_SINGLETON_POLICY_ENFORCE', 'DENIED'],
    ['POLICY_BINDINGS_AND_PROJECT_SINGLETON_POLICY_ENFORCE', 'DENIED'],
    ['POLICY_BINDINGS', 'NOT_ENFORCED'],
    ['DISABLED', 'NOT_ENFORCED'],
  ])('in mode %s: %s', async (mode, verdict) => {
    const name = mode.toLowerCase().replaceAll('_', '-').slice(0, 30);
    await cluster('europe-west4', name, mode);
    expectVerdict(await check(bare, '--cluster', `europe-west4.${name}`), verdict);
  });
});

describe('manifests', () => {
  it('need every container, init containers among them, and name the line of each', async () => {
    const file = await manifest('pod.yaml', pod([attested, bare], { init: bare }));
    const ended = await check('-f', file);
    expectVerdict(ended, 'DENIED');
    const denied = (
      ended.json.images as { image: string; verdict: string; sources: { file: string; line: number; container: string }[] }[]
    ).find(({ image }) => image === bare);
    const lines = (await readFile(join(folder, file), 'utf8')).split('\n');
    expect(denied?.sources.map(({ container }) => container).sort()).toEqual(['c1', 'init']);
    for (const { line } of denied?.sources ?? []) expect(lines[line - 1]).toContain(bare);
    expectVerdict(await check('-f', await manifest('init.yaml', pod([attested], { init: bare }))), 'DENIED');
    expectVerdict(await check('-f', await manifest('good.yaml', pod([attested], { init: attested }))), 'ALLOWED');
  });

  it('with break-glass are allowed as such, and break-glass in the wrong place changes nothing', async () => {
    expectVerdict(
      await check('-f', await manifest('glass.yaml', pod([bare], { labels: '{ image-policy.k8s.io/break-glass: "true" }' }))),
      'ALLOWED_BREAK_GLASS',
    );
    expectVerdict(
      await check('-f', await manifest('glass.yaml', pod([bare], { annotations: '{ image-policy.k8s.io/break-glass: "true" }' }))),
      'DENIED',
    );
    expectVerdict(
      await check('-f', await manifest('glass.yaml', pod([bare], { labels: '{ image-policy.k8s.io/break-glass: "yes" }' }))),
      'DENIED',
    );
  });

  it('come from standard input, folders and globs', async () => {
    const stdin = await cli(['check', '--project', PROJECT, '-f', '-', '--output', 'json'], {
      emulator: emulator.host,
      stdin: pod([attested]),
    });
    expectVerdict(stdin, 'ALLOWED');
    await manifest('one.glob.yaml', pod([attested]));
    await manifest('two.glob.yaml', pod([bare]));
    expectVerdict(await check('-f', '*.glob.yaml'), 'DENIED');
    expect((await check('-f', 'nothing-*.yaml')).code).toBe(2);
  });

  it('without an image, and commands without anything to check, are bad input and not a pass', async () => {
    expect((await check('-f', await manifest('none.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: c }\n'))).code).toBe(2);
    expect((await check()).code).toBe(2);
    expect((await check('-f', await manifest('broken.yaml', 'kind: Pod\n  spec: {'))).code).toBe(2);
    expect((await check('-f', await manifest('empty.yaml', ''))).code).toBe(2);
  });

  it('with 2,000 Pods are checked with each image and attestor read once', async () => {
    const images = [attested, bare, `${REPOSITORY}/third@sha256:${'3'.repeat(64)}`];
    const file = await manifest(
      'many.yaml',
      Array.from({ length: 2_000 }, (_, index) => pod([images[index % 3]!]).replace('name: web', `name: web-${index}`)).join('---\n'),
    );
    const before = (await stage.requests()).length;
    const ended = await check('-f', file);
    expectVerdict(ended, 'DENIED');
    expect((ended.json.images as { sources: unknown[] }[]).reduce((sum, { sources }) => sum + sources.length, 0)).toBe(2_000);
    const calls = (await stage.requests()).slice(before);
    expect(calls.filter((call) => call.startsWith(`GET /v1/${attestor}`))).toHaveLength(1);
    expect(calls.filter((call) => call.endsWith('/notes/ci/occurrences'))).toHaveLength(3);
    expect(calls.filter((call) => call.endsWith('/policy'))).toHaveLength(1);
  });
});

describe('Cloud Run', () => {
  const service = (image: string, annotations: string): string =>
    `apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata:\n  name: web\n  annotations: ${annotations}\nspec:\n  template:\n    spec:\n      containers:\n        - image: ${image}\n`;
  const ON = '{ run.googleapis.com/binary-authorization: default }';

  it('takes the default rule, resolves tags, and judges the linux/amd64 image', async () => {
    const index = imageIndex('multi', ['linux/arm64', 'linux/amd64']);
    await pushImage(emulator.url, `${PROJECT}/shop/multi`, 'v1', index, { headers });
    await policy({ defaultAdmissionRule: requiring(attestor), clusterAdmissionRules: { 'us-central1-a.prod': ALLOW } });
    const file = await manifest('service.yaml', service(`${REPOSITORY}/multi:v1`, ON));
    const attest = (mode: string) =>
      cli(['attest', `${REPOSITORY}/multi:v1`, '--attestor', attestor, '--kms-key-version', key.version, '--multi-platform', mode], {
        emulator: emulator.host,
      });
    expect((await attest('index')).code).toBe(0);
    const ended = await check('-f', file);
    expectVerdict(ended, 'DENIED');
    expect(ended.json.images[0]).toMatchObject({
      digest: index.digest,
      childDigest: index.children[1]!.digest,
      reasons: [{ code: 'PLATFORM_CHILD_NOT_ATTESTED' }],
    });
    expect((await attest('both')).code).toBe(0);
    expectVerdict(await check('-f', file), 'ALLOWED');
  });

  it('enforces only where a service opted in, and says so', async () => {
    expectVerdict(await check('-f', await manifest('service.yaml', service(bare, '{}'))), 'NOT_ENFORCED');
    expectVerdict(await check('-f', await manifest('service.yaml', service(bare, ON))), 'DENIED');
    expectVerdict(await check(bare, '--platform', 'cloud-run'), 'DENIED');
    expectVerdict(
      await check(
        '-f',
        await manifest(
          'service.yaml',
          service(
            bare,
            '{ run.googleapis.com/binary-authorization: default, run.googleapis.com/binary-authorization-breakglass: "incident 7" }',
          ),
        ),
      ),
      'ALLOWED_BREAK_GLASS',
    );
  });
});

describe('--policy', () => {
  const FILE = (mode: string): string =>
    `globalPolicyEvaluationMode: DISABLE\ndefaultAdmissionRule:\n  evaluationMode: ${mode}\n  enforcementMode: ${BLOCK}\nname: projects/${PROJECT}/policy\n`;

  it('checks a policy that is not live yet, in YAML and in JSON', async () => {
    expectVerdict(await check(attested, '--policy', await manifest('policy.yaml', FILE('ALWAYS_DENY'))), 'DENIED');
    expectVerdict(await check(bare, '--policy', await manifest('policy.json', JSON.stringify({ defaultAdmissionRule: ALLOW }))), 'ALLOWED');
  });

  it.each([
    ['no default rule', 'globalPolicyEvaluationMode: DISABLE\n'],
    ['another project’s name', FILE('ALWAYS_DENY').replace(PROJECT, 'staging')],
    ['an unknown member', `${FILE('ALWAYS_DENY')}defaultAdmissionRules: {}\n`],
    [
      'two kinds of rules',
      `${FILE('ALWAYS_DENY')}clusterAdmissionRules: { a.b: { evaluationMode: ALWAYS_DENY, enforcementMode: ${BLOCK} } }\nkubernetesNamespaceAdmissionRules: { n: { evaluationMode: ALWAYS_DENY, enforcementMode: ${BLOCK} } }\n`,
    ],
    ['nothing', ''],
  ])('with %s is bad input', async (_title, text) => {
    expect((await check(attested, '--policy', await manifest('bad.yaml', text))).code).toBe(2);
  });
});

describe('what is missing', () => {
  it('is UNKNOWN with its cause: permission, answer', async () => {
    const denied = await cli(['check', attested, '--project', PROJECT, '--access-token-env', 'TOKEN', '--output', 'json'], {
      emulator: emulator.host,
      env: { TOKEN: 'as:nobody@example.com' },
    });
    expectVerdict(denied, 'UNKNOWN');
    expect(denied.json.images[0].reasons[0].message).toContain('binaryauthorization.policy.get');
    await stage.call('POST', '/_emulator/faults', { rules: [{ path: '/occurrences$', times: -1, do: 'status', status: 400, body: {} }] });
    expectVerdict(await check(attested), 'UNKNOWN');
    await stage.call('POST', '/_emulator/faults', {});
  });
});

describe('reports', () => {
  it('are written in every format, also for a denial', async () => {
    const file = await manifest('reported.yaml', pod([bare]));
    const formats = ['json', 'sarif', 'junit', 'markdown'];
    const ended = await check('-f', file, ...formats.flatMap((format) => ['--report', `${format}=out/report.${format}`]));
    expectVerdict(ended, 'DENIED');
    for (const format of formats) expect((await readFile(join(folder, `out/report.${format}`), 'utf8')).length).toBeGreaterThan(100);
    expect(JSON.parse(await readFile(join(folder, 'out/report.sarif'), 'utf8'))).toMatchObject({
      version: '2.1.0',
      runs: [{ results: [{ ruleId: 'NO_TRUSTED_ATTESTATION' }] }],
    });
  });
});

describe('attest --check', () => {
  const attest = (...args: readonly string[]) =>
    cli(['attest', attested, '--attestor', attestor, '--kms-key-version', key.version, '--output', 'json', ...args], {
      emulator: emulator.host,
    });

  it('enforce ends 3 where the deploy would be denied, warn ends 0 with a warning, and both say why', async () => {
    await policy({ defaultAdmissionRule: requiring(attestor, second) });
    const enforced = await attest('--check', 'enforce');
    expect([enforced.code, enforced.json.check.verdict]).toEqual([3, 'DENIED']);
    const warned = await attest('--check', 'warn');
    expect([warned.code, warned.json.check.verdict, warned.stderr]).toEqual([0, 'DENIED', expect.stringContaining('warning')]);
    await policy({});
    const allowed = await attest('--check', 'enforce');
    expect([allowed.code, allowed.json.check.verdict]).toEqual([0, 'ALLOWED']);
    expect((await attest()).json.check).toBeUndefined();
  });
});
