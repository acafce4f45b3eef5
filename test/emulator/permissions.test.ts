// SPDX-License-Identifier: Apache-2.0
// Each call with a role that carries its permission, granted on the project, and with one that comes close and does not.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestEmulator, type TestEmulator } from '../support/emulator.js';
import { pushImage, singleImage } from '../support/images.js';

let emulator: TestEmulator;
beforeAll(async () => void (emulator = await startTestEmulator()));
afterAll(async () => {
  expect(emulator.lastErrors).toEqual([]);
  await emulator.close();
});

const WHO = 'someone@example.com';
const KEYS = '/v1/projects/p/locations/global/keyRings/r/cryptoKeys';
const VERSION = `${KEYS}/k/cryptoKeyVersions/1`;
const REPOSITORY = '/v1/projects/p/locations/us/repositories/repo';
const NOTE = 'projects/p/notes/n';
const IMAGE = singleImage('permissions');
const RULE = {
  evaluationMode: 'REQUIRE_ATTESTATION',
  enforcementMode: 'ENFORCED_BLOCK_AND_AUDIT_LOG',
  requireAttestationsBy: ['projects/p/attestors/a'],
};
const OCCURRENCE = { resourceUri: 'https://x/y', noteName: NOTE, attestation: { serializedPayload: 'e30=' } };
const QUESTION = { attestation: {}, occurrenceNote: NOTE, occurrenceResourceUri: 'x' };
const DIGEST = { digest: { sha256: Buffer.alloc(32).toString('base64') } };
const NEW_ATTESTOR = { userOwnedGrafeasNote: { noteReference: NOTE } };
const ENTRY = { logName: 'projects/p/logs/app', resource: { type: 'global' }, entries: [{ textPayload: 'x' }] };
const DESCRIPTOR = '/v3/projects/p/metricDescriptors/logging.googleapis.com/user/m';
const CHANNEL = { type: 'email', labels: { email_address: 'a@example.com' } };
const ALERT = {
  displayName: 'x',
  combiner: 'OR',
  conditions: [{ displayName: 'x', conditionMatchedLog: { filter: 'x' } }],
  alertStrategy: { notificationRateLimit: { period: '300s' } },
};
const BINAUTHZ = 'roles/binaryauthorization.';
const ANALYSIS = 'roles/containeranalysis.';
const KMS = 'roles/cloudkms.';
const REGISTRY = 'roles/artifactregistry.';

/** Method, path, body, the roles that together suffice, the roles that together do not. */
const CALLS: readonly (readonly [string, string, unknown, readonly string[], readonly string[]])[] = [
  ['GET', '/v1/projects/p/policy', undefined, [`${BINAUTHZ}policyViewer`], [`${BINAUTHZ}attestorsAdmin`]],
  [
    'PUT',
    '/v1/projects/p/policy',
    { defaultAdmissionRule: RULE },
    [`${BINAUTHZ}policyEditor`, `${BINAUTHZ}attestorsViewer`],
    [`${BINAUTHZ}policyEditor`],
  ],
  [
    'PUT',
    '/v1beta1/projects/p/policy',
    { defaultAdmissionRule: RULE },
    [`${BINAUTHZ}policyAdmin`, `${BINAUTHZ}attestorsVerifier`],
    [`${BINAUTHZ}attestorsAdmin`, `${BINAUTHZ}policyViewer`],
  ],
  ['GET', '/v1/projects/p/policy:getIamPolicy', undefined, [`${BINAUTHZ}policyAdmin`], [`${BINAUTHZ}policyEditor`]],
  ['POST', '/v1/projects/p/policy:setIamPolicy', { policy: {} }, [`${BINAUTHZ}policyAdmin`], ['roles/editor']],
  ['GET', '/v1/projects/p/attestors', undefined, [`${BINAUTHZ}attestorsViewer`], [`${BINAUTHZ}policyAdmin`]],
  ['GET', '/v1/projects/p/attestors/a', undefined, [`${BINAUTHZ}attestorsVerifier`], [`${BINAUTHZ}policyEditor`]],
  [
    'POST',
    '/v1/projects/p/attestors?attestorId=b',
    NEW_ATTESTOR,
    [`${BINAUTHZ}attestorsEditor`, `${ANALYSIS}notes.viewer`],
    [`${BINAUTHZ}attestorsEditor`],
  ],
  ['PUT', '/v1/projects/p/attestors/a', NEW_ATTESTOR, [`${BINAUTHZ}attestorsEditor`], [`${BINAUTHZ}attestorsVerifier`]],
  ['DELETE', '/v1/projects/p/attestors/a', undefined, [`${BINAUTHZ}attestorsAdmin`], [`${BINAUTHZ}attestorsVerifier`]],
  [
    'POST',
    '/v1/projects/p/attestors/a:validateAttestationOccurrence',
    QUESTION,
    [`${BINAUTHZ}attestorsVerifier`],
    [`${BINAUTHZ}attestorsViewer`],
  ],
  ['POST', '/v1alpha2/projects/p/attestors/a:setIamPolicy', { policy: {} }, [`${BINAUTHZ}attestorsAdmin`], [`${BINAUTHZ}attestorsEditor`]],
  ['POST', '/v1/projects/p/notes?noteId=m', { attestation: {} }, [`${ANALYSIS}notes.editor`], [`${ANALYSIS}notes.attacher`]],
  ['GET', '/v1/projects/p/notes', undefined, [`${ANALYSIS}notes.viewer`], [`${ANALYSIS}notes.attacher`]],
  ['GET', `/v1/${NOTE}`, undefined, [`${ANALYSIS}notes.attacher`], [`${ANALYSIS}occurrences.editor`]],
  ['PATCH', `/v1/${NOTE}`, { shortDescription: 'x' }, [`${ANALYSIS}notes.editor`], [`${ANALYSIS}notes.viewer`]],
  ['DELETE', `/v1/${NOTE}`, undefined, [`${ANALYSIS}notes.editor`], [`${ANALYSIS}notes.viewer`]],
  ['POST', `/v1/${NOTE}:setIamPolicy`, { policy: {} }, [`${ANALYSIS}admin`], [`${ANALYSIS}notes.editor`]],
  ['POST', `/v1/${NOTE}:getIamPolicy`, {}, [`${ANALYSIS}admin`], [`${ANALYSIS}notes.editor`]],
  [
    'GET',
    `/v1/${NOTE}/occurrences`,
    undefined,
    [`${ANALYSIS}notes.occurrences.viewer`],
    [`${ANALYSIS}notes.editor`, `${ANALYSIS}occurrences.editor`],
  ],
  [
    'POST',
    '/v1/projects/p/occurrences',
    OCCURRENCE,
    [`${ANALYSIS}notes.attacher`, `${ANALYSIS}occurrences.editor`],
    [`${ANALYSIS}occurrences.editor`],
  ],
  [
    'POST',
    '/v1/projects/p/occurrences:batchCreate',
    { occurrences: [OCCURRENCE] },
    [`${ANALYSIS}notes.attacher`, `${ANALYSIS}occurrences.editor`],
    [`${ANALYSIS}notes.attacher`],
  ],
  ['GET', '/v1/projects/p/occurrences', undefined, [`${ANALYSIS}occurrences.viewer`], [`${ANALYSIS}notes.occurrences.viewer`]],
  ['POST', '/v1/projects/p/locations/global/keyRings?keyRingId=s', {}, [`${KMS}admin`], [`${KMS}viewer`]],
  ['GET', '/v1/projects/p/locations/global/keyRings', undefined, [`${KMS}viewer`], [`${KMS}signerVerifier`]],
  [
    'POST',
    `${KEYS}?cryptoKeyId=l&skipInitialVersionCreation=true`,
    { purpose: 'ASYMMETRIC_SIGN', versionTemplate: { algorithm: 'EC_SIGN_P256_SHA256' } },
    [`${KMS}admin`],
    [`${KMS}cryptoOperator`],
  ],
  ['GET', `${KEYS}/k/cryptoKeyVersions`, undefined, [`${KMS}viewer`], [`${KMS}signerVerifier`]],
  ['GET', VERSION, undefined, [`${KMS}viewer`], [`${KMS}signerVerifier`]],
  ['PATCH', `${VERSION}?updateMask=state`, { state: 'DISABLED' }, [`${KMS}admin`], [`${KMS}viewer`]],
  ['POST', `${VERSION}:destroy`, {}, [`${KMS}admin`], [`${KMS}viewer`]],
  ['GET', `${VERSION}/publicKey`, undefined, [`${KMS}publicKeyViewer`], [`${KMS}signer`, `${KMS}viewer`]],
  ['POST', `${VERSION}:asymmetricSign`, DIGEST, [`${KMS}signer`], [`${KMS}admin`, `${KMS}verifier`]],
  ['GET', `${KEYS}/k:getIamPolicy`, undefined, [`${KMS}admin`], [`${KMS}viewer`]],
  ['GET', REPOSITORY, undefined, [`${REGISTRY}reader`], [`${KMS}admin`]],
  ['GET', `${REPOSITORY}/packages/app/tags/v1`, undefined, [`${REGISTRY}reader`], ['roles/browser']],
  ['GET', `${REPOSITORY}/dockerImages`, undefined, [`${REGISTRY}reader`], ['roles/browser']],
  ['DELETE', `${REPOSITORY}/packages/app/tags/v1`, undefined, [`${REGISTRY}repoAdmin`], [`${REGISTRY}writer`]],
  ['DELETE', REPOSITORY, undefined, [`${REGISTRY}admin`], [`${REGISTRY}repoAdmin`]],
  ['POST', `${REPOSITORY}:setIamPolicy`, { policy: {} }, [`${REGISTRY}admin`], [`${REGISTRY}repoAdmin`]],
  ['GET', '/v2/p/repo/app/manifests/v1', undefined, [`${REGISTRY}reader`], [`${ANALYSIS}admin`]],
  ['POST', '/v2/p/repo/app/blobs/uploads/', undefined, [`${REGISTRY}writer`], [`${REGISTRY}reader`]],
  ['DELETE', '/v2/p/repo/app/manifests/v1', undefined, [`${REGISTRY}repoAdmin`], [`${REGISTRY}writer`]],
  ['GET', '/v1/projects/p/services/run.googleapis.com', undefined, ['roles/serviceusage.serviceUsageViewer'], ['roles/browser']],
  [
    'POST',
    '/v1/projects/p/services/run.googleapis.com:enable',
    {},
    ['roles/serviceusage.serviceUsageAdmin'],
    ['roles/serviceusage.serviceUsageConsumer'],
  ],
  ['POST', '/v2/entries:write', ENTRY, ['roles/logging.logWriter'], ['roles/logging.privateLogViewer', 'roles/logging.configWriter']],
  ['POST', '/v2/entries:list', { resourceNames: ['projects/p'] }, ['roles/logging.viewer'], ['roles/logging.logWriter']],
  ['POST', '/v2/entries:list', { resourceNames: ['projects/p'] }, ['roles/logging.privateLogViewer'], ['roles/logging.configWriter']],
  ['GET', '/v2/projects/p/metrics', undefined, ['roles/logging.viewer'], ['roles/monitoring.viewer']],
  ['GET', '/v2/projects/p/metrics/m', undefined, ['roles/logging.viewer'], ['roles/logging.logWriter']],
  ['POST', '/v2/projects/p/metrics', { name: 'l', filter: 'x' }, ['roles/logging.configWriter'], ['roles/logging.viewer']],
  ['PUT', '/v2/projects/p/metrics/m', { filter: 'y' }, ['roles/logging.configWriter'], ['roles/logging.privateLogViewer']],
  ['DELETE', '/v2/projects/p/metrics/m', undefined, ['roles/logging.admin'], ['roles/logging.viewer']],
  ['GET', DESCRIPTOR, undefined, ['roles/monitoring.metricWriter'], ['roles/monitoring.alertPolicyEditor']],
  ['GET', '/v3/projects/p/metricDescriptors', undefined, ['roles/monitoring.viewer'], ['roles/logging.viewer']],
  [
    'GET',
    '/v3/projects/p/alertPolicies',
    undefined,
    ['roles/monitoring.alertPolicyViewer'],
    ['roles/monitoring.notificationChannelEditor'],
  ],
  ['POST', '/v3/projects/p/alertPolicies', ALERT, ['roles/monitoring.alertPolicyEditor'], ['roles/monitoring.viewer']],
  [
    'GET',
    '/v3/projects/p/notificationChannels',
    undefined,
    ['roles/monitoring.notificationChannelViewer'],
    ['roles/monitoring.alertPolicyEditor'],
  ],
  ['POST', '/v3/projects/p/notificationChannels', CHANNEL, ['roles/monitoring.notificationChannelEditor'], ['roles/monitoring.viewer']],
  ['GET', '/v3/projects/p', undefined, ['roles/browser'], [`${REGISTRY}admin`]],
  ['POST', '/v1/projects/p:setIamPolicy', { policy: {} }, ['roles/resourcemanager.projectIamAdmin'], ['roles/editor']],
];

describe('permissions', () => {
  beforeEach(async () => {
    await emulator.api('POST', '/_emulator/reset');
    await emulator.api('POST', '/v1/projects/p/notes?noteId=n', { attestation: {} });
    await emulator.api('POST', '/v1/projects/p/attestors?attestorId=a', NEW_ATTESTOR);
    await emulator.api('POST', '/v1/projects/p/locations/global/keyRings?keyRingId=r', {});
    await emulator.api('POST', `${KEYS}?cryptoKeyId=k`, {
      purpose: 'ASYMMETRIC_SIGN',
      versionTemplate: { algorithm: 'EC_SIGN_P256_SHA256' },
    });
    await emulator.api('POST', '/v2/projects/p/metrics', { name: 'm', filter: 'x' });
    await pushImage(emulator.url, 'p/repo/app', 'v1', IMAGE, { headers: { 'x-binauthz-registry': 'us-docker.pkg.dev' } });
  });
  const grant = (resource: string, roles: readonly string[]) =>
    emulator.api('POST', `/v1/${resource}:setIamPolicy`, {
      policy: { bindings: roles.map((role) => ({ role, members: [`user:${WHO}`] })) },
    });

  it.each(CALLS)('%s %s', async (method, path, body, enough, tooLittle) => {
    const call = () => emulator.api(method, path, body, `as:${WHO}`);
    expect((await call()).status, 'no role at all').toBe(403);
    await grant('projects/q', enough);
    expect((await call()).status, 'a role on another project').toBe(403);
    await grant('projects/p', tooLittle);
    expect((await call()).status, tooLittle.join()).toBe(403);
    await grant('projects/p', enough);
    expect((await call()).status, enough.join()).toBeLessThan(300);
  });

  it.each([
    [NOTE, `/v1/${NOTE}/occurrences`, `${ANALYSIS}notes.occurrences.viewer`],
    ['projects/p/attestors/a', '/v1/projects/p/attestors/a', `${BINAUTHZ}attestorsViewer`],
    ['projects/p/policy', '/v1/projects/p/policy', `${BINAUTHZ}policyViewer`],
    ['projects/p/locations/global/keyRings/r', `${VERSION}/publicKey`, `${KMS}publicKeyViewer`],
    ['projects/p/locations/global/keyRings/r/cryptoKeys/k', `${VERSION}/publicKey`, `${KMS}publicKeyViewer`],
    ['projects/p/locations/us/repositories/repo', `${REPOSITORY}/packages/app/versions/${IMAGE.digest}`, `${REGISTRY}reader`],
  ])('a role on %s opens %s', async (resource, path, role) => {
    const call = () => emulator.api('GET', path, undefined, `as:${WHO}`);
    expect((await call()).status).toBe(403);
    expect((await grant(resource, [role])).status).toBe(200);
    expect((await call()).status).toBe(200);
    await grant(resource, []);
    expect((await call()).status).toBe(403);
  });

  it('are asked for before existence is told', async () => {
    for (const path of [
      '/v1/projects/p/attestors/none',
      '/v1/projects/p/notes/none',
      '/v1/projects/p/notes/none/occurrences',
      `${KEYS}/none/cryptoKeyVersions/1/publicKey`,
      `${REPOSITORY}x`,
    ]) {
      expect((await emulator.api('GET', path, undefined, `as:${WHO}`)).status, path).toBe(403);
      expect((await emulator.api('GET', path)).status, path).toBe(404);
    }
  });
});
