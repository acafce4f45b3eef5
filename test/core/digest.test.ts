// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { type BinauthzError } from '../../src/core/errors.js';
import { DIGEST_LENGTH, digestOf, parseDigest, proveDigest } from '../../src/core/image/digest.js';

// sha256 of nothing, and of "abc" (FIPS 180-2, appendix B.1).
const OF_NOTHING = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const OF_ABC = 'sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
const ABC = new TextEncoder().encode('abc');

describe('parseDigest', () => {
  it.each([OF_NOTHING, OF_ABC])('takes %s', (text) => {
    expect(parseDigest(text)).toBe(text);
    expect(text).toHaveLength(DIGEST_LENGTH);
  });

  it.each([
    ['empty', ''],
    ['no hash', OF_ABC.slice('sha256:'.length)],
    ['upper case', OF_ABC.toUpperCase()],
    ['upper-case hex', `sha256:${OF_ABC.slice(7).toUpperCase()}`],
    ['short', OF_ABC.slice(0, -1)],
    ['long', `${OF_ABC}0`],
    ['sha512', `sha512:${OF_ABC.slice(7)}${OF_ABC.slice(7)}`],
    ['a line break behind it', `${OF_ABC}\n`],
    ['a space before it', ` ${OF_ABC}`],
    ['not hex', `${OF_ABC.slice(0, -1)}g`],
  ])('refuses %s', (_name, text) => {
    expect(parseDigest(text)).toBeUndefined();
  });
});

describe('digestOf', () => {
  it('is the sha256 of the bytes', () => {
    expect(digestOf(new Uint8Array())).toBe(OF_NOTHING);
    expect(digestOf(ABC)).toBe(OF_ABC);
  });
});

describe('proveDigest', () => {
  it('gives the digest of the bytes where all claims agree, or none is made', () => {
    expect(proveDigest(ABC, [], 'image')).toBe(OF_ABC);
    const claims = [
      { by: 'the reference', digest: OF_ABC },
      { by: 'the header', digest: OF_ABC },
    ];
    expect(proveDigest(ABC, claims, 'image')).toBe(OF_ABC);
  });

  it.each([
    ['another digest', OF_NOTHING],
    ['an empty claim', ''],
    ['the same in upper case', OF_ABC.toUpperCase()],
  ])('refuses %s, naming who claimed it and both digests', (_name, digest) => {
    const prove = (): unknown =>
      proveDigest(
        ABC,
        [
          { by: 'the reference', digest: OF_ABC },
          { by: 'the header', digest },
        ],
        'gcr.io/p/x:v1',
      );
    expect(prove).toThrow(
      expect.objectContaining({
        code: 'DIGEST_MISMATCH',
        exitCode: 7,
        resource: 'gcr.io/p/x:v1',
        message: `cannot trust the manifest of gcr.io/p/x:v1: expected ${digest} (the header), got bytes with digest ${OF_ABC}`,
        hint: 'the registry, or something between you and it, answered with other content than was asked for: do not deploy it, and ask the registry’s operator',
      }) as BinauthzError,
    );
  });
});
