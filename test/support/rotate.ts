// SPDX-License-Identifier: Apache-2.0
// The rotate use case over ports in memory.
import type { Attestor } from '../../src/core/attestation/attestor.js';
import { BinauthzError } from '../../src/core/errors.js';
import { pin } from '../../src/core/image/reference.js';
import type { AttestorName } from '../../src/core/names.js';
import { encodePayload, payloadFor } from '../../src/core/payload/payload.js';
import type { AttestorKey } from '../../src/core/signing/public-key.js';
import type { AttestorKeys } from '../../src/ports/attestor-keys.js';
import type { RepositoryImage } from '../../src/ports/repository-images.js';
import type { RotateRequest } from '../../src/usecases/requests.js';
import { rotate, type RotatePorts } from '../../src/usecases/rotate.js';
import { attestorOf, digest, memoryPorts, reference, testKey, type Memory, type TestKey } from './ports.js';

export const old = testKey('https://keys.example.com/1');
export const fresh = testKey('https://keys.example.com/2');
export const stranger = testKey('https://keys.example.com/stranger');

export const nameOf = (word: string): string => `gcr.io/p/${word}@${digest(word)}`;
export const transient = (): BinauthzError => new BinauthzError('UNAVAILABLE', 'connection reset', { transient: { kind: 'unavailable' } });

/** An attestor in memory whose keys change, and what was asked of it. */
export class MemoryKeys implements AttestorKeys {
  readonly writes: string[] = [];
  fails: BinauthzError | undefined;

  constructor(readonly attestor: { now: Attestor }) {}

  add(_name: AttestorName, key: AttestorKey): Promise<Attestor> {
    if (this.fails) return Promise.reject(this.fails);
    this.writes.push(`add ${key.id}`);
    return Promise.resolve((this.attestor.now = { ...this.attestor.now, keys: [...this.attestor.now.keys, key] }));
  }

  remove(judged: Attestor, keyId: string): Promise<Attestor> {
    if (this.fails) return Promise.reject(this.fails);
    this.writes.push(`remove ${keyId}`);
    return Promise.resolve((this.attestor.now = { ...judged, keys: judged.keys.filter(({ id }) => id !== keyId) }));
  }
}

/** The ports of a rotation, and what is behind them. */
export interface World extends RotatePorts {
  readonly memory: Memory;
  readonly keys: MemoryKeys;
  readonly repository: RepositoryImage[];
}

/** An attestor that trusts these keys, and images by reference as the registry knows them. */
export function world(trusted: readonly TestKey[] = [old], images: Parameters<typeof memoryPorts>[2] = {}): World {
  const keys = new MemoryKeys({ now: attestorOf('ci', ...trusted) });
  const memory = memoryPorts([keys.attestor.now], [], images);
  memory.attestors.attestor = () => Promise.resolve(keys.attestor.now);
  const repository: RepositoryImage[] = [];
  const [signer] = fresh.signers;
  const openNewKey = () => Promise.resolve({ signer, publicKey: signer.publicKeys[0], entry: fresh.entry });
  return {
    ...memory,
    memory,
    keys,
    attestorKeys: keys,
    repository,
    openNewKey,
    repositories: { imagesIn: () => Promise.resolve(repository) },
  };
}

/** Stores an attestation of a word's image by a key. */
export async function plant(
  ports: World,
  word: string,
  key: TestKey,
  changes: { readonly type?: string; readonly id?: string } = {},
): Promise<void> {
  const image = pin(reference(nameOf(word)), digest(word));
  const payload = encodePayload({ ...payloadFor(image), ...(changes.type === undefined ? {} : { type: changes.type }) });
  const [signer] = key.signers;
  const bytes = await signer.sign(payload, signer.publicKeys[0]);
  const signatures = [{ publicKeyId: changes.id ?? key.entry.id, bytes }];
  ports.memory.attestations.plant({ note: ports.keys.attestor.now.note, resourceUri: `https://${nameOf(word)}`, payload, signatures });
}

/** A rotation of everything under the note, applied unless it says otherwise; in short and in full. */
export async function run(ports: World, overrides: Partial<RotateRequest> = {}) {
  const request: RotateRequest = {
    ...{ attestor: ports.keys.attestor.now.name, images: [], used: [], repositories: [], waitTimeoutMs: 60_000, apply: true },
    ...overrides,
  };
  const { result, errors } = await rotate(request, ports);
  const images = Object.fromEntries((result.images ?? []).map(({ image, status }) => [image, status]));
  return {
    result,
    errors,
    images,
    codes: errors.map(({ code }) => code),
    changes: result.changes.map(({ action, status }) => `${action} ${status}`),
  };
}

/** The retirement of the old key. */
export const retiring = (force = false) => ({ retire: { keyId: old.entry.id, force } });
/** The images that were attested anew. */
export const created = (ports: World): readonly string[] =>
  ports.memory.attestations.created.map(({ resourceUri }) => resourceUri.replace('https://', ''));
