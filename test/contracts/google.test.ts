// SPDX-License-Identifier: Apache-2.0
// The adapters of src/google under the contracts of their ports, with Google's client libraries over HTTP.
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Attestation } from '../../src/core/attestation/attestation.js';
import { parseClusterRef, type ClusterRef } from '../../src/core/deployment/target.js';
import { createAttestorService, createPolicyService } from '../../src/google/binary-authorization.js';
import { createAttestationStore } from '../../src/google/container-analysis.js';
import { createDeployTargets } from '../../src/google/gke.js';
import { createKeyService } from '../../src/google/kms.js';
import { crc32c } from '../../src/signers/crc32c.js';
import { googleOn } from '../google/google.js';
import { startTestEmulator, type TestEmulator } from '../support/emulator.js';
import { attestationStoreContract, type StoreWorld } from './attestation-store.js';
import { attestorServiceContract, type AttestorWorld } from './attestor-service.js';
import { deployTargetsContract, type TargetsWorld } from './deploy-targets.js';
import { keyServiceContract, type KeyWorld } from './key-service.js';
import { policyServiceContract, type PolicyWorld } from './policy-service.js';

const RING = 'projects/keys-prod/locations/europe-west4/keyRings/ring';
const NOTE = 'projects/shop-prod/notes/built';
const ATTESTOR = 'projects/shop-prod/attestors/built';

let emulator: TestEmulator;
let keys: KeyWorld;
let store: StoreWorld;
let attestors: AttestorWorld;
let policies: PolicyWorld;
let targets: TargetsWorld;

async function must(method: string, path: string, body?: unknown): Promise<{ [member: string]: never }> {
  const answer = await emulator.api(method, path, body);
  if (answer.status !== 200) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
  return answer.json;
}

beforeAll(async () => {
  emulator = await startTestEmulator();
  const { google } = googleOn(emulator.host);
  keys = {
    service: createKeyService(google),
    key: `${RING}/cryptoKeys/ec`,
    encryptionKeyVersion: `${RING}/cryptoKeys/enc/cryptoKeyVersions/1`,
  } as KeyWorld;
  store = { store: createAttestationStore(google), note: NOTE, project: 'shop-prod', otherProject: 'other-prod' } as StoreWorld;
  await makeKeys();
  await makeAttestor(createAttestorService(google));
  policies = { ...(await makePolicies()), service: createPolicyService(google) };
  targets = { ...(await makeClusters()), targets: createDeployTargets(google) };
});

afterAll(async () => {
  await emulator.close();
});

async function makeKeys(): Promise<void> {
  await must('POST', `/v1/${RING.replace(/\/ring$/, '')}?keyRingId=ring`, {});
  await must('POST', `/v1/${RING}/cryptoKeys?cryptoKeyId=ec`, {
    purpose: 'ASYMMETRIC_SIGN',
    versionTemplate: { algorithm: 'EC_SIGN_P256_SHA256' },
  });
  await must('POST', `/v1/${RING}/cryptoKeys?cryptoKeyId=enc`, { purpose: 'ENCRYPT_DECRYPT' });
  for (let version = 2; version <= 3; version++) await must('POST', `/v1/${keys.key}/cryptoKeyVersions`, {});
  await must('PATCH', `/v1/${keys.key}/cryptoKeyVersions/2?updateMask=state`, { state: 'DISABLED' });
}

async function makeAttestor(service: AttestorWorld['service']): Promise<void> {
  const version = `${keys.key}/cryptoKeyVersions/1` as Parameters<KeyWorld['service']['sign']>[0];
  const { pem } = await keys.service.publicKey(version);
  const keyId = `//cloudkms.googleapis.com/v1/${version}`;
  await must('POST', '/v1/projects/shop-prod/notes?noteId=built', { attestation: { hint: { humanReadableName: 'built' } } });
  const entry = { id: keyId, pkixPublicKey: { publicKeyPem: pem, signatureAlgorithm: 'ECDSA_P256_SHA256' } };
  await must('POST', '/v1/projects/shop-prod/attestors?attestorId=built', {
    userOwnedGrafeasNote: { noteReference: NOTE, publicKeys: [entry] },
  });
  const { serviceAgent } = await service.attestor(ATTESTOR as AttestorWorld['attestor']);
  const bindings = [{ role: 'roles/containeranalysis.notes.occurrences.viewer', members: [`serviceAccount:${serviceAgent}`] }];
  await must('POST', `/v1/${NOTE}:setIamPolicy`, { policy: { bindings } });
  const digest = `sha256:${'c'.repeat(64)}`;
  const payload = new TextEncoder().encode(
    JSON.stringify({
      critical: {
        identity: { 'docker-reference': 'gcr.io/p/x' },
        image: { 'docker-manifest-digest': digest },
        type: 'Google cloud binauthz container signature',
      },
    }),
  );
  const bytes = new Uint8Array(createHash('sha256').update(payload).digest());
  const { signature } = await keys.service.sign(version, { hash: 'sha256', bytes, crc32c: crc32c(bytes) });
  const good = {
    note: NOTE,
    resourceUri: `https://gcr.io/p/x@${digest}`,
    payload,
    signatures: [{ publicKeyId: keyId, bytes: signature }],
  } as unknown as Attestation;
  const bad: Attestation = { ...good, signatures: [{ publicKeyId: keyId, bytes: new Uint8Array([1, 2, 3]) }] };
  attestors = { service, attestor: ATTESTOR, note: NOTE, keyId, pem, good, bad } as AttestorWorld;
}

async function makePolicies(): Promise<Omit<PolicyWorld, 'service'>> {
  const rule = { evaluationMode: 'ALWAYS_DENY', enforcementMode: 'ENFORCED_BLOCK_AND_AUDIT_LOG' };
  // Two rule maps: what v1 refuses to store and no parser here may lose.
  const document = {
    defaultAdmissionRule: rule,
    clusterAdmissionRules: { 'us-east1.prod': rule },
    kubernetesNamespaceAdmissionRules: { shop: rule },
  };
  await must('PUT', '/v1beta1/projects/shop-prod/policy', document);
  const systemDocument = { admissionWhitelistPatterns: [{ namePattern: 'gcr.io/region/*' }] };
  await must('PUT', '/_emulator/system-policy/europe-west1', systemDocument);
  const parent = 'projects/shop-prod/platforms/gke/policies';
  const exceptFor = (...allowPattern: string[]) => ({ imageAllowlist: { allowPattern } });
  const never = { displayName: 'never', alwaysDeny: true, ...exceptFor('gcr.io/unknown/*') };
  const slsa = { slsaCheck: { rules: [{ trustedBuilder: 'GOOGLE_CLOUD_BUILD' }] }, ...exceptFor('gcr.io/denied/*') };
  await must('POST', `/v1/${parent}?policyId=cv`, { gkePolicy: { ...exceptFor('gcr.io/fine/*'), checkSets: [{ checks: [slsa, never] }] } });
  const images = { conformant: 'gcr.io/fine/x:v1', denied: 'gcr.io/denied/x:v1', undecided: 'gcr.io/unknown/x:v1' };
  const project = 'shop-prod' as PolicyWorld['project'];
  return { project, document, region: 'europe-west1', systemDocument, platformPolicy: `${parent}/cv`, images };
}

async function makeClusters(): Promise<Omit<TargetsWorld, 'targets'>> {
  const policyBindings = [{ name: 'projects/1/platforms/gke/policies/cv' }];
  const settings: readonly (readonly [string, object | undefined])[] = [
    ['us-central1.enforced', { evaluationMode: 'PROJECT_SINGLETON_POLICY_ENFORCE' }],
    ['us-central1-a.off', { evaluationMode: 'DISABLED' }],
    ['us-central1.monitored', { evaluationMode: 'POLICY_BINDINGS', policyBindings }],
    ['us-central1.both', { evaluationMode: 'POLICY_BINDINGS_AND_PROJECT_SINGLETON_POLICY_ENFORCE', policyBindings }],
    ['us-central1.old', { enabled: true }],
    ['us-central1.plain', undefined],
  ];
  const clusters: TargetsWorld['clusters'][number][] = [];
  for (const [key, binaryAuthorization] of settings) {
    const ref = cluster(key);
    const parent = `projects/shop-prod/locations/${ref.location}`;
    await must('POST', `/v1beta1/${parent}/clusters`, { cluster: { name: ref.name, binaryAuthorization } });
    const { evaluationMode = '', enabled = false } = (binaryAuthorization ?? {}) as { evaluationMode?: string; enabled?: boolean };
    clusters.push([ref, { evaluationMode, enabled }]);
  }
  const missing = ['us-central1.missing', 'us-east1.enforced', 'us-centrall1.enforced', 'global.enforced'].map(cluster);
  return { project: 'shop-prod' as TargetsWorld['project'], clusters, missing };
}

function cluster(key: string): ClusterRef {
  const ref = parseClusterRef(key);
  if (!ref) throw new Error(`no cluster: ${key}`);
  return ref;
}

keyServiceContract('Cloud KMS', () => keys);
attestationStoreContract('Container Analysis', () => store);
attestorServiceContract('Binary Authorization', () => attestors);
policyServiceContract('Binary Authorization', () => policies);
deployTargetsContract('GKE', () => targets);

it('met no failure of the emulator itself', () => {
  expect(emulator.lastErrors).toEqual([]);
});
