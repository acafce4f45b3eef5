// SPDX-License-Identifier: Apache-2.0
// The registry API over real HTTP. Where Debian's docker-registry is present, the same pushes and reads are compared
// with it, so that the emulator's idea of a registry is not only its own.
import { request as httpRequest } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startEmulator, type RunningEmulator } from '../../src/emulator/server.js';

import { startTestEmulator, type TestEmulator } from '../support/emulator.js';
import { hasDockerRegistry, startDockerRegistry, type DockerRegistry } from '../support/docker-registry.js';
import { digestOf, imageIndex, pushImage, singleImage, type TestImage } from '../support/images.js';

const ABSENT = `sha256:${'0'.repeat(64)}`;
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';
const MULTI = imageIndex('multi', ['linux/amd64', 'linux/arm64/v8'], { provenance: true });

let server: RunningEmulator;

beforeAll(async () => {
  server = await startEmulator();
});

afterAll(async () => {
  await server.close();
  expect(server.lastErrors).toEqual([]);
});

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** One request to the emulator; unlike fetch, node:http lets a test choose the Host header. */
async function send(
  method: string,
  path: string,
  options: { headers?: Record<string, string>; body?: string | Buffer; url?: string } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(`${options.url ?? server.url}${path}`, { method, headers: options.headers ?? {} }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('end', () => {
        const headers = new Headers(Object.entries(incoming.headers).map(([name, value]) => [name, String(value)] as [string, string]));
        resolve({ status: incoming.statusCode ?? 0, headers, text: Buffer.concat(chunks).toString() });
      });
    });
    outgoing.on('error', reject);
    outgoing.end(options.body);
  });
}

async function push(name: string, reference: string, image: TestImage, headers: Record<string, string> = {}): Promise<string> {
  return pushImage(server.url, name, reference, image, { headers });
}

function parsed(answer: Answer): unknown {
  return JSON.parse(answer.text);
}

function errorCode(answer: Answer): string {
  return (parsed(answer) as { errors: { code: string }[] }).errors[0]?.code ?? '';
}

describe('the API version check', () => {
  it.each(['/v2/', '/v2'])('GET %s is 200 with {} and no challenge', async (path) => {
    const answer = await send('GET', path);
    expect(answer.status).toBe(200);
    expect(parsed(answer)).toEqual({});
    expect(answer.headers.get('docker-distribution-api-version')).toBe('registry/2.0');
    expect(answer.headers.has('www-authenticate')).toBe(false);
  });

  it.each([
    ['no credential', undefined, /^(?!as:).+/],
    ['an ordinary token', 'Bearer ya29.x', /^(?!as:).+/],
    ['gcloud’s basic credential', `Basic ${Buffer.from('_token:ya29.x').toString('base64')}`, /^(?!as:).+/],
    ['an identity as gcloud sends it', `Basic ${Buffer.from('_token:as:ci@p.example').toString('base64')}`, /^as:ci@p\.example$/],
    [
      'an identity as docker sends it',
      `Basic ${Buffer.from('oauth2accesstoken:as:ci@p.example').toString('base64')}`,
      /^as:ci@p\.example$/,
    ],
  ])('hands out a token for %s', async (_name, authorization, expected) => {
    const headers = authorization === undefined ? {} : { authorization };
    const answer = await send('GET', '/v2/token?scope=repository:p/r/app:pull&service=HOST', { headers });
    expect(answer.status).toBe(200);
    const { token, access_token: accessToken, expires_in: expiresIn } = parsed(answer) as Record<string, unknown>;
    expect(token).toMatch(expected);
    expect(accessToken).toBe(token);
    expect(expiresIn).toBe(3600);
  });
});

describe('manifests', () => {
  const image = singleImage('manifests');

  beforeAll(async () => {
    await push('man/r/app', 'v1', image);
    await push('man/r/team/nested', 'v1', MULTI);
  });

  it.each([
    ['a tag', 'v1', undefined],
    ['a digest', image.digest, undefined],
    ['an escaped digest', encodeURIComponent(image.digest), undefined],
    ['an Accept that does not match', 'v1', INDEX],
    ['any Accept', 'v1', '*/*'],
  ])('are read verbatim by %s, with HEAD telling the same', async (_name, reference, accept) => {
    const headers = accept === undefined ? {} : { accept };
    const get = await send('GET', `/v2/man/r/app/manifests/${reference}`, { headers });
    const head = await send('HEAD', `/v2/man/r/app/manifests/${reference}`, { headers });
    expect(get.text).toBe(image.manifest.toString());
    for (const answer of [get, head]) {
      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-type')).toBe(MANIFEST);
      expect(answer.headers.get('docker-content-digest')).toBe(image.digest);
      expect(answer.headers.get('content-length')).toBe(String(image.manifest.length));
    }
    expect(head.text).toBe('');
  });

  it('of a nested name answer an index and its children', async () => {
    const index = await send('GET', '/v2/man/r/team/nested/manifests/v1', { headers: { accept: MANIFEST } });
    expect(index.headers.get('content-type')).toBe(INDEX);
    expect(digestOf(Buffer.from(index.text))).toBe(MULTI.digest);
    expect(MULTI.children).toHaveLength(4);
    for (const child of MULTI.children) {
      const answer = await send('GET', `/v2/man/r/team/nested/manifests/${child.digest}`);
      expect(answer.text).toBe(child.manifest.toString());
    }
  });

  it.each([
    ['an unknown tag', 'man/r/app', 'v9', 'MANIFEST_UNKNOWN'],
    ['an unknown digest', 'man/r/app', ABSENT, 'MANIFEST_UNKNOWN'],
    ['an unknown image', 'man/r/other', 'v1', 'MANIFEST_UNKNOWN'],
    ['an unknown repository', 'man/nowhere/app', 'v1', 'NAME_UNKNOWN'],
    ['an unknown project', 'nobody/r/app', 'v1', 'NAME_UNKNOWN'],
  ])('404 for %s', async (_name, name, reference, code) => {
    const answer = await send('GET', `/v2/${name}/manifests/${reference}`);
    expect(answer.status).toBe(404);
    expect(errorCode(answer)).toBe(code);
    expect((await send('HEAD', `/v2/${name}/manifests/${reference}`)).status).toBe(404);
  });

  it('name the missing repository', async () => {
    const answer = await send('GET', '/v2/man/nowhere/app/manifests/v1');
    expect(parsed(answer)).toEqual({ errors: [{ code: 'NAME_UNKNOWN', message: 'Repository "nowhere" not found' }] });
  });

  const other = singleImage('never pushed');
  const content = (changes: Record<string, unknown>): string =>
    JSON.stringify({ ...(JSON.parse(image.manifest.toString()) as object), ...changes });
  it.each([
    ['that are not JSON', 'v1', '{', MANIFEST, 400, 'MANIFEST_INVALID'],
    ['that are no object', 'v1', '[]', MANIFEST, 400, 'MANIFEST_INVALID'],
    ['of an unknown media type', 'v1', content({ mediaType: undefined }), 'text/plain', 400, 'MANIFEST_INVALID'],
    [
      'whose media type is not the Content-Type',
      'v1',
      content({}),
      'application/vnd.docker.distribution.manifest.v2+json',
      400,
      'MANIFEST_INVALID',
    ],
    ['of schema 1', 'v1', content({ schemaVersion: 1 }), MANIFEST, 400, 'MANIFEST_INVALID'],
    ['without layers', 'v1', content({ layers: undefined }), MANIFEST, 400, 'MANIFEST_INVALID'],
    ['without a configuration', 'v1', content({ config: undefined }), MANIFEST, 400, 'MANIFEST_INVALID'],
    ['with unknown blobs', 'v1', other.manifest, MANIFEST, 400, 'MANIFEST_BLOB_UNKNOWN'],
    ['with unknown children', 'v1', imageIndex('never pushed', ['linux/amd64']).manifest, INDEX, 400, 'MANIFEST_BLOB_UNKNOWN'],
    ['under a wrong digest', ABSENT, image.manifest, MANIFEST, 400, 'DIGEST_INVALID'],
    ['under a malformed digest', 'sha256:xyz', image.manifest, MANIFEST, 400, 'DIGEST_INVALID'],
    ['under an invalid tag', '-v1', image.manifest, MANIFEST, 400, 'TAG_INVALID'],
    ['under an invalid name', 'v1', image.manifest, MANIFEST, 400, 'NAME_INVALID', 'man/r/UPPER'],
    ['under a name without an image', 'v1', image.manifest, MANIFEST, 400, 'NAME_INVALID', 'man'],
  ])('%s are refused', async (_name, reference, body, contentType, status, code, name = 'man/r/app') => {
    const answer = await send('PUT', `/v2/${name}/manifests/${reference}`, { headers: { 'content-type': contentType }, body });
    expect([answer.status, errorCode(answer)]).toEqual([status, code]);
  });

  it('that are refused change nothing and make no repository', async () => {
    const answer = await send('GET', '/v2/man/r/app/manifests/v1');
    expect(answer.headers.get('docker-content-digest')).toBe(image.digest);
    await send('PUT', '/v2/man/unmade/app/manifests/v1', { headers: { 'content-type': MANIFEST }, body: image.manifest });
    await send('POST', '/v2/man/unmade/app/blobs/uploads/');
    await send('GET', '/v2/man/unmade/app/blobs/uploads/none');
    expect((await send('GET', '/v1/projects/man/locations/us/repositories/unmade')).status).toBe(404);
  });

  it('are deleted as Google does it: first tags and parents, then the manifest', async () => {
    const index = imageIndex('deleted', ['linux/amd64']);
    const [child] = index.children;
    await push('del/r/app', 'v1', index);
    const remove = async (reference: string): Promise<[number, string]> => {
      const answer = await send('DELETE', `/v2/del/r/app/manifests/${reference}`);
      return [answer.status, answer.text === '' ? '' : errorCode(answer)];
    };
    expect(await remove(index.digest)).toEqual([400, 'GOOGLE_MANIFEST_DANGLING_TAG']);
    expect(await remove('v1')).toEqual([202, '']);
    expect(await remove('v1')).toEqual([404, 'MANIFEST_UNKNOWN']);
    expect(await remove(child!.digest)).toEqual([400, 'GOOGLE_MANIFEST_DANGLING_PARENT_IMAGE']);
    expect(await remove(index.digest)).toEqual([202, '']);
    expect(await remove(child!.digest)).toEqual([202, '']);
    expect(await remove(child!.digest)).toEqual([404, 'MANIFEST_UNKNOWN']);
  });
});

describe('tags', () => {
  it('move to the manifest pushed last, and list in order and in pages', async () => {
    const first = singleImage('first');
    const second = singleImage('second');
    for (const tag of ['v1', 'b', 'a']) await push('tags/r/app', tag, first);
    await push('tags/r/app', 'v1', second);
    const all = await send('GET', '/v2/tags/r/app/tags/list');
    expect(parsed(all)).toMatchObject({
      name: 'tags/r/app',
      tags: ['a', 'b', 'v1'],
      manifest: { [first.digest]: { tag: ['a', 'b'], mediaType: MANIFEST }, [second.digest]: { tag: ['v1'] } },
    });
    const page = await send('GET', '/v2/tags/r/app/tags/list?n=2');
    expect((parsed(page) as { tags: string[] }).tags).toEqual(['a', 'b']);
    const next = /^<([^>]+)>; rel="next"$/.exec(page.headers.get('link') ?? '')?.[1] ?? '';
    const last = await send('GET', next);
    expect((parsed(last) as { tags: string[] }).tags).toEqual(['v1']);
    expect(last.headers.has('link')).toBe(false);
  });

  it.each([
    ['an unknown image', 'tags/r/none', ''],
    ['an unknown repository', 'tags/none/app', ''],
  ])('of %s are NAME_UNKNOWN', async (_name, name) => {
    const answer = await send('GET', `/v2/${name}/tags/list`);
    expect([answer.status, errorCode(answer)]).toEqual([404, 'NAME_UNKNOWN']);
  });
});

describe('referrers', () => {
  const subject = singleImage('subject');
  const attached = singleImage('attached', 'linux/amd64', {
    artifactType: 'application/vnd.example.sbom',
    subject: { mediaType: MANIFEST, digest: subject.digest, size: subject.manifest.length },
    annotations: { made: 'by a test' },
  });

  beforeAll(async () => {
    await push('ref/r/app', 'v1', subject);
    await push('ref/r/app', attached.digest, attached);
  });

  it('list what was attached, with its type and annotations', async () => {
    const answer = await send('GET', `/v2/ref/r/app/referrers/${subject.digest}`);
    expect(answer.headers.get('content-type')).toBe(INDEX);
    expect(parsed(answer)).toEqual({
      schemaVersion: 2,
      mediaType: INDEX,
      manifests: [
        {
          mediaType: MANIFEST,
          digest: attached.digest,
          size: attached.manifest.length,
          artifactType: 'application/vnd.example.sbom',
          annotations: { made: 'by a test' },
        },
      ],
    });
  });

  it.each([
    ['the type', 'application/vnd.example.sbom', 1],
    ['another type', 'application/vnd.example.other', 0],
  ])('are filtered by %s', async (_name, type, count) => {
    const answer = await send('GET', `/v2/ref/r/app/referrers/${subject.digest}?artifactType=${encodeURIComponent(type)}`);
    expect(answer.headers.get('oci-filters-applied')).toBe('artifactType');
    expect((parsed(answer) as { manifests: unknown[] }).manifests).toHaveLength(count);
  });

  it('are an empty index where nothing refers', async () => {
    const answer = await send('GET', `/v2/ref/r/app/referrers/${ABSENT}`);
    expect([answer.status, (parsed(answer) as { manifests: unknown[] }).manifests]).toEqual([200, []]);
  });

  it('are announced when the manifest is pushed', async () => {
    const answer = await send('PUT', `/v2/ref/r/app/manifests/${attached.digest}`, {
      headers: { 'content-type': MANIFEST },
      body: attached.manifest,
    });
    expect([answer.status, answer.headers.get('oci-subject')]).toEqual([201, subject.digest]);
  });
});

describe('blobs', () => {
  const bytes = Buffer.from('a blob in three pieces');
  const digest = digestOf(bytes);

  async function start(name: string): Promise<string> {
    const answer = await send('POST', `/v2/${name}/blobs/uploads/`);
    expect(answer.status).toBe(202);
    return answer.headers.get('location') ?? '';
  }

  async function expectStored(name: string): Promise<void> {
    const get = await send('GET', `/v2/${name}/blobs/${digest}`);
    const head = await send('HEAD', `/v2/${name}/blobs/${digest}`);
    expect([get.status, get.text, head.status]).toEqual([200, bytes.toString(), 200]);
    expect(head.headers.get('content-length')).toBe(String(bytes.length));
    expect(head.headers.get('docker-content-digest')).toBe(digest);
  }

  it('are uploaded in one POST', async () => {
    const answer = await send('POST', `/v2/blob/r/one/blobs/uploads/?digest=${digest}`, { body: bytes });
    expect([answer.status, answer.headers.get('location')]).toEqual([201, `/v2/blob/r/one/blobs/${digest}`]);
    await expectStored('blob/r/one');
  });

  it('are uploaded by POST and PUT', async () => {
    const answer = await send('PUT', `${await start('blob/r/two')}?digest=${digest}`, { body: bytes });
    expect([answer.status, answer.headers.get('docker-content-digest')]).toEqual([201, digest]);
    await expectStored('blob/r/two');
  });

  it('are uploaded in chunks, with the progress told', async () => {
    const location = await start('blob/r/three');
    const first = await send('PATCH', location, { headers: { 'content-range': '0-9' }, body: bytes.subarray(0, 10) });
    expect([first.status, first.headers.get('range')]).toEqual([202, '0-9']);
    const wrong = await send('PATCH', location, { headers: { 'content-range': '5-9' }, body: bytes.subarray(5, 10) });
    expect([wrong.status, wrong.headers.get('range'), errorCode(wrong)]).toEqual([416, '0-9', 'BLOB_UPLOAD_INVALID']);
    expect((await send('PATCH', location, { body: bytes.subarray(10, 12) })).status).toBe(202);
    const status = await send('GET', location);
    expect([status.status, status.headers.get('range')]).toEqual([204, '0-11']);
    const done = await send('PUT', `${location}?digest=${digest}`, { body: bytes.subarray(12) });
    expect(done.status).toBe(201);
    await expectStored('blob/r/three');
    expect((await send('GET', location)).status).toBe(404);
  });

  it.each([
    ['another digest', `?digest=${ABSENT}`],
    ['a malformed digest', '?digest=md5:abc'],
    ['no digest', ''],
  ])('are refused with %s', async (_name, query) => {
    const answer = await send('PUT', `${await start('blob/r/bad')}${query}`, { body: bytes });
    expect([answer.status, errorCode(answer)]).toEqual([400, 'DIGEST_INVALID']);
    expect((await send('HEAD', `/v2/blob/r/bad/blobs/${digest}`)).status).toBe(404);
  });

  it('belong to one image until mounted into another', async () => {
    await send('POST', `/v2/blob/r/source/blobs/uploads/?digest=${digest}`, { body: bytes });
    expect((await send('HEAD', `/v2/blob/r2/target/blobs/${digest}`)).status).toBe(404);
    const mounted = await send('POST', `/v2/blob/r2/target/blobs/uploads/?mount=${digest}&from=blob%2Fr%2Fsource`);
    expect([mounted.status, mounted.headers.get('location')]).toEqual([201, `/v2/blob/r2/target/blobs/${digest}`]);
    await expectStored('blob/r2/target');
  });

  it.each([
    ['a blob that the source lacks', ABSENT, 'blob/r/source'],
    ['an unknown source', digest, 'blob/none/source'],
    ['no source', digest, undefined],
  ])('fall back to an upload when mounting %s', async (_name, mount, from) => {
    const answer = await send(
      'POST',
      `/v2/blob/r2/fallback/blobs/uploads/?mount=${mount}${from === undefined ? '' : `&from=${encodeURIComponent(from)}`}`,
    );
    expect(answer.status).toBe(202);
    expect(answer.headers.get('location')).toMatch(/^\/v2\/blob\/r2\/fallback\/blobs\/uploads\//);
  });

  it('and uploads can be deleted', async () => {
    await send('POST', `/v2/blob/r/gone/blobs/uploads/?digest=${digest}`, { body: bytes });
    expect((await send('DELETE', `/v2/blob/r/gone/blobs/${digest}`)).status).toBe(202);
    const again = await send('DELETE', `/v2/blob/r/gone/blobs/${digest}`);
    expect([again.status, errorCode(again)]).toEqual([404, 'BLOB_UNKNOWN']);
    const location = await start('blob/r/gone');
    expect((await send('DELETE', location)).status).toBe(204);
    const put = await send('PUT', `${location}?digest=${digest}`, { body: bytes });
    expect([put.status, errorCode(put)]).toEqual([404, 'BLOB_UPLOAD_UNKNOWN']);
  });
});

describe('the registry host', () => {
  const reroute = (registry: string): Record<string, string> => ({ 'x-binauthz-registry': registry });
  const digestAt = async (name: string, headers: Record<string, string>): Promise<string | null> =>
    (await send('GET', `/v2/${name}/manifests/v1`, { headers })).headers.get('docker-content-digest');

  it('tells one location from another', async () => {
    const us = singleImage('in us');
    const eu = singleImage('in europe');
    await push('host/r/app', 'v1', us, reroute('us-docker.pkg.dev'));
    await push('host/r/app', 'v1', eu, reroute('europe-docker.pkg.dev'));
    expect(await digestAt('host/r/app', reroute('europe-docker.pkg.dev'))).toBe(eu.digest);
    expect(await digestAt('host/r/app', { host: 'europe-docker.pkg.dev' })).toBe(eu.digest);
    expect(await digestAt('host/r/app', { host: 'us-docker.pkg.dev:443' })).toBe(us.digest);
    expect(await digestAt('host/r/app', { host: 'us-docker.pkg.dev', ...reroute('europe-docker.pkg.dev') })).toBe(eu.digest);
    expect(await digestAt('host/r/app', { host: 'asia-docker.pkg.dev' })).toBeNull();
  });

  it('unknown, finds content in any location', async () => {
    const image = singleImage('in us-central1');
    await push('host/central/app', 'v1', image, reroute('us-central1-docker.pkg.dev'));
    expect(await digestAt('host/central/app', {})).toBe(image.digest);
    const eu = singleImage('only in europe');
    await push('host/both/app', 'v1', singleImage('only in us'), reroute('us-docker.pkg.dev'));
    await push('host/both/app', 'v2', eu, reroute('europe-docker.pkg.dev'));
    expect((await send('GET', '/v2/host/both/app/manifests/v2')).headers.get('docker-content-digest')).toBe(eu.digest);
  });

  it('unknown, pushes into the existing repository, else into us', async () => {
    const image = singleImage('somewhere');
    await push('host/central/app', 'v2', image);
    expect(await digestAt('host/central/app', { host: 'us-docker.pkg.dev' })).toBeNull();
    await push('host/fresh/app', 'v1', image);
    expect(await digestAt('host/fresh/app', { host: 'us-docker.pkg.dev' })).toBe(image.digest);
  });

  it.each([
    ['gcr.io', 'gcr-plain/app'],
    ['us.gcr.io', 'gcr-us/app'],
    ['eu.gcr.io', 'gcr-eu/team/nested/app'],
    ['asia.gcr.io', 'gcr-asia/team/app'],
  ])('%s has no repository in the path', async (host, name) => {
    const image = singleImage(host);
    await push(name, 'v1', image, reroute(host));
    expect(await digestAt(name, { host })).toBe(image.digest);
    expect(await digestAt(name, {})).toBe(image.digest);
    const [project, ...rest] = name.split('/');
    const location = { 'eu.gcr.io': 'europe', 'asia.gcr.io': 'asia' }[host] ?? 'us';
    expect(await digestAt(`${String(project)}/${host}/${rest.join('/')}`, { host: `${location}-docker.pkg.dev` })).toBe(image.digest);
  });

  it('unknown, with two segments, is gcr.io', async () => {
    const image = singleImage('two segments');
    await push('gcr-two/app', 'v1', image);
    expect(await digestAt('gcr-two/app', { host: 'gcr.io' })).toBe(image.digest);
  });

  it('takes domain-scoped projects', async () => {
    const image = singleImage('scoped');
    await push('example.com/proj/r/app', 'v1', image, reroute('us-docker.pkg.dev'));
    const listed = await send('GET', '/v1/projects/example.com:proj/locations/us/repositories/r/dockerImages');
    expect(parsed(listed)).toMatchObject({ dockerImages: [{ uri: `us-docker.pkg.dev/example.com/proj/r/app@${image.digest}` }] });
  });

  it.each(['p/app', 'p'])('of Artifact Registry needs a repository and an image: %s', async (name) => {
    const answer = await send('GET', `/v2/${name}/manifests/v1`, { headers: { host: 'us-docker.pkg.dev' } });
    expect([answer.status, errorCode(answer)]).toEqual([400, 'NAME_INVALID']);
  });
});

describe('IAM', () => {
  const REPOSITORY = 'projects/iam/locations/us/repositories/r';
  const as = (identity: string): Record<string, string> => ({ authorization: `Bearer as:${identity}` });
  const image = singleImage('guarded');
  beforeAll(async () => {
    await push('iam/r/app', 'v1', image);
    const bindings = [
      { role: 'roles/artifactregistry.reader', members: ['user:reader@x.example'] },
      { role: 'roles/artifactregistry.writer', members: ['serviceAccount:writer@x.example'] },
    ];
    const answer = await send('POST', `/v1/${REPOSITORY}:setIamPolicy`, { body: JSON.stringify({ policy: { bindings } }) });
    expect(answer.status).toBe(200);
  });

  const DOWNLOAD = 'artifactregistry.repositories.downloadArtifacts';
  const UPLOAD = 'artifactregistry.repositories.uploadArtifacts';
  it.each([
    ['a stranger may not pull', 'GET', 'manifests/v1', 'nobody@x.example', DOWNLOAD],
    ['a stranger may not list tags', 'GET', 'tags/list', 'nobody@x.example', DOWNLOAD],
    ['a stranger may not see referrers', 'GET', `referrers/${ABSENT}`, 'nobody@x.example', DOWNLOAD],
    ['a stranger may not pull blobs', 'GET', `blobs/${ABSENT}`, 'nobody@x.example', DOWNLOAD],
    ['a reader may not start an upload', 'POST', 'blobs/uploads/', 'reader@x.example', UPLOAD],
    ['a reader may not push', 'PUT', 'manifests/v2', 'reader@x.example', UPLOAD],
    ['a writer may not delete', 'DELETE', 'manifests/v1', 'writer@x.example', 'artifactregistry.repositories.deleteArtifacts'],
  ])('%s', async (_name, method, path, identity, permission) => {
    const content = method === 'PUT' ? { body: image.manifest } : {};
    const answer = await send(method, `/v2/iam/r/app/${path}`, { headers: { 'content-type': MANIFEST, ...as(identity) }, ...content });
    expect(answer.status).toBe(403);
    const message = `Permission "${permission}" denied on resource "${REPOSITORY}" (or it may not exist)`;
    expect(parsed(answer)).toEqual({ errors: [{ code: 'DENIED', message }] });
  });

  it('a stranger cannot tell a missing repository from a forbidden one', async () => {
    const answer = await send('GET', '/v2/iam/none/app/manifests/v1', { headers: as('nobody@x.example') });
    expect([answer.status, errorCode(answer)]).toEqual([403, 'DENIED']);
  });

  it('a stranger may ask for the API version', async () => {
    expect((await send('GET', '/v2/', { headers: as('nobody@x.example') })).status).toBe(200);
  });

  it('a reader may pull, also with the basic credential of docker', async () => {
    const basic = { authorization: `Basic ${Buffer.from('oauth2accesstoken:as:reader@x.example').toString('base64')}` };
    for (const headers of [as('reader@x.example'), basic]) {
      expect((await send('GET', '/v2/iam/r/app/manifests/v1', { headers })).status).toBe(200);
    }
  });

  it('a writer may push', async () => {
    expect(await push('iam/r/app', 'v3', singleImage('by the writer'), as('writer@x.example'))).toMatch(/^sha256:/);
  });
});

describe.skipIf(!hasDockerRegistry)('next to Debian’s docker-registry', () => {
  let debian: DockerRegistry;

  beforeAll(async () => {
    debian = await startDockerRegistry();
  });

  afterAll(async () => {
    await debian.close();
  });

  const ACCEPT = [
    INDEX,
    MANIFEST,
    'application/vnd.docker.distribution.manifest.list.v2+json',
    'application/vnd.docker.distribution.manifest.v2+json',
  ].join(', ');
  const image = singleImage('compared');

  /** The same request to both registries, reduced to what clients rely on. */
  async function both(
    method: string,
    path: string,
    options: { headers?: Record<string, string>; body?: Buffer } = {},
  ): Promise<readonly unknown[][]> {
    const answers = await Promise.all([server.url, `http://${debian.host}`].map((url) => send(method, path, { ...options, url })));
    return answers.map((answer) => [
      answer.status,
      answer.headers.get('docker-content-digest'),
      answer.status < 300 ? answer.headers.get('content-type')?.split(';', 1)[0] : errorCodeOf(answer),
    ]);
  }

  function errorCodeOf(answer: Answer): string {
    return answer.text === '' ? '' : errorCode(answer);
  }

  it('the same pushes give the same digests', async () => {
    for (const base of [server.url, `http://${debian.host}`]) {
      expect(await pushImage(base, 'deb/r/app', 'v1', image)).toBe(image.digest);
      expect(await pushImage(base, 'deb/r/multi', 'v1', MULTI)).toBe(MULTI.digest);
    }
  });

  it.each([
    ['HEAD', 'app/manifests/v1'],
    ['GET', 'app/manifests/v1'],
    ['GET', `app/manifests/${image.digest}`],
    ['GET', 'multi/manifests/v1'],
    ['GET', 'app/manifests/v9'],
    ['GET', `app/manifests/${ABSENT}`],
    ['HEAD', `app/blobs/${image.blobs[0]!.digest}`],
    ['GET', `app/blobs/${image.blobs[1]!.digest}`],
    ['GET', `app/blobs/${ABSENT}`],
    ['HEAD', `app/blobs/${ABSENT}`],
    ['DELETE', `app/blobs/${ABSENT}`],
    ['GET', 'app/tags/list'],
  ])('%s %s is answered alike', async (method, path) => {
    const [ours, theirs] = await both(method, `/v2/deb/r/${path}`, { headers: { accept: ACCEPT } });
    expect(ours).toEqual(theirs);
  });

  it('an upload in chunks runs alike', async () => {
    const bytes = Buffer.from('ten bytes.');
    const steps = async (url: string): Promise<unknown[]> => {
      const path = (answer: Answer): string => {
        const { pathname, search } = new URL(answer.headers.get('location') ?? '', url);
        return pathname + search;
      };
      const seen = (answer: Answer): unknown[] => [answer.status, answer.headers.get('range')];
      const started = await send('POST', '/v2/deb/r/chunks/blobs/uploads/', { url });
      const stream = { 'content-type': 'application/octet-stream' };
      const patched = await send('PATCH', path(started), {
        url,
        headers: { ...stream, 'content-range': '0-3' },
        body: bytes.subarray(0, 4),
      });
      const status = await send('GET', path(patched), { url });
      const last = path(status);
      const finished = await send('PUT', `${last}${last.includes('?') ? '&' : '?'}digest=${digestOf(bytes)}`, {
        url,
        headers: stream,
        body: bytes.subarray(4),
      });
      const read = await send('GET', `/v2/deb/r/chunks/blobs/${digestOf(bytes)}`, { url });
      return [seen(started), seen(patched), seen(status), finished.status, path(finished), read.text];
    };
    expect(await steps(server.url)).toEqual(await steps(`http://${debian.host}`));
  });

  it.each([
    ['broken JSON', Buffer.from('{'), MANIFEST],
    ['an unknown blob', singleImage('unknown').manifest, MANIFEST],
    ['an unknown child', imageIndex('unknown', ['linux/amd64']).manifest, INDEX],
    ['a wrong media type', image.manifest, 'application/vnd.docker.distribution.manifest.v2+json'],
  ])('a manifest with %s is refused alike', async (_name, body, contentType) => {
    const [ours, theirs] = await both('PUT', '/v2/deb/r/app/manifests/v2', { headers: { 'content-type': contentType }, body });
    expect(ours).toEqual(theirs);
  });
});

describe('an image pushed without a host that names a location', () => {
  let emulator: TestEmulator;
  beforeEach(async () => {
    emulator = await startTestEmulator();
    await pushImage(emulator.url, 'p/r/app', 'v1', singleImage('unplaced'));
    await pushImage(emulator.url, 'p/app', 'v1', singleImage('two segments'));
  });
  afterEach(() => emulator.close());
  const read = async (path: string, registry?: string) =>
    (await fetch(`${emulator.url}${path}`, registry === undefined ? {} : { headers: { 'x-binauthz-registry': registry } })).status;

  it('is where the first to name a location looks for it, and nowhere else from then on', async () => {
    expect(await read('/v2/p/r/app/manifests/v1', 'europe-west4-docker.pkg.dev')).toBe(200);
    expect(await read('/v2/p/r/app/manifests/v1', 'us-docker.pkg.dev')).toBe(404);
    expect(await read('/v2/p/r/app/manifests/v1')).toBe(200);
  });

  it('is found by Artifact Registry in the location that is asked for', async () => {
    expect((await emulator.api('GET', '/v1/projects/p/locations/us-central1/repositories/r/packages/app/tags/v1')).status).toBe(200);
    expect(await read('/v2/p/r/app/manifests/v1', 'us-central1-docker.pkg.dev')).toBe(200);
    expect(await read('/v2/p/r/app/manifests/v1', 'us-docker.pkg.dev')).toBe(404);
  });

  it.each(['gcr.io', 'us.gcr.io', 'eu.gcr.io', 'asia.gcr.io'])('is found under %s', async (host) => {
    expect(await read('/v2/p/app/manifests/v1', host)).toBe(200);
    expect(await read('/v2/p/r/app/manifests/v1', host)).toBe(200);
  });
});
