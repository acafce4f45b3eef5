// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import type { AttestorName, KeyVersionName, NoteName, OccurrenceName } from '../../src/core/names.js';
import { encodePayload, payloadFor } from '../../src/core/payload/payload.js';
import { addKeyCommand, removeKeyCommand } from '../../src/core/rotation/commands.js';
import {
  behind,
  dependentsOn,
  digestAttested,
  imageAttested,
  isCovered,
  nameOfCoverage,
  type Coverage,
} from '../../src/core/rotation/coverage.js';
import { kmsEntry, type NewKey } from '../../src/core/rotation/new-key.js';
import { isInShard, parseShard } from '../../src/core/rotation/shard.js';
import { decide } from '../../src/core/rotation/work.js';
import { algorithmOfAttestor } from '../../src/core/signing/algorithm.js';
import { isTrustedAs, publicKeyOf, spkiOf } from '../../src/core/signing/public-key.js';
import { pin } from '../../src/core/image/reference.js';
import { signingKey } from '../support/keys.js';
import { digest, reference } from '../support/ports.js';

const OCCURRENCE = 'projects/p/occurrences/o' as OccurrenceName;

/** A digest that verifies under these keys; one with a question mark is in doubt. */
function covered(word: string, ...keys: readonly string[]): Coverage {
  const image = pin(reference(`gcr.io/p/${word}@${digest(word)}`), digest(word));
  return {
    digest: digest(word),
    image,
    keys: keys.map((key) => ({
      id: key.replace('?', ''),
      occurrence: OCCURRENCE,
      ...(key.endsWith('?') ? { doubt: 'an unusual type' } : {}),
    })),
  };
}

describe('shards', () => {
  test.each([
    ['1/1', { index: 1, total: 1 }],
    ['2/4', { index: 2, total: 4 }],
    ['1000/1000', { index: 1000, total: 1000 }],
    ['0/4', undefined],
    ['5/4', undefined],
    ['1/1001', undefined],
    ['1/0', undefined],
    ['01/4', undefined],
    ['1', undefined],
    ['1/4 ', undefined],
    ['-1/4', undefined],
    ['', undefined],
  ])('%j', (text, expected) => expect(parseShard(text)).toEqual(expected));

  it('share every digest out, each to exactly one', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 50 }), (word, total) => {
        const owners = Array.from({ length: total }, (_, index) => index + 1).filter((index) => isInShard(digest(word), { index, total }));
        expect(owners).toHaveLength(1);
      }),
    );
  });

  it('are about equal, and stay the same from run to run', () => {
    const words = Array.from({ length: 400 }, (_, index) => digest(String(index)));
    for (const index of [1, 2, 3, 4]) expect(words.filter((word) => isInShard(word, { index, total: 4 })).length).toBeGreaterThan(60);
    expect(isInShard(digest('app'), undefined)).toBe(true);
    // sha256:a172cedcae474…, and 0xa172cedcae474 is divisible by four.
    expect([1, 2, 3, 4].filter((index) => isInShard(digest('app'), { index, total: 4 }))).toEqual([1]);
  });
});

describe('coverage', () => {
  test.each<[string, readonly string[], boolean, boolean]>([
    ['the old key alone', ['old'], true, true],
    ['both keys', ['old', 'new'], false, false],
    ['the new key alone', ['new'], false, false],
    ['the old key, and the new one in doubt', ['old', 'new?'], true, true],
    ['the old key in doubt', ['old?'], true, true],
    ['the old key in doubt, and the new one', ['old?', 'new'], false, false],
    ['the old key and a third', ['old', 'third'], false, true],
    ['a third key alone', ['third'], false, true],
    ['a third key in doubt', ['third?'], false, true],
  ])('%s', (_, keys, dependsOnOld, isBehind) => {
    expect(dependentsOn('old', [covered('app', ...keys)])).toHaveLength(dependsOnOld ? 1 : 0);
    expect(behind('new', [covered('app', ...keys)])).toHaveLength(isBehind ? 1 : 0);
  });

  it('never counts a doubt as proof', () => {
    expect([isCovered(undefined), isCovered(covered('app', 'old?')), isCovered(covered('app', 'old'))]).toEqual([false, false, true]);
    expect([isCovered(covered('app', 'old'), 'new'), isCovered(covered('app', 'old', 'new?'), 'new')]).toEqual([false, false]);
  });

  test.each([
    [undefined, { kind: 'unattested' }],
    [covered('app', 'old?'), { kind: 'unattested', doubt: 'an unusual type' }],
    [covered('app', 'old', 'new'), { kind: 'existing', occurrence: OCCURRENCE }],
    [covered('app', 'old', 'new?'), { kind: 'attest', image: covered('app').image }],
    [covered('app', 'third'), { kind: 'attest', image: covered('app').image }],
    [{ digest: digest('app'), keys: covered('app', 'old').keys }, { kind: 'nameless' }],
  ])('decides %#', (coverage, expected) => expect(decide(coverage, 'new')).toStrictEqual(expected));

  it('attests whatever verifies while the new key is on no attestor', () =>
    expect(decide(covered('app', 'old'), undefined)).toMatchObject({ kind: 'attest' }));
});

describe('an attestation', () => {
  const stored = (resourceUri: string, dockerReference: string) => ({
    note: 'projects/p/notes/n' as NoteName,
    resourceUri,
    payload: encodePayload({ ...payloadFor(pin(reference('gcr.io/p/x:1'), digest('app'))), dockerReference }),
    signatures: [],
  });

  test.each([
    [`https://gcr.io/p/app@${digest('app')}`, digest('app')],
    [`gcr.io/p/app@${digest('app')}`, digest('app')],
    ['https://gcr.io/p/app:1', undefined],
    ['', undefined],
  ])('of %j is found for its digest', (uri, expected) => expect(digestAttested(stored(uri, 'gcr.io/p/app'))).toBe(expected));

  test.each([
    ['as it was signed', 'gcr.io/p/signed', 'https://gcr.io/p/claimed', 'gcr.io/p/signed'],
    ['without the tag that was signed', 'gcr.io/p/signed:1.2', 'https://gcr.io/p/claimed', 'gcr.io/p/signed'],
    ['by its resource, where what was signed is no name', 'signed', 'https://gcr.io/p/claimed', 'gcr.io/p/claimed'],
    ['not at all, where neither is a name', 'signed', 'claimed', undefined],
  ])('names its image %s', (_, signed, claimed, expected) => {
    const image = imageAttested(stored(`${claimed}@${digest('app')}`, signed), digest('app'));
    expect(image && `${image.registry}/${image.repository}`).toBe(expected);
    expect(image?.tag).toBeUndefined();
    expect(image?.original).toBe(expected && `${expected}@${digest('app')}`);
  });

  it('names its image by its resource where what was signed is no payload', () => {
    const broken = { ...stored(`https://gcr.io/p/claimed@${digest('app')}`, ''), payload: new TextEncoder().encode('x') };
    expect(imageAttested(broken, digest('app'))?.repository).toBe('p/claimed');
  });

  it('that names none is about its digest', () => {
    const image = covered('app', 'old');
    expect(nameOfCoverage(image)).toBe(`gcr.io/p/app@${digest('app')}`);
    expect(nameOfCoverage({ digest: digest('app'), keys: image.keys })).toBe(digest('app'));
  });
});

describe('the new key', () => {
  const attestor = 'projects/p/attestors/ci' as AttestorName;
  const version = 'projects/k/locations/global/keyRings/r/cryptoKeys/c/cryptoKeyVersions/2' as KeyVersionName;

  it('is listed as gcloud would, and is the same key then', () => {
    const { pem, algorithm } = signingKey('ECDSA_P256_SHA256');
    const publicKey = { kind: 'pkix' as const, spki: spkiOf(pem)!, algorithm: algorithmOfAttestor(algorithm)! };
    const entry = kmsEntry(version, publicKey);
    expect(entry).toEqual({ kind: 'pkix', id: `//cloudkms.googleapis.com/v1/${version}`, pem, algorithm });
    expect(isTrustedAs(publicKey, entry)).toBe(true);
    expect(publicKeyOf(entry)).toEqual(publicKey);
    expect(publicKeyOf({ ...entry, algorithm: 'ML_DSA_65' } as typeof entry)).toBeUndefined();
  });

  it('is added and removed by commands for a shell', () => {
    const key = (name: string, id: string) => ({ signer: { name }, entry: { kind: 'pgp', id, armored: '' } }) as unknown as NewKey;
    expect(addKeyCommand(attestor, key(version, ''))).toMatch(
      /^gcloud container binauthz attestors public-keys add --attestor=ci .*--keyversion=2/,
    );
    expect(addKeyCommand(attestor, key('AB12', 'AB12')).split('\n')).toEqual([
      'gpg --armor --output AB12.asc --export AB12',
      'gcloud container binauthz attestors public-keys add --attestor=ci --project=p --pgp-public-key-file=AB12.asc',
    ]);
    expect(removeKeyCommand(attestor, 'ni:///sha-256;a')).toBe(
      "gcloud container binauthz attestors public-keys remove 'ni:///sha-256;a' --attestor=ci --project=p",
    );
  });
});
