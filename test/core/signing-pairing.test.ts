// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { Attestor } from '../../src/core/attestation/attestor.js';
import { parseAttestorName, parseNoteName } from '../../src/core/names.js';
import type { GivenKey } from '../../src/core/signing/given-key.js';
import { pairKeys } from '../../src/core/signing/pairing.js';
import { defaultKeyId, spkiOf, type AttestorKey, type PublicKey } from '../../src/core/signing/public-key.js';
import { algorithmNamed, keyPairFor, publicPem } from '../support/pkix-keys.js';

const P256 = algorithmNamed('ECDSA_P256_SHA256');
const RSA = algorithmNamed('RSA_PSS_2048_SHA256');
const FINGERPRINT = 'A'.repeat(40);

function attestor(id: string, ...keys: AttestorKey[]): Attestor {
  return { name: parseAttestorName(`projects/p-project/attestors/${id}`)!, note: parseNoteName(`projects/p-project/notes/${id}`)!, keys };
}

function listed(which: number, id = `//cloudkms.googleapis.com/v1/${which}`, algorithm: string = P256.name): AttestorKey {
  return { kind: 'pkix', id, pem: publicPem(keyPairFor(P256, which).publicKey), algorithm };
}

function ec(which: number): PublicKey {
  return { kind: 'pkix', spki: spkiOf(publicPem(keyPairFor(P256, which).publicKey))!, algorithm: P256 };
}

function given(name: string, ...signers: readonly [PublicKey, ...PublicKey[]][]): GivenKey {
  const [first, ...others] = signers.map((publicKeys, i) => ({
    name: `${name}-${i}`,
    publicKeys,
    sign: () => Promise.reject(new Error('not in this test')),
  }));
  return { name, signers: [first!, ...others] };
}

describe('pairKeys', () => {
  it('takes the id from the attestor, whatever its spelling', () => {
    const { pairs, errors } = pairKeys([attestor('a', listed(1), listed(0, 'my:id'))], [given('k', [ec(0)])]);
    expect(errors).toEqual([]);
    expect(pairs.map(({ attestorKey, signer }) => [attestorKey.id, signer.name])).toEqual([['my:id', 'k-0']]);
  });

  it('pairs each of several attestors with its own key, whatever the order', () => {
    const { pairs, errors } = pairKeys(
      [attestor('a', listed(0)), attestor('b', listed(1)), attestor('c', { kind: 'pgp', id: FINGERPRINT, armored: '' })],
      [given('pgp', [{ kind: 'pgp', fingerprint: FINGERPRINT }]), given('k1', [ec(1)]), given('k0', [ec(0)])],
    );
    expect(errors).toEqual([]);
    expect(pairs.map(({ signer }) => signer.name)).toEqual(['k0-0', 'k1-0', 'pgp-0']);
  });

  it('takes the newest version that the attestor trusts', () => {
    const { pairs } = pairKeys([attestor('a', listed(1), listed(2))], [given('k', [ec(3)], [ec(2)], [ec(1)])]);
    expect(pairs.map(({ signer }) => signer.name)).toEqual(['k-1']);
  });

  it('takes the algorithm that the attestor declares of those a local RSA key serves', () => {
    const { publicKey } = keyPairFor(RSA);
    const spki = spkiOf(publicPem(publicKey))!;
    const pkcs1 = algorithmNamed('RSA_SIGN_PKCS1_2048_SHA256');
    const rsa = given('rsa', [
      { kind: 'pkix', spki, algorithm: RSA },
      { kind: 'pkix', spki, algorithm: pkcs1 },
    ]);
    const { pairs } = pairKeys([attestor('a', { kind: 'pkix', id: 'x', pem: publicPem(publicKey), algorithm: pkcs1.name })], [rsa]);
    expect(pairs.map((pair) => pair.publicKey.kind === 'pkix' && pair.publicKey.algorithm)).toEqual([pkcs1]);
  });

  it('refuses an attestor without keys', () => {
    const { pairs, errors } = pairKeys([attestor('a')], [given('k', [ec(0)])]);
    expect(pairs).toEqual([]);
    expect(errors.map(({ code, resource }) => [code, resource])).toEqual([['KEY_NOT_TRUSTED', 'projects/p-project/attestors/a']]);
    expect(errors[0]?.message).toContain('trusts no key');
  });

  it('lists both sides where an attestor trusts none of the keys', () => {
    const { errors } = pairKeys([attestor('a', listed(1, 'its-id'))], [given('mine', [ec(0)])]);
    expect(errors.map(({ code }) => code)).toEqual(['KEY_NOT_TRUSTED']);
    expect(errors[0]?.message).toContain('its-id');
    expect(errors[0]?.message).toContain(
      defaultKeyId(ec(0).kind === 'pkix' ? spkiOf(publicPem(keyPairFor(P256, 0).publicKey))! : new Uint8Array()),
    );
  });

  it('says when the very key is listed under another algorithm', () => {
    const { errors } = pairKeys([attestor('a', listed(0, 'its-id', 'ECDSA_P384_SHA384'))], [given('mine', [ec(0)])]);
    expect(errors.map(({ code }) => code)).toEqual(['KEY_NOT_TRUSTED']);
    expect(errors[0]?.hint).toContain('ECDSA_P384_SHA384');
  });

  it('refuses a key that no attestor trusts, even where each attestor has one', () => {
    const { pairs, errors } = pairKeys([attestor('a', listed(0))], [given('good', [ec(0)]), given('stray', [ec(1)])]);
    expect(pairs.length).toBe(1);
    expect(errors.map(({ code, resource }) => [code, resource])).toEqual([['KEY_NOT_TRUSTED', 'stray']]);
  });

  it('keeps the good pairs beside the errors', () => {
    const { pairs, errors } = pairKeys([attestor('a', listed(0)), attestor('b', listed(1))], [given('k0', [ec(0)])]);
    expect(pairs.map((pair) => pair.attestor.name)).toEqual(['projects/p-project/attestors/a']);
    expect(errors.map(({ resource }) => resource)).toEqual(['projects/p-project/attestors/b']);
  });
});
