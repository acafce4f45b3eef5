// SPDX-License-Identifier: Apache-2.0
// Attempts to get a green out of the shipped command where the enforcer would deny, or where nothing was decided.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { cli, type CliEnded } from '../support/cli.js';
import { startTestEmulator, type TestEmulator } from '../support/emulator.js';
import { imageIndex, pushImage, singleImage } from '../support/images.js';
import { PROJECT, Stage } from '../support/stage.js';

const REPOSITORY = `us-docker.pkg.dev/${PROJECT}/shop`;
const headers = { 'x-binauthz-registry': 'us-docker.pkg.dev' };
const BLOCK = 'ENFORCED_BLOCK_AND_AUDIT_LOG';

let emulator: TestEmulator;
let stage: Stage;
let folder: string;
let attestor: string;
let version: string;
let good: string;
let bad: string;

beforeAll(async () => {
  emulator = await startTestEmulator();
  stage = new Stage(emulator);
  folder = await mkdtemp(join(tmpdir(), 'binauthz-attack-'));
  const staged = await stage.kmsAttestor('ci');
  attestor = staged.attestor;
  version = staged.key.version;
  good = await pushed('good');
  bad = await pushed('bad');
  await attest(good);
});
afterAll(async () => {
  await emulator.close();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  await stage.call('POST', '/_emulator/faults', { rules: [] });
  await policy({});
});

async function pushed(name: string, image = singleImage(name)): Promise<string> {
  return `${REPOSITORY}/${name}@${await pushImage(emulator.url, `${PROJECT}/shop/${name}`, 'v1', image, { headers })}`;
}

async function attest(image: string, ...more: readonly string[]): Promise<CliEnded> {
  const ended = await cli(['attest', image, '--attestor', attestor, '--kms-key-version', version, '--quiet', ...more], {
    emulator: emulator.host,
    cwd: folder,
  });
  if (more.length === 0) expect(ended.code, ended.stderr).toBe(0);
  return ended;
}

const requiring = (mode = BLOCK) => ({
  evaluationMode: 'REQUIRE_ATTESTATION',
  enforcementMode: mode,
  requireAttestationsBy: [attestor],
});
const policy = (members: Record<string, unknown>) =>
  stage.call('PUT', `/v1/projects/${PROJECT}/policy`, {
    globalPolicyEvaluationMode: 'DISABLE',
    defaultAdmissionRule: requiring(),
    ...members,
  });
const fault = (...rules: readonly Record<string, unknown>[]) => stage.call('POST', '/_emulator/faults', { rules });

const check = (...args: readonly string[]): Promise<CliEnded> =>
  cli(['check', '--project', PROJECT, '--output', 'json', ...args], { emulator: emulator.host, cwd: folder });

/** Checks a manifest beside a Pod that is fine, which alone would be a green. */
async function manifest(text: string, ...args: readonly string[]): Promise<CliEnded> {
  await writeFile(join(folder, 'good.yaml'), pod(good));
  await writeFile(join(folder, 'app.yaml'), text.replaceAll('GOOD', good).replaceAll('BAD', bad));
  return check('-f', 'good.yaml', '-f', 'app.yaml', ...args);
}

const pod = (image: string): string =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: "${image}"}]}\n`;

function imagesOf(ended: CliEnded): readonly string[] {
  return (ended.json?.images ?? []).map(({ image }: { image: string }) => image);
}

const HIDDEN: readonly (readonly [string, string])[] = [
  // kubectl takes whatever has items for a list, whatever its kind is called (apimachinery, unstructuredJSONScheme).
  [
    'in the items of a kind that is no list',
    'apiVersion: v1\nkind: ConfigMap\nitems:\n- {apiVersion: v1, kind: Pod, spec: {containers: [{image: BAD}]}}\n',
  ],
  [
    'in a list of a kind in lower case',
    'apiVersion: v1\nkind: list\nitems:\n- {apiVersion: v1, kind: Pod, spec: {containers: [{image: BAD}]}}\n',
  ],
  [
    'in a List in a List',
    'apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: List\n  items:\n  - {apiVersion: v1, kind: Pod, spec: {containers: [{image: BAD}]}}\n',
  ],
  ['in a typed list', 'apiVersion: v1\nkind: PodList\nitems:\n- {spec: {containers: [{image: BAD}]}}\n'],
  ['in a JSON array', '[{"apiVersion":"v1","kind":"Pod","spec":{"containers":[{"name":"a","image":"BAD"}]}}]'],
  ['in a second JSON object', '{"kind":"Namespace"}\n{"apiVersion":"v1","kind":"Pod","spec":{"containers":[{"name":"a","image":"BAD"}]}}'],
  ['in a Pod of a kind in lower case', 'apiVersion: v1\nkind: pod\nspec: {containers: [{image: BAD}]}\n'],
  ['in a Pod without apiVersion', 'kind: Pod\nspec: {containers: [{image: BAD}]}\n'],
  ['in a Pod without kind', 'apiVersion: v1\nspec: {containers: [{image: BAD}]}\n'],
  ['in a Deployment without apiVersion', 'kind: Deployment\nspec: {template: {spec: {containers: [{image: BAD}]}}}\n'],
  [
    'in a Deployment of a kind in upper case',
    'apiVersion: apps/v1\nkind: DEPLOYMENT\nspec: {template: {spec: {containers: [{image: BAD}]}}}\n',
  ],
  [
    'in a CronJob of batch/v1beta1',
    'apiVersion: batch/v1beta1\nkind: CronJob\nspec: {jobTemplate: {spec: {template: {spec: {containers: [{image: BAD}]}}}}}\n',
  ],
  [
    'in a Deployment of extensions/v1beta1',
    'apiVersion: extensions/v1beta1\nkind: Deployment\nspec: {template: {spec: {containers: [{image: BAD}]}}}\n',
  ],
  [
    'behind CRLF and a second document',
    'apiVersion: v1\r\nkind: Namespace\r\n---\r\napiVersion: v1\r\nkind: Pod\r\nspec:\r\n  containers:\r\n  - image: BAD\r\n',
  ],
  [
    'in a sidecar',
    'apiVersion: v1\nkind: Pod\nmetadata: {generateName: x-}\nspec:\n  initContainers: [{name: s, image: BAD, restartPolicy: Always}]\n  containers: [{name: c, image: GOOD}]\n',
  ],
  ['in a sidecar alone', 'apiVersion: v1\nkind: Pod\nspec:\n  initContainers: [{name: s, image: BAD, restartPolicy: Always}]\n'],
  [
    'in an ephemeral container',
    'apiVersion: v1\nkind: Pod\nspec:\n  ephemeralContainers: [{name: s, image: BAD}]\n  containers: [{name: c, image: GOOD}]\n',
  ],
  [
    'behind an anchor',
    'apiVersion: v1\nkind: Pod\nspec:\n  initContainers: [{name: a, image: &i "BAD"}]\n  containers: [{name: c, image: *i}]\n',
  ],
  ['behind a merge', 'x: &c {image: BAD}\napiVersion: v1\nkind: Pod\nspec:\n  containers: [{name: c, <<: *c}]\n'],
  [
    'under an override of a merge',
    'x: &c {image: GOOD}\napiVersion: v1\nkind: Pod\nspec:\n  containers: [{<<: *c, name: c, image: BAD}]\n',
  ],
  ['in a kind of its own', 'apiVersion: example.com/v1\nkind: Fleet\nspec: {podTemplates: [{spec: {containers: [{image: BAD}]}}]}\n'],
  ['in a Rollout', 'apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nspec: {template: {spec: {containers: [{image: BAD}]}}}\n'],
  ['behind "..."', 'apiVersion: v1\nkind: Namespace\n...\napiVersion: v1\nkind: Pod\nspec: {containers: [{image: BAD}]}\n'],
  ['on the line of a separator', '--- {apiVersion: v1, kind: Pod, spec: {containers: [{image: BAD}]}}\n'],
];

describe('an image that is not attested is found', () => {
  it.concurrent.each(HIDDEN)('%s', async (name, text) => {
    const file = `${name.replace(/\W/g, '-')}.yaml`;
    await writeFile(join(folder, `good-${file}`), pod(good));
    await writeFile(join(folder, file), text.replaceAll('GOOD', good).replaceAll('BAD', bad));
    const ended = await check('-f', `good-${file}`, '-f', file);
    expect(ended.code, ended.stdout + ended.stderr).toBe(3);
    expect(imagesOf(ended)).toContain(bad);
  });

  it('in a Knative Service on GKE, under the rules of Kubernetes', async () => {
    const service = `apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: s}\nspec: {template: {spec: {containers: [{image: BAD}]}}}\n`;
    expect((await manifest(service, '--platform', 'gke')).code).toBe(3);
  });
});

describe('what a file cannot say is bad input, never skipped', () => {
  it.each([
    ['an image that is no text', 'apiVersion: v1\nkind: Pod\nspec: {containers: [{name: c, image: 12}]}\n'],
    ['a container without an image', 'apiVersion: apps/v1\nkind: Deployment\nspec: {template: {spec: {containers: [{name: c}]}}}\n'],
    ['the same key twice', 'apiVersion: v1\nkind: Pod\nspec: {containers: [{image: BAD, image: GOOD}]}\n'],
    ['containers that are no list', 'apiVersion: v1\nkind: Pod\nspec: {containers: {a: {image: BAD}}}\n'],
    ['a document that breaks off', 'apiVersion: v1\nkind: Pod\nspec: {containers: [{image: BAD\n'],
    [
      'a Cloud Run switch that is no boolean',
      '{"name":"projects/p/locations/l/services/s","template":{"containers":[{"image":"BAD"}]},"binaryAuthorization":{"useDefault":"true"}}',
    ],
  ])('%s', async (_, text) => {
    const ended = await manifest(text);
    expect(ended.code, ended.stdout + ended.stderr).toBe(2);
    expect(ended.stderr).toContain('app.yaml:');
  });

  it('a patch is told from a manifest', async () => {
    const ended = await manifest(
      'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {template: {spec: {containers: [{name: c}]}}}\n',
    );
    expect(ended.stderr).toContain('kubectl kustomize');
  });
});

describe('what cannot be read is UNKNOWN', () => {
  it.each([
    ['the policy', { path: `/projects/${PROJECT}/policy$`, status: 403 }],
    ['the attestor', { path: '/attestors/ci$', status: 403 }],
    ['the listing', { path: '/notes/ci/occurrences$', status: 403 }],
    ['a policy in an answer that is none', { path: `/projects/${PROJECT}/policy$`, status: 200, body: {} }],
    ['a listing in an answer that is none', { path: '/notes/ci/occurrences$', status: 200, body: { nextPageToken: 'again' } }],
    ['Google’s validation', { path: ':validateAttestationOccurrence$', status: 200, body: {} }],
    ['Google’s contradiction', { path: ':validateAttestationOccurrence$', status: 200, body: { result: 'ATTESTATION_NOT_VERIFIABLE' } }],
  ])('%s', async (_, rule) => {
    await fault({ id: 'r', times: -1, do: 'status', body: {}, ...rule });
    const ended = await check(good);
    expect({ code: ended.code, verdict: ended.json.verdict }, ended.stdout).toEqual({ code: 4, verdict: 'UNKNOWN' });
    const [reason] = ended.json.images[0].reasons;
    expect(reason.message).not.toBe('');
    expect(reason.hint ?? 'none', reason.code).not.toBe('none');
    expect(await check(good, '--strict')).toMatchObject({ code: 4 });
    const warned = await attest(good, '--check', 'warn', '--output', 'json');
    // What attest itself needs fails there first; where it goes through, the check warns and does not fail.
    if (warned.json.check) expect({ code: warned.code, verdict: warned.json.check.verdict }).toEqual({ code: 0, verdict: 'UNKNOWN' });
    else expect(warned.code).not.toBe(0);
  });

  it('unless the rule only logs or admits all, which a system policy cannot change', async () => {
    await fault({ id: 'r', times: -1, do: 'status', path: '/locations/[^/]+/policy$', status: 403, body: {} });
    await policy({ globalPolicyEvaluationMode: 'ENABLE' });
    expect((await check(bad)).json.verdict).toBe('UNKNOWN');
    expect((await check(good)).json.verdict).toBe('ALLOWED');
    await policy({ globalPolicyEvaluationMode: 'ENABLE', defaultAdmissionRule: requiring('DRYRUN_AUDIT_LOG_ONLY') });
    expect((await check(bad)).json.verdict).toBe('ALLOWED_DRY_RUN');
    expect((await check(bad, '--strict')).code).toBe(3);
  });

  it('on Cloud Run an index that holds nothing for it, although the index is attested', async () => {
    const odd = `${REPOSITORY}/odd@${await pushImage(emulator.url, `${PROJECT}/shop/odd`, 'v1', imageIndex('odd', ['linux/arm64']), { headers })}`;
    await attest(odd);
    const ended = await check(odd, '--platform', 'cloud-run');
    expect({ code: ended.code, verdict: ended.json.verdict }, ended.stdout).toEqual({ code: 4, verdict: 'UNKNOWN' });
    expect(ended.json.images[0].reasons[0]).toMatchObject({ code: 'IMAGE_NOT_RESOLVED', message: expect.stringContaining('linux/amd64') });
  });
});

describe('the end of a run', () => {
  it('is 9 where a report cannot be written, even under --check warn, and the verdict is still printed', async () => {
    await writeFile(join(folder, 'file'), '');
    const ended = await check(good, '--report', 'json=file/report.json');
    expect(ended.code).toBe(9);
    expect(ended.json.verdict).toBe('ALLOWED');
    const warned = await attest(good, '--check', 'warn', '--report', 'junit=file/x.xml');
    expect(warned.code, warned.stderr).toBe(9);
  });

  it('is a warning under --check warn for 3 and 4 alone', async () => {
    const denied = await attest(good, '--check', 'warn', '--check-project', PROJECT, '--manifest', 'bad.yaml');
    expect(denied.code).toBe(2);
    await writeFile(join(folder, 'bad.yaml'), pod(bad));
    const warned = await attest(good, '--check', 'warn', '--manifest', 'bad.yaml');
    expect(warned.code, warned.stderr).toBe(0);
    expect(warned.stderr).toContain('would have ended with exit code 3');
    expect((await attest(good, '--check', 'enforce', '--manifest', 'bad.yaml')).code).toBe(3);
  });

  it('waits for what a late attestation can turn, also beside a break-glass that does not act', async () => {
    const late = await pushed('late');
    await writeFile(
      join(folder, 'late.yaml'),
      `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d, labels: {image-policy.k8s.io/break-glass: "true"}}\nspec: {template: {spec: {containers: [{name: c, image: "${late}"}]}}}\n`,
    );
    const waiting = check('-f', 'late.yaml', '--wait-timeout', '60s');
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    await attest(late);
    const ended = await waiting;
    expect({ code: ended.code, verdict: ended.json.verdict }, ended.stderr).toEqual({ code: 0, verdict: 'ALLOWED' });
    expect(ended.json.images[0].reasons.map(({ code }: { code: string }) => code)).toContain('BREAK_GLASS_INEFFECTIVE');
  }, 90_000);

  it('does not wait for an image that --require-attested refuses in any case', async () => {
    await writeFile(join(folder, 'attested.txt'), `${good}\n`);
    const begun = Date.now();
    const ended = await check(await pushed('never'), '--require-attested', 'attested.txt', '--wait-timeout', '60s');
    expect(ended.code).toBe(3);
    expect(Date.now() - begun).toBeLessThan(20_000);
  }, 90_000);

  it('is 3 after the wait, in every report', async () => {
    const ended = await check(
      bad,
      '--wait-timeout',
      '1500ms',
      '--report',
      'junit=out/j.xml',
      '--report',
      'sarif=out/s.sarif',
      '--report',
      'markdown=out/m.md',
    );
    expect(ended.code).toBe(3);
    expect(await readFile(join(folder, 'out/j.xml'), 'utf8')).toContain('failures="1"');
    expect(JSON.parse(await readFile(join(folder, 'out/s.sarif'), 'utf8')).runs[0].results[0]).toMatchObject({ level: 'error' });
    expect(await readFile(join(folder, 'out/m.md'), 'utf8')).toContain('binauthz check: DENIED');
  });
});

// A file’s name, a container’s and an image’s come with a pull request; the runner reads the step’s log for commands.
describe('what is printed in a workflow', () => {
  const names = '::add-mask::prod.yaml';
  const runner = { GITHUB_ACTIONS: 'true' };
  const commands = (text: string): readonly string[] => text.split('\n').filter((line) => /^\s*::|##\[/.test(line));

  it.each<[string, readonly string[]]>([
    ['as text', []],
    ['with every detail', ['--verbose']],
    ['as JSON', ['--output', 'json']],
  ])('%s holds no command', async (_, more) => {
    await writeFile(
      join(folder, names),
      `apiVersion: v1\nkind: Pod\nmetadata: {name: "##[error]p"}\nspec: {containers: [{name: "##[add-mask]c", image: "${bad}"}]}\n`,
    );
    await writeFile(
      join(folder, 'empty.yaml'),
      'admissionWhitelistPatterns: []\ndefaultAdmissionRule: {evaluationMode: ALWAYS_DENY, enforcementMode: ENFORCED_BLOCK_AND_AUDIT_LOG}\n',
    );
    const ended = await cli(['check', '-f', names, '--policy', 'empty.yaml', '--project', PROJECT, ...more], {
      emulator: emulator.host,
      cwd: folder,
      env: runner,
    });
    expect(ended.code, ended.stderr).toBe(3);
    expect(ended.stdout).toContain('add-mask');
    expect([...commands(ended.stdout), ...commands(ended.stderr)]).toEqual([]);
  });
});
