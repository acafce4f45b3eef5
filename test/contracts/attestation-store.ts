// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { Attestation } from '../../src/core/attestation/attestation.js';
import type { Digest } from '../../src/core/image/digest.js';
import type { NoteName, ProjectId } from '../../src/core/names.js';
import type { AttestationStore } from '../../src/ports/attestation-store.js';
import { errorOf } from '../google/google.js';

/** A store with an empty note of one project, and a second project. */
export interface StoreWorld {
  readonly store: AttestationStore;
  readonly note: NoteName;
  readonly project: ProjectId;
  readonly otherProject: ProjectId;
}

let count = 0;

// Every test has a digest of its own, so that tests may share a note.
function attestationFor(note: NoteName, change: Partial<Attestation> = {}): { attestation: Attestation; digest: Digest } {
  const digest = `sha256:${(++count).toString(16).padStart(64, '0')}` as Digest;
  const payload = new Uint8Array([0, 1, 250, 255, count]);
  const signatures = [{ publicKeyId: 'ni:///sha-256;abc', bytes: new Uint8Array([255, 254, 62, 63]) }];
  return { digest, attestation: { note, resourceUri: `https://example.com/p/app@${digest}`, payload, signatures, ...change } };
}

/** What every attestation store must do. */
export function attestationStoreContract(name: string, world: () => StoreWorld): void {
  describe(`attestation store: ${name}`, () => {
    it('gives back exactly what was stored', async () => {
      const { store, note, project } = world();
      const { attestation, digest } = attestationFor(note);
      const occurrence = await store.create(project, attestation);
      const [found, ...others] = await store.listOfNote(note, digest);
      expect(others).toEqual([]);
      expect(found).toMatchObject({ ...attestation, occurrence });
      expect(found?.createTime).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
      expect(found?.payload).toBeInstanceOf(Uint8Array);
      expect(await store.read(occurrence)).toEqual(found);
    });

    it('lists a note across projects, and a project alone', async () => {
      const { store, note, project, otherProject } = world();
      const { attestation, digest } = attestationFor(note);
      const here = await store.create(project, attestation);
      const there = await store.create(otherProject, { ...attestation, payload: new Uint8Array([7]) });
      expect((await store.listOfNote(note, digest)).map((found) => found.occurrence).sort()).toEqual([here, there].sort());
      expect((await store.listInProject(otherProject, digest)).map((found) => found.occurrence)).toEqual([there]);
    });

    it('finds both ways of writing a resource, and no other digest', async () => {
      const { store, note, project } = world();
      const { attestation, digest } = attestationFor(note);
      const other = attestationFor(note);
      await store.create(project, attestation);
      await store.create(project, { ...attestation, resourceUri: attestation.resourceUri.replace('https://', '') });
      await store.create(project, other.attestation);
      expect(await store.listOfNote(note, digest)).toHaveLength(2);
      const all = await store.listOfNote(note);
      expect(all.map((found) => found.resourceUri)).toContain(other.attestation.resourceUri);
    });

    it('tells a conflict', async () => {
      const { store, note, project } = world();
      const { attestation } = attestationFor(note);
      await store.create(project, attestation);
      const error = await errorOf(store.create(project, attestation));
      expect(error.code).toBe('ATTESTATION_CONFLICT');
      expect(error.transient).toBeUndefined();
    });

    it('tells a note that does not exist', async () => {
      const { store, note, project } = world();
      const missing = `${note}-missing` as NoteName;
      expect((await errorOf(store.create(project, attestationFor(missing).attestation))).code).toBe('NOTE_NOT_FOUND');
      expect((await errorOf(store.listOfNote(missing))).code).toBe('NOTE_NOT_FOUND');
    });
  });
}
