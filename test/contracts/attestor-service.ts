// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { Attestation } from '../../src/core/attestation/attestation.js';
import type { AttestorName, NoteName } from '../../src/core/names.js';
import { projectOf } from '../../src/core/names.js';
import type { AttestorService } from '../../src/ports/attestor-service.js';
import { errorOf } from '../google/google.js';

/** An attestor with one PKIX key, the only one of its project; an attestation by that key and one that nobody signed. */
export interface AttestorWorld {
  readonly service: AttestorService;
  readonly attestor: AttestorName;
  readonly note: NoteName;
  readonly keyId: string;
  readonly pem: string;
  readonly good: Attestation;
  readonly bad: Attestation;
}

/** What every attestor service must do. */
export function attestorServiceContract(name: string, world: () => AttestorWorld): void {
  describe(`attestor service: ${name}`, () => {
    it('gives an attestor with its note and its keys', async () => {
      const { service, attestor, note, keyId, pem } = world();
      const found = await service.attestor(attestor);
      expect(found).toMatchObject({ name: attestor, note });
      expect(found.serviceAgent).toMatch(/@.*gserviceaccount\.com$/);
      expect(found.keys).toMatchObject([{ kind: 'pkix', id: keyId, algorithm: 'ECDSA_P256_SHA256' }]);
      expect(found.keys[0]).toHaveProperty('pem', pem);
    });

    it('lists the attestors of a project', async () => {
      const { service, attestor } = world();
      expect(await service.attestorsIn(projectOf(attestor))).toEqual([await service.attestor(attestor)]);
    });

    it('tells an attestor that does not exist', async () => {
      const { service, attestor } = world();
      expect((await errorOf(service.attestor(`${attestor}-missing` as AttestorName))).code).toBe('ATTESTOR_NOT_FOUND');
    });

    it('validates a good attestation, and gives the reason against a bad one', async () => {
      const { service, attestor, good, bad } = world();
      expect(await service.validate(attestor, good)).toEqual({ result: 'verified' });
      const verdict = await service.validate(attestor, bad);
      expect(verdict.result).toBe('not-verifiable');
      expect(verdict).toHaveProperty('reason', expect.stringMatching(/.+/));
    });
  });
}
