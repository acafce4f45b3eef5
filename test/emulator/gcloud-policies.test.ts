// SPDX-License-Identifier: Apache-2.0
// Google's own client on platform policies, the system policy, and the clusters that name a policy.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestEmulator, type TestEmulator } from '../support/emulator.js';
import { gcloudFor, HAS_GCLOUD, type Gcloud } from '../support/gcloud.js';
import { signingKey, simpleSigningPayload } from '../support/keys.js';

const P = 'demo-proj';
const D = `sha256:${'0'.repeat(60)}abcd`;
const IMAGE = `us-docker.pkg.dev/${P}/repo/app@${D}`;
const NAME = `projects/${P}/platforms/gke/policies/cv`;
const ON_GKE = '--platform=gke';
const KEY = signingKey('ECDSA_P256_SHA256');

const POLICY = (description: string) => `
description: ${description}
gkePolicy:
  imageAllowlist:
    allowPattern: ['gcr.io/exempt/**']
  checkSets:
  - displayName: shop
    scope: {kubernetesNamespace: shop}
    checks:
    - displayName: never
      alwaysDeny: true
  - displayName: rest
    checks:
    - displayName: attested
      simpleSigningAttestationCheck:
        containerAnalysisAttestationProjects: [projects/${P}]
        attestationAuthenticators:
        - displayName: ci
          pkixPublicKeySet:
            pkixPublicKeys:
            - signatureAlgorithm: EC_SIGN_P256_SHA256
              keyId: urn:ci
              publicKeyPem: |
${KEY.pem.trim().replace(/^/gm, ' '.repeat(16))}
`;

describe.skipIf(!HAS_GCLOUD)(
  HAS_GCLOUD ? 'gcloud on policies' : 'gcloud on policies (skipped: gcloud is not on the PATH)',
  { timeout: 120_000 },
  () => {
    let emulator: TestEmulator;
    let gcloud: Gcloud;
    beforeAll(async () => {
      emulator = await startTestEmulator();
      gcloud = await gcloudFor(emulator, P);
    });
    afterAll(async () => {
      expect(emulator.lastErrors).toEqual([]);
      await gcloud.remove();
      await emulator.close();
    });
    const file = async (name: string, content: string) => {
      const path = join(gcloud.folder, name);
      await writeFile(path, content);
      return path;
    };
    const policy = (track: string, ...words: string[]) => gcloud.run(track, 'container', 'binauthz', 'policy', ...words, '--format=json');
    const parsed = async (track: string, ...words: string[]) => {
      const { code, stdout, stderr } = await policy(track, ...words);
      expect({ code, stderr }).toMatchObject({ code: 0 });
      // eslint-disable-next-line @typescript-eslint/no-explicit-any
      return JSON.parse(stdout) as any;
    };
    async function attest() {
      await emulator.api('POST', `/v1/projects/${P}/notes?noteId=n`, { attestation: { hint: { humanReadableName: 'n' } } });
      const payload = simpleSigningPayload(`us-docker.pkg.dev/${P}/repo/app`, D);
      const signatures = [{ publicKeyId: 'urn:ci', signature: KEY.sign(payload).toString('base64') }];
      const attestation = { serializedPayload: payload.toString('base64'), signatures };
      const body = { noteName: `projects/${P}/notes/n`, resourceUri: `https://${IMAGE}`, attestation };
      expect((await emulator.api('POST', `/v1/projects/${P}/occurrences`, body)).status).toBe(200);
    }

    describe.each(['beta', 'alpha'])('platform policies (%s)', (track) => {
      it('are created and described', async () => {
        const path = await file('policy.yaml', POLICY('first'));
        expect(await parsed(track, 'create', 'cv', ON_GKE, `--policy-file=${path}`)).toMatchObject({ name: NAME, description: 'first' });
        const described = await parsed(track, 'describe', NAME);
        expect(described).toMatchObject({ name: NAME, etag: expect.any(String), updateTime: expect.any(String) });
        expect(described.gkePolicy.checkSets.map(({ displayName }: { displayName: string }) => displayName)).toEqual(['shop', 'rest']);
        const again = await policy(track, 'create', 'cv', ON_GKE, `--policy-file=${path}`);
        expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('ALREADY_EXISTS') });
      });

      it('are listed', async () => {
        expect(await parsed(track, 'list', 'gke')).toMatchObject([{ name: NAME, description: 'first' }]);
      });

      it('are updated, as a whole', async () => {
        const path = await file('policy.yaml', POLICY('second'));
        expect(await parsed(track, 'update', 'cv', ON_GKE, `--policy-file=${path}`)).toMatchObject({ description: 'second' });
        const stale = await file('stale.yaml', `${POLICY('third')}etag: stale\n`);
        expect(await policy(track, 'update', 'cv', ON_GKE, `--policy-file=${stale}`)).toMatchObject({
          code: 1,
          stderr: expect.stringContaining('ABORTED'),
        });
      });

      it('are evaluated: 0 where an image conforms, 2 where not', async () => {
        const on = (...images: string[]) => policy(track, 'evaluate', 'cv', ON_GKE, ...images.map((image) => `--image=${image}`));
        const verdict = ({ stdout }: { stdout: string }) => (JSON.parse(stdout) as { verdict: string }).verdict;
        expect(await on('gcr.io/exempt/a/b:v1')).toMatchObject({ code: 0 });
        const before = await on(IMAGE);
        expect([before.code, verdict(before)]).toEqual(track === 'beta' ? [2, 'NON_CONFORMANT'] : [0, 'CONFORMANT']);
        if (track === 'beta') await attest();
        const after = await on(IMAGE);
        expect([after.code, verdict(after)]).toEqual([0, 'CONFORMANT']);
        const both = await on(IMAGE, 'gcr.io/exempt/x:v1', `gcr.io/other/x@sha256:${'1'.repeat(64)}`);
        expect([both.code, verdict(both)]).toEqual([2, 'NON_CONFORMANT']);
      });

      it('are evaluated on an object of a file', async () => {
        const spec = { containers: [{ name: 'app', image: IMAGE }] };
        const deployment = (namespace?: string) => ({
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          metadata: { name: 'web', ...(namespace === undefined ? {} : { namespace }) },
          spec: { template: { spec } },
        });
        const on = async (object: unknown) => {
          const path = await file('resource.json', JSON.stringify(object));
          return policy(track, 'evaluate', 'cv', ON_GKE, `--resource=${path}`);
        };
        const fine = await on(deployment());
        expect(fine).toMatchObject({ code: 0 });
        expect(JSON.parse(fine.stdout).results).toMatchObject([{ podName: 'web', kubernetesNamespace: 'default' }]);
        const denied = await on(deployment('shop'));
        expect(denied).toMatchObject({ code: 2, stdout: expect.stringContaining('never') });
        expect(await on({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' } })).toMatchObject({
          code: 1,
          stderr: expect.stringContaining('INVALID_ARGUMENT'),
        });
      });

      it('are refused where they are not valid', async () => {
        const path = await file('wrong.yaml', 'gkePolicy: {checkSets: [{scope: {kubernetesNamespace: a}}]}\n');
        expect(await policy(track, 'create', 'wrong', ON_GKE, `--policy-file=${path}`)).toMatchObject({
          code: 1,
          stderr: expect.stringContaining('must have no scope'),
        });
      });

      it('are deleted', async () => {
        const { code, stderr } = await policy(track, 'delete', 'cv', ON_GKE);
        expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining(`Deleted Policy [${NAME}].`) });
        expect(await policy(track, 'describe', 'cv', ON_GKE)).toMatchObject({ code: 1, stderr: expect.stringContaining('NOT_FOUND') });
      });
    });

    describe('the system policy', () => {
      it('is exported for the world and for a region', async () => {
        const planted = { admissionWhitelistPatterns: [{ namePattern: 'gcr.io/region/*' }] };
        await emulator.api('PUT', '/_emulator/system-policy/europe-west1', planted);
        expect(await parsed('alpha', 'export-system-policy')).toMatchObject({ name: 'locations/global/policy' });
        expect(await parsed('alpha', 'export-system-policy', '--location=europe-west1')).toEqual({
          name: 'locations/europe-west1/policy',
          ...planted,
        });
      });
    });

    describe('clusters', () => {
      const show = async (...track: string[]) =>
        (await gcloud.json(...track, 'container', 'clusters', 'describe', 'prod', '--location=us-central1')).binaryAuthorization;

      it('are described with their mode, and by the GA track without one of continuous validation', async () => {
        const binding = { name: 'projects/123/platforms/gke/policies/cv' };
        const binaryAuthorization = { evaluationMode: 'POLICY_BINDINGS', policyBindings: [binding] };
        const cluster = { name: 'prod', binaryAuthorization };
        await emulator.api('POST', `/v1beta1/projects/${P}/locations/us-central1/clusters`, { cluster });
        expect(await show('beta')).toEqual(binaryAuthorization);
        expect(await show()).toEqual({ evaluationMode: 'EVALUATION_MODE_UNSPECIFIED' });
      });

      it('change their mode', async () => {
        const mode = '--binauthz-evaluation-mode=PROJECT_SINGLETON_POLICY_ENFORCE';
        await gcloud.ok('container', 'clusters', 'update', 'prod', '--location=us-central1', mode);
        for (const track of [[], ['beta']]) expect((await show(...track)).evaluationMode).toBe('PROJECT_SINGLETON_POLICY_ENFORCE');
      });

      it('are listed and deleted', async () => {
        expect(await gcloud.json('container', 'clusters', 'list')).toMatchObject([{ name: 'prod' }]);
        await gcloud.ok('container', 'clusters', 'delete', 'prod', '--location=us-central1');
        expect(await gcloud.json('container', 'clusters', 'list')).toEqual([]);
      });
    });
  },
);
