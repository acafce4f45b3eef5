// SPDX-License-Identifier: Apache-2.0
// The adapters of src/google under the contracts of their ports, with Google's client libraries over HTTP.
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Attestation } from '../../src/core/attestation/attestation.js';
import { createAttestorService } from '../../src/google/binary-authorization.js';
import { createAttestationStore } from '../../src/google/container-analysis.js';
import { createKeyService } from '../../src/google/kms.js';
import { crc32c } from '../../src/signers/crc32c.js';
import { googleOn } from '../google/google.js';
import { startTestEmulator, type TestEmulator } from '../support/emulator.js';
import { attestationStoreContract, type StoreWorld } from './attestation-store.js';
import { attestorServiceContract, type AttestorWorld } from './attestor-service.js';
import { keyServiceContract, type KeyWorld } from './key-service.js';

const RING = 'projects/keys-prod/locations/europe-west4/keyRings/ring';
const NOTE = 'projects/shop-prod/notes/built';
const ATTESTOR = 'projects/shop-prod/attestors/built';

let emulator: TestEmulator;
let keys: KeyWorld;
let store: StoreWorld;
let attestors: AttestorWorld;

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

keyServiceContract('Cloud KMS', () => keys);
attestationStoreContract('Container Analysis', () => store);
attestorServiceContract('Binary Authorization', () => attestors);

it('met no failure of the emulator itself', () => {
  expect(emulator.lastErrors).toEqual([]);
});
