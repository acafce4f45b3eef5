// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { BinauthzErrors, exitCodeOf } from '../../src/core/errors.js';
import { keyOf } from '../../src/core/names.js';
import { Secret } from '../../src/core/secret.js';
import type { KeySource } from '../../src/core/signing/given-key.js';
import { openKeys } from '../../src/signers/given-keys.js';
import { FakeKeyService, fakeVersion, versionName } from '../support/fake-key-service.js';
import { fakePace } from '../support/fake-pace.js';
import { makePgpKey, PGP_KINDS } from '../support/pgp-keys.js';
import { algorithmNamed, keyPairFor, privatePem } from '../support/pkix-keys.js';

const P256 = algorithmNamed('ECDSA_P256_SHA256');

function service(): FakeKeyService {
  return new FakeKeyService([1, 2].map((n) => fakeVersion(versionName(n), 'EC_SIGN_P256_SHA256', keyPairFor(P256, n))));
}

async function failuresOf(sources: readonly KeySource[]): Promise<BinauthzErrors> {
  const failure: unknown = await openKeys(sources, { keys: service(), pace: fakePace() }).catch((error: unknown) => error);
  if (!(failure instanceof BinauthzErrors)) throw new Error('expected BinauthzErrors');
  return failure;
}

describe('openKeys', () => {
  it('opens every kind, in the order given, and says how local keys were written', async () => {
    const pgp = await makePgpKey({ ...PGP_KINDS['ed25519Legacy'], passphrase: 'secret words' });
    const pem = privatePem(keyPairFor(P256).privateKey);
    const sources: readonly KeySource[] = [
      { kind: 'pgp', key: new Secret(pgp.secret, 'PGP_KEY'), passphrase: new Secret('secret words', 'PGP_PASSPHRASE') },
      { kind: 'kms-key', key: keyOf(versionName(1)) },
      { kind: 'pkix', key: new Secret(Buffer.from(pem).toString('base64'), 'PKIX_KEY') },
      { kind: 'kms-key-version', version: versionName(1) },
    ];
    const notes: string[] = [];
    const keys = await openKeys(sources, { keys: service(), pace: fakePace(), debug: (note) => notes.push(note) });
    expect(keys.map(({ name }) => name)).toEqual(['PGP_KEY', keyOf(versionName(1)), 'PKIX_KEY', versionName(1)]);
    expect(keys[0]?.signers.map(({ name }) => name)).toEqual([pgp.fingerprint]);
    expect(keys[1]?.signers.map(({ name }) => name)).toEqual([versionName(2), versionName(1)]);
    expect(notes).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/PGP_KEY: the key text itself/),
        expect.stringMatching(/PKIX_KEY: base64 of the key text/),
      ]),
    );
  });

  it('opens nothing where nothing is given', async () => {
    expect(await openKeys([], { keys: service(), pace: fakePace() })).toEqual([]);
  });

  it('throws all failures, in the order of the keys', async () => {
    const failure = await failuresOf([
      { kind: 'kms-key-version', version: versionName(9) },
      { kind: 'pkix', key: new Secret('nothing', 'PKIX_KEY') },
      { kind: 'kms-key-version', version: versionName(1) },
      { kind: 'pgp', key: new Secret('nothing', 'PGP_KEY') },
      { kind: 'kms-key', key: keyOf(versionName(1, 'other')) },
    ]);
    expect(failure.errors.map(({ code, resource }) => [code, resource])).toEqual([
      ['KEY_NOT_FOUND', versionName(9)],
      ['SECRET_UNUSABLE', 'PKIX_KEY'],
      ['SECRET_UNUSABLE', 'PGP_KEY'],
      ['KEY_UNUSABLE', keyOf(versionName(1, 'other'))],
    ]);
    expect(exitCodeOf(failure.errors)).toBe(2);
  });

  it('throws a single failure as a list, too', async () => {
    const failure = await failuresOf([{ kind: 'pkix', key: new Secret('', 'PKIX_KEY') }]);
    expect(failure.errors.map(({ code }) => code)).toEqual(['SECRET_UNUSABLE']);
  });
});
