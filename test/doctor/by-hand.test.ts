// SPDX-License-Identifier: Apache-2.0
// Faults whose repair is not a command that can be run here: it asks a person to sign in, to push again, to take another key, or
// to wait. Each is named for what it is, and doctor ends as the command would.
import { generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { CLUSTER, Patient, type Found } from '../support/doctor.js';
import { imageIndex } from '../support/images.js';

let patient: Patient;
beforeEach(async () => void (patient = await Patient.sound()));
afterEach(() => patient.end());

const faults = (...rules: readonly object[]) => patient.stage.call('POST', '/_emulator/faults', { rules });
const codes = (findings: readonly Found[]) => findings.map(({ code }) => code);

it('NOT_SIGNED_IN: Google takes no credentials, said once and as the reason for everything', async () => {
  await faults({ path: '^/v1', times: -1, do: 'status', status: 401, body: {} });
  const attest = await patient.doctor(patient.withKey());
  expect([attest.code, codes(attest.findings)]).toEqual([5, ['NOT_SIGNED_IN']]);
  expect(attest.findings[0]).toMatchObject({ resource: 'the Google credentials', fix: 'gcloud auth application-default login' });
  expect((await patient.attest(patient.image)).code).toBe(5);
  const check = await patient.doctor([patient.image, '--cluster', CLUSTER]);
  expect([check.code, codes(check.findings)]).toEqual([4, ['NOT_SIGNED_IN']]);
  expect((await patient.check(patient.image, '--cluster', CLUSTER)).code).toBe(4);
});

it('KEY_UNUSABLE: a local key of an algorithm that no attestor has', async () => {
  const { privateKey } = generateKeyPairSync('ed25519');
  patient.secrets['LOCAL_KEY'] = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const words = ['--attestor', patient.attestor, '--pkix-private-key-env', 'LOCAL_KEY'];
  const ended = await patient.doctor(words);
  expect([ended.code, codes(ended.findings)]).toEqual([7, ['KEY_UNUSABLE']]);
  expect(ended.findings[0]!.message).toMatch(/ed25519/i);
  expect(ended.findings[0]!.error).toBe('KEY_ALGORITHM_UNSUPPORTED');
  expect((await patient.attest(patient.image, words)).code).toBe(7);
});

it('IMAGE_BROKEN: the registry answers with another manifest than the digest is of', async () => {
  const other = JSON.parse(imageIndex('other', ['linux/amd64']).manifest.toString()) as object;
  await faults({ path: '^/v2/.*/manifests/sha256:', times: -1, do: 'status', status: 200, body: other });
  const ended = await patient.doctor([patient.image, ...patient.withKey()]);
  expect([ended.code, codes(ended.findings)]).toEqual([7, ['IMAGE_BROKEN']]);
  expect(ended.findings[0]!.fix).toBe(`docker buildx imagetools inspect ${patient.image}`);
  expect((await patient.attest(patient.image)).code).toBe(7);
});

it('DEPLOYMENT_DENIED: an attestation that is seen only at the second look', async () => {
  await faults({ path: '/notes/ci/occurrences$', times: 1, do: 'status', status: 200, body: {} });
  const ended = await patient.doctor([patient.image, '--cluster', CLUSTER]);
  expect([ended.code, codes(ended.findings)]).toEqual([3, ['DEPLOYMENT_DENIED']]);
  expect(ended.findings[0]!.message).toContain('NO_TRUSTED_ATTESTATION');
  expect((await patient.doctor([patient.image, '--cluster', CLUSTER])).findings).toEqual([]);
});

it('INDEX_ATTESTED_ONLY on a cluster: one image of the index is deployed, and its tag tells the index', async () => {
  const index = imageIndex('multi', ['linux/amd64', 'linux/arm64']);
  const image = await patient.push('multi', index);
  await patient.attest(image, [...patient.withKey(), '--multi-platform', 'index']);
  const [name] = image.split('@');
  const child = index.children[1]!.digest;
  const ended = await patient.doctor([`${name}:v1@${child}`, '--cluster', CLUSTER]);
  expect([ended.code, codes(ended.findings)]).toEqual([3, ['INDEX_ATTESTED_ONLY']]);
  const [finding] = ended.findings;
  expect(finding!.message).toContain(
    `the index ${index.digest} is attested for ${patient.attestor}, but what is deployed is its image ${child}`,
  );
  expect(finding!.fix).toMatch(new RegExp(`^binauthz attest ${image} .* --multi-platform both$`));
  // Without the tag nobody can tell the index.
  expect(codes((await patient.doctor([`${name}@${child}`, '--cluster', CLUSTER])).findings)).toEqual(['NOT_ATTESTED']);
  expect((await patient.paste(finding!.fix)).code).toBe(0);
  expect((await patient.doctor([`${name}:v1@${child}`, '--cluster', CLUSTER])).findings).toEqual([]);
});
