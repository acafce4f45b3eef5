// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { AttestorName } from '../../src/core/names.js';
import { defaultKeyId, spkiOf, type AttestorKey } from '../../src/core/signing/public-key.js';
import { sharedKeys, sharedKeyWarnings, type Trusting } from '../../src/core/signing/shared-keys.js';
import { signingKey } from '../support/keys.js';

const FINGERPRINT = 'AAAABBBBCCCCDDDDEEEEFFFF0000111122223333';
const attestor = (id: string, ...keys: readonly AttestorKey[]): Trusting => ({ name: `projects/p/attestors/${id}` as AttestorName, keys });
const pem = signingKey('ECDSA_P256_SHA256').pem;
const other = signingKey('ECDSA_P256_SHA256').pem;
const pkix = (text: string, id: string, algorithm = 'ECDSA_P256_SHA256'): AttestorKey => ({ kind: 'pkix', id, pem: text, algorithm });
const pgp = (id: string): AttestorKey => ({ kind: 'pgp', id, armored: '' });
const names = (...attestors: readonly Trusting[]) => sharedKeys(attestors).map(({ attestors: found }) => found.map((name) => name.at(-1)));

describe('keys that two attestors trust', () => {
  it('are found by the key, whatever its id and the algorithm it is declared with', () => {
    const one = attestor('a', pkix(pem, '//cloudkms.googleapis.com/v1/k/1'));
    const two = attestor('b', pkix(pem.replaceAll('\n', '\r\n'), 'another', 'ECDSA_P384_SHA384'));
    expect(sharedKeys([one, two])).toEqual([{ key: defaultKeyId(spkiOf(pem)!), attestors: [one.name, two.name] }]);
  });

  it('are found by the key, also where only half of its point is written down', () => {
    const spki = Buffer.from(spkiOf(pem)!);
    const [x, y] = [spki.subarray(-64, -32), spki.subarray(-32)];
    const head = Buffer.from('3039301306072a8648ce3d020106082a8648ce3d030107032200', 'hex');
    const half = Buffer.concat([head, Buffer.from([2 + ((y.at(-1) ?? 0) & 1)]), x]).toString('base64');
    const halfPem = `-----BEGIN PUBLIC KEY-----\n${half}\n-----END PUBLIC KEY-----\n`;
    expect(names(attestor('a', pkix(pem, 'x')), attestor('b', pkix(halfPem, 'y')))).toEqual([['a', 'b']]);
  });

  it('are found by the fingerprint of a PGP key, however it is written', () => {
    const spaced = `openpgp4fpr:${FINGERPRINT.toLowerCase().replace(/(.{4})/g, '$1 ')}`;
    expect(names(attestor('a', pgp(FINGERPRINT)), attestor('b', pgp(spaced)))).toEqual([['a', 'b']]);
  });

  it('are told once for all attestors of a key, and once for each key', () => {
    const both = [pkix(pem, 'x'), pkix(other, 'y')];
    expect(names(attestor('a', ...both), attestor('b', ...both), attestor('c', pkix(other, 'z')))).toEqual([
      ['a', 'b'],
      ['a', 'b', 'c'],
    ]);
  });

  it('are none where ids are equal and keys are not, where one attestor has a key twice, or where nothing is a key', () => {
    expect(names(attestor('a', pkix(pem, 'same')), attestor('b', pkix(other, 'same')))).toEqual([]);
    expect(names(attestor('a', pkix(pem, 'x'), pkix(pem, 'y')), attestor('a', pkix(pem, 'x')))).toEqual([]);
    expect(names(attestor('a', pkix('no key', 'x')), attestor('b', pkix('no key', 'x')))).toEqual([]);
    expect(names(attestor('a', pgp(FINGERPRINT)), attestor('b', pkix(pem, FINGERPRINT)))).toEqual([]);
    expect(names()).toEqual([]);
  });

  it('make a warning that names the attestors, in order, and the key', () => {
    const [a, b, c] = ['a', 'b', 'c'].map((id) => attestor(id, pgp(FINGERPRINT))) as [Trusting, Trusting, Trusting];
    expect(sharedKeyWarnings([b, a])).toEqual([
      `${a.name} and ${b.name} trust the same key PGP ${FINGERPRINT}: whoever holds it satisfies both, so they are not independent checks`,
    ]);
    expect(sharedKeyWarnings([c, a, b])).toEqual([
      `${a.name} and ${b.name} and ${c.name} trust the same key PGP ${FINGERPRINT}: whoever holds it satisfies all of them, so they are not independent checks`,
    ]);
  });
});
