// SPDX-License-Identifier: Apache-2.0
import type { KeyManagementServiceClient } from '@google-cloud/kms/build/src/v1/key_management_service_client.js';
import type { ErrorCode } from '../core/errors.js';
import { idOf, keyOf, parseKeyVersionName, type KeyName, type KeyVersionName } from '../core/names.js';
import type { KeyService, KmsPublicKey, KmsSignature } from '../ports/key-service.js';
import type { Google } from './clients.js';
import type { Call } from './errors.js';
import { allPages } from './pages.js';

const PAGE_SIZE = 1000;

/** Cloud KMS through its client library. */
export function createKeyService(google: Google): KeyService {
  const client = google.lazyClient(
    'cloudkms',
    async () => (await import('@google-cloud/kms/build/src/v1/key_management_service_client.js')).KeyManagementServiceClient,
  );
  const api: KmsApi = { call: google.call, client };
  return {
    publicKey: (version) => readPublicKey(api, version),
    sign: (version, digest) => sign(api, version, digest),
    enabledVersions: (key) => listEnabled(api, key),
  };
}

interface KmsApi extends Pick<Google, 'call'> {
  readonly client: () => Promise<KeyManagementServiceClient>;
}

function readPublicKey(api: KmsApi, version: KeyVersionName): Promise<KmsPublicKey> {
  const call = callOn(version, 'cannot read the public key of', {
    permission: 'cloudkms.cryptoKeyVersions.viewPublicKey',
    role: 'roles/cloudkms.publicKeyViewer',
  });
  return api.call.repeat(call, async (options) => {
    const [reply] = await (await api.client()).getPublicKey({ name: version }, options);
    return {
      name: reply.name ?? '',
      pem: reply.pem ?? '',
      algorithm: String(reply.algorithm ?? ''),
      pemCrc32c: integerOf(reply.pemCrc32c),
    };
  });
}

function sign(api: KmsApi, version: KeyVersionName, digest: Parameters<KeyService['sign']>[1]): Promise<KmsSignature> {
  const call = callOn(version, 'cannot sign with', {
    permission: 'cloudkms.cryptoKeyVersions.useToSign',
    role: 'roles/cloudkms.signerVerifier',
  });
  const request = { name: version, digest: { [digest.hash]: digest.bytes }, digestCrc32c: { value: digest.crc32c } };
  return api.call.repeat(call, async (options) => {
    const [reply] = await (await api.client()).asymmetricSign(request, options);
    return {
      name: reply.name ?? '',
      signature: bytesOf(reply.signature),
      signatureCrc32c: integerOf(reply.signatureCrc32c),
      verifiedDigestCrc32c: reply.verifiedDigestCrc32c === true,
    };
  });
}

async function listEnabled(api: KmsApi, key: KeyName): Promise<readonly KeyVersionName[]> {
  const need = { permission: 'cloudkms.cryptoKeyVersions.list', role: 'roles/cloudkms.viewer', on: key };
  const call: Call = {
    what: 'cannot list the versions of',
    resource: key,
    needs: [need],
    notFound: 'KEY_NOT_FOUND',
    refused: 'KEY_UNUSABLE',
    hint: hintFor(key),
  };
  const versions = await allPages(key, async (pageToken) => {
    const request = { parent: key, filter: 'state=ENABLED', pageSize: PAGE_SIZE, pageToken };
    const [items, , reply] = await api.call.repeat(call, async (options) => (await api.client()).listCryptoKeyVersions(request, options));
    return { items, nextPageToken: reply.nextPageToken };
  });
  // The filter is the service's to apply; a version that came along all the same must not be picked.
  const enabled = versions.filter((version) => version.state === 'ENABLED');
  const found = enabled.map((version) => parseKeyVersionName(version.name ?? '')).filter((name) => name !== undefined);
  return found.sort((one, other) => Number(idOf(other)) - Number(idOf(one)));
}

function callOn(version: KeyVersionName, what: string, need: { permission: string; role: string }): Call {
  return {
    what,
    resource: version,
    needs: [{ ...need, on: keyOf(version) }],
    notFound: 'KEY_NOT_FOUND',
    // Disabled, destroyed, another purpose: what Cloud KMS refuses with 400 is the key, since nothing else varies.
    refused: 'KEY_UNUSABLE',
    hint: hintFor(version),
  };
}

function hintFor(name: KeyName | KeyVersionName): (code: ErrorCode, said: string) => string | undefined {
  const [, project, , location, , ring, , key, , version] = name.split('/');
  const flags = `--keyring=${ring} --location=${location} --project=${project}`;
  return (code, said) => {
    if (code === 'KEY_NOT_FOUND')
      return `list what is there: gcloud kms keys list ${flags}, gcloud kms keys versions list --key=${key} ${flags}`;
    if (code !== 'KEY_UNUSABLE') return undefined;
    if (/purpose|ENCRYPT_DECRYPT|ASYMMETRIC_DECRYPT|\bMAC\b/.test(said))
      return 'use a key with purpose ASYMMETRIC_SIGN (gcloud kms keys create --purpose=asymmetric-signing)';
    if (/DESTROY|_FAILED/i.test(said)) return `use another version: gcloud kms keys versions list --key=${key} ${flags}`;
    if (/PENDING_/.test(said))
      return `it is still being made; wait until this prints ENABLED: gcloud kms keys versions describe ${version ?? 'VERSION'} --key=${key} ${flags} --format="value(state)"`;
    return `enable it: gcloud kms keys versions enable ${version ?? 'VERSION'} --key=${key} ${flags}`;
  };
}

// An Int64Value arrives as `{value}`, the value being a string, a number or a Long, as the library decided to decode it.
function integerOf(wrapper: { value?: unknown } | null | undefined): number | undefined {
  if (wrapper?.value === undefined || wrapper.value === null) return undefined;
  const value = Number(String(wrapper.value));
  return Number.isSafeInteger(value) ? value : undefined;
}

function bytesOf(value: Uint8Array | string | null | undefined): Uint8Array {
  return typeof value === 'string' ? new Uint8Array(Buffer.from(value, 'base64')) : new Uint8Array(value ?? []);
}
