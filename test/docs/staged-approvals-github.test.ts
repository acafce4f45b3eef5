// SPDX-License-Identifier: Apache-2.0
// The example of staged approvals for GitHub, end to end: every job with the identity that it has, against the emulator's IAM.
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestEmulator, type TestEmulator } from '../support/emulator.js';
import { pushImage, singleImage } from '../support/images.js';
import { removeRunFolders, type RunFolder } from '../support/runner.js';
import { PROJECT, Stage, pkixEntry } from '../support/stage.js';
import { APPROVER, CI, DEPLOYER, mayCheck, maySign, requireAll, untilAsked } from '../support/staged-approvals.js';
import { found, titled } from '../support/tools.js';
import { WorkflowRun, type WorkflowOptions } from '../support/workflow.js';

const EXAMPLE = resolve(import.meta.dirname, '../../examples/staged-approvals/github.yml');
const [BUILT, APPROVED] = ['built-by-ci', 'approved-for-prod'] as const;
const DEPLOYMENT = `apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [{ name: web, image: web }] }
`;

let emulator: TestEmulator;
let stage: Stage;
let bin: string;
let digest: string;
let options: WorkflowOptions;
let pipeline: WorkflowRun;

beforeAll(async () => {
  emulator = await startTestEmulator();
  stage = new Stage(emulator);
  for (const [attestor, ring, who] of [
    [BUILT, 'ci', CI],
    [APPROVED, 'approval', APPROVER],
  ] as const) {
    const key = await stage.kmsKey('attest', 'EC_SIGN_P256_SHA256', ring);
    await stage.attestor(attestor, [pkixEntry(key, 'EC_SIGN_P256_SHA256')]);
    await maySign(stage, who, attestor, key.key);
  }
  await mayCheck(stage, DEPLOYER, [BUILT, APPROVED]);
  await requireAll(stage, [BUILT, APPROVED]);
  bin = await mkdtemp(join(tmpdir(), 'binauthz-bin-'));
  const real = `PATH=$(printf %s "$PATH" | sed 's|^[^:]*:||') exec kubectl "$@"`;
  // There is no cluster: what would be applied is kept.
  await writeFile(join(bin, 'kubectl'), `#!/bin/sh\nif [ "$1" = apply ]; then cp "$3" applied.yaml; else ${real}; fi\n`, { mode: 0o755 });
  const registries = new Set<string>();
  options = {
    emulator: emulator.host,
    bin,
    actions: {
      'actions/checkout': async (_inputs, job) => (await checkout(job), {}),
      'docker/login-action': ({ registry = '', username, password }) => {
        if (username === 'oauth2accesstoken' && password === `as:${CI}`) registries.add(registry);
        return {};
      },
      'docker/build-push-action': async ({ tags = '' }) => {
        // A registry takes nothing from somebody who has not logged in.
        if (!registries.has(tags.split('/')[0] ?? '')) throw new Error(`nobody has logged in to the registry of ${tags}`);
        const [, name = '', tag = ''] = /^us-docker\.pkg\.dev\/(.+):(\w+)$/.exec(tags) ?? [];
        digest = await pushImage(emulator.url, name, tag, singleImage('staged'), {
          headers: { 'x-binauthz-registry': 'us-docker.pkg.dev' },
        });
        return { outputs: { digest } };
      },
      'google-github-actions/auth': ({ service_account: identity = '', token_format }) => ({
        identity,
        ...(token_format === 'access_token' ? { outputs: { access_token: `as:${identity}` } } : {}),
      }),
      'google-github-actions/get-gke-credentials': () => ({}),
    },
  };
  pipeline = await WorkflowRun.of(EXAMPLE, options);
});
afterAll(async () => {
  await emulator.close();
  await removeRunFolders();
  await rm(bin, { recursive: true, force: true });
});

async function checkout({ workspace }: RunFolder): Promise<void> {
  await mkdir(join(workspace, 'k8s'));
  await writeFile(join(workspace, 'k8s/deployment.yaml'), DEPLOYMENT);
}

const applied = (workspace: string): Promise<string> => readFile(join(workspace, 'applied.yaml'), 'utf8').catch(() => '');

describe.skipIf(!found('kubectl'))(titled('staged approvals on GitHub', 'kubectl'), () => {
  it('builds, and attests as CI', async () => {
    const { exitCode, outputs, log } = await pipeline.play('build');
    expect(exitCode, log).toBe(0);
    expect(outputs['image']).toBe(`us-docker.pkg.dev/${PROJECT}/apps/web@${digest}`);
  });

  it('starts neither the approval nor the deploy before a reviewer approved', () => {
    expect(pipeline.blocked('approve')).toBe('environment production is not approved');
    expect(pipeline.blocked('deploy')).toBe('needs approve');
  });

  it('refuses CI that would approve by itself', async () => {
    const before = await stage.occurrences();
    const asCi = { ...options.actions, 'google-github-actions/auth': () => ({ identity: CI }) };
    const { exitCode, log } = await pipeline.force('approve', { actions: asCi });
    expect(exitCode, log).toBe(5);
    expect(log).toContain(`attestors/${APPROVED}`);
    expect(await stage.occurrences()).toEqual(before);
  });

  it('denies the deploy before the approval, names who is missing, and applies nothing', async () => {
    const { exitCode, reports, summary, folder, log } = await pipeline.force('deploy');
    expect(exitCode, log).toBe(3);
    const [image] = reports[0].images;
    expect(image).toMatchObject({ verdict: 'DENIED', reasons: [{ attestor: `projects/${PROJECT}/attestors/${APPROVED}` }] });
    expect(image.reasons[0].message).toContain(`2 of 2 attestors required, missing: projects/${PROJECT}/attestors/${APPROVED}`);
    expect(image.occurrences).toMatchObject([{ attestor: `projects/${PROJECT}/attestors/${BUILT}`, verified: true }]);
    expect(summary).toMatch(/\| ❌ missing \| ✅ signed by .*cryptoKeyVersions\/1 at \d{4}-/);
    expect(await applied(folder.workspace)).toBe('');
  });

  it('waits for the approval, and is open once it is there', async () => {
    const seen = (await stage.requests()).length;
    const waiting = pipeline.force('deploy', { inputs: { 'wait-timeout': '90s' } });
    await untilListed(seen);
    pipeline.approve('production');
    const approval = await pipeline.play('approve');
    expect(approval.exitCode, approval.log).toBe(0);
    const { exitCode, log, reports } = await waiting;
    expect(exitCode, log).toBe(0);
    expect(log).toContain('lack attestations; looking again');
    expect(reports[0].verdict).toBe('ALLOWED');
  });

  it('deploys what both attested, and shows who signed', async () => {
    const { exitCode, log, reports, summary, folder } = await pipeline.play('deploy');
    expect(exitCode, log).toBe(0);
    const signers = reports[0].images[0].occurrences.map(({ publicKeyId }: { publicKeyId: string }) => publicKeyId);
    expect(new Set(signers).size).toBe(2);
    expect(summary).toMatch(/\| ✅ signed by .*keyRings\/approval.* \| ✅ signed by .*keyRings\/ci/);
    expect(await applied(folder.workspace)).toContain(digest);
    expect(reports[0].warnings ?? []).not.toContainEqual(expect.stringContaining('same key'));
  });
});

/** Until the waiting check has looked once and found the approval missing. */
async function untilListed(since: number): Promise<void> {
  const asked = new RegExp(`^GET /v1/projects/${PROJECT}/notes/${APPROVED}/occurrences`);
  await untilAsked(stage, asked, since);
}
