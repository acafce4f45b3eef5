// SPDX-License-Identifier: Apache-2.0
// Platform policies and their evaluation: facts/binary-authorization.md 6; gcloud 528's messages GkePolicy and below.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestEmulator, type TestEmulator } from '../support/emulator.js';
import { pushImage, singleImage } from '../support/images.js';
import { signingKey, simpleSigningPayload } from '../support/keys.js';

let emulator: TestEmulator;
const START = Date.parse('2026-01-01T00:00:00Z');
const DAY = 24 * 60 * 60 * 1000;
let now = START;
beforeAll(async () => void (emulator = await startTestEmulator({ clock: { now: () => now, sleep: () => Promise.resolve() } })));
beforeEach(async () => {
  now = START;
  await emulator.api('POST', '/_emulator/reset');
});
afterAll(async () => {
  expect(emulator.lastErrors).toEqual([]);
  await emulator.close();
});

const POLICIES = '/v1/projects/p/platforms/gke/policies';
const D = `sha256:${'0'.repeat(60)}abcd`;
const IMAGE = `gcr.io/p/x@${D}`;
const DENY = { displayName: 'never', alwaysDeny: true };
const pod = (...images: string[]) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: '' },
  spec: { containers: images.map((image) => ({ image })) },
});

const create = (gkePolicy: unknown, id = 'cv') => emulator.api('POST', `${POLICIES}?policyId=${id}`, { gkePolicy });
async function evaluate(gkePolicy: unknown, resource: unknown = pod(IMAGE)) {
  await emulator.api('DELETE', `${POLICIES}/cv`);
  const made = await create(gkePolicy);
  expect(made.json).toHaveProperty('etag');
  return (await emulator.api('POST', `${POLICIES}/cv:evaluate`, { resource })).json;
}
const withChecks = (...checks: unknown[]) => ({ checkSets: [{ checks }] });
/** The verdict on one image of one check, with what is said about it. */
async function judge(check: object, image = IMAGE) {
  const { verdict, results } = await evaluate(withChecks(check), pod(image));
  const [found] = results[0].imageResults[0].checkSetResult.checkResults.results;
  expect(results[0].verdict).toBe(verdict);
  return { verdict: found.evaluationResult?.verdict as string, explanation: found.explanation as string, found };
}

describe('a platform policy', () => {
  it('is made, shown, listed, replaced and deleted', async () => {
    const body = { description: 'first', gkePolicy: { checkSets: [{ checks: [DENY] }] } };
    const made = await emulator.api('POST', `${POLICIES}?policyId=cv`, body);
    expect(made.json).toMatchObject({ name: 'projects/p/platforms/gke/policies/cv', ...body, updateTime: '2026-01-01T00:00:00.000Z' });
    expect((await emulator.api('POST', `${POLICIES}?policyId=cv`, body)).json.error).toMatchObject({ status: 'ALREADY_EXISTS' });
    expect((await emulator.api('GET', `${POLICIES}/cv`)).json).toEqual(made.json);
    await create({}, 'other');
    const { json } = await emulator.api('GET', `${POLICIES}?pageSize=1`);
    expect(json).toMatchObject({ platformPolicies: [made.json], nextPageToken: expect.any(String) });
    const replaced = await emulator.api('PUT', `${POLICIES}/cv`, { name: made.json.name, gkePolicy: {} });
    expect(replaced.json).not.toHaveProperty('description');
    expect(replaced.json.etag).not.toBe(made.json.etag);
    expect((await emulator.api('DELETE', `${POLICIES}/cv`)).json).toEqual({});
    for (const [method, path, sent] of [
      ['GET', '', undefined],
      ['PUT', '', body],
      ['DELETE', '', undefined],
      ['POST', ':evaluate', { resource: pod(IMAGE) }],
    ] as const)
      expect((await emulator.api(method, `${POLICIES}/cv${path}`, sent)).json.error).toMatchObject({ status: 'NOT_FOUND' });
  });

  it('is guarded by its etag where one is sent', async () => {
    const { etag } = (await create({})).json;
    const put = (sent: string) => emulator.api('PUT', `${POLICIES}/cv`, { gkePolicy: withChecks(DENY), etag: sent });
    expect((await put(etag)).status).toBe(200);
    expect((await put(etag)).json.error).toMatchObject({ code: 409, status: 'ABORTED' });
    const drop = await emulator.api('DELETE', `${POLICIES}/cv?etag=${encodeURIComponent(etag)}`);
    expect(drop.json.error).toMatchObject({ status: 'ABORTED' });
  });

  it('is served by v1 alone, and for GKE alone', async () => {
    expect((await emulator.api('GET', '/v1beta1/projects/p/platforms/gke/policies')).status).toBe(404);
    const other = await emulator.api('POST', '/v1/projects/p/platforms/cloudRun/policies?policyId=x', { gkePolicy: {} });
    expect(other.json.error).toMatchObject({ status: 'INVALID_ARGUMENT' });
  });

  const namespace = (name: string) => ({ scope: { kubernetesNamespace: name } });
  const account = (name: string) => ({ scope: { kubernetesServiceAccount: name } });
  const key = { publicKeyPem: signingKey('ECDSA_P256_SHA256').pem, signatureAlgorithm: 'ECDSA_P256_SHA256' };
  const authenticators = [{ pkixPublicKeySet: { pkixPublicKeys: [key] } }];
  const simple = (more: object) => ({ simpleSigningAttestationCheck: { attestationAuthenticators: authenticators, ...more } });
  const severities = { maximumFixableSeverity: 'LOW', maximumUnfixableSeverity: 'HIGH' };
  const refused: [string, unknown][] = [
    ['no gkePolicy', undefined],
    ['an unknown member', { checks: [] }],
    ['no check set for the rest', { checkSets: [namespace('a')] }],
    ['a catch-all that is not last', { checkSets: [{}, namespace('a')] }],
    ['two catch-alls', { checkSets: [{}, {}] }],
    ['one scope twice', { checkSets: [namespace('a'), namespace('a'), {}] }],
    ['a namespace before its account', { checkSets: [namespace('a'), account('a:b'), {}] }],
    ['both scopes', { checkSets: [{ scope: { kubernetesNamespace: 'a', kubernetesServiceAccount: 'a:b' } }, {}] }],
    ['an account without a namespace', { checkSets: [account('b'), {}] }],
    ['a check of no kind', withChecks({ displayName: 'x' })],
    ['a check of two kinds', withChecks({ alwaysDeny: true, imageFreshnessCheck: { maxUploadAgeDays: 1 } })],
    ['alwaysDeny: false', withChecks({ alwaysDeny: false })],
    ['an authenticator without keys', withChecks({ simpleSigningAttestationCheck: { attestationAuthenticators: [{}] } })],
    ['no authenticator', withChecks({ simpleSigningAttestationCheck: {} })],
    ['a project by number', withChecks(simple({ containerAnalysisAttestationProjects: ['projects/123'] }))],
    ['a bare project', withChecks(simple({ containerAnalysisAttestationProjects: ['p'] }))],
    ['eleven projects', withChecks(simple({ containerAnalysisAttestationProjects: Array.from({ length: 11 }, () => 'projects/p') }))],
    ['a freshness of nothing', withChecks({ imageFreshnessCheck: {} })],
    ['a freshness of less than a day', withChecks({ imageFreshnessCheck: { maxUploadAgeDays: 0.5 } })],
    ['one severity', withChecks({ vulnerabilityCheck: { maximumFixableSeverity: 'LOW' } })],
    ['an unknown severity', withChecks({ vulnerabilityCheck: { ...severities, maximumFixableSeverity: 'SEVERE' } })],
    ['no rule of SLSA', withChecks({ slsaCheck: {} })],
    ['no authority of sigstore', withChecks({ sigstoreSignatureCheck: {} })],
    ['no directory', withChecks({ trustedDirectoryCheck: {} })],
    ['the shape of the guide', { imageAllowlist: [{ allowPattern: 'gcr.io/p/*' }] }],
  ];
  it.each(refused)('is refused with %s', async (_, gkePolicy) => {
    expect((await create(gkePolicy)).json.error).toMatchObject({ code: 400, status: 'INVALID_ARGUMENT' });
  });

  it.each(['*', '**', 'gcr.io/p**', 'gcr.io/**/x', 'gcr.io/p/x:*', 'gcr.io/p/x@sha256:*', 'gcr.io/p/x:a*b', ''])(
    'is refused with the allow pattern %j',
    async (pattern) => {
      expect((await create({ imageAllowlist: { allowPattern: [pattern] } })).json.error).toMatchObject({ status: 'INVALID_ARGUMENT' });
    },
  );

  it.each(['gcr.i*', 'sub*domain.gcr.io/nginx', '*pkg.dev/p/r', '**-docker.pkg.dev', '*-pkg.dev/p', 'gcr/p', 'gcr.io//p', 'gcr.io/*/r'])(
    'is refused with the directory %j',
    async (pattern) => {
      const sent = withChecks({ trustedDirectoryCheck: { trustedDirPatterns: [pattern] } });
      expect((await create(sent)).json.error).toMatchObject({ status: 'INVALID_ARGUMENT' });
    },
  );
});

describe('the response', () => {
  it('has a result for each image, and leaves zeros and empty texts out', async () => {
    const policy = withChecks({ trustedDirectoryCheck: { trustedDirPatterns: ['gcr.io/p'] } }, DENY);
    expect(await evaluate(policy)).toEqual({
      verdict: 'NON_CONFORMANT',
      results: [
        {
          kubernetesNamespace: 'default',
          kubernetesServiceAccount: 'default',
          verdict: 'NON_CONFORMANT',
          imageResults: [
            {
              imageUri: IMAGE,
              verdict: 'NON_CONFORMANT',
              checkSetResult: {
                checkResults: {
                  results: [
                    { type: 'TrustedDirectoryCheck', explanation: expect.any(String), evaluationResult: { verdict: 'CONFORMANT' } },
                    {
                      index: '1',
                      displayName: 'never',
                      type: 'AlwaysDenyCheck',
                      explanation: expect.any(String),
                      evaluationResult: { verdict: 'NON_CONFORMANT' },
                    },
                  ],
                },
              },
            },
          ],
        },
      ],
    });
  });

  it.each([
    ['no check sets', {}],
    ['an empty check set', { checkSets: [{}] }],
  ])('explains that %s allow everything', async (_, policy) => {
    const { verdict, results } = await evaluate(policy);
    expect(verdict).toBe('CONFORMANT');
    const [image] = results[0].imageResults;
    expect(image.explanation ?? image.checkSetResult.explanation).toMatch(/no check/);
  });

  it('names the pattern that exempted an image, at each level', async () => {
    const imageAllowlist = { allowPattern: ['gcr.io/q/*', 'gcr.io/p/*'] };
    const allowed = { allowlistResult: { matchedPattern: 'gcr.io/p/*' } };
    const first = async (policy: unknown) => {
      const { verdict, results } = await evaluate(policy);
      expect(verdict).toBe('CONFORMANT');
      return results[0].imageResults[0];
    };
    expect(await first({ imageAllowlist, ...withChecks(DENY) })).toEqual({ imageUri: IMAGE, verdict: 'CONFORMANT', ...allowed });
    expect((await first({ checkSets: [{ imageAllowlist, checks: [DENY] }] })).checkSetResult).toEqual(allowed);
    const check = (await first(withChecks({ ...DENY, imageAllowlist }))).checkSetResult.checkResults.results[0];
    expect(check).toEqual({ displayName: 'never', type: 'AlwaysDenyCheck', ...allowed });
  });

  it('lets a violation outweigh an error, and an error a pass', async () => {
    const error = { slsaCheck: { rules: [{ trustedBuilder: 'GOOGLE_CLOUD_BUILD' }] } };
    const pass = { trustedDirectoryCheck: { trustedDirPatterns: ['gcr.io/p'] } };
    expect((await evaluate(withChecks(pass, error))).verdict).toBe('ERROR');
    expect((await evaluate(withChecks(error, pass, DENY))).verdict).toBe('NON_CONFORMANT');
    const { verdict, results } = await evaluate(withChecks(pass), pod(IMAGE, `gcr.io/q/x@${D}`));
    expect([verdict, results[0].imageResults.map((image: { verdict: string }) => image.verdict)]).toEqual([
      'NON_CONFORMANT',
      ['CONFORMANT', 'NON_CONFORMANT'],
    ]);
  });
});

describe('the check set', () => {
  const policy = {
    checkSets: [
      { displayName: 'account', scope: { kubernetesServiceAccount: 'shop:ci' } },
      { displayName: 'namespace', scope: { kubernetesNamespace: 'shop' } },
      { displayName: 'rest' },
    ],
  };
  const inPod = (namespace: string | undefined, serviceAccount: object) => ({
    kind: 'Pod',
    metadata: { namespace },
    spec: { ...serviceAccount, containers: [{ image: IMAGE }] },
  });
  it.each([
    ['shop', { serviceAccountName: 'ci' }, 'account', undefined],
    ['shop', { serviceAccount: 'ci' }, 'account', undefined],
    ['shop', {}, 'namespace', '1'],
    ['other', { serviceAccountName: 'ci' }, 'rest', '2'],
    [undefined, {}, 'rest', '2'],
  ])('for %s with %j is %s', async (namespace, serviceAccount, displayName, index) => {
    const { results } = await evaluate(policy, inPod(namespace, serviceAccount));
    const { checkSetResult } = results[0].imageResults[0];
    expect([checkSetResult.displayName, checkSetResult.index]).toEqual([displayName, index]);
    expect('scope' in checkSetResult).toBe(displayName !== 'rest');
  });
});

describe('workloads', () => {
  const template = {
    metadata: { labels: {} },
    spec: {
      serviceAccountName: 'ci',
      initContainers: [{ image: 'a' }],
      containers: [{ image: 'b' }],
      ephemeralContainers: [{ image: 'c' }],
    },
  };
  it.each([
    ['Pod', template],
    ['PodTemplate', { template }],
    ['CronJob', { spec: { jobTemplate: { spec: { template } } } }],
    ...['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'ReplicationController', 'Job'].map((kind): [string, object] => [
      kind,
      { spec: { template } },
    ]),
  ])('%s', async (kind, body) => {
    const { results } = await evaluate({}, { ...body, kind, metadata: { name: 'web', namespace: 'shop' } });
    expect(results).toHaveLength(1);
    expect(results[0]).toMatchObject({ podName: 'web', kubernetesNamespace: 'shop', kubernetesServiceAccount: 'ci' });
    expect(results[0].imageResults.map(({ imageUri }: { imageUri: string }) => imageUri)).toEqual(['a', 'b', 'c']);
  });

  it.each([
    ['another kind', { kind: 'Service', spec: {} }],
    ['no containers', { kind: 'Pod', spec: {} }],
    ['a container without an image', { kind: 'Pod', spec: { containers: [{ name: 'x' }] } }],
    ['a misspelt member', { kind: 'Deployment', spec: { pod_template: template } }],
    ['nothing', null],
    ['a list', [pod(IMAGE)]],
  ])('%s is refused', async (_, resource) => {
    expect((await evaluate({}, resource)).error).toMatchObject({ status: 'INVALID_ARGUMENT' });
  });
});

describe('allow patterns', () => {
  it.each([
    ['gcr.io/p/x', 'gcr.io/p/x', true],
    ['gcr.io/p/x', 'gcr.io/p/x:v1', true],
    ['gcr.io/p/x', IMAGE, true],
    ['gcr.io/p/x', 'gcr.io/p/xy', false],
    ['gcr.io/p/x:v1', `gcr.io/p/x:v1@${D}`, true],
    ['gcr.io/p/x:v1', 'gcr.io/p/x:v2', false],
    ['gcr.io/p/x:v1', IMAGE, false],
    [IMAGE, `gcr.io/p/x:v1@${D}`, true],
    [IMAGE, `gcr.io/p/x@sha256:${'1'.repeat(64)}`, false],
    ['gcr.io/p/x:rel-*', 'gcr.io/p/x:rel-1', true],
    ['gcr.io/p/x:rel-*', 'gcr.io/p/x:dev-1', false],
    ['gcr.io/p/x:rel-*', 'gcr.io/p/x', false],
    ['gcr.io/p/*', 'gcr.io/p/x:v1', true],
    ['gcr.io/p/*', 'gcr.io/p/x/y', false],
    ['gcr.io/p/**', 'gcr.io/p/x/y:v1', true],
    ['gcr.io/p/**', 'gcr.io/pp/x', false],
    ['gcr.io/p', 'gcrxio/p', false],
    ['gcr.io/*/x', 'gcr.io/p/x', true],
    ['gcr.io/a*b*c/x', 'gcr.io/abc/x', true],
    ['gcr.io/a*b*c/x', 'gcr.io/a1b2c/x', true],
    ['gcr.io/a*b*bc/x', 'gcr.io/abc/x', false],
    ['gcr.io/ab*bc/x', 'gcr.io/abc/x', false],
    [`gcr.io/${'a*'.repeat(500)}b`, `gcr.io/${'a'.repeat(5000)}`, false],
    ['nginx', 'docker.io/library/nginx', false],
    ['localhost:5000/x', 'localhost:5000/x:v1', true],
  ])('%s on %s: %s', async (pattern, image, isAllowed) => {
    const { verdict } = await evaluate({ imageAllowlist: { allowPattern: [pattern] }, ...withChecks(DENY) }, pod(image));
    expect(verdict).toBe(isAllowed ? 'CONFORMANT' : 'NON_CONFORMANT');
  });
});

describe('trusted directories', () => {
  it.each([
    ['gcr.io/p', 'gcr.io/p/x:v1', true],
    ['gcr.io/p', 'gcr.io/p/r/x', false],
    ['gcr.io/p/r', 'gcr.io/p/r/x', true],
    ['*-docker.pkg.dev/p/r', 'us-docker.pkg.dev/p/r/x', true],
    ['*-docker.pkg.dev/p/r', 'docker.pkg.dev/p/r/x', false],
    ['*.gcr.io/p', 'eu.gcr.io/p/x', true],
    ['*.gcr.io/p', 'gcr.io/p/x', false],
    ['*.gcr.io/p', 'evil.example/eu.gcr.io/p/x', false],
    ['gcr.io/p/*', 'gcr.io/p/r/x', true],
    ['gcr.io/p/*', 'gcr.io/p/r/s/x', false],
    ['gcr.io/p/**', 'gcr.io/p/r/s/x', true],
    ['gcr.io/p', 'nginx', false],
  ])('%s on %s: %s', async (pattern, image, isTrusted) => {
    const { verdict } = await judge({ trustedDirectoryCheck: { trustedDirPatterns: [pattern] } }, image);
    expect(verdict).toBe(isTrusted ? 'CONFORMANT' : 'NON_CONFORMANT');
  });
});

describe('simple signing', () => {
  const KEY = signingKey('ECDSA_P256_SHA256');
  const RSA = signingKey('RSA_PSS_2048_SHA256');
  const PAYLOAD = simpleSigningPayload('gcr.io/elsewhere/y', D);
  const TYPE = 'application/vnd.dev.cosign.simplesigning.v1+json';
  const pae = (body: Buffer) => Buffer.concat([Buffer.from(`DSSEv1 ${TYPE.length} ${TYPE} ${body.length} `), body]);
  const pkix = ({ pem, algorithm }: { pem: string; algorithm: string }, keyId: string) => ({
    publicKeyPem: pem,
    signatureAlgorithm: algorithm,
    keyId,
  });
  const check = (projects = ['projects/p'], ...keys: object[]) => ({
    displayName: 'attested',
    simpleSigningAttestationCheck: {
      attestationAuthenticators: (keys.length > 0 ? keys : [pkix(KEY, 'urn:k')]).map((key) => ({
        pkixPublicKeySet: { pkixPublicKeys: [key] },
      })),
      containerAnalysisAttestationProjects: projects,
    },
  });
  async function attest(signature: Buffer, { payload = PAYLOAD, id = 'urn:k', uri = `https://${IMAGE}`, project = 'p' } = {}) {
    await emulator.api('POST', '/v1/projects/notes/notes?noteId=any', { attestation: { hint: { humanReadableName: 'any' } } });
    const signatures = [{ publicKeyId: id, signature: signature.toString('base64') }];
    const made = await emulator.api('POST', `/v1/projects/${project}/occurrences`, {
      noteName: 'projects/notes/notes/any',
      resourceUri: uri,
      attestation: { serializedPayload: payload.toString('base64'), signatures },
    });
    expect(made.status).toBe(200);
  }

  it.each([
    ['over the payload', (body: Buffer) => KEY.sign(body)],
    ['over its DSSE form', (body: Buffer) => KEY.sign(pae(body))],
  ])('takes a signature %s, under any note, for the digest in any repository', async (_, sign) => {
    await attest(sign(PAYLOAD), { uri: `https://gcr.io/elsewhere/y@${D}` });
    expect(await judge(check())).toMatchObject({
      verdict: 'CONFORMANT',
      found: { displayName: 'attested', type: 'SimpleSigningAttestationCheck' },
    });
  });

  it('takes any key of any authenticator, and its default id', async () => {
    const plain = { publicKeyPem: RSA.pem, signatureAlgorithm: RSA.algorithm };
    const { createHash } = await import('node:crypto');
    await attest(RSA.sign(PAYLOAD), { id: `ni:///sha-256;${createHash('sha256').update(RSA.der).digest('base64url')}` });
    expect((await judge(check(undefined, pkix(KEY, 'urn:k'), plain))).verdict).toBe('CONFORMANT');
  });

  it.each([
    ['there is none', () => Promise.resolve()],
    ['the key is another', () => attest(RSA.sign(PAYLOAD))],
    ['the key id is another', () => attest(KEY.sign(PAYLOAD), { id: 'urn:other' })],
    ['the resource is another', () => attest(KEY.sign(PAYLOAD), { uri: `https://gcr.io/p/x@sha256:${'1'.repeat(64)}` })],
    [
      'the payload is about another',
      () => {
        const payload = simpleSigningPayload('gcr.io/p/x', `sha256:${'1'.repeat(64)}`);
        return attest(KEY.sign(payload), { payload });
      },
    ],
    [
      'the payload is of another type',
      () => {
        const payload = simpleSigningPayload('gcr.io/p/x', D, 'atomic container signature');
        return attest(KEY.sign(payload), { payload });
      },
    ],
    ['the project is another', () => attest(KEY.sign(PAYLOAD), { project: 'q' })],
  ])('denies where %s', async (_, plant) => {
    await plant();
    expect(await judge(check())).toMatchObject({
      verdict: 'NON_CONFORMANT',
      explanation: expect.stringContaining('No attestations found'),
    });
  });

  it('denies a tag', async () => {
    await attest(KEY.sign(PAYLOAD));
    expect(await judge(check(), 'gcr.io/p/x:v1')).toMatchObject({
      verdict: 'NON_CONFORMANT',
      explanation: expect.stringContaining('got tag or malformed digest'),
    });
  });

  it('needs two checks for two attestors', async () => {
    await attest(KEY.sign(PAYLOAD));
    const { verdict } = await evaluate(withChecks(check(), check(['projects/p'], pkix(RSA, 'urn:r'))));
    expect(verdict).toBe('NON_CONFORMANT');
    await attest(RSA.sign(PAYLOAD), { id: 'urn:r' });
    expect((await evaluate(withChecks(check(), check(['projects/p'], pkix(RSA, 'urn:r'))))).verdict).toBe('CONFORMANT');
  });

  it('reads other projects as the service agent, which needs a role there', async () => {
    await attest(KEY.sign(PAYLOAD), { project: 'q' });
    const { verdict, explanation } = await judge(check(['projects/p', 'projects/q']));
    expect(verdict).toBe('ERROR');
    const agent = /service-\d+@gcp-sa-binaryauthorization\.iam\.gserviceaccount\.com/.exec(explanation)?.[0] ?? '';
    const bindings = [{ role: 'roles/containeranalysis.occurrences.viewer', members: [`serviceAccount:${agent}`] }];
    await emulator.api('POST', '/v1/projects/q:setIamPolicy', { policy: { bindings } });
    expect((await judge(check(['projects/p', 'projects/q']))).verdict).toBe('CONFORMANT');
  });
});

describe('freshness', () => {
  it('counts from the upload, where that is known', async () => {
    const image = singleImage('fresh');
    await pushImage(emulator.url, 'p/r/app', 'v1', image, { headers: { 'x-binauthz-registry': 'us-docker.pkg.dev' } });
    const check = { imageFreshnessCheck: { maxUploadAgeDays: '30' } };
    for (const uri of [`us-docker.pkg.dev/p/r/app@${image.digest}`, 'us-docker.pkg.dev/p/r/app:v1']) {
      now = START + 30 * DAY;
      expect((await judge(check, uri)).verdict).toBe('CONFORMANT');
      now += 1;
      expect((await judge(check, uri)).verdict).toBe('NON_CONFORMANT');
    }
    for (const uri of [IMAGE, 'nginx', 'us-docker.pkg.dev/p/r/app:v2']) expect((await judge(check, uri)).verdict).toBe('ERROR');
  });
});

describe('vulnerabilities', () => {
  const check = (more: object = {}) => ({
    vulnerabilityCheck: { maximumFixableSeverity: 'LOW', maximumUnfixableSeverity: 'HIGH', ...more },
  });
  const occur = (id: string, details: object) =>
    emulator.api('POST', '/v1/projects/p/occurrences', { resourceUri: `https://${IMAGE}`, noteName: `projects/p/notes/${id}`, ...details });
  async function scan(analysisStatus: string, ...found: readonly (readonly [string, object])[]) {
    await emulator.api('POST', '/v1/projects/p/notes?noteId=scan', { discovery: { analysisKind: 'VULNERABILITY' } });
    expect((await occur('scan', { discovery: { analysisStatus } })).status).toBe(200);
    for (const [cve, vulnerability] of found) {
      await emulator.api('POST', `/v1/projects/p/notes?noteId=${cve}`, { vulnerability: {} });
      expect((await occur(cve, { vulnerability })).status).toBe(200);
    }
  }

  it('are an error without a valid scan', async () => {
    expect((await judge(check())).verdict).toBe('ERROR');
    await scan('FINISHED_UNSUPPORTED');
    expect((await judge(check())).verdict).toBe('ERROR');
    expect((await judge(check(), 'gcr.io/p/x:v1')).verdict).toBe('ERROR');
  });

  it.each([
    ['none', [], {}, 'CONFORMANT'],
    ['low and fixable', [{ effectiveSeverity: 'LOW', fixAvailable: true }], {}, 'CONFORMANT'],
    ['medium and fixable', [{ effectiveSeverity: 'MEDIUM', fixAvailable: true }], {}, 'NON_CONFORMANT'],
    ['high and unfixable', [{ effectiveSeverity: 'HIGH' }], {}, 'CONFORMANT'],
    ['critical and unfixable', [{ effectiveSeverity: 'CRITICAL' }], {}, 'NON_CONFORMANT'],
    ['of no severity', [{}], {}, 'NON_CONFORMANT'],
    ['of no severity, all allowed', [{}], { maximumUnfixableSeverity: 'ALLOW_ALL' }, 'CONFORMANT'],
    ['minimal, all blocked', [{ effectiveSeverity: 'MINIMAL' }], { maximumUnfixableSeverity: 'BLOCK_ALL' }, 'NON_CONFORMANT'],
    ['critical, its CVE allowed', [{ effectiveSeverity: 'CRITICAL' }], { allowedCves: ['CVE-1'] }, 'CONFORMANT'],
    ['low, its CVE blocked', [{ effectiveSeverity: 'LOW' }], { blockedCves: ['CVE-1'] }, 'NON_CONFORMANT'],
  ])('%s', async (_, found, more, verdict) => {
    await scan('FINISHED_SUCCESS', ...found.map((details) => ['CVE-1', details] as const));
    expect((await judge(check(more))).verdict).toBe(verdict);
  });
});

it.each([
  ['slsaCheck', { rules: [{ trustedBuilder: 'GOOGLE_CLOUD_BUILD', configBasedBuildRequired: true }] }],
  ['sigstoreSignatureCheck', { sigstoreAuthorities: [{ publicKeySet: { publicKeys: [{ publicKeyPem: 'x' }] } }] }],
])('%s cannot be evaluated here, and says so', async (kind, check) => {
  expect(await judge({ [kind]: check })).toMatchObject({ verdict: 'ERROR', explanation: expect.stringContaining('emulator') });
});

it('has no key for deploy attestations, and says so', async () => {
  await create({});
  const asked = { resource: pod(IMAGE), attestationMode: 'GENERATE_DEPLOY' };
  const { json } = await emulator.api('POST', `${POLICIES}/cv:evaluate`, asked);
  expect(json.error).toMatchObject({ status: 'FAILED_PRECONDITION' });
});

it.each([
  ['GET', '/cv', undefined, 'policyViewer', 'attestorsAdmin'],
  ['GET', '', undefined, 'policyViewer', 'attestorsAdmin'],
  ['POST', '?policyId=new', { gkePolicy: {} }, 'policyEditor', 'policyEvaluator'],
  ['PUT', '/cv', { gkePolicy: {} }, 'policyEditor', 'policyEvaluator'],
  ['DELETE', '/cv', undefined, 'policyAdmin', 'policyViewer'],
  ['POST', '/cv:evaluate', { resource: pod(IMAGE) }, 'policyEvaluator', 'policyViewer'],
])('checks permissions of %s %s', async (method, path, body, enough, close) => {
  await create({});
  const as = async (role: string) => {
    const bindings = [{ role: `roles/binaryauthorization.${role}`, members: ['user:someone@example.com'] }];
    await emulator.api('POST', '/v1/projects/p:setIamPolicy', { policy: { bindings } });
    return emulator.api(method, `${POLICIES}${path}`, body, 'as:someone@example.com');
  };
  expect((await as(close)).json.error).toMatchObject({
    status: 'PERMISSION_DENIED',
    message: expect.stringContaining('platformPolicies.'),
  });
  expect((await as(enough)).status).toBe(200);
});

describe('the system policy', () => {
  it.each(['global', 'us-central1', 'europe-west12'])('is there for %s', async (location) => {
    const { json } = await emulator.api('GET', `/v1/locations/${location}/policy`);
    expect(json).toMatchObject({ name: `locations/${location}/policy`, description: expect.stringContaining('Made up') });
  });

  it.each(['us-central1-a', 'us', 'us-middle1'])('is not there for %s, which is no region', async (location) => {
    expect((await emulator.api('GET', `/v1/locations/${location}/policy`)).json.error).toMatchObject({ status: 'NOT_FOUND' });
  });
});
