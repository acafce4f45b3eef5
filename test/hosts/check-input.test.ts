// SPDX-License-Identifier: Apache-2.0
// `check`, and the check at the end of `attest`: options and files of both hosts → one request, or everything wrong.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { parseCheckedAttest } from '../../src/hosts/commands/attest/parse.js';
import { parseCheck } from '../../src/hosts/commands/check/parse.js';
import { actionOptions, ATTESTOR, cliOptions, DIGEST, IMAGE, messagesOfAsync, VERSION_1 } from './world.js';

const cwd = mkdtempSync(join(tmpdir(), 'binauthz-check-'));
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

const OTHER = `us-docker.pkg.dev/p/r/other@${DIGEST}`;
const pod = (name: string, image: string, extra = '') =>
  `apiVersion: v1\nkind: Pod\nmetadata:\n  name: ${name}\n  namespace: shop\nspec:\n  containers:\n    - name: main\n      image: ${image}\n${extra}`;
const POLICY = `name: projects/shop-prod/policy
defaultAdmissionRule:
  evaluationMode: ALWAYS_ALLOW
  enforcementMode: ENFORCED_BLOCK_AND_AUDIT_LOG
globalPolicyEvaluationMode: ENABLE
`;
const FILES: Readonly<Record<string, string>> = {
  'k8s/app.yaml': pod('app', IMAGE),
  'k8s/side.yaml': `${pod('side', OTHER)}---\n${pod('tagged', 'nginx')}`,
  'broken.yaml': 'kind: Pod\nkind: Pod\n',
  'nothing.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n',
  'run.yaml': `apiVersion: run.googleapis.com/v1\nkind: Job\nmetadata: {name: j}\nspec: {template: {spec: {template: {spec: {containers: [{image: ${IMAGE}}]}}}}}\n`,
  'images.txt': `${OTHER}\n`,
  'tags.txt': 'nginx\n',
  'policy.yaml': POLICY,
  'policy.json': '{"defaultAdmissionRule":{"evaluationMode":"ALWAYS_DENY","enforcementMode":"ENFORCED_BLOCK_AND_AUDIT_LOG"}}',
  'foreign.yaml': POLICY.replace('shop-prod', 'another'),
  'wrong.yaml': 'defaultAdmissionRule: {evaluationMode: ALLOW}\n',
  'badmode.yaml': POLICY.replace('ENFORCED_BLOCK_AND_AUDIT_LOG', 'BLOCK'),
  'nameless.yaml': POLICY.replace('projects/shop-prod/policy', 'shop'),
  'object.json': '{"a": 1}\n',
  'two.yaml': `${POLICY}---\n${POLICY}`,
  'empty.yaml': '',
  'comment.yaml': '# to come\n',
  'mixed/app.yaml': pod('app', IMAGE),
  'mixed/later.yaml': '# to come\n',
  'mixed/gha-creds-0123456789abcdef.json': '{"type":"external_account","audience":"x"}',
  'hiding/app.yaml': pod('app', IMAGE),
  'hiding/gha-creds-0123456789abcdef.json': JSON.stringify({
    ...{ type: 'external_account', apiVersion: 'v1', kind: 'Pod' },
    metadata: { name: 'evil' },
    spec: { containers: [{ name: 'main', image: OTHER }] },
  }),
  'hiding/.dot.yaml': pod('dot', 'nginx'),
  'vulnerabilities.yaml': 'schema: binauthz.vulnerability-policy/v1\ndeny: { cvss: 5 }\n',
  'login.txt': 'https://oauth2accesstoken:hunter2@gcr.io/p/app:v1\n',
};
for (const [file, text] of Object.entries(FILES)) {
  mkdirSync(dirname(join(cwd, file)), { recursive: true });
  writeFileSync(join(cwd, file), text);
}
mkdirSync(join(cwd, 'folder'));

const world = (stdin = '') => ({ cwd, readStdin: () => Promise.resolve(stdin) });
const cli = (argv: readonly string[], stdin?: string) => parseCheck(cliOptions(['check', ...argv]), {}, world(stdin));
const action = (inputs: Readonly<Record<string, string>>) => parseCheck(actionOptions(inputs, 'check'), {}, { cwd });
const P = ['--project', 'shop-prod'];

describe('what both hosts make of good input', () => {
  test('the defaults', async () => {
    const expected = {
      request: { project: 'shop-prod', uses: [{ image: 'nginx', platform: 'gke' }], platformPolicies: [], workloads: [], waitTimeoutMs: 0 },
      gate: { mode: 'enforce', strict: false },
      reports: [],
      notes: [],
    };
    expect(await cli(['nginx', ...P])).toMatchObject(expected);
    expect(await action({ images: 'nginx', project: 'shop-prod', 'wait-timeout': '0s', strict: 'false' })).toMatchObject(expected);
  });

  test('everything, as flags and as inputs', async () => {
    const expected = {
      request: {
        project: 'shop-prod',
        cluster: { key: 'us-central1-a.prod', location: 'us-central1-a', name: 'prod' },
        namespace: 'web',
        serviceAccount: 'runner',
        policy: { file: 'policy.yaml', policy: { usesSystemPolicy: true } },
        platformPolicies: ['projects/p/platforms/gke/policies/one', 'projects/p/platforms/gke/policies/two'],
        attested: { file: 'images.txt', digests: new Set([DIGEST]) },
        waitTimeoutMs: 120_000,
        workloads: [{ name: 'Pod/app' }],
      },
      gate: { mode: 'enforce', strict: true },
      reports: [
        { format: 'sarif', path: 'out/a.sarif' },
        { format: 'json', path: 'a=b.json' },
      ],
    };
    const uses = [IMAGE, IMAGE].map((image) => expect.objectContaining({ image, platform: 'gke' }));
    const flags = await cli(
      [
        ...[IMAGE, '-f', 'k8s/app.yaml', ...P, '--cluster', 'us-central1-a.prod', '--namespace', 'web', '--service-account=runner'],
        ...['--policy', 'policy.yaml', '--platform-policy', 'projects/p/platforms/gke/policies/one'],
        ...['--platform-policy', 'projects/p/platforms/gke/policies/two', '--require-attested', 'images.txt', '--wait-timeout', '2m'],
        ...['--strict', '--report', 'sarif=out/a.sarif', '--report', 'json=a=b.json', '--platform', 'gke'],
      ],
      '',
    );
    const inputs = await action({
      images: IMAGE,
      manifests: 'k8s/app.yaml\n',
      project: 'shop-prod',
      cluster: 'us-central1-a.prod',
      namespace: 'web',
      'service-account': 'runner',
      policy: 'policy.yaml',
      'platform-policies': 'projects/p/platforms/gke/policies/one\nprojects/p/platforms/gke/policies/two',
      'require-attested': 'images.txt',
      'wait-timeout': '2m',
      strict: 'true',
      reports: 'sarif=out/a.sarif\njson=a=b.json',
      platform: 'gke',
    });
    for (const parsed of [flags, inputs]) {
      expect(parsed).toMatchObject(expected);
      expect(parsed.request.uses).toEqual(uses);
    }
  });

  test('manifests keep their places, lists and arguments have none', async () => {
    const { request } = await cli(['nginx', '-f', 'k8s', '--image-list', 'images.txt', ...P]);
    expect(request.uses).toMatchObject([
      { image: 'nginx' },
      { image: IMAGE, namespace: 'shop', source: { file: 'k8s/app.yaml', line: 9, kind: 'Pod', name: 'app', container: 'main' } },
      { image: OTHER, source: { file: 'k8s/side.yaml', line: 9 } },
      { image: 'nginx', source: { file: 'k8s/side.yaml', line: 19 } },
      { image: OTHER },
    ]);
    expect(request.uses.map(({ source }) => source !== undefined)).toEqual([false, true, true, true, false]);
  });

  test('standard input is read once', async () => {
    let reads = 0;
    const readStdin = () => {
      reads += 1;
      return Promise.resolve(pod('piped', IMAGE));
    };
    const { request } = await parseCheck(cliOptions(['check', '-f', '-', '--manifest', '-', ...P]), {}, { cwd, readStdin });
    expect([reads, request.uses.length, request.uses[0].source?.file]).toEqual([1, 1, '-']);
  });

  test.each([
    [IMAGE],
    ['nginx'],
    ['library/nginx:1'],
    ['us-docker.pkg.dev/p/r/app@sha256:12'],
    ['us-docker.pkg.dev/p/r/app@'],
    ['https://gcr.io/p/app'],
    ['UPPER/case'],
  ])('on GKE %s is the enforcer’s to judge', async (image) =>
    expect((await cli([image, ...P])).request.uses).toEqual([{ image, platform: 'gke' }]),
  );

  test('on Cloud Run an argument and a list are services that opted in', async () => {
    const { request } = await cli([IMAGE, '--image-list', 'images.txt', '--platform', 'cloud-run', ...P]);
    expect(request.uses).toEqual([IMAGE, OTHER].map((image) => ({ image, platform: 'cloud-run', cloudRun: { uses: 'project-policy' } })));
  });
  test('a manifest says for itself where it runs', async () => {
    const { request } = await cli(['-f', 'run.yaml', '-f', 'k8s/app.yaml', ...P]);
    expect(request.uses.map(({ platform }) => platform)).toEqual(['gke', 'cloud-run']);
  });
  test('a policy may be JSON', async () =>
    expect((await cli(['nginx', '--policy', 'policy.json', ...P])).request.policy?.policy.defaultAdmissionRule.evaluationMode).toBe(
      'ALWAYS_DENY',
    ));
  test('a folder may hold a file without a document, and credentials', async () => {
    const { request, notes } = await cli(['-f', 'mixed', ...P]);
    expect(request.uses).toHaveLength(1);
    expect(notes).toEqual([
      'mixed/gha-creds-0123456789abcdef.json: it holds credentials, so no image was found in it',
      'mixed/later.yaml: no image was found in it',
    ]);
  });
  test('no name hides what kubectl would deploy', async () => {
    const { request } = await cli(['-f', 'hiding', ...P]);
    expect(request.uses.map(({ image }) => image).sort()).toEqual([IMAGE, OTHER, 'nginx'].sort());
  });
  test('what is worth a note is noted', async () =>
    expect((await cli(['-f', 'k8s/app.yaml', '-f', 'nothing.yaml', ...P])).notes).toEqual(['nothing.yaml: no image was found in it']));
});

describe('what is wrong with input, in the spelling of the host', () => {
  const one = (...words: string[]) => cli(['nginx', ...P, ...words]);
  const input = (inputs: Readonly<Record<string, string>>) => action({ images: 'nginx', project: 'shop-prod', ...inputs });
  test.each<[string, () => Promise<unknown>, RegExp]>([
    ['nothing to check', () => cli(P), /^IMAGE, --manifest, --image-list: expected at least one image, got none$/],
    ['nothing to check', () => action({ project: 'p1' }), /^input images, input manifests: expected at least one image, got none$/],
    ['no project', () => cli(['nginx']), /^--project: expected the project whose policy is enforced, got none$/],
    ['a project number', () => cli(['nginx', '--project', '123']), /^--project: expected a project id, got "123"$/],
    ['an empty image', () => cli(['', ...P]), /^IMAGE: expected an image, without white space, got nothing$/],
    ['two images in one', () => cli(['a b', ...P]), /^IMAGE: expected an image, without white space, got "a b"$/],
    ['standard input as an image', () => cli(['-', ...P]), /^IMAGE: expected an image, got "-"$/],
    [
      'an image that Cloud Run cannot resolve',
      () => one('--platform', 'cloud-run'),
      /^IMAGE: expected an image that Cloud Run can resolve \(a registry host must come first.*got "nginx"$/,
    ],
    [
      'one in a list',
      () => cli(['--image-list', 'tags.txt', '--platform', 'cloud-run', ...P]),
      /^--image-list: expected images that Cloud Run can resolve \(.*got "nginx" in tags\.txt$/,
    ],
    [
      'a cluster without location',
      () => one('--cluster', 'prod'),
      /^--cluster: expected LOCATION\.NAME, such as us-central1-a\.prod, got "prod"$/,
    ],
    ['a bad namespace', () => one('--namespace', 'Shop_1'), /^--namespace: expected the name of a Kubernetes namespace, got "Shop_1"$/],
    [
      'a Google service account',
      () => input({ 'service-account': 'ci@p.iam.gserviceaccount.com' }),
      /^input service-account: expected the name of a Kubernetes service account, got/,
    ],
    ['a platform', () => input({ platform: 'aks' }), /^input platform: expected one of gke, cloud-run, got "aks"$/],
    [
      'a cluster for Cloud Run',
      () => cli([IMAGE, '--platform', 'cloud-run', '--cluster', 'us-central1.a', ...P]),
      /^--cluster and --platform: expected one of the two, got a place on GKE and cloud-run$/,
    ],
    [
      'a platform policy of Cloud Run',
      () => one('-f', 'k8s', '--platform-policy', 'projects/p/platforms/cloudRun/policies/x'),
      /^--platform-policy: expected projects\/P\/platforms\/gke\/policies\/X, got/,
    ],
    [
      'a platform policy without manifests',
      () => input({ 'platform-policies': 'projects/p/platforms/gke/policies/x' }),
      /^input platform-policies: expected input manifests beside it, got none$/,
    ],
    [
      'a report without a format',
      () => one('--report', 'out.sarif'),
      /^--report: expected FORMAT=PATH with a format of json, sarif, junit, markdown, got "out\.sarif"$/,
    ],
    ['an unknown format', () => input({ reports: 'xml=a' }), /^input reports: expected FORMAT=PATH .*got "xml=a"$/],
    ['a format without a path', () => one('--report', 'sarif='), /^--report: expected FORMAT=PATH .*got "sarif="$/],
    [
      'one file for two reports',
      () => one('--report', 'json=a', '--report', 'sarif=a'),
      /^--report: expected a file of its own for each report, got a twice$/,
    ],
    [
      'a missing manifest',
      () => one('-f', 'nowhere.yaml'),
      /^--manifest: expected a file, a folder or a pattern that matches files, got "nowhere\.yaml": no such file$/,
    ],
    [
      'a pattern for nothing',
      () => input({ manifests: 'k8s/*.toml' }),
      /^input manifests: .*got "k8s\/\*\.toml": a pattern that no file matches$/,
    ],
    [
      'standard input in the Action',
      () => input({ manifests: '-' }),
      /^input manifests: .*got "-": standard input, which an Action does not have$/,
    ],
    [
      'manifests without an image',
      () => cli(['-f', 'nothing.yaml', ...P]),
      /^--manifest: expected at least one image, got none in nothing\.yaml$/,
    ],
    ...['empty.yaml', 'comment.yaml', './mixed/../empty.yaml'].map((file): [string, () => Promise<unknown>, RegExp] => [
      `${file} beside a manifest`,
      () => cli(['-f', 'k8s/app.yaml', '-f', file, ...P]),
      /^--manifest: expected at least one image, got none in (?:empty|comment)\.yaml$/,
    ]),
    [
      'an empty standard input beside a manifest',
      () => cli(['-f', 'k8s/app.yaml', '-f', '-', ...P], ''),
      /^--manifest: expected at least one image, got none in standard input$/,
    ],
    [
      'an image with a password',
      () => cli(['https://oauth2accesstoken:hunter2@gcr.io/p/app:v1', ...P]),
      /^IMAGE: expected an image, without a user or a password before its registry, got a text that is not shown$/,
    ],
    [
      'a list of an image with a password',
      () => cli(['--image-list', 'login.txt', ...P]),
      /^--image-list: expected images without a user or a password before their registry, got one in login\.txt \(not shown\)$/,
    ],
    ['an empty standard input', () => cli(['-f', '-', ...P], ''), /^--manifest: expected at least one image, got none in standard input$/],
    [
      'a manifest that readers take differently',
      () => one('-f', 'broken.yaml'),
      /^--manifest: broken\.yaml:\d+: .*"kind" twice in one mapping$/,
    ],
    [
      'broken standard input',
      () => cli(['-f', '-', ...P], FILES['broken.yaml']),
      /^--manifest: standard input:\d+: .*"kind" twice in one mapping$/,
    ],
    [
      'a Pod for Cloud Run',
      () => cli(['-f', 'k8s/app.yaml', '--platform', 'cloud-run', ...P]),
      /^--manifest: k8s\/app\.yaml:\d+: expected a Cloud Run resource/,
    ],
    [
      'a missing policy',
      () => one('--policy', 'none.yaml'),
      /^--policy: expected a file that can be read, got "none\.yaml": there is no such file$/,
    ],
    ['a policy of another project', () => one('--policy', 'foreign.yaml'), /^--policy: foreign\.yaml: .*another/],
    ['a policy that the API refuses', () => one('--policy', 'wrong.yaml'), /^--policy: wrong\.yaml: defaultAdmissionRule/],
    ['two policies', () => input({ policy: 'two.yaml' }), /^input policy: expected one policy, got 2 documents in two\.yaml$/],
    ['an empty policy', () => one('--policy', 'empty.yaml'), /^--policy: empty\.yaml: the policy is empty/],
    ['a policy from standard input', () => one('--policy', '-'), /^--policy: expected the name of a file, got "-"$/],
    [
      'a missing closure',
      () => input({ 'require-attested': 'x' }),
      /^input require-attested: expected a file that can be read, got "x": there is no such file$/,
    ],
    [
      'a closure without digests',
      () => one('--require-attested', 'tags.txt'),
      /^--require-attested: tags\.txt:1: expected an image with its digest/,
    ],
    [
      'a closure of another form',
      () => input({ 'require-attested': 'object.json' }),
      /^input require-attested: object\.json:1: expected Skaffold/,
    ],
    ['a list of another form', () => cli(['--image-list', 'object.json', ...P]), /^--image-list: object\.json:1: expected Skaffold/],
    [
      'a policy that readers take differently',
      () => one('--policy', 'broken.yaml'),
      /^--policy: broken\.yaml:2: .*"kind" twice in one mapping$/,
    ],
    [
      'the same in the Action',
      () => input({ manifests: 'broken.yaml' }),
      /^input manifests: broken\.yaml:\d+: .*"kind" twice in one mapping$/,
    ],
  ])('%s', async (_, parse, message) => {
    const messages = await messagesOfAsync(parse);
    expect(messages[0]).toMatch(message);
    expect(messages.filter((text) => !/^(?:--policy: wrong|input policy: wrong)/.test(text)).length).toBeLessThanOrEqual(1);
  });

  test('all of it at once: options, files, and what is in them', async () => {
    const messages = await messagesOfAsync(() =>
      cli(['--bogus', '-f', 'broken.yaml', '-f', 'gone', '--cluster', 'x', '--policy', 'none', '--wait-timeout', 'soon', '--strict=maybe']),
    );
    expect(messages.map((message) => message.split(':')[0])).toEqual([
      'unknown option of binauthz check',
      '--project',
      '--cluster',
      '--strict',
      '--wait-timeout',
      '--manifest',
      '--manifest',
      '--policy',
    ]);
  });
});

describe('a policy file where the project is not known', () => {
  const badMode =
    '--policy: badmode.yaml: defaultAdmissionRule.enforcementMode is "BLOCK", expected one of ENFORCED_BLOCK_AND_AUDIT_LOG, DRYRUN_AUDIT_LOG_ONLY';
  const none = '--project: expected the project whose policy is enforced, got none';
  test.each<[string[], string[]]>([
    [
      ['--policy', 'badmode.yaml'],
      [none, badMode],
    ],
    [
      ['--policy', 'badmode.yaml', '--project', '12'],
      ['--project: expected a project id, got "12"', badMode],
    ],
    // Whose policy it is to be cannot be said yet, so a name is held against nothing.
    [['--policy', 'policy.yaml'], [none]],
    [['--policy', 'foreign.yaml'], [none]],
    [
      ['--policy', 'nameless.yaml'],
      [none, '--policy: nameless.yaml: name is "shop", expected projects/PROJECT/policy: the file is the policy of something else'],
    ],
  ])('is looked at all the same: %j', async (words, expected) => {
    expect(await messagesOfAsync(() => cli(['nginx', ...words]))).toEqual(expected);
  });
});

describe('attest with a check at its end', () => {
  const base = ['attest', IMAGE, '--attestor', ATTESTOR, '--kms-key-version', VERSION_1];
  const attest = (...words: string[]) => parseCheckedAttest(cliOptions([...base, ...words]), {}, world());
  const attestAction = (inputs: Readonly<Record<string, string>>) =>
    parseCheckedAttest(actionOptions({ images: IMAGE, attestors: ATTESTOR, 'kms-key-versions': VERSION_1, ...inputs }), {}, { cwd });

  test('is off unless it is asked for', async () => {
    expect(await attest()).not.toHaveProperty('check');
    expect(await attestAction({ check: 'off' })).not.toHaveProperty('check');
  });
  test.each<[string[], string]>([
    [[], 'my-project'],
    [['--project', 'store'], 'store'],
    [['--project', 'store', '--check-project', 'run-here'], 'run-here'],
    [['--attestor', 'projects/my-project/attestors/qa'], 'my-project'],
    [['--attestor', 'projects/other/attestors/qa', '--check-project', 'run-here'], 'run-here'],
    [['--attestor', 'projects/other/attestors/qa', '--project', 'store'], 'store'],
  ])('%j checks the policy of %s', async (words, project) =>
    expect((await attest('--check', 'warn', ...words)).check?.request.project).toBe(project),
  );
  test('takes the options of check', async () => {
    const { check } = await attest(
      ...[
        '--check=enforce',
        '-f',
        'k8s',
        '--cluster',
        'us-central1.prod',
        '--namespace',
        'n',
        '--service-account',
        's',
        '--policy',
        'policy.json',
      ],
      ...['--check-project', 'shop-prod', '--require-attested', 'images.txt', '--strict', '--report', 'junit=j.xml'],
    );
    expect(check).toMatchObject({
      request: { project: 'shop-prod', cluster: { key: 'us-central1.prod' }, namespace: 'n', serviceAccount: 's', waitTimeoutMs: 0 },
      platform: 'gke',
      gate: { mode: 'enforce', strict: true },
      reports: [{ format: 'junit', path: 'j.xml' }],
    });
    expect([check?.uses.length, check?.request.policy?.file, check?.request.attested?.digests.size]).toEqual([3, 'policy.json', 1]);
  });
  test('in the Action too', async () => {
    const { check } = await attestAction({ check: 'warn', platform: 'cloud-run', 'check-project': 'run-here', reports: 'markdown=m.md' });
    expect(check).toMatchObject({ request: { project: 'run-here' }, platform: 'cloud-run', gate: { mode: 'warn', strict: false } });
  });
  test('says which options come to nothing without it, and what to set, in the spelling of the host', async () => {
    expect((await attest('--cluster', 'us-central1.prod', '-f', 'nowhere', '--report', 'json=a')).warnings).toEqual([
      'without a check nothing comes of --manifest, --cluster: set --check to warn or enforce',
    ]);
    expect((await attestAction({ namespace: 'n', check: 'off' })).warnings).toEqual([
      'without a check nothing comes of input namespace: set input check to warn or enforce',
    ]);
    expect((await attest('--check', 'warn', '--cluster', 'us-central1.prod', '--report', 'sarif=a')).warnings).toEqual([]);
  });
  test('says that it may come too early where nobody waits for what was posted', async () => {
    expect((await attest('--check', 'enforce', '--no-wait')).warnings).toEqual([
      'with --no-wait, --check may not see what this run has just posted: leave --no-wait out',
    ]);
    expect((await attest('--check', 'enforce')).warnings).toEqual([]);
  });
  test('says which reports are not written without a verdict, and only those', async () => {
    const reports = ['json=a', 'sarif=b', 'junit=c', 'sarif=d'];
    expect((await attest('--strict', ...reports.flatMap((report) => ['--report', report]))).warnings).toEqual([
      'without a check nothing comes of --strict: set --check to warn or enforce',
      'without a check or a vulnerability policy nothing comes of sarif, junit in --report: set --check to warn or enforce, or give --vulnerability-policy',
    ]);
    expect((await attestAction({ reports: 'markdown=a\njson=b' })).warnings).toEqual([
      'without a check or a vulnerability policy nothing comes of markdown in input reports: set input check to warn or enforce, or give input vulnerability-policy',
    ]);
    expect((await attest('--report', 'json=a')).warnings).toEqual([]);
    expect((await attest('--vulnerability-policy', 'vulnerabilities.yaml', '--report', 'sarif=a')).warnings).toEqual([]);
  });
  test.each([['--check', 'bogus'], ['--check='], ['--check'], ['--check', 'off', '--check', 'warn']])(
    'a mode that is wrong hides nothing else that is wrong: %j %j %j %j',
    async (...mode) => {
      const wrong = ['--cluster', 'x', '--platform-policy', 'z', '--namespace', 'A B', '--service-account', 'a b'];
      const files = ['--policy', 'nofile', '--require-attested', 'tags.txt', '-f', 'nofile', '--report', 'foo', '--check-project', '12'];
      const told = async (...words: string[]) =>
        (await messagesOfAsync(() => attest(...wrong, ...files, ...words))).filter((message) => !message.startsWith('--check: '));
      const messages = await told(...mode);
      expect(messages).toHaveLength(9);
      expect(messages).toEqual(await told('--check', 'enforce'));
    },
  );
  test('neither does one of the Action', async () => {
    const inputs = { check: 'bogus', cluster: 'x', policy: 'badmode.yaml', manifests: 'broken.yaml', 'check-project': '12' };
    expect(await messagesOfAsync(() => attestAction(inputs))).toEqual([
      'input check: expected one of off, warn, enforce, got "bogus"',
      expect.stringMatching(/^input cluster: /),
      expect.stringMatching(/^input check-project: /),
      expect.stringMatching(/^input manifests: broken\.yaml:2: /),
      expect.stringMatching(/^input policy: badmode\.yaml: defaultAdmissionRule\.enforcementMode/),
    ]);
  });
  test.each<[string, () => Promise<unknown>, string[]]>([
    [
      'attestors of several projects',
      () => attest('--check', 'warn', '--attestor', 'projects/other/attestors/qa'),
      ['--check-project: expected the project whose policy is checked, because the attestors lie in several, got none'],
    ],
    ['a mode that is none', () => attest('--check', 'maybe'), ['--check: expected one of off, warn, enforce, got "maybe"']],
    [
      'a bad project',
      () => attestAction({ check: 'warn', 'check-project': '12' }),
      ['input check-project: expected a project id, got "12"'],
    ],
    [
      'what is wrong with attest and with check, each thing once',
      () => attest('--check', 'warn', '--project', '12', 'nginx', '-f', 'gone', '--cluster', 'x'),
      [
        expect.stringMatching(/^IMAGE: /) as string,
        '--project: expected a project id, got "12"',
        '--cluster: expected LOCATION.NAME, such as us-central1-a.prod, got "x"',
        '--manifest: expected a file, a folder or a pattern that matches files, got "gone": no such file',
      ],
    ],
  ])('%s', async (_, parse, messages) => expect(await messagesOfAsync(parse)).toEqual(messages));
});
