// SPDX-License-Identifier: Apache-2.0
// An attestor with years of attestations behind it, planted through REST, and an independent look at what verifies.
import { verify } from 'node:crypto';
import { digestOf } from './images.js';
import { signingKey, simpleSigningPayload, type SigningKey } from './keys.js';
import type { Stage, StagedKey } from './stage.js';

export const NAME = 'us-docker.pkg.dev/shop-prod/apps/web';
const ALGORITHM = 'ECDSA_P256_SHA256';

/** A key that signed before the rotation: its private half is here, so that planting costs no Cloud KMS calls. */
export interface OldKey extends SigningKey {
  readonly id: string;
}

/** An attestor that is to be rotated to a Cloud KMS key. */
export interface Rotation {
  readonly attestor: string;
  readonly note: string;
  readonly old: OldKey;
  readonly fresh: StagedKey;
  /** The id under which the new key is added. */
  readonly freshId: string;
}

/** A key with the attestor's entry for it. */
export function oldKey(id: string): OldKey {
  return { ...signingKey(ALGORITHM), id };
}

/** The attestor's entry for an old key. */
export function entryOf({ id, pem }: OldKey): Record<string, unknown> {
  return { id, pkixPublicKey: { publicKeyPem: pem, signatureAlgorithm: ALGORITHM } };
}

/** An attestor that trusts an old key, and a Cloud KMS key to rotate it to. */
export async function stageRotation(stage: Stage, id: string): Promise<Rotation> {
  const old = oldKey(`https://keys.example.com/${id}/1`);
  const attestor = await stage.attestor(id, [entryOf(old)]);
  const fresh = await stage.kmsKey(`${id}-2`);
  return { attestor, note: `projects/${stage.project}/notes/${id}`, old, fresh, freshId: `//cloudkms.googleapis.com/v1/${fresh.version}` };
}

/** Digests made of words. */
export function digests(prefix: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => digestOf(Buffer.from(`${prefix} ${String(index)}`)));
}

/** Stores an attestation of each digest, as the old pipeline did. */
export async function plant(stage: Stage, note: string, key: OldKey, planted: readonly string[], name = NAME): Promise<void> {
  for (const digest of planted) {
    const payload = simpleSigningPayload(name, digest);
    await stage.call('POST', `/v1/projects/${stage.project}/occurrences`, {
      kind: 'ATTESTATION',
      resourceUri: `https://${name}@${digest}`,
      noteName: note,
      attestation: {
        serializedPayload: payload.toString('base64'),
        signatures: [{ publicKeyId: key.id, signature: key.sign(payload).toString('base64') }],
      },
    });
  }
}

/** How many occurrences of a digest, under the note, hold a signature of this key that verifies for it: by node:crypto alone. */
export async function signaturesBy(stage: Stage, note: string, key: { id: string; pem: string }): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>();
  for (let pageToken = ''; ;) {
    const page = await stage.call('GET', `/v1/${note}/occurrences?pageSize=1000&pageToken=${pageToken}`);
    for (const { resourceUri, attestation } of page.occurrences ?? []) {
      const payload = Buffer.from(attestation.serializedPayload as string, 'base64');
      const digest: string = JSON.parse(payload.toString()).critical.image['docker-manifest-digest'];
      const isGood = (attestation.signatures as { publicKeyId: string; signature: string }[]).some(
        ({ publicKeyId, signature }) =>
          publicKeyId === key.id && verify('sha256', payload, { key: key.pem, dsaEncoding: 'der' }, Buffer.from(signature, 'base64')),
      );
      if (isGood && (resourceUri as string).endsWith(`@${digest}`)) found.set(digest, (found.get(digest) ?? 0) + 1);
    }
    if (!page.nextPageToken) return found;
    pageToken = page.nextPageToken;
  }
}

/** The ids of the keys that an attestor trusts. */
export async function trusted(stage: Stage, attestor: string): Promise<readonly string[]> {
  const { userOwnedGrafeasNote } = await stage.call('GET', `/v1/${attestor}`);
  return (userOwnedGrafeasNote.publicKeys ?? []).map(({ id }: { id: string }) => id);
}
