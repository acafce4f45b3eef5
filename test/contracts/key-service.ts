// SPDX-License-Identifier: Apache-2.0
import { createHash, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { KeyName, KeyVersionName } from '../../src/core/names.js';
import type { KeyService } from '../../src/ports/key-service.js';
import { crc32c } from '../../src/signers/crc32c.js';
import { errorOf } from '../google/google.js';

/** A key service over a P-256 key with versions 1 to 3, of which 2 is disabled, and a key that encrypts. */
export interface KeyWorld {
  readonly service: KeyService;
  readonly key: KeyName;
  readonly encryptionKeyVersion: KeyVersionName;
}

const payload = new TextEncoder().encode('{}');
const bytes = new Uint8Array(createHash('sha256').update(payload).digest());

/** What every key service must do. */
export function keyServiceContract(name: string, world: () => KeyWorld): void {
  const version = (number: number): KeyVersionName => `${world().key}/cryptoKeyVersions/${number}` as KeyVersionName;

  describe(`key service: ${name}`, () => {
    it('gives a public key with the checksum of its PEM', async () => {
      const key = await world().service.publicKey(version(1));
      expect(key).toMatchObject({ name: version(1), algorithm: 'EC_SIGN_P256_SHA256' });
      expect(key.pem).toMatch(/^-----BEGIN PUBLIC KEY-----/);
      expect(key.pemCrc32c).toBe(crc32c(new TextEncoder().encode(key.pem)));
    });

    it('signs a digest, with both checksums', async () => {
      const { pem } = await world().service.publicKey(version(1));
      const signed = await world().service.sign(version(1), { hash: 'sha256', bytes, crc32c: crc32c(bytes) });
      expect(signed).toMatchObject({ name: version(1), verifiedDigestCrc32c: true, signatureCrc32c: crc32c(signed.signature) });
      expect(verify('sha256', payload, pem, signed.signature)).toBe(true);
    });

    it('refuses a digest that does not fit its checksum', async () => {
      const error = await errorOf(world().service.sign(version(1), { hash: 'sha256', bytes, crc32c: 1 }));
      expect(error.code).toBe('CHECKSUM_MISMATCH');
    });

    it('lists enabled versions, the newest first', async () => {
      expect(await world().service.enabledVersions(world().key)).toEqual([version(3), version(1)]);
    });

    it('says how to enable a disabled version', async () => {
      for (const call of [
        world().service.publicKey(version(2)),
        world().service.sign(version(2), { hash: 'sha256', bytes, crc32c: crc32c(bytes) }),
      ]) {
        const error = await errorOf(call);
        expect(error.code).toBe('KEY_UNUSABLE');
        expect(error.resource).toBe(version(2));
        expect(error.hint).toMatch(/gcloud kms keys versions enable 2 --key=\S+ --keyring=\S+ --location=\S+ --project=\S+/);
      }
    });

    it('refuses a key of another purpose, and names the purpose', async () => {
      const error = await errorOf(world().service.publicKey(world().encryptionKeyVersion));
      expect(error.code).toBe('KEY_UNUSABLE');
    });

    it('tells a key and a version that do not exist', async () => {
      expect((await errorOf(world().service.publicKey(version(9)))).code).toBe('KEY_NOT_FOUND');
      expect((await errorOf(world().service.enabledVersions(`${world().key}x` as KeyName))).code).toBe('KEY_NOT_FOUND');
    });
  });
}
