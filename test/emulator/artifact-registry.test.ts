// SPDX-License-Identifier: Apache-2.0
// Artifact Registry v1, driven by Google's own client, by plain HTTP for what the client cannot send, and by gcloud
// where it is installed.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ArtifactRegistryClient } from '@google-cloud/artifact-registry/build/src/v1/artifact_registry_client.js';
import { GoogleAuth, OAuth2Client, PassThroughClient, type AuthClient } from 'google-auth-library';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEmulator, type RunningEmulator } from '../../src/emulator/server.js';
import { imageIndex, pushImage, singleImage, type TestImage } from '../support/images.js';

const START = Date.parse('2026-03-01T00:00:00Z');
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';
const ABSENT = `sha256:${'0'.repeat(64)}`;
const LOCATION = 'projects/p/locations/us';
const REPOSITORY = `${LOCATION}/repositories/r`;
const ONCE = { retry: null, timeout: 10_000 } as const;

const APP = singleImage('app');
const APP2 = singleImage('app, second');
const MULTI = imageIndex('multi', ['linux/amd64', 'linux/arm64/v8'], { provenance: true });

let emulator: RunningEmulator;
let client: ArtifactRegistryClient;
let now = START;

beforeAll(async () => {
  emulator = await startEmulator({ clock: { now: () => now, sleep: () => Promise.resolve() } });
  client = clientFor(new PassThroughClient());
  await push('p/r/app', 'v1', APP);
  now += 60_000;
  await push('p/r/app', 'v2', APP2);
  await push('p/r/app', 'latest', APP2);
  await push('p/r/team/nested', 'v1', MULTI);
});

afterAll(async () => {
  await client.close();
  await emulator.close();
  expect(emulator.lastErrors).toEqual([]);
});

function clientFor(authClient: AuthClient): ArtifactRegistryClient {
  const auth = new GoogleAuth({ authClient });
  return new ArtifactRegistryClient({ fallback: true, protocol: 'http', apiEndpoint: '127.0.0.1', port: emulator.port, auth });
}

async function push(name: string, reference: string, image: TestImage, registry = 'us-docker.pkg.dev'): Promise<string> {
  return pushImage(emulator.url, name, reference, image, { headers: { 'x-binauthz-registry': registry } });
}

interface Answer {
  readonly status: number;
  readonly json: Record<string, unknown>;
}

async function call(method: string, path: string, body?: unknown, token?: string): Promise<Answer> {
  const response = await fetch(`${emulator.url}/v1/${path}`, {
    method,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, json: (await response.json()) as Record<string, unknown> };
}

function statusOf(answer: Answer): string {
  return (answer.json['error'] as { status: string } | undefined)?.status ?? '';
}

describe('repositories through Google’s client', () => {
  const name = 'projects/p/locations/us-central1/repositories/made';

  it('are created, read, changed, listed and deleted', async () => {
    const parent = 'projects/p/locations/us-central1';
    const [operation] = await client.createRepository(
      { parent, repositoryId: 'made', repository: { format: 'DOCKER', description: 'by a test', labels: { team_name: 'a' } } },
      ONCE,
    );
    const [created] = await operation.promise();
    // Inside an operation's Any the client leaves the enum as its number.
    expect(created).toMatchObject({ name, format: 1, description: 'by a test', labels: { team_name: 'a' } });
    const [changed] = await client.updateRepository(
      { repository: { name, description: 'changed' }, updateMask: { paths: ['description'] } },
      ONCE,
    );
    expect(changed).toMatchObject({ description: 'changed', labels: { team_name: 'a' } });
    const [read] = await client.getRepository({ name }, ONCE);
    expect(read).toMatchObject({ name, format: 'DOCKER', registryUri: 'us-central1-docker.pkg.dev/p/made', mode: 'STANDARD_REPOSITORY' });
    const [listed] = await client.listRepositories({ parent }, ONCE);
    expect(listed.map((repository) => repository.name)).toEqual([name]);
    const [deletion] = await client.deleteRepository({ name }, ONCE);
    await deletion.promise();
    await expect(client.getRepository({ name }, ONCE)).rejects.toMatchObject({ code: 5 });
  });

  it('keep their IAM policy until they are deleted', async () => {
    await call('POST', 'projects/p/locations/us/repositories?repositoryId=guarded', { format: 'DOCKER' });
    const resource = 'projects/p/locations/us/repositories/guarded';
    const bindings = [{ role: 'roles/artifactregistry.reader', members: ['user:a@x.example'] }];
    await client.setIamPolicy({ resource, policy: { bindings } }, ONCE);
    const [policy] = await client.getIamPolicy({ resource }, ONCE);
    expect(policy.bindings).toMatchObject(bindings);
    await call('DELETE', resource);
    await call('POST', 'projects/p/locations/us/repositories?repositoryId=guarded', { format: 'DOCKER' });
    expect((await call('GET', `${resource}:getIamPolicy`)).json['bindings']).toBeUndefined();
  });

  it('exist after the first push', async () => {
    const [repository] = await client.getRepository({ name: REPOSITORY }, ONCE);
    expect(repository).toMatchObject({ name: REPOSITORY, format: 'DOCKER', createTime: { seconds: String(START / 1000) } });
    expect(Number(repository.sizeBytes)).toBeGreaterThan(0);
  });
});

describe('creating a repository', () => {
  it.each([
    ['by the name of its format', 'by-name', { format: 'DOCKER' }, 'us', 'DOCKER'],
    ['by the number of its format', 'by-number', { format: 1 }, 'europe', 'DOCKER'],
    ['of another format', 'npm-things', { format: 'NPM' }, 'asia', 'NPM'],
    ['with snake_case members', 'snake', { format: 'DOCKER', docker_config: { immutable_tags: true } }, 'us', 'DOCKER'],
    ['for gcr.io', 'gcr.io', { format: 'DOCKER' }, 'us', 'DOCKER'],
  ])('%s', async (_name, id, body, location, format) => {
    const answer = await call('POST', `projects/made/locations/${location}/repositories?repositoryId=${id}`, body);
    expect(answer.json).toMatchObject({ done: true, response: { name: `projects/made/locations/${location}/repositories/${id}`, format } });
    const operation = await call('GET', String(answer.json['name']));
    expect(operation.json).toEqual(answer.json);
  });

  it.each([
    ['twice', 'p/locations/us', 'r', { format: 'DOCKER' }, 409, 'ALREADY_EXISTS'],
    ['without a format', 'p/locations/us', 'x', {}, 400, 'INVALID_ARGUMENT'],
    ['of an unknown format', 'p/locations/us', 'x', { format: 'ZIP' }, 400, 'INVALID_ARGUMENT'],
    ['without an id', 'p/locations/us', '', { format: 'DOCKER' }, 400, 'INVALID_ARGUMENT'],
    ['with an invalid id', 'p/locations/us', 'Upper', { format: 'DOCKER' }, 400, 'INVALID_ARGUMENT'],
    ['in an unknown location', 'p/locations/us-cental1', 'x', { format: 'DOCKER' }, 400, 'INVALID_ARGUMENT'],
    ['for eu.gcr.io outside europe', 'p/locations/us', 'eu.gcr.io', { format: 'DOCKER' }, 400, 'INVALID_ARGUMENT'],
  ])('is refused %s', async (_name, parent, id, body, status, code) => {
    const answer = await call('POST', `projects/${parent}/repositories?repositoryId=${id}`, body);
    expect([answer.status, statusOf(answer)]).toEqual([status, code]);
  });

  it('of another format leaves no registry behind it', async () => {
    await call('POST', 'projects/made/locations/us/repositories?repositoryId=maven', { format: 'MAVEN' });
    await expect(push('made/maven/app', 'v1', APP)).rejects.toThrow(/404/);
  });
});

describe('packages, versions and tags', () => {
  const app = `${REPOSITORY}/packages/app`;
  const nested = `${REPOSITORY}/packages/team%2Fnested`;

  it('list through Google’s client', async () => {
    const [packages] = await client.listPackages({ parent: REPOSITORY }, ONCE);
    expect(packages.map(({ name }) => name)).toEqual([app, nested]);
    const [versions] = await client.listVersions({ parent: app, view: 'FULL' }, ONCE);
    expect(versions.map(({ name, relatedTags }) => [name, relatedTags?.map((tag) => tag.name)])).toEqual([
      [`${app}/versions/${APP.digest}`, [`${app}/tags/v1`]],
      [`${app}/versions/${APP2.digest}`, [`${app}/tags/latest`, `${app}/tags/v2`]],
    ]);
    const [tags] = await client.listTags({ parent: app, filter: `version="${app}/versions/${APP2.digest}"` }, ONCE);
    expect(tags.map(({ name }) => name)).toEqual([`${app}/tags/latest`, `${app}/tags/v2`]);
  });

  it('are read through Google’s client', async () => {
    expect((await client.getPackage({ name: app }, ONCE))[0]).toMatchObject({ name: app });
    const [tag] = await client.getTag({ name: `${app}/tags/v1` }, ONCE);
    expect(tag).toMatchObject({ name: `${app}/tags/v1`, version: `${app}/versions/${APP.digest}` });
    expect(tag.version?.split('/')).toHaveLength(10);
    const [version] = await client.getVersion({ name: tag.version ?? '' }, ONCE);
    expect(version).toMatchObject({ name: tag.version, createTime: { seconds: String(START / 1000) }, relatedTags: [] });
    expect(version.metadata?.fields).toMatchObject({
      mediaType: { stringValue: MANIFEST },
      buildTime: { stringValue: '2026-01-02T03:04:05.000Z' },
    });
  });

  it.each([
    ['once', `${REPOSITORY}/packages/team%2Fnested/tags/v1`],
    ['twice, as gcloud does', `${REPOSITORY}/packages/team%252Fnested/tags/v1`],
    ['three times, as Google’s client does with gcloud’s spelling', `${REPOSITORY}/packages/team%25252Fnested/tags/v1`],
  ])('of a nested name are found escaped %s', async (_name, path) => {
    const answer = await call('GET', path);
    expect(answer.json).toEqual({ name: `${nested}/tags/v1`, version: `${nested}/versions/${MULTI.digest}` });
  });

  it('of a nested name are found through Google’s client', async () => {
    const [tag] = await client.getTag({ name: `${nested}/tags/v1` }, ONCE);
    expect(tag.version).toBe(`${nested}/versions/${MULTI.digest}`);
  });

  it.each([
    ['repository', 'projects/p/locations/us/repositories/none'],
    ['repository of a package', 'projects/p/locations/us/repositories/none/packages/app'],
    ['package', `${REPOSITORY}/packages/none`],
    ['package of a tag', `${REPOSITORY}/packages/none/tags/v1`],
    ['tag', `${app}/tags/v9`],
    ['version', `${app}/versions/${ABSENT}`],
    ['location of a repository', 'projects/p/locations/europe/repositories/r/packages/app'],
  ])('404 for an unknown %s', async (_name, path) => {
    const answer = await call('GET', path);
    expect([answer.status, statusOf(answer)]).toEqual([404, 'NOT_FOUND']);
  });

  it('tags are created, moved and deleted', async () => {
    await push('p/tagged/app', 'v1', APP);
    await push('p/tagged/app', 'v2', APP2);
    const parent = `${LOCATION}/repositories/tagged/packages/app`;
    const name = `${parent}/tags/stable`;
    const at = (image: TestImage): string => `${parent}/versions/${image.digest}`;
    const [created] = await client.createTag({ parent, tagId: 'stable', tag: { version: at(APP) } }, ONCE);
    expect(created).toMatchObject({ name, version: at(APP) });
    await expect(client.createTag({ parent, tagId: 'stable', tag: { version: at(APP) } }, ONCE)).rejects.toMatchObject({ code: 6 });
    const [moved] = await client.updateTag({ tag: { name, version: at(APP2) }, updateMask: { paths: ['version'] } }, ONCE);
    expect(moved.version).toBe(at(APP2));
    await client.deleteTag({ name }, ONCE);
    await expect(client.getTag({ name }, ONCE)).rejects.toMatchObject({ code: 5 });
  });

  it.each([
    ['an invalid id', '-x', `${app}/versions/${APP.digest}`, 400, 'INVALID_ARGUMENT'],
    ['a version of another package', 'x', `${nested}/versions/${MULTI.digest}`, 400, 'INVALID_ARGUMENT'],
    ['an unknown version', 'x', `${app}/versions/${ABSENT}`, 404, 'NOT_FOUND'],
  ])('tags are refused with %s', async (_name, id, version, status, code) => {
    const answer = await call('POST', `${app}/tags?tagId=${id}`, { version });
    expect([answer.status, statusOf(answer)]).toEqual([status, code]);
  });

  it('immutable tags stay where they are', async () => {
    const repository = `${LOCATION}/repositories/immutable`;
    await call('POST', `${LOCATION}/repositories?repositoryId=immutable`, { format: 'DOCKER', dockerConfig: { immutableTags: true } });
    await push('p/immutable/app', 'v1', APP);
    await push('p/immutable/app', 'v1', APP);
    await expect(push('p/immutable/app', 'v1', APP2)).rejects.toThrow(/tag immutability/);
    await push('p/immutable/app', 'v2', APP2);
    const tag = `${repository}/packages/app/tags/v1`;
    const moved = await call('PATCH', `${tag}?updateMask=version`, { version: `${repository}/packages/app/versions/${APP2.digest}` });
    expect([moved.status, statusOf(moved)]).toEqual([400, 'FAILED_PRECONDITION']);
    expect(statusOf(await call('DELETE', tag))).toBe('FAILED_PRECONDITION');
    expect((await fetch(`${emulator.url}/v2/p/immutable/app/manifests/v1`, { method: 'DELETE' })).status).toBe(400);
    expect((await call('GET', tag)).json['version']).toBe(`${repository}/packages/app/versions/${APP.digest}`);
  });

  it('versions are deleted when nothing holds them, or by force', async () => {
    const index = imageIndex('deleted', ['linux/amd64']);
    await push('p/deleted/app', 'v1', index);
    const parent = `${LOCATION}/repositories/deleted/packages/app`;
    const version = `${parent}/versions/${index.digest}`;
    const child = await call('DELETE', `${parent}/versions/${index.children[0]!.digest}?force=true`);
    expect(statusOf(child)).toBe('FAILED_PRECONDITION');
    expect(statusOf(await call('DELETE', version))).toBe('FAILED_PRECONDITION');
    const [operation] = await client.deleteVersion({ name: version, force: true }, ONCE);
    await operation.promise();
    expect((await call('GET', version)).status).toBe(404);
    expect((await call('GET', `${parent}/tags`)).json).toEqual({});
    const [last] = await client.deletePackage({ name: parent }, ONCE);
    await last.promise();
    expect((await call('GET', parent)).status).toBe(404);
  });
});

describe('Docker images', () => {
  const name = (image: TestImage, path = 'app'): string => `${REPOSITORY}/dockerImages/${path}@${image.digest}`;

  it('tell what was pushed', async () => {
    const answer = await call('GET', name(APP2));
    expect(answer.json).toEqual({
      name: name(APP2),
      uri: `us-docker.pkg.dev/p/r/app@${APP2.digest}`,
      tags: ['latest', 'v2'],
      imageSizeBytes: String(APP2.blobs[1]!.bytes.length),
      uploadTime: '2026-03-01T00:01:00.000Z',
      updateTime: '2026-03-01T00:01:00.000Z',
      buildTime: '2026-01-02T03:04:05.000Z',
      mediaType: MANIFEST,
    });
  });

  it('are read through Google’s client', async () => {
    const [image] = await client.getDockerImage({ name: name(APP) }, ONCE);
    expect(image).toMatchObject({
      name: name(APP),
      uri: `us-docker.pkg.dev/p/r/app@${APP.digest}`,
      tags: ['v1'],
      uploadTime: { seconds: String(START / 1000) },
      mediaType: MANIFEST,
    });
    expect(image.imageSizeBytes).toBe(String(APP.blobs[1]!.bytes.length));
  });

  it('of an index list its manifests', async () => {
    const [image] = await client.getDockerImage({ name: name(MULTI, 'team%2Fnested') }, ONCE);
    expect(image).toMatchObject({
      name: name(MULTI, 'team%2Fnested'),
      uri: `us-docker.pkg.dev/p/r/team/nested@${MULTI.digest}`,
      mediaType: INDEX,
      imageManifests: [
        { os: 'linux', architecture: 'amd64', digest: MULTI.children[0]!.digest, mediaType: MANIFEST },
        { os: 'linux', architecture: 'arm64', variant: 'v8', digest: MULTI.children[1]!.digest },
        { os: 'unknown', architecture: 'unknown' },
        { os: 'unknown', architecture: 'unknown' },
      ],
    });
  });

  it('are read by tag as well', async () => {
    expect((await call('GET', `${REPOSITORY}/dockerImages/app:v1`)).json['name']).toBe(name(APP));
  });

  it('show the artifact type of what is attached', async () => {
    const attached = singleImage('attached', 'linux/amd64', { artifactType: 'application/vnd.example.sbom' });
    await push('p/attached/app', attached.digest, attached);
    const answer = await call('GET', `${LOCATION}/repositories/attached/dockerImages`);
    expect(answer.json).toMatchObject({ dockerImages: [{ artifactType: 'application/vnd.example.sbom' }] });
    expect((answer.json['dockerImages'] as object[])[0]).not.toHaveProperty('tags');
  });

  it('list through Google’s client, page by page', async () => {
    const [all] = await client.listDockerImages({ parent: REPOSITORY }, ONCE);
    expect(all).toHaveLength(2 + 1 + MULTI.children.length);
    const names: unknown[] = [];
    let pageToken = '';
    do {
      const [page, , reply] = await client.listDockerImages(
        { parent: REPOSITORY, pageSize: 3, pageToken },
        { ...ONCE, autoPaginate: false },
      );
      expect(page.length).toBeLessThanOrEqual(3);
      names.push(...page.map((image) => image.name));
      pageToken = reply.nextPageToken ?? '';
    } while (pageToken !== '');
    expect(names).toEqual(all.map((image) => image.name));
  });

  it('are ordered on request', async () => {
    const listed = await call('GET', `${REPOSITORY}/dockerImages?orderBy=upload_time%20desc`);
    const times = (listed.json['dockerImages'] as { uploadTime: string }[]).map((image) => image.uploadTime);
    expect(times).toEqual([...times].sort().reverse());
  });

  it.each([
    ['image', `app@${ABSENT}`],
    ['tag', 'app:v9'],
    ['package', `none@${APP.digest}`],
    ['shape', 'app'],
  ])('404 for an unknown %s', async (_name, id) => {
    const answer = await call('GET', `${REPOSITORY}/dockerImages/${id}`);
    expect([answer.status, statusOf(answer)]).toEqual([404, 'NOT_FOUND']);
  });

  it.each([
    ['us-central1-docker.pkg.dev', 'uri/r/app', 'us-central1', 'r', 'us-central1-docker.pkg.dev/uri/r/app'],
    ['gcr.io', 'uri/app', 'us', 'gcr.io', 'gcr.io/uri/app'],
    ['us.gcr.io', 'uri/app', 'us', 'us.gcr.io', 'us.gcr.io/uri/app'],
    ['eu.gcr.io', 'uri/team/app', 'europe', 'eu.gcr.io', 'eu.gcr.io/uri/team/app'],
  ])('pushed to %s have its address', async (registry, image, location, repository, uri) => {
    await push(image, 'v1', APP, registry);
    const answer = await call('GET', `projects/uri/locations/${location}/repositories/${repository}/dockerImages`);
    expect(answer.json).toMatchObject({ dockerImages: [{ uri: `${uri}@${APP.digest}` }] });
  });
});

describe('locations', () => {
  // Cloud KMS has the same path on this port; whichever API answers must know these.
  it('list', async () => {
    const answer = await call('GET', 'projects/p/locations');
    const ids = (answer.json['locations'] as { locationId: string }[]).map(({ locationId }) => locationId);
    expect(ids).toEqual(expect.arrayContaining(['us', 'us-central1', 'europe']));
  });
});

describe('IAM', () => {
  const STRANGER = 'as:nobody@x.example';
  const READER = 'as:reader@x.example';

  beforeAll(async () => {
    const bindings = [{ role: 'roles/artifactregistry.reader', members: ['user:reader@x.example'] }];
    await call('POST', `${REPOSITORY}:setIamPolicy`, { policy: { bindings } });
  });

  const app = `${REPOSITORY}/packages/app`;
  it.each([
    ['GET', REPOSITORY, 'artifactregistry.repositories.get', 200],
    ['GET', `${LOCATION}/repositories`, 'artifactregistry.repositories.list', 403],
    ['POST', `${LOCATION}/repositories?repositoryId=x`, 'artifactregistry.repositories.create', 403],
    ['PATCH', REPOSITORY, 'artifactregistry.repositories.update', 403],
    ['DELETE', REPOSITORY, 'artifactregistry.repositories.delete', 403],
    ['GET', `${REPOSITORY}/packages`, 'artifactregistry.packages.list', 200],
    ['GET', app, 'artifactregistry.packages.get', 200],
    ['DELETE', app, 'artifactregistry.packages.delete', 403],
    ['GET', `${app}/versions`, 'artifactregistry.versions.list', 200],
    ['GET', `${app}/versions/${APP.digest}`, 'artifactregistry.versions.get', 200],
    ['DELETE', `${app}/versions/${APP.digest}`, 'artifactregistry.versions.delete', 403],
    ['GET', `${app}/tags`, 'artifactregistry.tags.list', 200],
    ['GET', `${app}/tags/v1`, 'artifactregistry.tags.get', 200],
    ['POST', `${app}/tags?tagId=x`, 'artifactregistry.tags.create', 403],
    ['PATCH', `${app}/tags/v1`, 'artifactregistry.tags.update', 403],
    ['DELETE', `${app}/tags/v1`, 'artifactregistry.tags.delete', 403],
    ['GET', `${REPOSITORY}/dockerImages`, 'artifactregistry.dockerimages.list', 200],
    ['GET', `${REPOSITORY}/dockerImages/app@${APP.digest}`, 'artifactregistry.dockerimages.get', 200],
  ])('%s %s needs %s', async (method, path, permission, readerStatus) => {
    const denied = await call(method, path, undefined, STRANGER);
    expect([denied.status, statusOf(denied)]).toEqual([403, 'PERMISSION_DENIED']);
    expect(JSON.stringify(denied.json)).toContain(permission);
    expect((await call(method, path, undefined, READER)).status).toBe(readerStatus);
  });

  it('is told by Google’s client as PERMISSION_DENIED', async () => {
    const token = new OAuth2Client();
    token.setCredentials({ access_token: STRANGER, expiry_date: Date.now() + 3_600_000 });
    const stranger = clientFor(token);
    await expect(stranger.getDockerImage({ name: `${REPOSITORY}/dockerImages/app@${APP.digest}` }, ONCE)).rejects.toMatchObject({
      code: 7,
    });
    await stranger.close();
  });
});

const GCLOUD = '/usr/bin/gcloud';

describe.skipIf(!existsSync(GCLOUD))('gcloud', () => {
  let config: string;

  beforeAll(async () => {
    config = await mkdtemp(join(tmpdir(), 'binauthz-gcloud-'));
  });

  afterAll(async () => {
    await rm(config, { recursive: true, force: true });
  });

  async function gcloud(...args: string[]): Promise<unknown> {
    const exported = emulator.exportLines().flatMap((line) => {
      const [, name = '', value = ''] = /^export (\w+)=(.*)$/.exec(line) ?? [];
      return value.includes('$') ? [] : [[name, value]];
    });
    const env = { ...process.env, ...Object.fromEntries(exported), CLOUDSDK_CONFIG: config, CLOUDSDK_CORE_PROJECT: 'p' };
    const { stdout } = await promisify(execFile)(GCLOUD, [...args, '--format=json'], { env });
    return JSON.parse(stdout === '' ? 'null' : stdout);
  }

  it.each([
    ['a tag', 'app:v1', APP.digest],
    ['a digest', `app@${APP.digest}`, APP.digest],
    ['a tag of a nested image', 'team/nested:v1', MULTI.digest],
  ])('describes an image by %s', async (_name, image, digest) => {
    const described = await gcloud('artifacts', 'docker', 'images', 'describe', `us-docker.pkg.dev/p/r/${image}`);
    expect(described).toMatchObject({ image_summary: { digest, registry: 'us-docker.pkg.dev', repository: 'r' } });
  });

  it('lists the images of a repository', async () => {
    const listed = (await gcloud('artifacts', 'docker', 'images', 'list', 'us-docker.pkg.dev/p/r', '--include-tags')) as {
      version: string;
    }[];
    expect(listed.map(({ version }) => version).sort()).toEqual([APP, APP2, MULTI, ...MULTI.children].map(({ digest }) => digest).sort());
  });

  it('reads a tag from the registry itself', async () => {
    const described = await gcloud('container', 'images', 'describe', `localhost:${String(emulator.port)}/p/r/app:v1`);
    expect(JSON.stringify(described)).toContain(APP.digest);
  });

  it('creates and deletes a repository', async () => {
    const where = ['made-by-gcloud', '--location=us', '--project=p'];
    await gcloud('artifacts', 'repositories', 'create', ...where, '--repository-format=docker');
    expect(await gcloud('artifacts', 'repositories', 'describe', ...where)).toMatchObject({ format: 'DOCKER' });
    await gcloud('artifacts', 'repositories', 'delete', ...where);
    expect((await call('GET', 'projects/p/locations/us/repositories/made-by-gcloud')).status).toBe(404);
  });
});
