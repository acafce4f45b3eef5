// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseImageReference, type ImageReference } from '../../src/core/image/reference.js';
import { createArtifactCatalog } from '../../src/google/artifact-registry.js';
import { placeOf, repositoryOf } from '../../src/google/artifact-places.js';
import { startTestEmulator, type TestEmulator } from '../support/emulator.js';
import { imageIndex, pushImage, singleImage } from '../support/images.js';
import { errorOf, googleOn } from './google.js';
import { googleError, startStub, type Stub } from './stub-server.js';

const APP = singleImage('app');
const NESTED = imageIndex('nested', ['linux/amd64', 'linux/arm64']);
const HOST = 'us-docker.pkg.dev';

let emulator: TestEmulator;
let stub: Stub;

beforeAll(async () => {
  [emulator, stub] = [await startTestEmulator(), await startStub()];
  for (const [name, tag, image] of [
    ['shop/images/app', '1.2.3', APP],
    ['shop/images/app', '1.2.4', APP],
    ['shop/images/app', 'latest', APP],
    ['shop/images/team/nested', 'v1', NESTED],
  ] as const) {
    await pushImage(emulator.url, name, tag, image, { headers: { 'x-binauthz-registry': HOST } });
  }
  await emulator.api('POST', '/v1/projects/shop/locations/us/repositories?repositoryId=jars', { format: 'MAVEN' });
});

afterAll(async () => {
  await Promise.all([emulator.close(), stub.close()]);
});

function reference(text: string): ImageReference {
  const parsed = parseImageReference(text);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.reference;
}

const catalog = (token?: string) => createArtifactCatalog(googleOn(emulator.host, token === undefined ? {} : { token }).google);

describe('where an image lies', () => {
  const table: [string, object | undefined][] = [
    ['us-docker.pkg.dev/shop/images/app', { project: 'shop', location: 'us', repository: 'images', packageId: 'app' }],
    [
      'europe-west4-docker.pkg.dev/shop/images/team/app',
      { project: 'shop', location: 'europe-west4', repository: 'images', packageId: 'team%2Fapp' },
    ],
    [
      'us-docker.pkg.dev/example.com/shop/images/app',
      { project: 'example.com:shop', location: 'us', repository: 'images', packageId: 'app' },
    ],
    ['gcr.io/shop/app', { project: 'shop', location: 'us', repository: 'gcr.io', packageId: 'app' }],
    ['us.gcr.io/shop/app', { project: 'shop', location: 'us', repository: 'us.gcr.io', packageId: 'app' }],
    ['eu.gcr.io/shop/team/app', { project: 'shop', location: 'europe', repository: 'eu.gcr.io', packageId: 'team%2Fapp' }],
    ['asia.gcr.io/example.com/shop/app', { project: 'example.com:shop', location: 'asia', repository: 'asia.gcr.io', packageId: 'app' }],
    ['us-docker.pkg.dev/shop/images', undefined],
    ['gcr.io/shop', undefined],
    ['docker.io/library/nginx', undefined],
    ['127.0.0.1:5000/a/b', undefined],
    ['us-docker.pkg.dev.example.com/shop/images/app', undefined],
    ['my.gcr.io/shop/app', undefined],
  ];
  it.each(table)('%s', (text, place) => {
    expect(placeOf(reference(text))).toEqual(place);
    expect(catalog().covers(reference(text))).toBe(place !== undefined);
  });

  it('has a repository', () => {
    expect(repositoryOf(reference('gcr.io/shop/app'))).toEqual({ project: 'shop', location: 'us', repository: 'gcr.io' });
  });
});

describe('what a tag names', () => {
  it('is its digest, with the time of upload', async () => {
    expect(await catalog().describe(reference(`${HOST}/shop/images/app:1.2.3`))).toEqual({
      digest: APP.digest,
      uploadTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    });
  });

  it('is found for a nested name', async () => {
    expect(await catalog().describe(reference(`${HOST}/shop/images/team/nested:v1`))).toMatchObject({ digest: NESTED.digest });
  });

  it('is unknown where there is nothing, where it may not be asked, and without a tag', async () => {
    expect(await catalog().describe(reference(`${HOST}/shop/images/app:9`))).toBeUndefined();
    expect(await catalog().describe(reference(`${HOST}/shop/nowhere/app:1`))).toBeUndefined();
    expect(await catalog('as:nobody@example.com').describe(reference(`${HOST}/shop/images/app:1.2.3`))).toBeUndefined();
    expect(await catalog().describe(reference(`${HOST}/shop/images/app@${APP.digest}`))).toBeUndefined();
    expect(await catalog().describe(reference('docker.io/library/nginx:1'))).toBeUndefined();
  });

  // Google decodes the path once and then looks for a package by its id, in which a slash is written %2F.
  it('is asked for with the package id escaped once more, as gcloud does', async () => {
    stub.asked.length = 0;
    stub.plan({ status: 404, body: googleError(404, 'NOT_FOUND', 'x') });
    await createArtifactCatalog(googleOn(stub.host).google).describe(reference(`${HOST}/shop/images/team/nested:v1`));
    expect(stub.asked[0]?.url).toMatch(/^\/v1\/projects\/shop\/locations\/us\/repositories\/images\/packages\/team%252Fnested\/tags\/v1\?/);
    stub.plan({ body: { version: `x/versions/${APP.digest}` } });
    await createArtifactCatalog(googleOn(stub.host).google).describe(reference(`${HOST}/shop/images/team/nested:v1`));
    expect(stub.asked[2]?.url).toContain(`/dockerImages/team%252Fnested%40sha256%3A${APP.digest.slice(7)}?`);
  });
});

describe('why the registry said no', () => {
  it('names a repository that does not exist, and those that do', async () => {
    const hint = await catalog().explain(reference(`${HOST}/shop/image/app:1`), 'missing');
    expect(hint).toMatch(/repository image does not exist in us of project shop; there are images, jars/);
  });

  it('names another format', async () => {
    expect(await catalog().explain(reference(`${HOST}/shop/jars/app:1`), 'missing')).toContain('MAVEN');
  });

  it('gives the command for a missing permission', async () => {
    const hint = await catalog('as:nobody@example.com').explain(reference(`${HOST}/shop/images/app:1.2.3`), 'missing');
    expect(hint).toContain(
      'gcloud artifacts repositories add-iam-policy-binding images --location=us --project=shop --condition=None --member=MEMBER --role=roles/artifactregistry.reader',
    );
  });

  it('names the nearest tags', async () => {
    expect(await catalog().explain(reference(`${HOST}/shop/images/app:1.2.5`), 'missing')).toMatch(
      /no tag 1\.2\.5; it has 1\.2\.3, 1\.2\.4, latest$/,
    );
  });

  it('names an image or digest that is not there', async () => {
    expect(await catalog().explain(reference(`${HOST}/shop/images/other:1`), 'missing')).toContain('no image other');
    expect(await catalog().explain(reference(`${HOST}/shop/images/app@sha256:${'0'.repeat(64)}`), 'missing')).toContain('not this digest');
  });

  it('says nothing of a digest that nobody was allowed to look for', async () => {
    expect(await catalog().explain(reference(`${HOST}/shop/images/app@sha256:${'0'.repeat(64)}`), 'refused')).toBeUndefined();
    expect(await catalog().explain(reference(`${HOST}/shop/image/app@sha256:${'0'.repeat(64)}`), 'refused')).toContain('does not exist');
  });

  it('knows nothing of other registries', async () => {
    expect(await catalog().explain(reference('docker.io/library/nginx:1'), 'missing')).toBeUndefined();
  });
});

describe('the images of a repository', () => {
  it('are all of them, with tags and times', async () => {
    const images = await catalog().listImages({ project: 'shop', location: 'us', repository: 'images' });
    const app = images.find(({ digest }) => digest === APP.digest);
    expect([...(app?.tags ?? [])].sort()).toEqual(['1.2.3', '1.2.4', 'latest']);
    expect(app?.uri).toBe(`${HOST}/shop/images/app@${APP.digest}`);
    expect(images.map(({ digest }) => digest)).toContain(NESTED.digest);
  });

  it.each([
    ['a repository', `${HOST}/shop/images`, (name: string) => name.startsWith(`${HOST}/shop/images/`)],
    ['one image', `${HOST}/shop/images/app`, (name: string) => name.startsWith(`${HOST}/shop/images/app@`)],
  ])('are found below the name of %s', async (_, name, isBelow) => {
    const images = await catalog().imagesIn(reference(name));
    expect(images.map(({ digest }) => digest)).toContain(APP.digest);
    expect(images.filter((image) => !isBelow(image.name))).toEqual([]);
    expect(images.some(({ digest }) => digest === NESTED.digest)).toBe(name.endsWith('/images'));
  });

  it('are not looked for elsewhere, nor in a repository that does not exist', async () => {
    expect(await errorOf(catalog().imagesIn(reference('docker.io/library/nginx')))).toMatchObject({ code: 'INVALID_INPUT' });
    expect(await errorOf(catalog().imagesIn(reference(`${HOST}/shop/none`)))).toMatchObject({ code: 'NOT_FOUND' });
  });

  it('tell the platforms of an index', async () => {
    const child = { digest: `sha256:${'b'.repeat(64)}`, os: 'linux', architecture: 'arm', variant: 'v7' };
    const bare = { digest: `sha256:${'c'.repeat(64)}` };
    stub.plan({ body: { dockerImages: [{ uri: `${HOST}/shop/images/app@sha256:${'a'.repeat(64)}`, imageManifests: [child, bare, {}] }] } });
    const [image] = await createArtifactCatalog(googleOn(stub.host).google).imagesIn(reference(`${HOST}/shop/images/app`));
    expect(image?.children).toEqual([
      { digest: child.digest, platform: 'linux/arm/v7' },
      { digest: bare.digest, platform: 'any' },
    ]);
  });

  it('are read from every page', async () => {
    const image = (hex: string): object => ({ uri: `${HOST}/shop/images/app@sha256:${hex.repeat(64)}` });
    stub.plan(
      { body: { dockerImages: [image('a')], nextPageToken: 'x' } },
      { body: { nextPageToken: 'y' } },
      { body: { dockerImages: [image('b')] } },
    );
    const images = await createArtifactCatalog(googleOn(stub.host).google).listImages({
      project: 'shop',
      location: 'us',
      repository: 'images',
    });
    expect(images).toHaveLength(2);
  });
});

it('met no failure of the emulator itself', () => {
  expect(emulator.lastErrors).toEqual([]);
});
