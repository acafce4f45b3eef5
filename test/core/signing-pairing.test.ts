// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { Attestor } from '../../src/core/attestation/attestor.js';
import { parseAttestorName, parseNoteName } from '../../src/core/names.js';
import type { GivenKey } from '../../src/core/signing/given-key.js';
import { pairKeys } from '../../src/core/signing/pairing.js';
import { defaultKeyId, spkiOf, type AttestorKey, type PublicKey } from '../../src/core/signing/public-key.js';
import { algorithmNamed, keyPairFor, publicPem, rsaPublicKey } from '../support/pkix-keys.js';

const P256 = algorithmNamed('ECDSA_P256_SHA256');
const RSA = algorithmNamed('RSA_PSS_2048_SHA256');
const FINGERPRINT = 'A'.repeat(40);

function attestor(id: string, ...keys: AttestorKey[]): Attestor {
  return { name: parseAttestorName(`projects/p-project/attestors/${id}`)!, note: parseNoteName(`projects/p-project/notes/${id}`)!, keys };
}

function listed(which: number, id = `//cloudkms.googleapis.com/v1/${which}`, algorithm: string = P256.name): AttestorKey {
  return { kind: 'pkix', id, pem: publicPem(keyPairFor(P256, which).publicKey), algorithm };
}

function ec(which: number): Extract<PublicKey, { kind: 'pkix' }> {
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
    const publicKey = rsaPublicKey(2048);
    const spki = spkiOf(publicPem(publicKey))!;
    const pkcs1 = algorithmNamed('RSA_SIGN_PKCS1_2048_SHA256');
    const rsa = given('rsa', [
      { kind: 'pkix', spki, algorithm: RSA },
      { kind: 'pkix', spki, algorithm: pkcs1 },
    ]);
    const { pairs } = pairKeys([attestor('a', { kind: 'pkix', id: 'x', pem: publicPem(publicKey), algorithm: pkcs1.name })], [rsa]);
    expect(pairs.map((pair) => pair.publicKey.kind === 'pkix' && pair.publicKey.algorithm)).toEqual([pkcs1]);
  });

  it('keeps the good pairs beside the errors', () => {
    const { pairs, errors } = pairKeys([attestor('a', listed(0)), attestor('b', listed(1))], [given('k0', [ec(0)])]);
    expect(pairs.map((pair) => pair.attestor.name)).toEqual(['projects/p-project/attestors/a']);
    expect(errors.map(({ resource }) => resource)).toEqual(['projects/p-project/attestors/b']);
  });
});

describe('what cannot be paired', () => {
  const [A, B] = ['projects/p-project/attestors/a', 'projects/p-project/attestors/b'];
  const PGP = { kind: 'pgp', id: FINGERPRINT, armored: '' } as const;
  const add = 'gcloud container binauthz attestors public-keys add';
  const ID = [0, 1].map((which) => `ECDSA_P256_SHA256 ${defaultKeyId(ec(which).spki)}`);

  it.each<[string, readonly Attestor[], readonly GivenKey[], resource: string | undefined, message: string, hint: string]>([
    [
      'an attestor without keys',
      [attestor('a')],
      [given('mine', [ec(0)])],
      A,
      `cannot attest for ${A}: the attestor trusts no key, so nothing would ever be admitted by it`,
      `add a public key to it: ${add} --attestor=${A} …`,
    ],
    [
      'an attestor that trusts none of the keys: both sides are listed',
      [attestor('a', listed(2, 'its-id'), PGP)],
      [given('mine', [ec(0)], [ec(1)]), given('other', [{ kind: 'pgp', fingerprint: 'B' }])],
      A,
      `cannot attest for ${A}: it trusts none of the given keys; it trusts ECDSA_P256_SHA256 its-id, PGP ${FINGERPRINT}; given: mine (${ID[0]} or ${ID[1]}), other (PGP B)`,
      `add the key to the attestor (${add} --attestor=${A} …), or give a key that it trusts`,
    ],
    [
      'an attestor that lists the very key under another algorithm',
      [attestor('a', listed(2), listed(0, 'its-id', 'ECDSA_P384_SHA384'))],
      [given('mine', [ec(1)], [ec(0)])],
      A,
      `cannot attest for ${A}: it trusts none of the given keys; it trusts ECDSA_P256_SHA256 //cloudkms.googleapis.com/v1/2, ECDSA_P384_SHA384 its-id; given: mine (${ID[1]} or ${ID[0]})`,
      'the attestor lists this very key, but declares it as ECDSA_P384_SHA384: remove the entry its-id and add the key again with the algorithm that it really has',
    ],
    [
      'a key that no attestor trusts, even where each attestor has one',
      [attestor('a', listed(0, 'i')), attestor('b', PGP, listed(0, 'j'))],
      [given('good', [ec(0)]), given('stray', [ec(1)])],
      'stray',
      `cannot use stray (${ID[1]}): none of the attestors trusts it; ${A} trusts ECDSA_P256_SHA256 i; ${B} trusts PGP ${FINGERPRINT}, ECDSA_P256_SHA256 j`,
      `leave the key out, or add its public key to the attestor that should trust it (${add})`,
    ],
  ])('%s', (_name, attestors, keys, resource, message, hint) => {
    const { errors } = pairKeys(attestors, keys);
    expect(errors.map((error) => ({ ...error, message: error.message }))).toMatchObject([
      { code: 'KEY_NOT_TRUSTED', resource, message, hint },
    ]);
  });
});
