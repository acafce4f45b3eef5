// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestEmulator, type TestEmulator } from '../support/emulator.js';
import { signingKey } from '../support/keys.js';

let emulator: TestEmulator;
beforeAll(async () => void (emulator = await startTestEmulator()));
beforeEach(() => emulator.api('POST', '/_emulator/reset'));
afterAll(async () => {
  expect(emulator.lastErrors).toEqual([]);
  await emulator.close();
});

const NOTE = 'projects/p/notes/n';
const A = '/v1/projects/p/attestors/a';
const EC = signingKey('ECDSA_P256_SHA256');
const niId = (der: Buffer) => `ni:///sha-256;${createHash('sha256').update(der).digest('base64url')}`;
const pkix = (pem = EC.pem, signatureAlgorithm: unknown = EC.algorithm, more: object = {}) => ({
  pkixPublicKey: { publicKeyPem: pem, signatureAlgorithm },
  ...more,
});
const attestor = (publicKeys: unknown[] = [], more: object = {}) => ({
  userOwnedGrafeasNote: { noteReference: NOTE, publicKeys },
  ...more,
});
const create = (body: unknown, id = 'a', version = 'v1') => emulator.api('POST', `/${version}/projects/p/attestors?attestorId=${id}`, body);

describe('attestors', () => {
  it('are created, read, listed, replaced and deleted', async () => {
    const made = await create({ name: 'projects/p/attestors/a', description: 'first', ...attestor([pkix()]) });
    expect(made.json).toEqual({
      name: 'projects/p/attestors/a',
      description: 'first',
      userOwnedGrafeasNote: {
        noteReference: NOTE,
        publicKeys: [{ id: niId(EC.der), ...pkix() }],
        delegationServiceAccountEmail: expect.stringMatching(/^service-\d+@gcp-sa-binaryauthorization\.iam\.gserviceaccount\.com$/),
      },
      updateTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      etag: expect.stringMatching(/^".+"$/),
    });
    expect((await emulator.api('GET', A)).json).toEqual(made.json);
    expect((await emulator.api('GET', '/v1/projects/p/attestors')).json).toEqual({ attestors: [made.json] });
    const put = await emulator.api('PUT', A, { ...made.json, description: 'second' });
    expect(put.json).toMatchObject({ description: 'second', userOwnedGrafeasNote: made.json.userOwnedGrafeasNote });
    expect(put.json.etag).not.toBe(made.json.etag);
    expect((await emulator.api('DELETE', A)).json).toEqual({});
    expect((await emulator.api('DELETE', A)).status).toBe(404);
    expect((await emulator.api('GET', '/v1/projects/p/attestors')).json).toEqual({});
  });

  it('are one store under three names of the note', async () => {
    await create({ user_owned_drydock_note: { note_reference: NOTE, public_keys: [pkix()] } }, 'a', 'v1beta1');
    const member = async (version: string) =>
      Object.keys((await emulator.api('GET', A.replace('v1', version))).json).find((name) => name.startsWith('userOwned'));
    expect(await Promise.all(['v1', 'v1beta1', 'v1alpha2'].map(member))).toEqual([
      'userOwnedGrafeasNote',
      'userOwnedDrydockNote',
      'userOwnedDrydockNote',
    ]);
    expect((await create(attestor(), 'b', 'v1beta1')).json.error.message).toContain('userOwnedGrafeasNote');
  });

  it('come in pages', async () => {
    for (const id of ['c', 'a', 'b']) await create(attestor(), id);
    const names = (page: { attestors: { name: string }[] }) => page.attestors.map(({ name }) => name.at(-1));
    const first = await emulator.api('GET', '/v1/projects/p/attestors?pageSize=2');
    expect(names(first.json)).toEqual(['a', 'b']);
    const second = await emulator.api('GET', `/v1/projects/p/attestors?pageSize=2&pageToken=${first.json.nextPageToken}`);
    expect(names(second.json)).toEqual(['c']);
    expect(second.json.nextPageToken).toBeUndefined();
    expect((await emulator.api('GET', '/v1/projects/p/attestors?pageSize=-1')).status).toBe(400);
  });

  it('exist once', async () => {
    await create(attestor());
    expect((await create(attestor())).json.error).toMatchObject({ code: 409, status: 'ALREADY_EXISTS' });
  });

  it('refuse a stale etag, and take an absent one', async () => {
    const { json } = await create(attestor());
    await emulator.api('PUT', A, { ...json, description: 'x' });
    expect((await emulator.api('PUT', A, { ...json, description: 'y' })).json.error).toMatchObject({ code: 409, status: 'ABORTED' });
    expect((await emulator.api('PUT', A, attestor())).status).toBe(200);
  });

  it('keep their note', async () => {
    await create(attestor());
    const answer = await emulator.api('PUT', A, { userOwnedGrafeasNote: { noteReference: 'projects/p/notes/other' } });
    expect(answer.json.error.status).toBe('INVALID_ARGUMENT');
    expect((await emulator.api('PUT', '/v1/projects/p/attestors/none', attestor())).status).toBe(404);
  });

  it.each([
    ['no id', '', attestor()],
    ['a bad id', 'a/b', attestor()],
    ['no note', 'a', {}],
    ['a note of another form', 'a', { userOwnedGrafeasNote: { noteReference: 'n' } }],
    ['a project number in the note', 'a', { userOwnedGrafeasNote: { noteReference: 'projects/123/notes/n' } }],
    ['an unknown member', 'a', attestor([], { nope: 1 })],
    ['a key that is both', 'a', attestor([{ ...pkix(), asciiArmoredPgpPublicKey: 'x' }])],
    ['a key that is neither', 'a', attestor([{ id: 'ni:///x' }])],
    ['two keys of one id', 'a', attestor([pkix(), pkix()])],
  ])('refuse %s', async (_name, id, body) => {
    const answer = await emulator.api('POST', `/v1/projects/p/attestors?attestorId=${encodeURIComponent(id)}`, body);
    expect(answer.json.error.status).toBe('INVALID_ARGUMENT');
  });

  it('need permissions', async () => {
    const as = 'as:u@example.com';
    const grant = (role: string) =>
      emulator.api('POST', '/v1/projects/p:setIamPolicy', { policy: { bindings: [{ role, members: ['user:u@example.com'] }] } });
    const attempt = () => emulator.api('POST', '/v1/projects/p/attestors?attestorId=a', attestor(), as);
    expect((await attempt()).json.error.message).toContain('binaryauthorization.attestors.create');
    await grant('roles/binaryauthorization.attestorsEditor');
    expect((await attempt()).json.error.message).toContain('containeranalysis.notes.list');
    await grant('roles/editor');
    expect((await attempt()).status).toBe(200);
    await grant('roles/binaryauthorization.attestorsViewer');
    expect((await emulator.api('GET', A, undefined, as)).status).toBe(200);
    expect((await emulator.api('PUT', A, attestor(), as)).json.error.message).toContain('binaryauthorization.attestors.update');
    expect((await emulator.api('DELETE', A, undefined, as)).json.error.message).toContain('binaryauthorization.attestors.delete');
    expect((await emulator.api('POST', `${A}:validateAttestationOccurrence`, {}, as)).json.error.message).toContain('verifyImageAttested');
  });
});

describe('public keys', () => {
  const P384 = signingKey('ECDSA_P384_SHA384');
  const RSA = signingKey('RSA_PSS_2048_SHA256');
  const mlDsa = `-----BEGIN PUBLIC KEY-----\n${Buffer.concat([Buffer.from('308207b2300b0609608648016503040312038207a100', 'hex'), Buffer.alloc(1952)]).toString('base64')}\n-----END PUBLIC KEY-----\n`;

  it("fills Google's published id", async () => {
    const der =
      'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEXnpuYEfvLl1kj4fjxViFRwY1a+zC5qzlf9LJIK+rnjq42tiKGyyXMbnZKJiYPPdMDGyltnkrABnztg2jJ48aYQ==';
    const { json } = await create(attestor([pkix(`-----BEGIN PUBLIC KEY-----\n${der}\n-----END PUBLIC KEY-----`)]));
    expect(json.userOwnedGrafeasNote.publicKeys[0].id).toBe('ni:///sha-256;EwVxs8fNUAHq9FI2AMfh8WNIXVBuuTMeGtPH72U-I70');
  });

  it.each([
    [P384.pem, 'EC_SIGN_P384_SHA384', 'ECDSA_P384_SHA384'],
    [EC.pem, 'EC_SIGN_P256_SHA256', 'ECDSA_P256_SHA256'],
    [EC.pem, 9, 'ECDSA_P256_SHA256'],
    [RSA.pem, 'RSA_SIGN_PSS_2048_SHA256', 'RSA_PSS_2048_SHA256'],
    [RSA.pem, 'RSA_SIGN_PKCS1_2048_SHA256', 'RSA_SIGN_PKCS1_2048_SHA256'],
    [mlDsa, 'ML_DSA_65', 'ML_DSA_65'],
    [mlDsa, 13, 'ML_DSA_65'],
  ])('takes %s with %s', async (pem, sent, stored) => {
    const { json } = await create(attestor([pkix(pem, sent)]));
    expect(json.userOwnedGrafeasNote.publicKeys[0].pkixPublicKey.signatureAlgorithm).toBe(stored);
  });

  it.each([
    ['another curve', pkix(EC.pem, 'ECDSA_P384_SHA384')],
    ['another key type', pkix(EC.pem, 'RSA_PSS_2048_SHA256')],
    ['another modulus', pkix(RSA.pem, 'RSA_PSS_4096_SHA256')],
    ['a curve for ML-DSA', pkix(EC.pem, 'ML_DSA_65')],
    ['an unspecified algorithm', pkix(EC.pem, 'SIGNATURE_ALGORITHM_UNSPECIFIED')],
    ['no algorithm', { pkixPublicKey: { publicKeyPem: EC.pem } }],
    ['the unused number', pkix(EC.pem, 12)],
    ['two keys in one PEM', pkix(EC.pem + RSA.pem)],
    ['another label', pkix(EC.pem.replaceAll('PUBLIC KEY', 'RSA PUBLIC KEY'))],
    ['a broken PEM', pkix('-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----')],
    ['no PEM', pkix('key')],
    ['an id with a blank', pkix(EC.pem, EC.algorithm, { id: 'my key' })],
    ['an id without a scheme', pkix(EC.pem, EC.algorithm, { id: 'mykey' })],
    ['a broken escape in the id', pkix(EC.pem, EC.algorithm, { id: 'urn:%zz' })],
    ['a key id of its own', { id: 'urn:x', pkixPublicKey: { ...pkix().pkixPublicKey, keyId: 'urn:y' } }],
    ['no PGP key', { asciiArmoredPgpPublicKey: 'text' }],
  ])('refuses %s', async (_name, key) => {
    const answer = await create(attestor([key]));
    expect([answer.status, answer.json.error?.status]).toEqual([400, 'INVALID_ARGUMENT']);
  });

  it.each([
    '//cloudkms.googleapis.com/v1/projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1',
    '//127.0.0.1:8080/v1/x',
    'urn:uuid:1',
    'https://example.com/k?v=1#x',
  ])('keeps the id %s', async (id) => {
    expect((await create(attestor([pkix(EC.pem, EC.algorithm, { id, comment: 'c' })]))).json.userOwnedGrafeasNote.publicKeys[0]).toEqual({
      id,
      comment: 'c',
      ...pkix(),
    });
  });

  it('gives a PGP key its fingerprint, whatever id was sent', async () => {
    const openpgp = await import('openpgp');
    const { publicKey, privateKey } = await openpgp.generateKey({ userIDs: [{ name: 'a' }], format: 'armored' });
    const fingerprint = (await openpgp.readKey({ armoredKey: publicKey })).getFingerprint().toUpperCase();
    const { json } = await create(attestor([{ id: 'urn:mine', comment: 'c', asciiArmoredPgpPublicKey: publicKey }]));
    expect(json.userOwnedGrafeasNote.publicKeys).toEqual([{ id: fingerprint, comment: 'c', asciiArmoredPgpPublicKey: publicKey }]);
    expect((await create(attestor([{ asciiArmoredPgpPublicKey: privateKey }]), 'b')).json.error.message).toContain('private');
  });
});

const ALLOW = { evaluationMode: 'ALWAYS_ALLOW', enforcementMode: 'ENFORCED_BLOCK_AND_AUDIT_LOG' };
const ATTESTED = {
  evaluationMode: 'REQUIRE_ATTESTATION',
  requireAttestationsBy: ['projects/p/attestors/a'],
  enforcementMode: 'ENFORCED_BLOCK_AND_AUDIT_LOG',
};
const POLICY = '/v1/projects/p/policy';

describe('policies', () => {
  beforeEach(() => create(attestor()));

  it('have a default that nobody set', async () => {
    expect((await emulator.api('GET', POLICY)).json).toEqual({
      name: 'projects/p/policy',
      globalPolicyEvaluationMode: 'ENABLE',
      defaultAdmissionRule: ALLOW,
    });
  });

  it('come back as they were set, under the name of their place', async () => {
    const policy = {
      description: 'd',
      globalPolicyEvaluationMode: 'DISABLE',
      admissionWhitelistPatterns: [{ namePattern: 'gcr.io/p/*' }, { namePattern: 'nginx:1.2' }],
      clusterAdmissionRules: { 'us-east1-a.my_cluster_2': { ...ALLOW, evaluationMode: 'ALWAYS_DENY' } },
      defaultAdmissionRule: ATTESTED,
    };
    const put = await emulator.api('PUT', POLICY, { ...policy, name: 'projects/other/policy' });
    expect(put.json).toEqual({
      ...policy,
      name: 'projects/p/policy',
      updateTime: expect.any(String),
      etag: expect.stringMatching(/^".+"$/),
    });
    for (const version of ['v1', 'v1beta1', 'v1alpha2'])
      expect((await emulator.api('GET', POLICY.replace('v1', version))).json).toEqual(put.json);
    expect((await emulator.api('GET', '/v1/projects/other/policy')).json.updateTime).toBeUndefined();
  });

  it('may be sent in snake_case, whose map keys stay', async () => {
    const rule = { evaluation_mode: 'ALWAYS_DENY', enforcement_mode: 'DRYRUN_AUDIT_LOG_ONLY' };
    const { json } = await emulator.api('PUT', POLICY, {
      default_admission_rule: rule,
      kubernetes_namespace_admission_rules: { my_space: rule },
    });
    expect(json.kubernetesNamespaceAdmissionRules).toEqual({
      my_space: { evaluationMode: 'ALWAYS_DENY', enforcementMode: 'DRYRUN_AUDIT_LOG_ONLY' },
    });
  });

  it('are guarded by an etag where one is sent', async () => {
    const { json } = await emulator.api('PUT', POLICY, { defaultAdmissionRule: ALLOW });
    expect((await emulator.api('PUT', POLICY, json)).status).toBe(200);
    expect((await emulator.api('PUT', POLICY, json)).json.error).toMatchObject({ code: 409, status: 'ABORTED' });
    expect((await emulator.api('PUT', POLICY, { defaultAdmissionRule: ALLOW })).status).toBe(200);
  });

  it('have one rule map in v1, and any number in the others', async () => {
    const policy = {
      defaultAdmissionRule: ALLOW,
      clusterAdmissionRules: { 'l.c': ALLOW },
      kubernetesServiceAccountAdmissionRules: { 'ns:sa': ALLOW },
    };
    const codes = await Promise.all(
      ['v1', 'v1beta1', 'v1alpha2'].map(async (version) => (await emulator.api('PUT', POLICY.replace('v1', version), policy)).status),
    );
    expect(codes).toEqual([400, 200, 200]);
  });

  it.each([
    ['no default rule', {}],
    ['no evaluation mode', { defaultAdmissionRule: { enforcementMode: 'DRYRUN_AUDIT_LOG_ONLY' } }],
    ['an unspecified evaluation mode', { defaultAdmissionRule: { ...ALLOW, evaluationMode: 'EVALUATION_MODE_UNSPECIFIED' } }],
    ['an unspecified enforcement mode', { defaultAdmissionRule: { ...ALLOW, enforcementMode: 'ENFORCEMENT_MODE_UNSPECIFIED' } }],
    ['no attestors where they are required', { defaultAdmissionRule: { ...ATTESTED, requireAttestationsBy: [] } }],
    ['attestors where none is required', { defaultAdmissionRule: { ...ATTESTED, evaluationMode: 'ALWAYS_DENY' } }],
    ['an attestor that does not exist', { defaultAdmissionRule: { ...ATTESTED, requireAttestationsBy: ['projects/p/attestors/none'] } }],
    ['an attestor that is no name', { defaultAdmissionRule: { ...ATTESTED, requireAttestationsBy: ['a'] } }],
    ['a wildcard within', { defaultAdmissionRule: ALLOW, admissionWhitelistPatterns: [{ namePattern: 'gcr.io/my-project/n*x' }] }],
    ['three wildcards', { defaultAdmissionRule: ALLOW, admissionWhitelistPatterns: [{ namePattern: 'gcr.io/my-project/***' }] }],
    ['a wildcard before the registry', { defaultAdmissionRule: ALLOW, admissionWhitelistPatterns: [{ namePattern: '*.gcr.io/x' }] }],
    ['a wildcard without a registry', { defaultAdmissionRule: ALLOW, admissionWhitelistPatterns: [{ namePattern: '**' }] }],
    ['an empty pattern', { defaultAdmissionRule: ALLOW, admissionWhitelistPatterns: [{}] }],
    ['a cluster without a location', { defaultAdmissionRule: ALLOW, clusterAdmissionRules: { cluster: ALLOW } }],
    ['a service account without a namespace', { defaultAdmissionRule: ALLOW, kubernetesServiceAccountAdmissionRules: { sa: ALLOW } }],
    ['an unknown member', { defaultAdmissionRule: ALLOW, admissionAllowlist: [] }],
    ['an unknown mode', { defaultAdmissionRule: ALLOW, globalPolicyEvaluationMode: 'MAYBE' }],
  ])('refuse %s', async (_name, policy) => {
    const answer = await emulator.api('PUT', POLICY, policy);
    expect([answer.status, answer.json.error?.status]).toEqual([400, 'INVALID_ARGUMENT']);
    expect((await emulator.api('GET', POLICY)).json.updateTime).toBeUndefined();
  });

  it('need permissions, on the attestors named too', async () => {
    const as = 'as:u@example.com';
    const grant = (...roles: string[]) =>
      emulator.api('POST', '/v1/projects/p:setIamPolicy', {
        policy: { bindings: roles.map((role) => ({ role, members: ['user:u@example.com'] })) },
      });
    const put = () => emulator.api('PUT', POLICY, { defaultAdmissionRule: ATTESTED }, as);
    expect((await emulator.api('GET', POLICY, undefined, as)).json.error.message).toContain('binaryauthorization.policy.get');
    expect((await put()).json.error.message).toContain('binaryauthorization.policy.update');
    await grant('roles/binaryauthorization.policyEditor');
    expect((await put()).json.error.message).toContain('binaryauthorization.attestors.get');
    await grant('roles/binaryauthorization.policyEditor', 'roles/binaryauthorization.attestorsViewer');
    expect((await put()).status).toBe(200);
    expect((await emulator.api('GET', '/v1/locations/global/policy', undefined, as)).status).toBe(200);
  });

  it('describe continuous validation in v1alpha2 only', async () => {
    expect((await emulator.api('GET', '/v1alpha2/projects/p/continuousValidationConfig')).json).toEqual({
      name: 'projects/p/continuousValidationConfig',
      enforcementPolicyConfig: {},
    });
    expect((await emulator.api('GET', '/v1/projects/p/continuousValidationConfig')).status).toBe(404);
  });
});
