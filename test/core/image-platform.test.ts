// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { BinauthzError } from '../../src/core/errors.js';
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

function refusal(reading: () => unknown): BinauthzError {
  try {
    reading();
  } catch (error) {
    if (error instanceof BinauthzError) return error;
    throw error;
  }
  throw new Error('it was read');
}

const AMD64 = { os: 'linux', architecture: 'amd64' };
const UNKNOWN = { os: 'unknown', architecture: 'unknown' };
const ATTESTATION = {
  annotations: { 'vnd.docker.reference.type': 'attestation-manifest', 'vnd.docker.reference.digest': digest('amd64') },
};

it('registries are asked for indexes first, then for images, OCI’s before Docker’s', () => {
  expect(MANIFEST_MEDIA_TYPES).toEqual([
    'application/vnd.oci.image.index.v1+json',
    'application/vnd.docker.distribution.manifest.list.v2+json',
    'application/vnd.oci.image.manifest.v1+json',
    'application/vnd.docker.distribution.manifest.v2+json',
  ]);
});

describe('single images', () => {
  it.each([
    ['OCI', IMAGE, OCI_MANIFEST],
    ['Docker', { ...IMAGE, mediaType: DOCKER_MANIFEST }, DOCKER_MANIFEST],
  ])('%s: has no children', (_name, manifest, mediaType) => {
    expect(read(manifest, mediaType)).toMatchObject({ mediaType, isIndex: false, children: [] });
  });

  it('takes the media type from the header where the body has none, as OCI allows', () => {
    for (const header of [OCI_MANIFEST, `${OCI_MANIFEST}; charset=utf-8`, ` ${OCI_MANIFEST} ;a;b`])
      expect(read({ ...IMAGE, mediaType: undefined }, header).mediaType).toBe(OCI_MANIFEST);
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
  ])('leaves out %s', (_name, extra) => {
    expect(read(indexOf(entry('amd64', AMD64), extra)).children).toEqual([{ digest: digest('amd64'), platform: 'linux/amd64' }]);
  });

  it.each([
    ['no platform', undefined, 'any'],
    ['an empty platform', {}, 'any'],
    ['a platform of empty names', { os: '', architecture: '' }, 'any'],
    ['an architecture alone', { os: '', architecture: 'amd64' }, 'amd64'],
    ['a system that is no text', { os: 5, architecture: 'amd64' }, 'amd64'],
    ['a name of 100 characters', { os: 'x'.repeat(100), architecture: 'a' }, `${'x'.repeat(100)}/a`],
  ])('keeps an entry with %s', (_name, given, platform) => {
    expect(read(indexOf(entry('any', given))).children).toEqual([{ digest: digest('any'), platform }]);
  });

  // A node chooses by the platform alone, so what else an entry calls itself would hide an image that runs.
  it.each([
    ['the annotation of an attestation', ATTESTATION],
    ['an artifact type', { artifactType: 'application/vnd.oci.image.config.v1+json' }],
    ['annotations that are none', { annotations: null, artifactType: null }],
  ])('keeps an entry with %s', (_name, extra) => {
    expect(read(indexOf(entry('amd64', AMD64, extra))).children).toEqual([{ digest: digest('amd64'), platform: 'linux/amd64' }]);
    expect(read(indexOf(entry('any', undefined, extra))).children).toEqual([{ digest: digest('any'), platform: 'any' }]);
  });

  it.each([OCI_INDEX, DOCKER_LIST])('says of an entry that it is an index itself: %s', (mediaType) => {
    expect(read(indexOf(entry('inner', AMD64, { mediaType }))).children).toEqual([
      { digest: digest('inner'), platform: 'linux/amd64', isIndex: true },
    ]);
  });
});

describe('refused as MANIFEST_INVALID', () => {
  const NOT_JSON = 'it is not JSON, or says something twice';
  const BOTH = 'it claims to be an index and an image at once';
  const NO_DIGEST = 'the index has an entry without a sha256 digest';
  const NO_IMAGE = 'the index holds no runnable image, expected at least one manifest with a platform';
  const EXPECTED = 'expected an image manifest or an index';
  const typed = (mediaType: string): object => ({ ...IMAGE, mediaType });
  const misfit = (mediaType: string): string => `its content does not fit its media type ${mediaType}`;
  const platform = (quoted: string): string => `the index has an entry whose platform is not made of names: ${quoted}`;

  it.each<[string, unknown, string | undefined, string]>([
    ['not JSON', '<html>log in</html>', 'text/html', NOT_JSON],
    ['empty', '', OCI_MANIFEST, NOT_JSON],
    ['not UTF-8', Uint8Array.of(0x7b, 0xff, 0x7d), OCI_MANIFEST, NOT_JSON],
    ['a list', [IMAGE], OCI_MANIFEST, 'it is not a JSON object'],
    ['null', null, OCI_MANIFEST, 'it is not a JSON object'],
    ['a text', '"x"', OCI_MANIFEST, 'it is not a JSON object'],
    [
      'schema 1',
      { schemaVersion: 1, name: 'app', tag: 'v1', fsLayers: [], history: [] },
      'application/vnd.docker.distribution.manifest.v1+prettyjws',
      'it is a Docker schema 1 manifest, which has no stable digest: push the image again with a current tool',
    ],
    ['no media type at all', { ...IMAGE, mediaType: undefined }, undefined, `its media type is missing, ${EXPECTED}`],
    [
      'another media type',
      typed('application/vnd.oci.artifact.manifest.v1+json'),
      undefined,
      `its media type is application/vnd.oci.artifact.manifest.v1+json, ${EXPECTED}`,
    ],
    ['a media type of 100,000 characters', typed('x'.repeat(100_000)), undefined, `its media type is ${'x'.repeat(100)}, ${EXPECTED}`],
    ['a media type that is a number', { ...IMAGE, mediaType: 5 }, OCI_MANIFEST, `its media type is 5, ${EXPECTED}`],
    [
      'a media type that converts to no text',
      { ...IMAGE, mediaType: { toString: 1 } },
      OCI_MANIFEST,
      `its media type is an object, ${EXPECTED}`,
    ],
    [
      'an index served as an image',
      indexOf(entry('amd64', AMD64)),
      OCI_MANIFEST,
      `its own media type is ${OCI_INDEX}, the registry says ${OCI_MANIFEST}`,
    ],
    ['an image served as an index', IMAGE, OCI_INDEX, `its own media type is ${OCI_MANIFEST}, the registry says ${OCI_INDEX}`],
    [
      'an image served as an index, with white space and a parameter',
      IMAGE,
      ` ${DOCKER_LIST} ; charset=utf-8; q=1`,
      `its own media type is ${OCI_MANIFEST}, the registry says ${DOCKER_LIST}`,
    ],
    [
      'the content of an index, typed as an image by the header alone',
      { schemaVersion: 2, manifests: [entry('amd64', AMD64)] },
      OCI_MANIFEST,
      misfit(OCI_MANIFEST),
    ],
    [
      'the content of an image, typed as an index by the header alone',
      { schemaVersion: 2, config: CONFIG, layers: [LAYER] },
      OCI_INDEX,
      misfit(OCI_INDEX),
    ],
    ['an image and an index at once', { ...IMAGE, manifests: [entry('amd64', AMD64)] }, undefined, BOTH],
    ['an index with a configuration', { ...indexOf(entry('amd64', AMD64)), config: CONFIG }, undefined, BOTH],
    ['an index with layers', { ...indexOf(entry('amd64', AMD64)), layers: [] }, undefined, BOTH],
    ['an index whose manifests are no list', { ...indexOf(), manifests: {} }, undefined, misfit(OCI_INDEX)],
    ['an image without configuration and layers', { schemaVersion: 2, mediaType: OCI_MANIFEST }, OCI_MANIFEST, misfit(OCI_MANIFEST)],
    ['an image without configuration', { ...IMAGE, config: undefined }, undefined, misfit(OCI_MANIFEST)],
    ['an image whose layers are no list', { ...IMAGE, layers: {} }, undefined, misfit(OCI_MANIFEST)],
    ['an empty object, typed by the header', {}, OCI_MANIFEST, misfit(OCI_MANIFEST)],
    ['an empty index', indexOf(), undefined, NO_IMAGE],
    ['an index of provenance only', indexOf(entry('provenance', UNKNOWN, ATTESTATION)), undefined, NO_IMAGE],
    ['an entry that is not an object', indexOf('x'), undefined, 'the index has an entry that is not an object'],
    ['an entry of null', indexOf(null), undefined, 'the index has an entry that is not an object'],
    ['an entry without a digest', indexOf({ platform: AMD64 }), undefined, NO_DIGEST],
    ['an entry with another hash', indexOf({ platform: AMD64, digest: `sha512:${'0'.repeat(128)}` }), undefined, NO_DIGEST],
    ['an entry with a list of one digest', indexOf(entry('x', AMD64, { digest: [digest('x')] })), undefined, NO_DIGEST],
    [
      'a platform that would begin a line of the log',
      indexOf(entry('evil', { os: 'linux\n::error::x', architecture: 'amd64' })),
      undefined,
      platform('"linux\\n::error::x"'),
    ],
    ['a platform behind a line break', indexOf(entry('evil', { os: 'linux', architecture: '\namd64' })), undefined, platform('"\\namd64"')],
    [
      'a platform that fills the log',
      indexOf(entry('evil', { os: 'x'.repeat(101), architecture: 'amd64' })),
      undefined,
      platform(`"${'x'.repeat(100)}"`),
    ],
  ])('%s', (_name, manifest, contentType, message) => {
    const error = refusal(() => read(manifest, contentType));
    expect(error.message).toBe(`cannot read the manifest of us-docker.pkg.dev/p/r/app:v1: ${message}`);
    expect(error).toMatchObject({
      code: 'MANIFEST_INVALID',
      exitCode: 7,
      resource: 'us-docker.pkg.dev/p/r/app:v1',
      hint: 'check that the reference names a container image (docker buildx imagetools inspect REFERENCE) and not another artifact',
    });
  });

  it('keeps what the parser said as the cause', () => {
    expect(refusal(() => read('<html>')).cause).toBeInstanceOf(SyntaxError);
    expect(refusal(() => read('[]')).cause).toBeUndefined();
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
  ])('nor is one with %s', (_name, text) => expect(() => read(text)).toThrow(/cannot read the manifest/));
});
