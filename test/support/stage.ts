// SPDX-License-Identifier: Apache-2.0
// What a platform team would have set up before the first attestation: made through Google's REST paths.
import type { TestEmulator } from './emulator.js';

export const PROJECT = 'shop-prod';
const VIEWER = 'roles/containeranalysis.notes.occurrences.viewer';

/** A Cloud KMS key version: its name and public half. */
export interface StagedKey {
  readonly version: string;
  readonly key: string;
  readonly pem: string;
}

const ATTESTOR_ALGORITHM: Readonly<Record<string, string>> = {
  EC_SIGN_P256_SHA256: 'ECDSA_P256_SHA256',
  EC_SIGN_P384_SHA384: 'ECDSA_P384_SHA384',
};

/** The attestor's enum name for a Cloud KMS algorithm; RSA names are accepted as Cloud KMS spells them. */
export function attestorAlgorithm(kms: string): string {
  return ATTESTOR_ALGORITHM[kms] ?? kms;
}

/** An attestor's entry for a Cloud KMS key, under the id that gcloud gives it. */
export function pkixEntry(key: StagedKey, algorithm: string): Record<string, unknown> {
  return {
    id: `//cloudkms.googleapis.com/v1/${key.version}`,
    pkixPublicKey: { publicKeyPem: key.pem, signatureAlgorithm: attestorAlgorithm(algorithm) },
  };
}

/** Sets things up on an emulator; every call that fails throws with the answer. */
export class Stage {
  private readonly rings = new Set<string>();

  constructor(
    readonly emulator: TestEmulator,
    readonly project = PROJECT,
  ) {}

  /** One call that must succeed. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  async call(method: string, path: string, body?: unknown): Promise<any> {
    const answer = await this.emulator.api(method, path, body);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
    return answer.json;
  }

  /** A new Cloud KMS key with one version. */
  async kmsKey(id: string, algorithm = 'EC_SIGN_P256_SHA256', ring = 'ci'): Promise<StagedKey> {
    const rings = `projects/${this.project}/locations/global/keyRings`;
    if (!this.rings.has(ring)) await this.call('POST', `/v1/${rings}?keyRingId=${ring}`, {});
    this.rings.add(ring);
    const key = `${rings}/${ring}/cryptoKeys/${id}`;
    await this.call('POST', `/v1/${rings}/${ring}/cryptoKeys?cryptoKeyId=${id}`, {
      purpose: 'ASYMMETRIC_SIGN',
      versionTemplate: { algorithm, protectionLevel: 'SOFTWARE' },
    });
    return this.keyVersion(key, 1);
  }

  /** A version of a key that exists. */
  async keyVersion(key: string, number: number): Promise<StagedKey> {
    const version = `${key}/cryptoKeyVersions/${number}`;
    const { pem } = await this.call('GET', `/v1/${version}/publicKey`);
    return { version, key, pem };
  }

  /** An attestor with a note of the same id, trusting these keys; its service agent may read the note. */
  async attestor(id: string, publicKeys: readonly unknown[]): Promise<string> {
    const note = `projects/${this.project}/notes/${id}`;
    await this.call('POST', `/v1/projects/${this.project}/notes?noteId=${id}`, { attestation: { hint: { humanReadableName: id } } });
    const attestor = await this.call('POST', `/v1/projects/${this.project}/attestors?attestorId=${id}`, {
      name: `projects/${this.project}/attestors/${id}`,
      userOwnedGrafeasNote: { noteReference: note, publicKeys },
    });
    const agent: string = attestor.userOwnedGrafeasNote.delegationServiceAccountEmail;
    await this.call('POST', `/v1/${note}:setIamPolicy`, { policy: { bindings: [{ role: VIEWER, members: [`serviceAccount:${agent}`] }] } });
    return attestor.name;
  }

  /** A Cloud KMS key and an attestor that trusts it. */
  async kmsAttestor(id: string, algorithm = 'EC_SIGN_P256_SHA256'): Promise<{ attestor: string; key: StagedKey }> {
    const key = await this.kmsKey(id, algorithm);
    return { key, attestor: await this.attestor(id, [pkixEntry(key, algorithm)]) };
  }

  /** Replaces the keys that an attestor trusts. */
  async replaceKeys(attestor: string, publicKeys: readonly unknown[]): Promise<void> {
    const current = await this.call('GET', `/v1/${attestor}`);
    await this.call('PUT', `/v1/${attestor}`, {
      ...current,
      userOwnedGrafeasNote: { noteReference: current.userOwnedGrafeasNote.noteReference, publicKeys },
    });
  }

  /** Adds members to roles on a resource, e.g. `projects/p` or `projects/p/notes/n`. */
  async grant(resource: string, member: string, ...roles: readonly string[]): Promise<void> {
    const method = resource.split('/').length === 2 ? 'POST' : 'GET';
    const path = resource.split('/').length === 2 ? `/v1/${resource}:getIamPolicy` : `/v1/${resource}:getIamPolicy`;
    const policy = await this.call(method, path, method === 'POST' ? {} : undefined);
    const bindings = [...(policy.bindings ?? []), ...roles.map((role) => ({ role, members: [member] }))];
    await this.call('POST', `/v1/${resource}:setIamPolicy`, { policy: { ...policy, bindings } });
  }

  /** The names of all occurrences of the project, however many pages they take. */
  async occurrences(): Promise<readonly string[]> {
    const names: string[] = [];
    for (let pageToken = ''; ;) {
      const page = await this.call('GET', `/v1/projects/${this.project}/occurrences?pageSize=1000&pageToken=${pageToken}`);
      names.push(...(page.occurrences ?? []).map((occurrence: { name: string }) => occurrence.name));
      if (!page.nextPageToken) return names;
      pageToken = page.nextPageToken;
    }
  }

  /** The calls that the emulator has answered, e.g. `POST /v1/projects/p/occurrences`. */
  async requests(): Promise<readonly string[]> {
    const { requests } = await this.call('GET', '/_emulator/requests');
    return requests.map(({ method, path }: { method: string; path: string }) => `${method} ${path}`);
  }
}
