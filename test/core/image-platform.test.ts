// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { type BinauthzError } from '../../src/core/errors.js';
import { digestOf } from '../../src/core/image/digest.js';
import { digestsToAttest, MANIFEST_MEDIA_TYPES, readManifest, type ResolvedImage } from '../../src/core/image/platform.js';
import { parseImageReference, pin } from '../../src/core/image/reference.js';

const [OCI_INDEX, DOCKER_LIST, OCI_MANIFEST, DOCKER_MANIFEST] = MANIFEST_MEDIA_TYPES;
const digest = (seed: string): string => digestOf(new TextEncoder().encode(seed));

const CONFIG = { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digest('config'), size: 7 };
const LAYER = { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest: digest('layer'), size: 7 };
const IMAGE = { schemaVersion: 2, mediaType: OCI_MANIFEST, config: CONFIG, layers: [LAYER] };

function entry(seed: string, platform: unknown, extra: object = {}): object {
  return { mediaType: OCI_MANIFEST, digest: digest(seed), size: 1, ...(platform === undefined ? {} : { platform }), ...extra };
}

function indexOf(...manifests: unknown[]): object {
  return { schemaVersion: 2, mediaType: OCI_INDEX, manifests };
}

function read(manifest: unknown, contentType?: string): ResolvedImage {
  const bytes =
    manifest instanceof Uint8Array
      ? manifest
      : new TextEncoder().encode(typeof manifest === 'string' ? manifest : JSON.stringify(manifest));
  const parsed = parseImageReference('us-docker.pkg.dev/p/r/app:v1');
  if (!parsed.ok) throw new Error(parsed.reason);
  return readManifest(bytes, contentType, pin(parsed.reference, digestOf(bytes)));
}

const AMD64 = { os: 'linux', architecture: 'amd64' };
const UNKNOWN = { os: 'unknown', architecture: 'unknown' };
const ATTESTATION = {
  annotations: { 'vnd.docker.reference.type': 'attestation-manifest', 'vnd.docker.reference.digest': digest('amd64') },
};

describe('single images', () => {
  it.each([
    ['OCI', IMAGE, OCI_MANIFEST],
    ['Docker', { ...IMAGE, mediaType: DOCKER_MANIFEST }, DOCKER_MANIFEST],
  ])('%s: has no children', (_name, manifest, mediaType) => {
    expect(read(manifest, mediaType)).toMatchObject({ mediaType, isIndex: false, children: [] });
  });

  it('takes the media type from the header where the body has none, as OCI allows', () => {
    expect(read({ ...IMAGE, mediaType: undefined }, `${OCI_MANIFEST}; charset=utf-8`).mediaType).toBe(OCI_MANIFEST);
  });

  it.each([undefined, 'application/json', 'text/plain; charset=utf-8'])('believes the body where the header says %s', (contentType) => {
    expect(read(IMAGE, contentType).mediaType).toBe(OCI_MANIFEST);
  });
});

describe('indexes', () => {
  it.each([
    ['OCI', OCI_INDEX],
    ['Docker', DOCKER_LIST],
  ])('%s: lists the runnable children in their order', (_name, mediaType) => {
    const image = read(
      { ...indexOf(entry('amd64', AMD64), entry('arm', { os: 'linux', architecture: 'arm', variant: 'v7' })), mediaType },
      mediaType,
    );
    expect(image.isIndex).toBe(true);
    expect(image.children).toEqual([
      { digest: digest('amd64'), platform: 'linux/amd64' },
      { digest: digest('arm'), platform: 'linux/arm/v7' },
    ]);
  });

  it.each([
    ['BuildKit provenance', entry('provenance', UNKNOWN, ATTESTATION)],
    ['an unknown platform without the annotation', entry('provenance', UNKNOWN)],
    ['the annotation without a platform', entry('provenance', undefined, ATTESTATION)],
    ['an artifact', entry('sbom', undefined, { artifactType: 'application/spdx+json' })],
  ])('leaves out %s', (_name, extra) => {
    expect(read(indexOf(entry('amd64', AMD64), extra)).children).toEqual([{ digest: digest('amd64'), platform: 'linux/amd64' }]);
  });

  it.each([
    ['no platform', undefined],
    ['an empty platform', {}],
  ])('keeps an entry with %s, which may run anywhere', (_name, platform) => {
    expect(read(indexOf(entry('any', platform))).children).toEqual([{ digest: digest('any'), platform: 'any' }]);
  });
});

describe('refused as MANIFEST_INVALID', () => {
  it.each<[string, unknown, string | undefined, RegExp]>([
    ['not JSON', '<html>log in</html>', 'text/html', /not JSON/],
    ['empty', '', OCI_MANIFEST, /not JSON/],
    ['not UTF-8', Uint8Array.of(0x7b, 0xff, 0x7d), OCI_MANIFEST, /not JSON/],
    ['not an object', [IMAGE], OCI_MANIFEST, /not a JSON object/],
    [
      'schema 1',
      { schemaVersion: 1, name: 'app', tag: 'v1', fsLayers: [], history: [] },
      'application/vnd.docker.distribution.manifest.v1+prettyjws',
      /schema 1/,
    ],
    ['no media type at all', { ...IMAGE, mediaType: undefined }, undefined, /media type is missing/],
    [
      'another media type',
      { ...IMAGE, mediaType: 'application/vnd.oci.artifact.manifest.v1+json' },
      undefined,
      /media type is application\/vnd\.oci\.artifact/,
    ],
    ['a media type that is no string', { ...IMAGE, mediaType: 5 }, OCI_MANIFEST, /media type is 5/],
    ['an index served as an image', indexOf(entry('amd64', AMD64)), OCI_MANIFEST, /the registry says/],
    ['an image served as an index', IMAGE, OCI_INDEX, /the registry says/],
    [
      'the content of an index, typed as an image by the header alone',
      { schemaVersion: 2, manifests: [entry('amd64', AMD64)] },
      OCI_MANIFEST,
      /does not fit/,
    ],
    [
      'the content of an image, typed as an index by the header alone',
      { schemaVersion: 2, config: CONFIG, layers: [LAYER] },
      OCI_INDEX,
      /does not fit/,
    ],
    ['an index and an image at once', { ...IMAGE, manifests: [entry('amd64', AMD64)] }, undefined, /at once/],
    ['an image without configuration and layers', { schemaVersion: 2, mediaType: OCI_MANIFEST }, OCI_MANIFEST, /does not fit/],
    ['an empty object, typed by the header', {}, OCI_MANIFEST, /does not fit/],
    ['an empty index', indexOf(), undefined, /no runnable image/],
    ['an index of provenance only', indexOf(entry('provenance', UNKNOWN, ATTESTATION)), undefined, /no runnable image/],
    ['an entry that is not an object', indexOf('x'), undefined, /not an object/],
    ['an entry without a digest', indexOf({ platform: AMD64 }), undefined, /without a sha256 digest/],
    ['an entry with another hash', indexOf({ platform: AMD64, digest: `sha512:${'0'.repeat(128)}` }), undefined, /without a sha256 digest/],
    [
      'a platform that would write into the log',
      indexOf(entry('evil', { os: 'linux\n::error::x', architecture: 'amd64' })),
      undefined,
      /platform/,
    ],
  ])('%s', (_name, manifest, contentType, message) => {
    const reading = (): unknown => read(manifest, contentType);
    expect(reading).toThrow(
      expect.objectContaining({ code: 'MANIFEST_INVALID', exitCode: 7, resource: 'us-docker.pkg.dev/p/r/app:v1' }) as BinauthzError,
    );
    expect(reading).toThrow(message);
  });

  it('quotes no more than a line of what it got', () => {
    const reading = (): unknown => read({ ...IMAGE, mediaType: 'x'.repeat(100_000) });
    expect(reading).toThrow(expect.objectContaining({ message: expect.stringMatching(/^.{1,400}$/) as string }) as BinauthzError);
  });
});

describe('digestsToAttest', () => {
  const single = read(IMAGE);
  const index = read(
    indexOf(
      entry('amd64', AMD64),
      entry('arm64', { os: 'linux', architecture: 'arm64' }),
      entry('amd64', { os: 'linux', architecture: '386' }),
    ),
  );

  it.each(['both', 'index', 'children'] as const)('%s: a single image is itself', (mode) => {
    expect(digestsToAttest(single, mode)).toEqual([single.reference.digest]);
  });

  it.each([
    ['both' as const, [index.reference.digest, digest('amd64'), digest('arm64')]],
    ['index' as const, [index.reference.digest]],
    ['children' as const, [digest('amd64'), digest('arm64')]],
  ])('%s: each digest of an index once, the index first', (mode, expected) => {
    expect(digestsToAttest(index, mode)).toEqual(expected);
  });
});

describe('an index of thousands', () => {
  it('is refused, since each entry would cost a signature and an occurrence', () => {
    const entries = Array.from({ length: 501 }, (_, index) => entry(String(index), AMD64));
    expect(() => read(indexOf(...entries))).toThrow(/501 entries/);
    expect(read(indexOf(...entries.slice(1))).children).toHaveLength(500);
  });

  it.each([
    [
      'a member given twice',
      `{"schemaVersion":2,"mediaType":"${OCI_INDEX}","manifests":[],"manifests":[${JSON.stringify(entry('x', AMD64))}]}`,
    ],
    ['a byte order mark', `\ufeff${JSON.stringify(IMAGE)}`],
    ['a media type that converts to no text', '{"mediaType":{"toString":1}}'],
  ])('nor is one with %s', (_name, text) => expect(() => read(text)).toThrow(/cannot read the manifest/));
});
