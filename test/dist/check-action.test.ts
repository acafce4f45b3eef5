// SPDX-License-Identifier: Apache-2.0
// The gate of a deploy job as GitHub's runner runs it, and the check at the end of the main Action.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cli } from '../support/cli.js';
import { startTestEmulator, type TestEmulator } from '../support/emulator.js';
import { pushImage, singleImage } from '../support/images.js';
import { actionMetadata, makeRunFolder, removeRunFolders, runAction, type ActionEnded, type ActionOptions } from '../support/runner.js';
import { PROJECT, Stage } from '../support/stage.js';

const REPOSITORY = `us-docker.pkg.dev/${PROJECT}/shop`;
const MANIFEST = 'k8s/app.yaml';

let emulator: TestEmulator;
let stage: Stage;
let attestor: string;
let version: string;
let good: string;
let bad: string;

beforeAll(async () => {
  emulator = await startTestEmulator();
  stage = new Stage(emulator);
  const staged = await stage.kmsAttestor('ci');
  attestor = staged.attestor;
  version = staged.key.version;
  good = await push('good');
  bad = await push('bad');
  await policy({});
  const ended = await cli(['attest', good, '--attestor', attestor, '--kms-key-version', version], { emulator: emulator.host });
  expect(ended.code, ended.stderr).toBe(0);
});
afterAll(async () => {
  await emulator.close();
  await removeRunFolders();
});

async function push(name: string): Promise<string> {
  const headers = { 'x-binauthz-registry': 'us-docker.pkg.dev' };
  return `${REPOSITORY}/${name}@${await pushImage(emulator.url, `${PROJECT}/shop/${name}`, 'v1', singleImage(name), { headers })}`;
}

const policy = (members: Record<string, unknown>) =>
  stage.call('PUT', `/v1/projects/${PROJECT}/policy`, {
    globalPolicyEvaluationMode: 'DISABLE',
    defaultAdmissionRule: {
      evaluationMode: 'REQUIRE_ATTESTATION',
      enforcementMode: 'ENFORCED_BLOCK_AND_AUDIT_LOG',
      requireAttestationsBy: [attestor],
    },
    ...members,
  });

/** One image per line, from line 10 on. */
function deployment(...images: readonly string[]): string {
  const head = ['apiVersion: apps/v1', 'kind: Deployment', 'metadata:', '  name: shop', 'spec:', '  template:', '    spec:'];
  return [
    ...head,
    '      # the images',
    '      containers:',
    ...images.map((image, index) => `        - {name: c${index}, image: "${image}"}`),
    '',
  ].join('\n');
}

async function gate(text: string, inputs: Record<string, string> = {}, options: ActionOptions = {}): Promise<ActionEnded> {
  const folder = options.folder ?? (await makeRunFolder());
  await mkdir(dirname(join(folder.workspace, MANIFEST)), { recursive: true });
  await writeFile(join(folder.workspace, MANIFEST), text);
  return runAction({
    action: 'check',
    emulator: emulator.host,
    folder,
    inputs: { project: PROJECT, manifests: 'k8s', ...inputs },
    ...options,
  });
}

function expectEnd(ended: ActionEnded, end: { readonly verdict: string; readonly exitCode: string }): void {
  const { verdict, 'exit-code': exitCode } = ended.outputs;
  expect({ verdict, exitCode, process: ended.code }, ended.log).toEqual({ ...end, process: end.exitCode === '0' ? 0 : 1 });
  expect(Object.keys(ended.outputs)).toEqual(actionMetadata('check').outputs);
  expect(ended.stderr).toBe('');
}

describe('the check Action', () => {
  it('passes what is attested, with a report and a summary', async () => {
    const ended = await gate(deployment(good));
    expectEnd(ended, { verdict: 'ALLOWED', exitCode: '0' });
    expect(ended.errors).toEqual([]);
    expect(ended.report).toMatchObject({
      schema: 'binauthz.check/v1',
      verdict: 'ALLOWED',
      images: [{ image: good, sources: [{ line: 10 }] }],
    });
    expect(ended.summary).toContain('binauthz check: ALLOWED');
  });

  it('fails for what is not, with the reasons in the summary and on the lines of the manifest', async () => {
    const ended = await gate(deployment(good, bad, `${REPOSITORY}/good:v1`), { reports: 'sarif=out/check.sarif\njunit=out/check.xml' });
    expectEnd(ended, { verdict: 'DENIED', exitCode: '3' });
    const lines = ended.annotations.filter(({ properties }) => properties['file'] === MANIFEST);
    expect(lines.map(({ level, properties }) => [level, properties['line']])).toEqual([
      ['error', '11'],
      ['error', '12'],
    ]);
    expect(lines[0]?.message).toContain('NO_TRUSTED_ATTESTATION');
    expect(lines[0]?.message).toContain(`hint: attest the image: binauthz attest ${bad} --attestor ${attestor}`);
    expect(lines[1]?.message).toContain('IMAGE_NOT_PINNED');
    expect(ended.errors[0]).toContain('binauthz check failed with exit code 3');
    for (const part of ['DENIED', 'NO_TRUSTED_ATTESTATION', 'IMAGE_NOT_PINNED', `${MANIFEST}:11`, 'Next step', 'The deploy would say'])
      expect(ended.summary).toContain(part);
    expect(ended.report.images.map(({ verdict }: { verdict: string }) => verdict).toSorted()).toEqual(['ALLOWED', 'DENIED', 'DENIED']);
    const sarif = JSON.parse(await readFile(join(ended.folder.workspace, 'out/check.sarif'), 'utf8'));
    const uris = sarif.runs[0].results.map(
      (found: { locations: { physicalLocation: { artifactLocation: { uri: string } } }[] }) =>
        found.locations[0]?.physicalLocation.artifactLocation.uri,
    );
    expect(uris).toEqual([MANIFEST, MANIFEST]);
    expect(await readFile(join(ended.folder.workspace, 'out/check.xml'), 'utf8')).toContain('failures="2"');
  });

  it('fails where nothing can be decided, and for bad input, with the code as an output', async () => {
    await stage.call('POST', '/_emulator/faults', {
      rules: [{ id: 'r', path: '/policy$', times: -1, do: 'status', status: 403, body: {} }],
    });
    const unknown = await gate(deployment(good));
    await stage.call('POST', '/_emulator/faults', { rules: [] });
    expectEnd(unknown, { verdict: 'UNKNOWN', exitCode: '4' });
    expect(unknown.summary).toContain('POLICY_NOT_READABLE');
    const empty = await gate('apiVersion: v1\nkind: Namespace\nmetadata: {name: x}\n');
    expectEnd(empty, { verdict: '', exitCode: '2' });
    expectEnd(await gate(deployment(good), { strict: 'maybe' }), { verdict: '', exitCode: '2' });
    expectEnd(await gate(deployment(good), { manifests: '-' }), { verdict: '', exitCode: '2' });
  });

  it('passes a dry-run rule with a warning, and fails it where strict', async () => {
    await policy({ defaultAdmissionRule: { evaluationMode: 'ALWAYS_DENY', enforcementMode: 'DRYRUN_AUDIT_LOG_ONLY' } });
    const lenient = await gate(deployment(bad));
    const strict = await gate(deployment(bad), { strict: 'true' });
    await policy({});
    expectEnd(lenient, { verdict: 'ALLOWED_DRY_RUN', exitCode: '0' });
    expect(lenient.errors).toEqual([]);
    expect(lenient.annotations.find(({ properties }) => properties['file'] === MANIFEST)).toMatchObject({ level: 'warning' });
    expectEnd(strict, { verdict: 'ALLOWED_DRY_RUN', exitCode: '3' });
    expect(strict.errors[0]).toContain('binauthz check failed with exit code 3');
    expect(strict.errors[0]).toContain('only ALLOWED is accepted');
  });
});

describe('the comment on a pull request', () => {
  it('is written once and updated in place, and what GitHub refuses fails nothing', async () => {
    const comments: { id: number; body: string; user: { login: string; type: string } }[] = [];
    const asked: string[] = [];
    let status = 200;
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { pathname } = new URL(request.url ?? '/', 'http://h');
        asked.push(`${request.method} ${pathname}`);
        const text = Buffer.concat(chunks).toString();
        const answer = (code: number, body: unknown) =>
          response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body));
        if (status !== 200 || pathname === '/user') return void answer(403, { message: 'no' });
        if (request.method === 'GET') return void answer(200, comments);
        const { body } = JSON.parse(text) as { body: string };
        if (request.method === 'PATCH') Object.assign(comments[0] ?? {}, { body });
        else comments.push({ id: 9, body, user: { login: 'github-actions[bot]', type: 'Bot' } });
        answer(200, comments[0]);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const folder = await makeRunFolder();
    const event = join(folder.root, 'pull-request.json');
    await writeFile(event, JSON.stringify({ pull_request: { number: 7 } }));
    const env = {
      GITHUB_API_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      GITHUB_EVENT_NAME: 'pull_request',
      GITHUB_EVENT_PATH: event,
    };
    const inputs = { 'comment-on-pr': 'true', 'github-token': 'gh-t0ken-for-tests' };
    try {
      expectEnd(await gate(deployment(bad), inputs, { folder, env }), { verdict: 'DENIED', exitCode: '3' });
      expect(comments).toHaveLength(1);
      expect(comments[0]?.body).toMatch(/^<!-- binauthz check shop-prod[^\n]* -->\n[^]*binauthz check: DENIED/);
      expectEnd(await gate(deployment(good), inputs, { folder, env }), { verdict: 'ALLOWED', exitCode: '0' });
      expect(comments).toHaveLength(1);
      expect(comments[0]?.body).toContain('binauthz check: ALLOWED');
      expect(asked).toContain('PATCH /repos/octo/shop/issues/comments/9');
      status = 403;
      const refused = await gate(deployment(good), inputs, { folder, env });
      expectEnd(refused, { verdict: 'ALLOWED', exitCode: '0' });
      expect(refused.warnings.join('\n')).toContain('pull-requests: write');
      expect(refused.log).not.toContain('gh-t0ken-for-tests');
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});

describe('the main Action', () => {
  async function attestAndCheck(check: string, image: string): Promise<ActionEnded> {
    const folder = await makeRunFolder();
    await mkdir(join(folder.workspace, 'k8s'));
    await writeFile(join(folder.workspace, MANIFEST), deployment(good, image));
    const inputs = { images: good, attestors: attestor, 'kms-key-versions': version, check, manifests: 'k8s' };
    return runAction({ emulator: emulator.host, folder, inputs });
  }

  it('fails the step with check: enforce, after attesting, and keeps the outputs', async () => {
    const ended = await attestAndCheck('enforce', bad);
    expect(ended.code, ended.log).toBe(1);
    expect(ended.outputs).toMatchObject({ verdict: 'DENIED', 'exit-code': '3', digest: good.slice(good.indexOf('@') + 1) });
    expect(ended.annotations.find(({ properties }) => properties['file'] === MANIFEST)).toMatchObject({
      level: 'error',
      properties: { line: '11' },
    });
    expect(ended.summary).toContain('NO_TRUSTED_ATTESTATION');
    expect(ended.report).toMatchObject({ attestations: [{ status: 'existing' }], check: { verdict: 'DENIED' } });
  });

  it('passes it with check: enforce where all is attested', async () => {
    const ended = await attestAndCheck('enforce', good);
    expect(ended.outputs, ended.log).toMatchObject({ verdict: 'ALLOWED', 'exit-code': '0' });
    expect(ended.code).toBe(0);
  });

  it('only warns with check: warn', async () => {
    const ended = await attestAndCheck('warn', bad);
    expect(ended.outputs, ended.log).toMatchObject({ verdict: 'DENIED', 'exit-code': '0' });
    expect(ended.code).toBe(0);
    expect(ended.errors).toEqual([]);
    expect(ended.warnings.join('\n')).toContain('would have ended with exit code 3');
  });
});
