// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { callerOf } from '../../src/emulator/caller.js';
import { roleAllows } from '../../src/emulator/iam-roles.js';
import { IamStore } from '../../src/emulator/iam.js';
import { startTestEmulator, type TestEmulator } from '../support/emulator.js';

let emulator: TestEmulator;
beforeAll(async () => void (emulator = await startTestEmulator()));
beforeEach(async () => {
  await emulator.api('POST', '/_emulator/reset');
  await emulator.api('POST', '/v1/projects/p/attestors?attestorId=a', { userOwnedGrafeasNote: { noteReference: 'projects/p/notes/n' } });
});
afterAll(() => emulator.close());

const SA = 'ci@p.iam.gserviceaccount.com';
const ATTESTOR = '/v1/projects/p/attestors/a';
const bind = (role: string, ...members: string[]) => ({ policy: { bindings: [{ role, members }] } });

describe('roles', () => {
  it.each([
    ['roles/owner', 'anything.at.all', true],
    ['roles/editor', 'binaryauthorization.policy.update', true],
    ['roles/editor', 'binaryauthorization.policy.setIamPolicy', false],
    ['roles/editor', 'cloudkms.cryptoKeyVersions.useToSign', false],
    ['roles/viewer', 'containeranalysis.occurrences.list', true],
    ['roles/viewer', 'containeranalysis.occurrences.create', false],
    ['roles/viewer', 'binaryauthorization.attestors.verifyImageAttested', false],
    ['roles/viewer', 'logging.logEntries.list', true],
    ['roles/viewer', 'logging.privateLogEntries.list', false],
    ['roles/editor', 'logging.privateLogEntries.list', false],
    ['roles/logging.privateLogViewer', 'logging.privateLogEntries.list', true],
    ['roles/logging.configWriter', 'logging.logMetrics.create', true],
    ['roles/logging.configWriter', 'logging.logEntries.list', false],
    ['roles/monitoring.alertPolicyEditor', 'monitoring.notificationChannels.list', false],
    ['roles/monitoring.metricWriter', 'monitoring.metricDescriptors.list', true],
    ['roles/binaryauthorization.attestorsViewer', 'binaryauthorization.attestors.get', true],
    ['roles/binaryauthorization.attestorsViewer', 'binaryauthorization.attestors.verifyImageAttested', false],
    ['roles/binaryauthorization.attestorsVerifier', 'binaryauthorization.attestors.verifyImageAttested', true],
    ['roles/binaryauthorization.attestorsEditor', 'binaryauthorization.attestors.update', true],
    ['roles/binaryauthorization.attestorsEditor', 'binaryauthorization.attestors.setIamPolicy', false],
    ['roles/binaryauthorization.attestorsAdmin', 'binaryauthorization.attestors.setIamPolicy', true],
    ['roles/binaryauthorization.policyViewer', 'binaryauthorization.platformPolicies.get', true],
    ['roles/binaryauthorization.policyViewer', 'binaryauthorization.platformPolicies.evaluatePolicy', false],
    ['roles/binaryauthorization.policyEvaluator', 'binaryauthorization.platformPolicies.evaluatePolicy', true],
    ['roles/containeranalysis.notes.attacher', 'containeranalysis.notes.attachOccurrence', true],
    ['roles/containeranalysis.notes.attacher', 'containeranalysis.notes.listOccurrences', false],
    ['roles/containeranalysis.notes.occurrences.viewer', 'containeranalysis.notes.listOccurrences', true],
    ['roles/containeranalysis.occurrences.editor', 'containeranalysis.occurrences.create', true],
    ['roles/cloudkms.signer', 'cloudkms.cryptoKeyVersions.viewPublicKey', false],
    ['roles/cloudkms.signerVerifier', 'cloudkms.cryptoKeyVersions.viewPublicKey', true],
    ['roles/cloudkms.signerVerifier', 'cloudkms.cryptoKeyVersions.list', false],
    ['roles/cloudkms.viewer', 'cloudkms.cryptoKeyVersions.list', true],
    ['roles/cloudkms.admin', 'cloudkms.cryptoKeyVersions.useToSign', false],
    ['roles/artifactregistry.reader', 'artifactregistry.repositories.downloadArtifacts', true],
    ['roles/artifactregistry.reader', 'artifactregistry.repositories.uploadArtifacts', false],
    ['roles/artifactregistry.writer', 'artifactregistry.repositories.uploadArtifacts', true],
    ['roles/artifactregistry.writer', 'artifactregistry.repositories.deleteArtifacts', false],
    ['roles/artifactregistry.repoAdmin', 'artifactregistry.repositories.deleteArtifacts', true],
    ['roles/unheard.of', 'binaryauthorization.policy.get', false],
  ])('%s with %s: %s', (role, permission, expected) => {
    expect(roleAllows(role, permission)).toBe(expected);
  });
});

describe('callers', () => {
  const basic = (user: string, password: string) => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  it.each([
    [undefined, 'owner'],
    ['Bearer ya29.whatever', 'owner'],
    [`Bearer as:${SA}`, SA],
    [`bearer as:${SA}`, SA],
    [basic('_token', `as:${SA}`), SA],
    [basic('oauth2accesstoken', `as:${SA}`), SA],
    [basic('oauth2accesstoken', 'ya29.x'), 'owner'],
  ])('%s is %s', (authorization, expected) => {
    expect(callerOf(new Headers(authorization === undefined ? {} : { authorization }))).toBe(expected);
  });

  it('an identity without an address is nobody', async () => {
    expect((await emulator.api('GET', ATTESTOR, undefined, 'as:')).status).toBe(401);
  });
});

describe('members', () => {
  const store = new IamStore();
  it.each([
    [`serviceAccount:${SA}`, true],
    [`serviceAccount:${SA.toUpperCase()}`, true],
    [`user:${SA}`, true],
    [`group:${SA}`, false],
    ['domain:p.iam.gserviceaccount.com', true],
    ['domain:gserviceaccount.com', false],
    ['allUsers', true],
    ['allAuthenticatedUsers', true],
    ['principal://iam.googleapis.com/projects/1/x', false],
    ['user:other@example.com', false],
  ])('%s covers the service account: %s', (member, expected) => {
    store.write('projects/p', { bindings: [{ role: 'roles/viewer', members: [member] }] });
    expect(store.allows(SA, 'binaryauthorization.policy.get', 'projects/p/policy')).toBe(expected);
  });

  it.each([
    ['projects/p', true],
    ['projects/p/locations/l', true],
    ['projects/p/locations/l/keyRings/r/cryptoKeys/k', true],
    ['projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1', true],
    ['projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/2', false],
    ['projects/p/locations/l/keyRings/r/cryptoKeys/kk', false],
    ['projects', false],
  ])('a binding on %s reaches version 1: %s', (resource, expected) => {
    const own = new IamStore();
    own.write(resource, { bindings: [{ role: 'roles/cloudkms.signer', members: [`serviceAccount:${SA}`] }] });
    expect(
      own.allows(SA, 'cloudkms.cryptoKeyVersions.useToSign', 'projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1'),
    ).toBe(expected);
  });

  it('a conditional binding grants nothing', () => {
    store.write('projects/p', {
      version: 3,
      bindings: [{ role: 'roles/owner', members: ['allUsers'], condition: { expression: 'true' } }],
    });
    expect(store.allows(SA, 'binaryauthorization.policy.get', 'projects/p')).toBe(false);
  });
});

describe('the three methods', () => {
  it('refuses with the permission and the resource, in words and in details', async () => {
    const answer = await emulator.api('GET', ATTESTOR, undefined, `as:${SA}`);
    expect(answer.status).toBe(403);
    expect(answer.json.error).toEqual({
      code: 403,
      status: 'PERMISSION_DENIED',
      message:
        "Permission 'binaryauthorization.attestors.get' denied on resource '//binaryauthorization.googleapis.com/projects/p/attestors/a' (or it may not exist).",
      details: [
        {
          '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
          reason: 'IAM_PERMISSION_DENIED',
          domain: 'iam.googleapis.com',
          metadata: { permission: 'binaryauthorization.attestors.get', resource: 'projects/p/attestors/a' },
        },
      ],
    });
  });

  it('grants on the resource alone, or on its project', async () => {
    await emulator.api('POST', `${ATTESTOR}:setIamPolicy`, bind('roles/binaryauthorization.attestorsViewer', `serviceAccount:${SA}`));
    expect((await emulator.api('GET', ATTESTOR, undefined, `as:${SA}`)).status).toBe(200);
    expect((await emulator.api('GET', '/v1/projects/p/attestors', undefined, `as:${SA}`)).status).toBe(403);
    await emulator.api('POST', '/v1/projects/p:setIamPolicy', bind('roles/binaryauthorization.attestorsViewer', `serviceAccount:${SA}`));
    expect((await emulator.api('GET', '/v1/projects/p/attestors', undefined, `as:${SA}`)).status).toBe(200);
  });

  it('starts empty, and answers GET and POST alike', async () => {
    for (const method of ['GET', 'POST']) {
      expect((await emulator.api(method, `${ATTESTOR}:getIamPolicy?options.requestedPolicyVersion=3`)).json).toEqual({ etag: 'ACAB' });
    }
  });

  it('keep audit configurations, and change them only where the mask says so', async () => {
    const auditConfigs = [
      {
        service: 'allServices',
        auditLogConfigs: [{ logType: 'DATA_READ', exemptedMembers: [`serviceAccount:${SA}`] }, { logType: 'ADMIN_READ' }],
      },
    ];
    const set = (policy: object, updateMask?: string) =>
      emulator.api('POST', '/v1/projects/p:setIamPolicy', { policy, ...(updateMask === undefined ? {} : { updateMask }) });
    const bindings = [{ role: 'roles/viewer', members: [`serviceAccount:${SA}`] }];
    expect((await set({ bindings, auditConfigs })).json, 'the default mask leaves them out').not.toHaveProperty('auditConfigs');
    expect((await set({ auditConfigs }, 'auditConfigs')).json).toMatchObject({ bindings, auditConfigs });
    expect((await set({ bindings: [] })).json).toEqual({ auditConfigs, etag: expect.any(String) });
    expect((await emulator.api('POST', '/v1/projects/p:getIamPolicy', {})).json.auditConfigs).toEqual(auditConfigs);
    expect((await set({ bindings }, 'bindings,etag,audit_configs')).json).not.toHaveProperty('auditConfigs');
  });

  it.each([
    ['no service', { auditLogConfigs: [] }],
    ['an unknown type', { service: 's', auditLogConfigs: [{ logType: 'WRITES' }] }],
    ['no type', { service: 's', auditLogConfigs: [{}] }],
    ['an unknown member', { service: 's', logs: [] }],
    ['a text', 's'],
  ])('refuse an audit configuration with %s', async (_, config) => {
    const policy = { auditConfigs: [config] };
    expect((await emulator.api('POST', '/v1/projects/p:setIamPolicy', { policy })).json.error).toMatchObject({
      code: 400,
      status: 'INVALID_ARGUMENT',
    });
  });

  it('guards a read-modify-write by its etag', async () => {
    const policy = { ...bind('roles/viewer', 'user:u@example.com').policy, version: 3 };
    const first = await emulator.api('POST', `${ATTESTOR}:setIamPolicy`, { policy: { ...policy, etag: 'ACAB' } });
    expect(first.json).toEqual({ ...policy, etag: expect.stringMatching(/^[A-Za-z0-9+/=]+$/) });
    const stale = await emulator.api('POST', `${ATTESTOR}:setIamPolicy`, { policy: { ...policy, etag: 'ACAB' } });
    expect([stale.status, stale.json.error.status]).toEqual([409, 'ABORTED']);
    const second = await emulator.api('POST', `${ATTESTOR}:setIamPolicy`, { policy: { ...policy, etag: first.json.etag } });
    expect(second.status).toBe(200);
    expect(second.json.etag).not.toBe(first.json.etag);
    expect((await emulator.api('POST', `${ATTESTOR}:setIamPolicy`, { policy })).status).toBe(200);
  });

  it('keeps one binding per role', async () => {
    const bindings = [
      { role: 'roles/viewer', members: ['user:b@example.com', 'user:a@example.com'] },
      { role: 'roles/viewer', members: ['user:a@example.com'] },
      { role: 'roles/editor', members: [] },
    ];
    const answer = await emulator.api('POST', '/v1/projects/p/policy:setIamPolicy', { policy: { bindings } });
    expect(answer.json.bindings).toEqual([{ role: 'roles/viewer', members: ['user:a@example.com', 'user:b@example.com'] }]);
  });

  it.each([
    ['no policy', {}],
    ['a member without a type', bind('roles/viewer', 'u@example.com')],
    ['a role without a prefix', bind('viewer', 'user:u@example.com')],
    ['a version that does not exist', { policy: { version: 2 } }],
    [
      'a condition in version 1',
      { policy: { version: 1, bindings: [{ role: 'roles/viewer', members: ['allUsers'], condition: { expression: 'true' } }] } },
    ],
  ])('refuses %s', async (_name, body) => {
    const answer = await emulator.api('POST', `${ATTESTOR}:setIamPolicy`, body);
    expect([answer.status, answer.json.error.status]).toEqual([400, 'INVALID_ARGUMENT']);
  });

  it('lets only those set or get a policy who may', async () => {
    const grant = bind('roles/binaryauthorization.attestorsEditor', `serviceAccount:${SA}`);
    await emulator.api('POST', `${ATTESTOR}:setIamPolicy`, grant);
    expect((await emulator.api('POST', `${ATTESTOR}:setIamPolicy`, grant, `as:${SA}`)).json.error.message).toContain(
      'attestors.setIamPolicy',
    );
    expect((await emulator.api('GET', `${ATTESTOR}:getIamPolicy`, undefined, `as:${SA}`)).json.error.message).toContain(
      'attestors.getIamPolicy',
    );
    await emulator.api('POST', `${ATTESTOR}:setIamPolicy`, bind('roles/binaryauthorization.attestorsAdmin', `serviceAccount:${SA}`));
    expect((await emulator.api('POST', `${ATTESTOR}:setIamPolicy`, grant, `as:${SA}`)).status).toBe(200);
  });

  it('tests permissions for anybody, and for what is missing answers none', async () => {
    const permissions = ['binaryauthorization.attestors.get', 'binaryauthorization.attestors.update'];
    const test = async (path: string, token?: string) =>
      (await emulator.api('POST', `${path}:testIamPermissions`, { permissions }, token)).json;
    expect(await test(ATTESTOR)).toEqual({ permissions });
    expect(await test(ATTESTOR, `as:${SA}`)).toEqual({});
    await emulator.api('POST', '/v3/projects/p:setIamPolicy', bind('roles/viewer', `serviceAccount:${SA}`));
    expect(await test(ATTESTOR, `as:${SA}`)).toEqual({ permissions: permissions.slice(0, 1) });
    expect(await test('/v1beta1/projects/p/attestors/none')).toEqual({});
    expect((await emulator.api('POST', `${ATTESTOR}:testIamPermissions`, { permissions: ['binaryauthorization.*'] })).status).toBe(400);
  });

  it('is 404 for the owner, and 403 for those who may not know', async () => {
    expect((await emulator.api('GET', '/v1/projects/p/attestors/none:getIamPolicy')).status).toBe(404);
    expect((await emulator.api('GET', '/v1/projects/p/attestors/none:getIamPolicy', undefined, `as:${SA}`)).status).toBe(403);
  });

  it('forgets the policy of a deleted attestor', async () => {
    await emulator.api('POST', `${ATTESTOR}:setIamPolicy`, bind('roles/viewer', `serviceAccount:${SA}`));
    await emulator.api('DELETE', ATTESTOR);
    await emulator.api('POST', '/v1/projects/p/attestors?attestorId=a', { userOwnedGrafeasNote: { noteReference: 'projects/p/notes/n' } });
    expect((await emulator.api('GET', `${ATTESTOR}:getIamPolicy`)).json).toEqual({ etag: 'ACAB' });
  });

  it.each(['v1', 'v1beta1', 'v1alpha2'])('serves %s over the same policies', async (version) => {
    await emulator.api('POST', `${ATTESTOR}:setIamPolicy`, bind('roles/viewer', 'allUsers'));
    expect((await emulator.api('GET', `/${version}/projects/p/attestors/a:getIamPolicy`)).json.bindings).toHaveLength(1);
    expect((await emulator.api('POST', `/${version}/projects/p/policy:setIamPolicy`, bind('roles/viewer', 'allUsers'))).status).toBe(200);
  });
});
