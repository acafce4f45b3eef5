// SPDX-License-Identifier: Apache-2.0
// Application Default Credentials: a workload identity file as CI systems write it, with a token service of our own.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { AttestorName } from '../../src/core/names.js';
import { createAttestorService } from '../../src/google/binary-authorization.js';
import { createKeyService } from '../../src/google/kms.js';
import { errorOf, googleOn } from './google.js';
import { googleError, startStub, type Stub } from './stub-server.js';

const ATTESTOR = 'projects/p/attestors/a' as AttestorName;
const FOUND = { body: { userOwnedGrafeasNote: { noteReference: 'projects/p/notes/n' } } };

let folder: string;
let api: Stub;
let sts: Stub;

beforeEach(async () => {
  [api, sts] = [await startStub(), await startStub()];
  folder = mkdtempSync(join(tmpdir(), 'binauthz-adc-'));
  // The machine's own credentials, and the search for a metadata server, stay out of it.
  vi.stubEnv('HOME', folder);
  vi.stubEnv('CLOUDSDK_CONFIG', folder);
  vi.stubEnv('METADATA_SERVER_DETECTION', 'none');
  vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', join(folder, 'creds.json'));
});

afterEach(async () => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
  await Promise.all([api.close(), sts.close()]);
});

function writeWorkloadIdentity(change: object = {}): void {
  writeFileSync(join(folder, 'oidc'), 'the-oidc-token');
  const file = {
    type: 'external_account',
    audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/github',
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    token_url: `${sts.url}v1/token`,
    credential_source: { file: join(folder, 'oidc') },
    ...change,
  };
  writeFileSync(join(folder, 'creds.json'), JSON.stringify(file));
}

const token = {
  body: {
    access_token: 'from-sts',
    issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    token_type: 'Bearer',
    expires_in: 3600,
  },
};

it.each([
  ['a word', 'topsecretpassword'],
  ['a cut off file', '{"type":"authorized_user","client_secret":GOCSPX-abcdefghij'],
])('says that a file is not JSON, and shows nothing of it: %s', async (_, text) => {
  writeFileSync(join(folder, 'creds.json'), text);
  const error = await errorOf(createAttestorService(adc()).attestor(ATTESTOR));
  expect(error).toMatchObject({
    code: 'UNAUTHENTICATED',
    hint: expect.stringContaining('mend the file that GOOGLE_APPLICATION_CREDENTIALS names') as string,
  });
  expect(error.message).toMatch(/no credentials: the file that GOOGLE_APPLICATION_CREDENTIALS names is not JSON$/);
});

it('names the variable where its file is missing', async () => {
  const error = await errorOf(createAttestorService(adc()).attestor(ATTESTOR));
  expect([error.code, error.hint]).toEqual([
    'UNAUTHENTICATED',
    expect.stringContaining('mend the file that GOOGLE_APPLICATION_CREDENTIALS names'),
  ]);
  expect(error.message).toContain('does not exist');
});

function adc() {
  return googleOn(undefined, { endpointOverrides: { binaryauthorization: api.url, cloudkms: api.url } }).google;
}

it('exchanges the token once for all clients and registries, and asks nobody for a project', async () => {
  writeWorkloadIdentity();
  sts.plan(token);
  api.plan(FOUND);
  const google = adc();
  await Promise.all([
    createAttestorService(google).attestor(ATTESTOR),
    createKeyService(google).publicKey('projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1' as never),
  ]);
  expect(await google.accessToken.token()).toBe('from-sts');
  expect(sts.asked).toHaveLength(1);
  expect(api.asked.map(({ headers }) => headers.authorization)).toEqual(['Bearer from-sts', 'Bearer from-sts']);
});

it('says how to go on when the OIDC token expired', async () => {
  writeWorkloadIdentity();
  sts.plan({ status: 400, body: { error: 'invalid_grant', error_description: 'The given credential is rejected: the JWT is expired' } });
  const google = adc();
  for (const call of [createAttestorService(google).attestor(ATTESTOR), google.accessToken.token()]) {
    const error = await errorOf(call);
    expect(error.code).toBe('UNAUTHENTICATED');
    expect(error.message).toContain('expired');
    expect(error.hint).toContain('move the auth step next to this one');
  }
  expect(api.asked).toEqual([]);
});

it('tells a clock that is minutes off from credentials that are wrong', async () => {
  writeWorkloadIdentity();
  const description =
    'Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.';
  sts.plan({ status: 400, body: { error: 'invalid_grant', error_description: description } });
  const error = await errorOf(adc().accessToken.token());
  expect(error.code).toBe('UNAUTHENTICATED');
  expect(error.hint).toContain('the clock of this machine is wrong');
});

it('tells an account that may not be acted as', async () => {
  writeWorkloadIdentity({
    service_account_impersonation_url: `${sts.url}v1/projects/-/serviceAccounts/ci@p.iam.gserviceaccount.com:generateAccessToken`,
  });
  sts.plan(token, {
    status: 403,
    body: googleError(
      403,
      'PERMISSION_DENIED',
      "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).",
    ),
  });
  const error = await errorOf(createAttestorService(adc()).attestor(ATTESTOR));
  expect(error.code).toBe('UNAUTHENTICATED');
  expect(error.message).toContain('iam.serviceAccounts.getAccessToken');
  expect(error.hint).toContain('roles/iam.workloadIdentityUser');
});

it('tells a token service that is not there from credentials that are wrong', async () => {
  writeWorkloadIdentity();
  await sts.close();
  const error = await errorOf(adc().accessToken.token());
  expect(error).toMatchObject({ code: 'UNAVAILABLE', transient: { kind: 'unavailable' } });
});

it.each([
  ['a file that is not there', () => undefined],
  ['a file that is no JSON', () => writeFileSync(join(folder, 'creds.json'), '{')],
  ['no credentials anywhere', () => vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', '')],
])('names the way to sign in: %s', async (_, arrange) => {
  arrange();
  const startedAt = performance.now();
  const error = await errorOf(createAttestorService(adc()).attestor(ATTESTOR));
  expect(error.code).toBe('UNAUTHENTICATED');
  for (const way of ['google-github-actions/auth', 'id-token: write', 'gcloud auth application-default login'])
    expect(error.hint).toContain(way);
  expect(performance.now() - startedAt).toBeLessThan(3_000);
  expect(api.asked).toEqual([]);
});

it('gives registries the explicit token, and none on the emulator', async () => {
  expect(await googleOn(api.host, { token: 'explicit' }).google.accessToken.token()).toBe('explicit');
  expect(await googleOn(api.host).google.accessToken.token()).toBeUndefined();
});
