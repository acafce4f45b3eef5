// SPDX-License-Identifier: Apache-2.0
// Cloud KMS's integrity protocol: https://cloud.google.com/kms/docs/data-integrity-guidelines
import { createHash } from 'node:crypto';
import { asError, BinauthzError } from '../core/errors.js';
import type { KeyName, KeyVersionName } from '../core/names.js';
import { backoff, type Pace } from '../core/retry.js';
import { algorithmOfKms, whyKmsAlgorithmIsRefused, type Algorithm } from '../core/signing/algorithm.js';
import { fits, parsePem, type PublicKey } from '../core/signing/public-key.js';
import type { Signer } from '../core/signing/signer.js';
import type { KeyService, KmsPublicKey, KmsSignature } from '../ports/key-service.js';
import { crc32c } from './crc32c.js';
import { type AlgorithmKey, describeKeyObject, isGoodSignature } from './pkix-signature.js';

/** How often a reply that was damaged on its way is asked for, in all. */
const TRIES = 3;
const PAUSE_BOUNDS = { firstMs: 200, longestMs: 1_000 };

/** How many versions a key without a version stands for: older ones are out of use wherever keys rotate. */
const MOST_VERSIONS = 20;

/** The signer of one Cloud KMS key version. */
export async function openKmsKeyVersion(version: KeyVersionName, keys: KeyService, pace: Pace): Promise<Signer> {
  const { sent, algorithm } = await intact(pace, () => fetchPublicKey(version, keys));
  const key = parsePem(sent.pem);
  if (!key || !fits(key, algorithm)) {
    throw new BinauthzError(
      'RESPONSE_INVALID',
      `cannot use ${version}: its algorithm is ${sent.algorithm}, but its public key is ${key ? describeKeyObject(key) : 'no PEM public key'}`,
      {
        resource: version,
        hint: `look at what Cloud KMS holds: gcloud kms keys versions get-public-key ${version}`,
      },
    );
  }
  const publicKey: PublicKey = { kind: 'pkix', spki: new Uint8Array(key.export({ type: 'spki', format: 'der' })), algorithm };
  return {
    name: version,
    publicKeys: [publicKey],
    sign: async (payload) => {
      const { signature } = await intact(pace, () => fetchSignature(version, payload, { keys, algorithm }));
      return verified(version, payload, signature, { key, algorithm });
    },
  };
}

/**
 * The signers of a key's enabled versions, the newest first. Versions whose algorithm no attestor can name are passed
 * over, unless all are such; any other failure counts, for a version left out in silence might be the trusted one.
 */
export async function openKmsKey(key: KeyName, keys: KeyService, pace: Pace): Promise<readonly [Signer, ...Signer[]]> {
  const versions = (await keys.enabledVersions(key)).slice(0, MOST_VERSIONS);
  const opened = await Promise.allSettled(versions.map((version) => openKmsKeyVersion(version, keys, pace)));
  const errors = opened.flatMap((result) => (result.status === 'rejected' ? [asError(result.reason)] : []));
  const failure = errors.find((error) => error.code !== 'KEY_ALGORITHM_UNSUPPORTED');
  if (failure) throw failure;
  const [newest, ...others] = opened.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  if (newest) return [newest, ...others];
  throw (
    errors[0] ??
    new BinauthzError('KEY_UNUSABLE', `cannot use ${key}: it has no enabled version, expected at least one`, {
      resource: key,
      hint: hintFor(key),
    })
  );
}

// Who may list the enabled versions of a key was not told of the others, so that each state has its own way back.
function hintFor(key: KeyName): string {
  const [, project, , location, , ring, , id] = key.split('/');
  const flags = `--key=${id} --keyring=${ring} --location=${location} --project=${project}`;
  return (
    `look at the states of its versions: gcloud kms keys versions list ${flags}; enable one that is DISABLED (gcloud kms keys versions enable N ${flags}), ` +
    `restore one that is DESTROY_SCHEDULED before that (gcloud kms keys versions restore N ${flags}), ` +
    `or else make one (gcloud kms keys versions create ${flags}); the attestor must trust it`
  );
}

async function fetchPublicKey(version: KeyVersionName, keys: KeyService): Promise<{ sent: KmsPublicKey; algorithm: Algorithm }> {
  const sent = await keys.publicKey(version);
  expectIntact(version, 'the name of the public key', { expected: version, got: sent.name });
  // Before the checksum: post-quantum keys come without a PEM, and their algorithm is the better reason to refuse.
  const algorithm = algorithmOfKms(sent.algorithm);
  if (!algorithm) {
    throw new BinauthzError('KEY_ALGORITHM_UNSUPPORTED', `cannot sign with ${version}: ${whyKmsAlgorithmIsRefused(sent.algorithm)}`, {
      resource: version,
      hint: 'make a key of a usable algorithm, such as ec-sign-p256-sha256 (gcloud kms keys create --purpose=asymmetric-signing), and trust it in the attestor',
    });
  }
  expectIntact(version, 'the CRC32C of the public key', { expected: crc32c(new TextEncoder().encode(sent.pem)), got: sent.pemCrc32c });
  return { sent, algorithm };
}

async function fetchSignature(
  version: KeyVersionName,
  payload: Uint8Array,
  { keys, algorithm }: { keys: KeyService; algorithm: Algorithm },
): Promise<KmsSignature> {
  const bytes = new Uint8Array(createHash(algorithm.hash).update(payload).digest());
  const sent = await keys.sign(version, { hash: algorithm.hash, bytes, crc32c: crc32c(bytes) });
  expectIntact(version, 'the name in the signature reply', { expected: version, got: sent.name });
  expectIntact(version, 'verifiedDigestCrc32c', { expected: true, got: sent.verifiedDigestCrc32c });
  expectIntact(version, 'the CRC32C of the signature', { expected: crc32c(sent.signature), got: sent.signatureCrc32c });
  return sent;
}

function verified(version: KeyVersionName, payload: Uint8Array, signature: Uint8Array, key: AlgorithmKey): Uint8Array {
  if (isGoodSignature(payload, signature, key)) return signature;
  throw new BinauthzError(
    'SIGNATURE_INVALID',
    `cannot use the signature by ${version}: it does not verify under that version's own public key as ${key.algorithm.name}`,
    {
      resource: version,
      hint: 'nothing was posted; run again, and if it happens again report it to Google Cloud support, because the checksums were right',
    },
  );
}

/** Asks again when a reply was damaged on its way; a lasting damage fails. */
async function intact<T>(pace: Pace, ask: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ask();
    } catch (thrown) {
      if (asError(thrown).code !== 'CHECKSUM_MISMATCH' || attempt === TRIES) throw thrown;
      await pace.sleep(backoff(attempt, pace.random(), PAUSE_BOUNDS));
    }
  }
}

function expectIntact(version: KeyVersionName, what: string, values: { readonly expected: unknown; readonly got: unknown }): void {
  if (values.expected === values.got) return;
  throw new BinauthzError(
    'CHECKSUM_MISMATCH',
    `cannot trust what Cloud KMS sent for ${version}: ${what}: expected ${String(values.expected)}, got ${String(values.got ?? 'none')}`,
    {
      resource: version,
      hint: `${TRIES} tries had the same end; something between here and Cloud KMS may alter replies: look for a proxy, then run again`,
    },
  );
}
